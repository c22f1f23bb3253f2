import ArgumentParser
import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import USBIPServer
import VHCI

/// One run of `ghostplug play`: begin to serve, play the scenario, end in order.
struct PlayRun {
    struct Options {
        var keepsGoing = false
        var isJSON = false
    }

    private let scenario: Scenario
    private let serving: Serving
    /// Nil where devices are only served.
    private let plugger: Plugger?
    private let options: Options

    init(_ file: ScenarioFile, _ options: Options) throws(Failure) {
        var settings = file.settings
        if file.isLocal { settings.server.listen = [] }
        let server = settings.makeServer()
        // That the last device has gone is no reason to end: the next step may plug one in.
        let plugger = file.isLocal ? Plugger(server) {} : nil
        serving = try Serving(settings, server) { device throws(ModelError) in
            do throws(Failure) {
                try plugger?.plug(device)
            } catch {
                throw ModelError(unavailable: error.description)
            }
        }
        scenario = file.scenario
        self.plugger = plugger
        self.options = options
    }

    /// - Returns: whether everything held.
    /// - Throws: ``Failure`` when it cannot be played at all, or data may be lost.
    func run() throws(Failure) -> Bool {
        let cancellation = try cancelledBySignals()
        try plugger?.prepare()
        // Bus ids that devices ask for are not for others that are plugged in before them.
        serving.devices.reserve(scenario.devices.compactMap(\.specification.busID))
        for address in try serving.begin() { StandardError.write("listening on \(address)\n") }
        if let path = serving.controlPath { StandardError.write("control: \(path)\n") }

        let stage = PlayStage(devices: serving.devices, plugger: plugger)
        let (file, isJSON) = (scenario.file, options.isJSON)
        var player = ScenarioPlayer(scenario, on: stage, keepsGoing: options.keepsGoing, cancellation) { result in
            StandardError.write(result.line(in: file) + "\n")
            if isJSON { StandardOutput.print(result.json.text) }
        }
        let summary = player.play()
        StandardError.write("\(file): \(summary.words)\n")
        if isJSON { StandardOutput.print(summary.json.text) }
        try serving.end()
        guard summary.lost.isEmpty else {
            throw Failure("data may be lost: \(summary.lost.joined(separator: "; "))", .dataLoss)
        }
        return summary.hasHeld
    }

    /// Something that is cancelled when a signal asks this process to end.
    private func cancelledBySignals() throws(Failure) -> Cancellation {
        let cancellation = Cancellation()
        let signals = SignalWaiter()
        do throws(SocketError) {
            try startThread("play signals") {
                signals.wait()
                cancellation.cancel()
            }
        } catch {
            throw Failure("\(error)", .unavailable)
        }
        return cancellation
    }
}

/// A scenario's devices in this process: plugged into this machine, or served to others.
private struct PlayStage: ScenarioStage {
    let devices: RunningDevices
    let plugger: Plugger?

    var control: any ControlTarget { devices }

    func plug(_ scenarioDevice: Scenario.Device) throws(ControlError) -> String {
        let device: RunningDevice
        do throws(ModelError) {
            device = try devices.add(scenarioDevice.specification)
        } catch {
            throw ControlError(.failed, error.description)
        }
        guard let plugger else {
            StandardError.write("\(scenarioDevice.name): \(device.line)\n")
            return device.busID
        }
        do throws(Failure) {
            try plugger.plug(device)
        } catch {
            _ = devices.remove(device)
            throw ControlError(.failed, error.description)
        }
        return device.busID
    }

    func ready(
        _ busID: String, timeout: Duration?, _ cancellation: Cancellation
    ) throws(ControlError) -> [(name: String, value: String)] {
        guard let device = devices.device(busID) else {
            throw ControlError(.failed, "\(busID) was removed meanwhile")
        }
        guard let plugger else {
            // Whoever attaches it may be a person.
            let members: [(String, JSON)] = [
                ("busid", .string(busID)), ("for", .string(HostState.configured.rawValue)),
                ("timeout", timeout.map { .decimal($0 / .seconds(1), digits: 3) } ?? .number(86_400)),
            ]
            _ = try devices.perform(ControlRequest("wait", members), cancellation)
            return []
        }
        let server = devices.server
        do throws(Failure) {
            let ready = try cancellation.withHandler({ server.disconnect(device.export) }) { () throws(Failure) in
                try plugger.ready(device, timeout: timeout ?? .seconds(30))
            }
            return Self.variables(ready)
        } catch {
            throw ControlError(.failed, error.description)
        }
    }

    private static func variables(_ device: PluggedDevice) -> [(name: String, value: String)] {
        var variables = [
            ("local", device.busID), ("port", "\(device.port)"), ("sysfs", device.systemPath),
            ("nodes", device.nodes.map(\.path).joined(separator: " ")),
        ]
        // What it is used by, rather than the node of every USB device.
        if let node = device.nodes.first(where: { $0.kind != .usb }) ?? device.nodes.first {
            variables.append(("node", node.path))
        }
        var kinds: Set<String> = []
        for node in device.nodes where kinds.insert(node.kind.rawValue).inserted {
            variables.append((node.kind.rawValue, node.path))
        }
        return variables.map { (name: $0.0, value: $0.1) }
    }

    func unplug(_ busID: String) -> String? {
        guard let device = devices.device(busID) else { return nil }
        let port = device.place.first { $0.0 == "port" }?.1.double.flatMap { UInt32(exactly: $0) }
        let failure = devices.remove(device)
        // So that the next step finds it gone.
        if let port, let plugger { plugger.waitUntilFree([PortNumber(rawValue: port)]) }
        return failure
    }
}
