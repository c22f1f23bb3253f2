import ArgumentParser
import DeviceControl
import DeviceModels
import Logging
import SocketIO
import Synchronization
import USBIPServer
import USBRecording

/// What every command that runs devices does: make them, let them be controlled, and end in order.
final class Serving: Sendable {
    let settings: ServeSettings
    let server: USBIPServer
    let devices: RunningDevices
    private let recorder: Recorder?
    private let control = Mutex<ControlServer?>(nil)
    private let made = Mutex<[RunningDevice]>([])

    var logger: Logger { server.logger }

    /// - Parameter onAdd: what else is done with a device that is added while the others run.
    /// - Throws: ``Failure`` when what is to be recorded cannot be.
    init(
        _ settings: ServeSettings, _ server: USBIPServer,
        onAdd: @escaping @Sendable (RunningDevice) throws(ModelError) -> Void = { _ in }
    ) throws(Failure) {
        self.settings = settings
        self.server = server
        if let report = settings.report { try WholeFile.checkWritable(report) }
        let recorder = try Recorder(settings, logger: server.logger)
        self.recorder = recorder
        devices = RunningDevices(
            server, logger: server.logger, decorator: recorder?.decorator, onAdd: onAdd
        ) { SignalWaiter.endProcess() }
    }

    /// Makes the devices, takes the addresses, and opens the control interface.
    ///
    /// - Returns: the addresses, with the ports that the system chose.
    /// - Throws: ``Failure``.
    func begin() throws(Failure) -> [SocketAddress] {
        // What can go wrong without a trace goes first: a mistake must not leave a new image behind.
        for device in settings.devices {
            try attempt(device) { () throws(ModelError) in _ = try ModelRegistry.check(device.specification) }
        }
        let addresses = try unavailable { () throws(SocketError) in try server.listen() }
        devices.reserve(settings.devices.compactMap(\.specification.busID))
        for device in settings.devices {
            try attempt(device) { () throws(ModelError) in _ = try devices.add(device.specification) }
        }
        made.withLock { $0 = devices.all }
        recorder?.check(devices.all.map(\.busID))
        try openControl()
        // Not before: a start that fails leaves an older capture as it is.
        try recorder?.start()
        _ = try unavailable { () throws(SocketError) in try server.start() }
        return addresses
    }

    /// Where the control interface is; nil when there is none.
    var controlPath: String? { control.withLock { $0?.path } }

    /// The devices that were asked for from the start, without those that clients have added.
    var first: [RunningDevice] { made.withLock { $0 } }

    private func openControl() throws(Failure) {
        try unavailable { () throws(SocketError) in
            guard let path = try controlPlace() else { return }
            let control = try ControlServer(
                path: path, target: devices, version: Ghostplug.configuration.version, logger: logger)
            try control.start()
            self.control.withLock { $0 = control }
        }
    }

    /// Where to listen for control; nil for nowhere.
    private func controlPlace() throws(SocketError) -> String? {
        guard settings.control == .usual else { return try settings.control.path }
        do throws(SocketError) {
            return try settings.control.path
        } catch {
            // Nobody asked for it by name.
            logger.warning("there is no control interface: \(error)")
            return nil
        }
    }

    /// Ends what was begun: disconnects hosts, finishes writes.
    ///
    /// - Parameter disconnected: called when no host has a device any more.
    /// - Throws: ``Failure`` when data may be lost.
    func end(_ disconnected: () -> Void = {}) throws(Failure) {
        logger.info("ending: disconnecting clients and finishing writes")
        let haveEnded = server.stop()
        disconnected()
        var failures = devices.finish()
        if !haveEnded { failures.append("a client's connection did not end") }
        // Last, so that who waits for the end of its connection knows that all is done.
        _ = control.withLock { $0 }?.stop()
        let totals = recorder?.end()
        let verdict = ReplayVerdicts(devices.verdicts, reportPath: settings.report)
        if let failure = verdict.write() { failures.append(failure) }
        guard failures.isEmpty else {
            throw Failure("data may be lost: \(failures.joined(separator: "; "))", .dataLoss)
        }
        if let failure = totals?.failure { throw Failure("the capture ends early: \(failure)", .dataLoss) }
        try verdict.check()
    }

    // MARK: Failures

    private func unavailable<R>(_ body: () throws(SocketError) -> R) throws(Failure) -> R {
        do throws(SocketError) {
            return try body()
        } catch {
            throw Failure("\(error)", .unavailable)
        }
    }

    private func attempt(_ device: ServeSettings.Device, _ body: () throws(ModelError) -> Void) throws(Failure) {
        do throws(ModelError) {
            try body()
        } catch {
            throw Failure("\(device.origin): \(error)", error.isMistake ? .validationFailure : .failure)
        }
    }
}

extension ServeSettings {
    /// A server with these settings, which does not listen yet.
    func makeServer() -> USBIPServer {
        let (format, level) = (logFormat, logLevel)
        return USBIPServer(
            server, logger: Logger(label: "ghostplug") { _ in LineLogHandler(format: format, level: level) })
    }
}
