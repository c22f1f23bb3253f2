package import CommandSupport
import Glibc
import SocketIO
import Synchronization

/// A client of a server's control interface.
///
/// For one thread at a time; ``close()`` may come from any.
package final class ControlClient: Sendable {
    /// The longest line that a client takes, in bytes: a server may have thousands of devices.
    private static let answerLimit = 64 << 20

    private struct State {
        var reader = LineReader(limit: ControlClient.answerLimit)
        var lastID = 0
    }

    private let socket: StreamSocket
    private let state: Mutex<State>
    /// Where the server listens.
    package let path: String
    /// The server's process.
    package let processID: Int
    /// The server's version.
    package let version: String

    /// Connects to a server.
    ///
    /// - Throws: ``ControlError`` (unreachable) where there is none, or it speaks another protocol.
    package init(path: String) throws(ControlError) {
        self.path = path
        var first = State()
        do throws(SocketError) {
            socket = try StreamSocket.connect(toUnixSocket: path)
        } catch {
            throw ControlError(.unreachable, "\(error)\(Self.hint(error))")
        }
        // Only the greeting is always there at once.
        socket.setReadTimeout(milliseconds: 5000)
        let greeting = try Self.line(&first, socket, path)
        guard let spoken = greeting["protocol"]?.double, case .string(let version) = greeting["ghostplug"] else {
            throw ControlError(.unreachable, "\(path) is no control socket of ghostplug")
        }
        guard spoken == Double(ControlMessage.version) else {
            throw ControlError(
                .unreachable,
                "the server at \(path) speaks another protocol; use the ghostplug that runs it, of version \(version)")
        }
        socket.setReadTimeout(milliseconds: 0)
        self.version = version
        processID = greeting["pid"]?.double.flatMap { Int(exactly: $0) } ?? 0
        state = Mutex(first)
    }

    private static func hint(_ error: SocketError) -> String {
        error.code == ENOENT || error.code == ECONNREFUSED
            ? "; no server runs there: start one with 'ghostplug serve DEVICE'" : ""
    }

    /// Has the server do something.
    ///
    /// - Parameter timeout: how long to wait for the answer; nil for ever.
    /// - Returns: the answer's result.
    /// - Throws: ``ControlError``: the server's, or (unreachable) the connection's.
    package func perform(_ request: ControlRequest, timeout: Duration? = nil) throws(ControlError) -> JSON {
        try state.withLock { state throws(ControlError) in
            try send(request, &state)
            socket.setReadTimeout(milliseconds: timeout.map(Self.milliseconds) ?? 0)
            while true {
                let line = try Self.line(&state, socket, path)
                // Events of an earlier request come in between.
                if let ok = line["ok"] { return try Self.result(ok, line, id: state.lastID) }
            }
        }
    }

    /// Follows events until the server ends or `body` returns false.
    ///
    /// - Parameters:
    ///   - members: further arguments of `events`: `since`, `busid`.
    ///   - body: is given an event.
    /// - Throws: ``ControlError``: the server's, or (unreachable) the connection's.
    package func follow(
        _ members: [(String, JSON)] = [], _ body: (JSON) throws(ControlError) -> Bool
    ) throws(ControlError) {
        _ = try perform(ControlRequest("events", [("follow", .bool(true))] + members))
        try state.withLock { state throws(ControlError) in
            while let line = try Self.lineIfAny(&state, socket, path) { guard try body(line) else { return } }
        }
    }

    /// Ends the connection.
    package func close() { socket.shutdown() }

    private func send(_ request: ControlRequest, _ state: inout State) throws(ControlError) {
        state.lastID += 1
        let line = ControlMessage.request(request, id: .number(state.lastID)).line
        guard line.count - 1 <= ControlMessage.requestLimit else {
            throw ControlError(
                .invalid, "that is too much at once: a request has at most \(ControlMessage.requestLimit) bytes")
        }
        // A server that ends the connection says why first, so that there is something to read even then.
        try? socket.sendAll(line)
    }

    private static func result(_ ok: JSON, _ line: JSON, id: Int) throws(ControlError) -> JSON {
        if ok == .bool(true), line["id"] == .number(id), let result = line["result"] { return result }
        guard ok == .bool(false), case .string(let code) = line["error"]?["code"],
            case .string(let message) = line["error"]?["message"]
        else { throw ControlError(.unreachable, "the server gave an answer that is none") }
        throw ControlError(ErrorCode(rawValue: code), message)
    }

    private static func line(
        _ state: inout State, _ socket: StreamSocket, _ path: String
    ) throws(ControlError) -> JSON {
        guard let line = try lineIfAny(&state, socket, path) else {
            throw ControlError(.unreachable, "the server at \(path) has ended the connection")
        }
        return line
    }

    /// - Returns: nil at the end of the connection.
    private static func lineIfAny(
        _ state: inout State, _ socket: StreamSocket, _ path: String
    ) throws(ControlError) -> JSON? {
        switch state.reader.next(from: socket) {
        case .line(let line):
            guard let json = try? JSON(parsing: line) else {
                throw ControlError(.unreachable, "\(path) says something that is no JSON; is it a server of ghostplug?")
            }
            return json
        case .tooLong:
            throw ControlError(.unreachable, "\(path) says more in a line than any server of ghostplug would")
        case .end(let code) where code == -Int(EAGAIN):
            throw ControlError(.unreachable, "the server at \(path) does not answer")
        case .end: return nil
        }
    }

    private static func milliseconds(_ duration: Duration) -> Int32 {
        Int32(
            clamping: max(
                1, duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000))
    }
}
