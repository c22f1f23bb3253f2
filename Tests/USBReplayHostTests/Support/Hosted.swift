import CaptureTraces
import Glibc
import Logging
import SocketIO
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPServer
import USBRecording
import USBReplay
import USBReplayHost

/// A device at our server on a free loopback port, recorded; stopped when the test lets go of it.
final class Hosted {
    private let server: USBIPServer
    private let address: HostAndPort
    private let writer: CaptureWriter?
    /// The capture's path; empty without one.
    let path: String

    /// Serves the device that `make` makes, behind a tap when it is recorded.
    init(isRecorded: Bool = false, _ make: @escaping @Sendable () throws -> any USBDevice) throws {
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        server = USBIPServer(configuration, logger: quiet)
        path = isRecorded ? try Self.temporaryFile() : ""
        writer = isRecorded ? try CaptureWriter(path: path, application: "test", logger: quiet) : nil
        address = HostAndPort(host: "127.0.0.1", port: try #require(server.start().first?.port))
        try server.export(busID: "1-1", device: try Self.made(make, writer))
    }

    deinit {
        server.stop()
        if let writer { _ = writer.close() }
        if !path.isEmpty { unsafe unlink(path) }
    }

    private static func made(
        _ make: @Sendable () throws -> any USBDevice, _ writer: CaptureWriter?
    ) throws -> sending any USBDevice {
        let device = Made(try make())
        guard let writer else { return device.device }
        var recorded = RecordedDevice(name: "test")
        recorded.speed = device.device.identity.speed
        let tapped = Made(CaptureTap(device.device, writer.register(recorded)))
        return tapped.device
    }

    /// `@unchecked Sendable`: handed over to the server once, and touched nowhere else.
    private struct Made: @unchecked Sendable {
        let device: any USBDevice
        init(_ device: any USBDevice) { self.device = device }
    }

    private static func temporaryFile() throws -> String {
        var template = Array("/tmp/ghostplug-test-XXXXXX".utf8) + [0]
        let descriptor = unsafe template.withUnsafeMutableBytes { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                unsafe text.baseAddress.map { unsafe mkstemp($0) } ?? -1
            }
        }
        try #require(descriptor >= 0)
        close(descriptor)
        return String(decoding: template.dropLast(), as: UTF8.self)
    }

    /// Imports the device for the time of `body`.
    func withRemote<R>(_ body: (RemoteDevice) throws -> R) throws -> R {
        let remote = try RemoteDevice.attach(to: address, busID: "1-1")
        defer { remote.close() }
        return try body(remote)
    }

    /// Ends the capture and reads it.
    func capture() throws -> Trace {
        server.stop()
        let totals = try #require(writer?.close())
        #expect(totals.dropped == 0)
        #expect(totals.failure == nil)
        return try TraceLoader.loadOne(path: path, choice: .number(1), descriptors: nil).trace
    }
}
