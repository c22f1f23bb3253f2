import CommandSupport
import DeviceControl
import DeviceModels
import Glibc
import Logging
import SocketIO
import Synchronization
import Testing

/// A folder of a test's own, with everything in it gone at the end.
final class SocketFolder: Sendable {
    let path: String

    init() throws {
        var template = Array("/tmp/ghostplug-test-XXXXXX".utf8CString)
        try #require(unsafe mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    var socket: String { path + "/a.sock" }

    static func names(_ path: String) -> [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var names: [String] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    private static func remove(_ path: String) {
        for name in names(path) where unsafe unlink("\(path)/\(name)") != 0 { remove("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}

/// What a server in a test controls.
final class FakeTarget: ControlTarget {
    let events = EventHub(capacity: 16)
    /// How many requests wait for ever at this moment, and how many were given up.
    let waiting = Monitor((now: 0, cancelled: 0))

    func perform(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        switch request.command {
        case "echo": return request.members
        case "large": return [("text", .string(String(repeating: "x", count: 20_000)))]
        case "devices":
            return [("devices", .array([.object([("busid", .string("1-1")), ("model", .string("drive"))])]))]
        case "refuse": throw ControlError(.unknownDevice, "there is no device '\(try request.busID())'")
        case "hang":
            waiting.change { $0.now += 1 }
            cancellation.withHandler({ self.waiting.change { _ in } }) {
                _ = waiting.wait { _ in cancellation.isCancelled ? true : nil }
            }
            waiting.change {
                $0.now -= 1
                $0.cancelled += 1
            }
            throw ControlError(.cancelled, "nobody waits any more")
        default: throw ControlError(.unknownCommand, "there is no command '\(request.command)'")
        }
    }
}

/// A server with a fake target, and clients for it.
final class SocketHarness: Sendable {
    let folder: SocketFolder
    let target = FakeTarget()
    let server: ControlServer

    init(_ folder: SocketFolder? = nil, path: String? = nil) throws {
        let folder = try folder ?? SocketFolder()
        self.folder = folder
        server = try ControlServer(
            path: path ?? folder.socket, target: target, version: "9.8.7", logger: Logger(label: "test"))
        try server.start()
    }

    deinit { server.stop() }

    func raw() throws -> RawClient { try RawClient(server.path) }

    func client() throws -> ControlClient { try ControlClient(path: server.path) }
}

/// A client that says whatever a test wants, and takes lines as they come.
final class RawClient {
    let socket: StreamSocket
    private var buffer: [UInt8] = []
    private var lines: [String] = []

    init(_ path: String) throws {
        socket = try StreamSocket.connect(toUnixSocket: path)
        socket.setReadTimeout(milliseconds: 20_000)
    }

    func send(_ text: String) throws { try socket.sendAll(Array(text.utf8)) }

    /// The next line; nil at the end of the connection.
    func line() throws -> String? {
        while lines.isEmpty {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
            if count == 0 || count == -Int(ECONNRESET) { return nil }
            try #require(count > 0, "no answer within 20 seconds")
            buffer += chunk.prefix(count)
            var parts = buffer.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            buffer = Array(parts.removeLast())
            lines = parts.reversed().map { String(decoding: $0, as: UTF8.self) }
        }
        return lines.removeLast()
    }

    /// The next line's JSON.
    func json() throws -> JSON { try JSON(parsing: Array(try #require(try line()).utf8)) }

    /// Sends a request and takes the answer, after the greeting.
    func ask(_ text: String) throws -> JSON {
        try send(text + "\n")
        return try json()
    }
}
