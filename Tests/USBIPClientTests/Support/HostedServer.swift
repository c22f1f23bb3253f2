import Logging
import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPServer

/// Our server on a free loopback port, stopped when the test lets go of it.
final class HostedServer: Sendable {
    let server: USBIPServer
    let address: HostAndPort

    init() throws {
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        server = USBIPServer(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        address = HostAndPort(host: "127.0.0.1", port: try #require(server.start().first?.port))
    }

    deinit { server.stop() }

    /// Exports a scripted device and imports it.
    func attachScripted(
        _ device: sending ScriptedDevice = ScriptedDevice(), limits: HostLimits = HostLimits()
    ) throws -> AttachedDevice {
        let scripted = Confined(device)
        let export = try server.export(busID: "1-1", device: scripted.device)
        let remote = try RemoteDevice.attach(to: address, busID: "1-1", limits: limits)
        return AttachedDevice(host: self, remote: remote, export: export, scripted: scripted)
    }
}

/// `@unchecked Sendable`: the device is touched on its executor only, once it is exported.
final class Confined: @unchecked Sendable {
    let device: ScriptedDevice
    init(_ device: sending ScriptedDevice) { self.device = device }
}

/// A scripted device at our server, with its host.
struct AttachedDevice: Sendable {
    let host: HostedServer
    let remote: RemoteDevice
    let export: Export
    let scripted: Confined

    /// Looks at the device, or tells it what to do, where it may be touched.
    func on<R>(_ body: (ScriptedDevice) -> R) -> R { export.executor.run { body(scripted.device) } }

    /// Waits until `count` transfers wait in the device.
    func hasWaiting(_ count: Int) -> Bool { settles { on { $0.waiting.count == count } } }

    /// Waits until `count` transfers wait in the device, without keeping a task's thread from what must happen.
    func comesToWait(_ count: Int) async throws -> Bool { try await comesTrue { on { $0.waiting.count == count } } }
}

/// Waits as `settles` does, but lets other tasks have the thread.
func comesTrue(_ condition: () -> Bool) async throws -> Bool {
    let end = ContinuousClock.now.advanced(by: .seconds(50))
    while !condition() {
        guard ContinuousClock.now < end else { return false }
        try await Task.sleep(for: .milliseconds(1))
    }
    return true
}

/// What completions brought, from whatever thread.
final class Inbox: Sendable {
    private let box = Mutex<[TransferResult]>([])

    func add(_ result: TransferResult) { box.withLock { $0.append(result) } }
    var all: [TransferResult] { box.withLock { $0 } }

    /// Waits until there are `count` results, and returns them.
    func first(_ count: Int) throws -> [TransferResult] {
        try #require(settles { all.count >= count }, "\(all.count) of \(count) results")
        return all
    }
}

/// A number that threads count up.
final class Tally: Sendable {
    private let number = Atomic(0)

    @discardableResult
    func add() -> Int { number.add(1, ordering: .sequentiallyConsistent).newValue }
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
}

/// The bytes 0, 1, 2 … of a length.
func counting(_ count: Int, from first: Int = 0) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: first + $0) }
}
