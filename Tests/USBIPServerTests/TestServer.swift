import Glibc
import Logging
import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPServer
import USBIPWire

/// A server on a free loopback port, stopped when the test lets go of it.
final class TestServer: Sendable {
    let server: USBIPServer
    let port: UInt16
    let log: LogLines

    init(_ configure: (inout ServerConfiguration) -> Void = { _ in }) throws {
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        configure(&configuration)
        let log = LogLines()
        self.log = log
        server = USBIPServer(configuration, logger: Logger(label: "test") { _ in LineHandler(lines: log) })
        port = try #require(server.start().first?.port)
    }

    deinit { server.stop() }

    /// Exports a device.
    func add(_ busID: String? = nil, onRelease: (@Sendable () -> Void)? = nil) throws -> ExportedDevice {
        let device = ScriptedDevice()
        var options = ExportOptions()
        options.onRelease = onRelease
        return ExportedDevice(
            export: try server.export(busID: busID, device: device, options: options), device: device)
    }

    func connect() throws -> StreamSocket {
        let socket = try StreamSocket.connect(to: HostAndPort(host: "127.0.0.1", port: port))
        socket.setReadTimeout(milliseconds: 20_000)
        return socket
    }

    /// The bus ids that a client is shown.
    func list() throws -> [String] {
        let socket = try connect()
        try socket.sendAll(OpMessage.deviceListRequest)
        let head = try socket.receiveExactly(12)
        var busIDs: [String] = []
        for _ in 0..<head[11] {
            let record = try #require(DeviceRecord(parsing: socket.receiveExactly(DeviceRecord.size)))
            _ = try socket.receiveExactly(Int(record.interfaceCount) * 4)
            busIDs.append(record.busID)
        }
        #expect(socket.isAtEnd)
        return busIDs
    }

    /// The status that an import is answered with.
    func importStatus(_ busID: String) throws -> OpStatus {
        let socket = try connect()
        try socket.sendAll(OpMessage.importRequest(busID: busID))
        let header = try #require(OpHeader(parsing: socket.receiveExactly(OpHeader.size)))
        if header.status != .ok { #expect(socket.isAtEnd) }
        return header.status
    }

    func attach(_ busID: String) throws -> AttachedClient {
        let socket = try connect()
        try socket.sendAll(OpMessage.importRequest(busID: busID))
        let header = try #require(OpHeader(parsing: socket.receiveExactly(OpHeader.size)))
        try #require(header.code == .importReply && header.status == .ok)
        let record = try #require(DeviceRecord(parsing: socket.receiveExactly(DeviceRecord.size)))
        return AttachedClient(socket, record)
    }
}

/// A device with its way in.
struct ExportedDevice: Sendable {
    let export: Export
    let device: ScriptedDevice

    var busID: String { export.busID }

    /// Looks at the device, or tells it what to do, where it may be touched.
    func on<R>(_ body: (ScriptedDevice) -> R) -> R { export.executor.run { body(device) } }

    /// Has the device do something as its own work: without waiting.
    func post(_ body: @escaping @Sendable (ScriptedDevice) -> Void) {
        export.executor.post { [device] in body(device) }
    }
}

/// A client that has imported a device.
final class AttachedClient {
    let socket: StreamSocket
    let record: DeviceRecord
    var model = ClientModel()
    private var taken = 0

    init(_ socket: StreamSocket, _ record: DeviceRecord) {
        self.socket = socket
        self.record = record
        model.deviceID = record.deviceID
    }

    /// Reads the next `count` answers.
    func replies(_ count: Int) throws -> [Reply] {
        while model.replies.count < taken + count {
            let bytes = socket.receiveSome()
            guard !bytes.isEmpty else { throw ClientError(description: "the server hung up") }
            try model.read(bytes)
        }
        defer { taken += count }
        return Array(model.replies[taken..<taken + count])
    }

    /// Sends a command and reads its answer.
    func exchange(_ bytes: [UInt8]) throws -> Reply? {
        try socket.sendAll(bytes)
        return try replies(1).first
    }
}

extension StreamSocket {
    /// What comes next; empty at the end of the stream.
    func receiveSome() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe receive(into: $0) }
        return Array(bytes.prefix(max(0, count)))
    }

    /// Whether the peer has hung up; waits until it either has or has sent something.
    var isAtEnd: Bool {
        var byte: [UInt8] = [0]
        let count = unsafe byte.withUnsafeMutableBytes { unsafe receive(into: $0) }
        return count == 0 || count == -Int(ECONNRESET)
    }
}

/// What a server has logged.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    func add(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}

private struct LineHandler: LogHandler {
    let lines: LogLines
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add("\(event.level): \(event.message)") }
}

/// A number that threads count up.
final class Counter: Sendable {
    private let number = Atomic(0)

    func add(_ count: Int = 1) { number.add(count, ordering: .sequentiallyConsistent) }
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
}
