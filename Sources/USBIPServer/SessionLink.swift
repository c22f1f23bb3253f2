import Logging
import SocketIO
import USBDeviceKit
import USBIPSession

/// Joins a socket to a session for as long as a client has a device.
///
/// `@unchecked Sendable`: session and writer are only touched on the device's executor, the read buffer only by the
/// connection's thread.
@safe final class SessionLink: @unchecked Sendable {
    private let export: Export
    private let socket: StreamSocket
    private let writer: SocketWriter
    private let session: URBSession
    private var isPumping = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    init(_ export: Export, _ socket: StreamSocket, _ configuration: ServerConfiguration, _ logger: Logger) {
        self.export = export
        self.socket = socket
        writer = SocketWriter(socket)
        let log = EventLog(logger)
        session = URBSession(
            device: export.device, deviceID: export.deviceID, limits: configuration.session, output: writer,
            onEvent: { log.note($0) })
    }

    deinit { unsafe buffer.deallocate() }

    /// Connects the device.
    func open() {
        export.executor.run {
            export.device.connect()
            export.device.configure(export.identity.configurationValue)
            export.executor.setAfterWork { [unowned self] mayBlock in self.afterWork(mayBlock) }
            export.executor.setEndConnection { [socket] in socket.shutdown() }
        }
    }

    enum End {
        /// The client closed the connection.
        case ended
        /// Reading failed with this errno.
        case failed(Int32)
        /// What the client sent means nothing.
        case violated(ProtocolViolation)
    }

    /// Moves bytes until the connection ends.
    func run() -> End {
        var have = 0
        var landing = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
        while true {
            let target = unsafe landing.isEmpty ? UnsafeMutableRawBufferPointer(rebasing: buffer[have...]) : landing
            let count = unsafe socket.receive(into: target, isFilling: !landing.isEmpty)
            guard count > 0 else { return count == 0 ? .ended : .failed(Int32(-count)) }
            let result = export.executor.run { () -> Result<Void, ProtocolViolation> in
                writer.mayBlock = true
                do throws(ProtocolViolation) {
                    if unsafe landing.isEmpty {
                        have += count
                        let used = unsafe try session.receive(UnsafeRawBufferPointer(rebasing: buffer[..<have]))
                        keep(used, &have)
                    } else {
                        try session.landed(count)
                    }
                    unsafe landing = session.landing
                    return .success(())
                } catch {
                    return .failure(error)
                }
            }
            if case .failure(let violation) = result { return .violated(violation) }
        }
    }

    /// Moves what was not used to the front of the read buffer.
    private func keep(_ used: Int, _ have: inout Int) {
        have -= used
        guard have > 0, used > 0, let base = unsafe buffer.baseAddress else { return }
        unsafe base.copyMemory(from: base + used, byteCount: have)
    }

    private func afterWork(_ mayBlock: Bool) {
        writer.mayBlock = mayBlock
        session.flush()
        writer.flush()
        writer.mayBlock = false
        if writer.hasPending, !isPumping { pump() }
    }

    /// Lends a thread to a peer that reads too slowly for what the device does by itself.
    private func pump() {
        isPumping = true
        do throws(SocketError) {
            // Holds the link, and so the socket, until the peer has read or gone.
            try startThread("slow peer") { [self] in
                socket.waitUntilWritable()
                export.executor.post { [self] in
                    isPumping = false
                }
            }
        } catch {
            // Without a thread to wait for it, a peer that does not read is let go.
            socket.shutdown()
        }
    }

    /// Ends every transfer with an answer; the peer has a moment to take them.
    func drain() { export.executor.post { [self] in session.drain() } }

    /// Disconnects the device.
    func close() {
        export.executor.run {
            session.close()
            export.executor.setAfterWork(nil)
            export.executor.setEndConnection(nil)
        }
        socket.shutdown()
    }
}

/// Writes a session's events to the log, each kind once.
private final class EventLog {
    private let logger: Logger
    private var isSeen: (abandoned: Set<UInt8>, overLimit: Bool, foreignID: Bool) = ([], false, false)

    init(_ logger: Logger) { self.logger = logger }

    /// What a client can repeat must not fill the log.
    func note(_ event: SessionEvent) {
        switch event {
        case .abandoned(let endpoint):
            guard isSeen.abandoned.insert(endpoint).inserted else { return }
            logger.error("the device dropped a transfer on endpoint 0x\(String(endpoint, radix: 16)) unanswered")
        case .overLimit(let text):
            guard !isSeen.overLimit else { return }
            isSeen.overLimit = true
            logger.warning("transfers are refused: \(text)")
        case .foreignDeviceID(let id):
            guard !isSeen.foreignID else { return }
            isSeen.foreignID = true
            logger.warning("the client uses device id 0x\(String(id, radix: 16)), which it was not given")
        }
    }
}
