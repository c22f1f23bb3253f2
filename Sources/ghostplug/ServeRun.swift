import ArgumentParser
import CommandSupport
import DeviceModels
import Glibc
import Logging
import SocketIO
import USBCore
import USBDeviceKit
import USBIPServer

/// One run of `ghostplug serve`: make the devices, listen, wait for a signal, end in order.
struct ServeRun {
    private let settings: ServeSettings
    private let logger: Logger

    init(_ settings: ServeSettings) {
        self.settings = settings
        let format = settings.logFormat
        let level = settings.logLevel
        logger = Logger(label: "ghostplug") { _ in LineLogHandler(format: format, level: level) }
    }

    private struct Served {
        let export: Export
        let closer: Closer
    }

    func run() throws {
        let signals = SignalWaiter()
        let server = USBIPServer(settings.server, logger: logger)
        // What can go wrong without a trace goes first: a mistake must not leave a new image behind.
        for device in settings.devices {
            _ = try attempt(device) { () throws(ModelError) in try ModelRegistry.check(device.specification) }
        }
        let addresses = try listen(server)
        let served = try export(on: server)
        do throws(SocketError) {
            try server.start()
        } catch {
            throw Failure("\(error)", .unavailable)
        }
        announce(served, addresses)
        signals.wait()
        logger.info("ending: disconnecting clients and finishing writes")
        let haveEnded = server.stop()
        guard haveEnded else { throw Failure("a client's connection did not end; data may be lost", .dataLoss) }
        let failures = served.compactMap { device in
            device.export.executor.run { device.closer.close() }.map { "\(device.export.busID): \($0)" }
        }
        guard failures.isEmpty else {
            throw Failure("data may be lost: \(failures.joined(separator: "; "))", .dataLoss)
        }
    }

    private func listen(_ server: USBIPServer) throws -> [SocketAddress] {
        do throws(SocketError) {
            return try server.listen()
        } catch {
            throw Failure("\(error)", .unavailable)
        }
    }

    private func attempt<R>(_ device: ServeSettings.Device, _ body: () throws(ModelError) -> R) throws -> R {
        do throws(ModelError) {
            return try body()
        } catch {
            throw Failure("\(device.origin): \(error)", error.isMistake ? .validationFailure : .failure)
        }
    }

    private func export(on server: USBIPServer) throws -> [Served] {
        var served: [Served] = []
        // Ids that were asked for are not given away to devices that have none.
        var taken = Set(settings.devices.compactMap(\.specification.busID))
        for (index, device) in settings.devices.enumerated() {
            var log = logger
            log[metadataKey: "device"] = "\(device.specification)"
            let context = ModelContext(index: index, logger: log)
            let made = try attempt(device) { () throws(ModelError) in
                try ModelRegistry.make(device.specification, context)
            }
            let closer = Closer(made)
            let busID = device.specification.busID ?? Self.freeBusID(&taken)
            do throws(ExportError) {
                let export = try server.export(
                    busID: busID, device: closer.takeDevice(), pace: made.pace, onRelease: made.onRelease)
                served.append(Served(export: export, closer: closer))
            } catch {
                throw Failure("\(device.origin): \(error)", .validationFailure)
            }
        }
        return served
    }

    private static func freeBusID(_ taken: inout Set<String>) -> String {
        var number = 1
        while !taken.insert("1-\(number)").inserted { number += 1 }
        return "1-\(number)"
    }

    /// What a person needs to go on, and a script to wait for.
    private func announce(_ served: [Served], _ addresses: [SocketAddress]) {
        for device in served {
            let identity = device.export.identity
            StandardOutput.print(
                "\(device.export.busID)  \(hex(identity.vendorID)):\(hex(identity.productID))  "
                    + "\(speedName(identity.speed.rawValue))  \(identity.name)  (\(device.closer.backing))")
        }
        for address in addresses { StandardOutput.print("listening on \(address)") }
        guard let address = addresses.first, let first = served.first else { return }
        let isWildcard = address.addressBytes.allSatisfy { $0 == 0 }
        let host = isWildcard ? "THIS-HOST" : address.host
        let port = address.port == HostAndPort.usbipPort ? "" : " --tcp-port \(address.port)"
        StandardOutput.print(
            "attach with: sudo modprobe vhci-hcd; sudo usbip\(port) attach -r \(host) -b \(first.export.busID)")
        if addresses.contains(where: { !$0.isLoopback }), settings.server.allow.isEmpty {
            logger.warning("every machine that reaches this one can use these devices; --allow narrows that")
        }
    }
}

/// What is left of a model once its device has been handed to the server.
///
/// `@unchecked Sendable`: `close` is only called on the device's executor.
private final class Closer: @unchecked Sendable {
    let backing: String
    let close: () -> String?
    private let device: any USBDevice

    init(_ made: ModelDevice) {
        backing = made.backing
        close = made.close
        device = made.device
    }

    /// Gives the device away; from then on its executor is the only one to touch it.
    func takeDevice() -> sending any USBDevice {
        // Unsafe only to the compiler, which cannot see that this is called once and that nothing else touches the device.
        nonisolated(unsafe) let device = device
        return unsafe device
    }
}

/// Waits for the signals that end the program.
///
/// They are blocked from the start, in every thread, so that none is lost and none interrupts anything.
private struct SignalWaiter {
    private var set: sigset_t

    init() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        self.set = set
    }

    func wait() {
        var set = set
        var number: Int32 = 0
        unsafe sigwait(&set, &number)
        // A second signal ends a program that hangs.
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }
}
