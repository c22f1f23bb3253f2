import Glibc
import Logging
import SocketIO
import USBDeviceKit
import USBIPSession
import USBIPWire

/// One client, from its first byte to its last, on a thread of its own.
///
/// A blocking thread is what makes a round trip cost two system calls instead of three: storage drivers have one
/// command in flight, so that round trip is what their users wait for.
final class Connection: Sendable {
    private let socket: StreamSocket
    private let server: USBIPServer
    private let peer: String

    init(_ socket: StreamSocket, _ server: USBIPServer, peer: String? = nil) {
        self.socket = socket
        self.server = server
        self.peer = peer ?? socket.peer.description
    }

    /// Serves the client until it or the server ends the connection.
    func run() {
        do {
            try handshake()
        } catch {
            server.logger.warning("closed: \(error)", metadata: ["peer": "\(peer)"])
        }
    }

    /// Ends the connection from another thread.
    func shutdown() { socket.shutdown() }

    // MARK: Op phase

    private struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    private func handshake() throws {
        let deadline = Deadline(milliseconds: server.configuration.handshakeTimeout)
        socket.setWriteTimeout(milliseconds: server.configuration.handshakeTimeout)
        let first = try read(OpHeader.size, deadline)
        // Port scanners and health checks come and go without a word.
        guard !first.isEmpty else { return }
        guard let header = OpHeader(parsing: first) else {
            throw Refusal(description: "the connection ended within a request's header")
        }
        guard header.version == usbipVersion else {
            throw Refusal(
                description: "the client speaks USB/IP version 0x\(hex(header.version)); this server, like every Linux "
                    + "since 3.17, speaks 0x0111")
        }
        guard header.status == .ok else {
            throw Refusal(description: "a request with status \(header.status.rawValue), which must be 0")
        }
        switch header.code {
        case .deviceListRequest:
            let entries = server.exports.available
            try socket.sendAll(OpMessage.deviceListReply(entries))
            server.logger.debug("listed \(entries.count) devices", metadata: ["peer": "\(peer)"])
        case .importRequest:
            let body = try read(DeviceRecord.busIDSize, deadline)
            guard let busID = OpMessage.busID(inImportBody: body) else {
                try socket.sendAll(OpHeader(.importReply, .error).bytes)
                throw Refusal(description: "an import without a proper bus id")
            }
            try importDevice(busID)
        default:
            throw Refusal(description: "request 0x\(hex(header.code.rawValue)); this server knows list and import")
        }
    }

    private func hex(_ value: UInt16) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 4 - text.count) + text
    }

    /// Reads exactly `count` bytes; none when the stream ends before the first.
    private func read(_ count: Int, _ deadline: Deadline) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let rest = deadline.millisecondsLeft
            guard rest > 0 else { throw timeout(received, count) }
            socket.setReadTimeout(milliseconds: rest)
            let result = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: all[received...]))
            }
            if result == 0 {
                guard received == 0, count == OpHeader.size else {
                    throw Refusal(description: "the connection ended within a request")
                }
                return []
            }
            guard result > 0 else {
                if result == -Int(EAGAIN) { throw timeout(received, count) }
                throw SocketError("cannot read", code: Int32(-result))
            }
            received += result
        }
        return bytes
    }

    private func timeout(_ received: Int, _ count: Int) -> Refusal {
        Refusal(
            description: "\(received) of \(count) bytes of a request in "
                + "\(server.configuration.handshakeTimeout / 1000) s, which is the limit")
    }

    private func importDevice(_ busID: String) throws {
        switch server.exports.claim(busID) {
        case .unknown:
            try socket.sendAll(OpHeader(.importReply, .noDevice).bytes)
            // Escaped: the name is the peer's, and must not write lines of its own into the log.
            server.logger.notice(
                "there is no device \(String(reflecting: busID)) to import", metadata: ["peer": "\(peer)"])
        case .absent:
            try socket.sendAll(OpHeader(.importReply, .noDevice).bytes)
            server.logger.notice("it is not plugged in", metadata: ["peer": "\(peer)", "busid": "\(busID)"])
        case .busy:
            try socket.sendAll(OpHeader(.importReply, .deviceBusy).bytes)
            server.logger.notice("another client has it", metadata: ["peer": "\(peer)", "busid": "\(busID)"])
        case .granted(let export):
            defer { server.exports.release(export) }
            do throws(ImportRefusal) {
                try export.options.onImport?()
            } catch {
                server.logger.warning("refused: \(error)", metadata: ["peer": "\(peer)", "busid": "\(busID)"])
                try socket.sendAll(OpHeader(.importReply, error.answer.status).bytes)
                return
            }
            try serve(export) { try socket.sendAll(OpMessage.importReply(export.record)) }
        }
    }

    // MARK: URB phase

    /// Serves a device to a client that needs no handshake.
    func serve(_ export: Export) { serve(export) {} }

    private func serve<E: Error>(_ export: Export, _ greet: () throws(E) -> Void) throws(E) {
        var logger = server.logger
        logger[metadataKey: "peer"] = "\(peer)"
        logger[metadataKey: "busid"] = "\(export.busID)"
        socket.setReadTimeout(milliseconds: 0)
        socket.setWriteTimeout(milliseconds: 0)
        let link = SessionLink(export, socket, server.configuration, logger)
        // The client may send its first transfer as soon as it has this answer, and it will be read in order.
        link.open { [server, weak link] in
            if let link { server.end(link) }
        }
        // Before the client knows: a device may be removed while its connection is being made.
        server.register(link, for: self)
        var reason = "the handshake failed"
        defer {
            server.unregister(self)
            link.close()
            export.onEvent(.detached(reason))
            server.releasing { export.released() }
        }
        export.onEvent(.attached(peer))
        try greet()
        logger.info("attached")
        let before = export.paceStatistics
        switch link.run() {
        case .ended:
            reason = "the client closed the connection"
            logger.info("detached")
        case .failed(let code):
            reason = "\(SocketError("cannot read", code: code))"
            logger.info("detached: \(reason)")
        case .violated(let violation):
            reason = "\(violation)"
            logger.warning("closed: \(violation)")
        }
        if let after = export.paceStatistics, let before { report(after, since: before, to: logger) }
    }

    /// Says whether the periodic transfers of a connection were served in time.
    private func report(_ after: PaceStatistics, since before: PaceStatistics, to logger: Logger) {
        let completed = after.completed - before.completed
        let late = after.late - before.late
        guard completed > 0 else { return }
        logger.log(
            level: late > 0 ? .notice : .debug,
            """
            \(completed) periodic transfers, \(late) of them more than 1 ms late; the worst delay so far was \
            \(after.worst / 1000) µs
            """)
    }
}

extension ImportRefusal.Answer {
    /// The answer as Linux's usbipd gives it.
    fileprivate var status: OpStatus {
        switch self {
        case .busy: .deviceBusy
        case .error: .deviceError
        case .absent: .noDevice
        }
    }
}

/// A point in time by which something must have happened.
private struct Deadline {
    private let end: ContinuousClock.Instant

    init(milliseconds: Int32) { end = .now.advanced(by: .milliseconds(milliseconds)) }

    /// At least 1 until the deadline has passed, then 0.
    var millisecondsLeft: Int32 {
        let left = ContinuousClock.now.duration(to: end)
        return left <= .zero ? 0 : max(1, Int32(clamping: left / .milliseconds(1)))
    }
}

extension Int32 {
    fileprivate init(clamping value: Double) { self = value >= Double(Int32.max) ? .max : Int32(value) }
}
