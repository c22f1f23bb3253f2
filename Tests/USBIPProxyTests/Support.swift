import Glibc
import Logging
import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCapture
import USBDeviceKit
import USBIPClient
import USBIPProxy
import USBIPServer
import USBRecording

let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A proxy on a free port, with a capture, stopped when the test lets go of it.
final class Between: Sendable {
    let proxy: USBIPProxy
    let address: HostAndPort
    let writer: CaptureWriter
    private let folder: String
    private let path: String

    init(_ upstream: HostAndPort, silence: Int32 = 60_000) throws {
        var template = Array("/tmp/ghostplug-proxy-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/a.pcapng"
        writer = try CaptureWriter(path: path, application: "ghostplug test", logger: silent)
        proxy = USBIPProxy(
            upstream: upstream, listen: [HostAndPort(host: "127.0.0.1", port: 0)], writer: writer, silence: silence,
            logger: silent)
        address = HostAndPort(host: "127.0.0.1", port: try #require(proxy.start().first?.port))
    }

    deinit {
        proxy.stop()
        _ = writer.close()
        unsafe unlink(path)
        unsafe rmdir(folder)
    }

    func connect() throws -> StreamSocket {
        let socket = try StreamSocket.connect(to: address)
        socket.setReadTimeout(milliseconds: 20_000)
        return socket
    }

    /// Ends the proxy; what it recorded.
    func recorded() throws -> (events: [CapturedEvent], data: [[UInt8]], reader: CaptureReader) {
        #expect(proxy.stop())
        #expect(writer.close().dropped == 0)
        return try readAll(path)
    }
}

/// Everything in a capture, and its reader at the end.
func readAll(_ path: String) throws -> (events: [CapturedEvent], data: [[UInt8]], reader: CaptureReader) {
    let reader = try CaptureReader(path: path)
    var events: [CapturedEvent] = []
    var data: [[UInt8]] = []
    while let event = try reader.next() {
        events.append(event)
        data.append(reader.withData { unsafe $0.withUnsafeBytes { unsafe Array($0) } })
    }
    return (events, data, reader)
}

/// A server that says what the test says.
final class PlainServer: Sendable {
    private let listener: ListeningSocket
    let address: HostAndPort

    init() throws {
        let place = try #require(SocketAddress.resolve(host: "127.0.0.1", port: 0).first)
        listener = try ListeningSocket(place)
        address = HostAndPort(host: "127.0.0.1", port: listener.address.port)
    }

    deinit { listener.stop() }

    func accept() throws -> StreamSocket {
        let socket = try #require(try listener.accept())
        socket.setReadTimeout(milliseconds: 20_000)
        return socket
    }
}

/// `@unchecked Sendable`: the device is touched on its executor only, once it is exported.
final class Confined: @unchecked Sendable {
    let device: ScriptedDevice
    init(_ device: sending ScriptedDevice) { self.device = device }
}
