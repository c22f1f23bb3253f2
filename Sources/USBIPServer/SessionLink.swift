import Glibc
import Logging
import SocketIO
import Synchronization
import USBDeviceKit
import USBIPSession

/// Joins a socket to a session for as long as a client has a device.
///
/// `@unchecked Sendable`: session and writer are only touched on the device's executor; what belongs to reading only by
/// the connection's thread or, while that rests, by the event thread.
@safe final class SessionLink: ReadinessHandler, @unchecked Sendable {
    let export: Export
    let socket: StreamSocket
    private let writer: SocketWriter
    private let session: URBSession
    private var isPumping = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// The bytes in the buffer.
    private var have = 0
    private var landing = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// How many reads in a row brought nothing of a bulk endpoint.
    private var calmReads = 0
    /// After so many the event thread takes over.
    private static let calmAfter = 64
    /// More bytes than this at once are no calm.
    private static let calmBytes = 2048
    private let resting = Semaphore()
    private let isEnding = Atomic(false)
    /// Whether the buffer has commands that nobody has looked at.
    private var isUnread = false
    private var end: End?

    init(_ export: Export, _ socket: StreamSocket, _ configuration: ServerConfiguration, _ logger: Logger) {
        self.export = export
        self.socket = socket
        writer = SocketWriter(socket)
        let log = EventLog(logger, export.onEvent)
        session = URBSession(
            device: export.device, deviceID: export.deviceID, limits: configuration.session, output: writer,
            traffic: export.traffic, onEvent: { log.note($0) })
    }

    deinit { unsafe buffer.deallocate() }

    /// Connects the device.
    ///
    /// - Parameter unplug: ends the connection when the device wants it; called from any thread, and must not wait.
    func open(unplug: @escaping @Sendable () -> Void) {
        export.executor.run {
            export.device.connect()
            if !export.isHardware { export.device.configure(export.identity.configurationValue) }
            export.executor.setAfterWork { [unowned self] mayBlock in self.afterWork(mayBlock) }
            export.executor.setEndConnection(unplug)
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
        while true {
            // Not within a transfer: what comes next belongs into its memory.
            if calmReads >= Self.calmAfter, !export.isHardware, unsafe landing.isEmpty { rest() }
            if let end = end ?? read() { return end }
        }
    }

    /// Reads once, waiting for it, and does what came.
    private func read() -> End? {
        // The event thread has read already what it did not want to do.
        guard !isUnread else {
            isUnread = false
            return export.executor.run { serve(mayBlock: true) }
        }
        let target = unsafe landing.isEmpty ? UnsafeMutableRawBufferPointer(rebasing: buffer[have...]) : landing
        let count = unsafe socket.receive(into: target, isFilling: !landing.isEmpty)
        guard count > 0 else { return ended(count) }
        guard unsafe landing.isEmpty else { return serve(landed: count) }
        have += count
        return export.executor.run { serve(mayBlock: true) }
    }

    /// Why the connection has ended, when a read gave 0 or a negative errno.
    private func ended(_ count: Int) -> End {
        if writer.isOverfull { return .failed(ENOBUFS) }
        return count == 0 ? .ended : .failed(Int32(-count))
    }

    /// Does the commands in the buffer.
    ///
    /// Called on the executor.
    private func serve(mayBlock: Bool) -> End? {
        writer.mayBlock = mayBlock
        let before = session.bulkTransfers
        export.traffic.begin()
        do throws(ProtocolViolation) {
            keep(try unsafe session.receive(UnsafeRawBufferPointer(rebasing: buffer[..<have])))
        } catch {
            return .violated(error)
        }
        unsafe landing = session.landing
        let isCalm = unsafe session.bulkTransfers == before && session.keptCount > 0 && landing.isEmpty
        calmReads = isCalm ? calmReads + 1 : 0
        return nil
    }

    private func serve(landed count: Int) -> End? {
        export.executor.run {
            writer.mayBlock = true
            export.traffic.begin()
            do throws(ProtocolViolation) {
                try session.landed(count)
            } catch {
                return .violated(error)
            }
            unsafe landing = session.landing
            return nil
        }
    }

    // MARK: Calm connections

    /// Lets the event thread read, until the connection ends or moves bulk data again.
    private func rest() {
        calmReads = 0
        guard (try? EventThread.shared.watch(self)) != nil else { return }
        resting.wait()
    }

    /// See ``ReadinessHandler/ready()``.
    ///
    /// What could take long is left to the connection's own thread: the event thread has others to serve.
    func ready() -> Bool {
        let count = unsafe socket.receive(
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[have...]), mayBlock: false)
        guard count > 0 else {
            if count == -Int(EAGAIN) { return true }
            end = ended(count)
            return false
        }
        have += count
        isUnread = true
        guard have <= Self.calmBytes else { return false }
        return export.executor.tryRun {
            guard unsafe !session.mayBlock(UnsafeRawBufferPointer(rebasing: buffer[..<have])) else { return false }
            isUnread = false
            end = serve(mayBlock: false)
            guard end == nil, !writer.hasPending else { return false }
            return unsafe landing.isEmpty
        } ?? false
    }

    /// See ``ReadinessHandler/released()``.
    func released() { resting.signal() }

    /// Moves what was not used to the front of the read buffer.
    private func keep(_ used: Int) {
        have -= used
        guard have > 0, used > 0, let base = unsafe buffer.baseAddress else { return }
        unsafe base.copyMemory(from: base + used, byteCount: have)
    }

    private func afterWork(_ mayBlock: Bool) {
        writer.mayBlock = mayBlock
        session.flush()
        writer.flush()
        export.traffic.end()
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
    ///
    /// Never waits: what hardware does for that can take long, and has a thread of its own.
    func drain() {
        let drain: @Sendable () -> Void = { [self] in export.executor.post { [self] in session.drain() } }
        guard export.isHardware else { return drain() }
        // Without a thread the connection's end does it, a little later.
        try? startThread("drain", drain)
    }

    /// Whether this is the first time that somebody ends the connection.
    func beginEnd() -> Bool { !isEnding.exchange(true, ordering: .acquiringAndReleasing) }

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

/// Writes what is wrong with a session to the log, each kind once, and passes on what belongs to its device.
private final class EventLog {
    private let logger: Logger
    private let passOn: @Sendable (ExportEvent) -> Void
    private var isSeen: (abandoned: Set<UInt8>, overLimit: Bool, foreignID: Bool) = ([], false, false)

    init(_ logger: Logger, _ passOn: @escaping @Sendable (ExportEvent) -> Void) {
        self.logger = logger
        self.passOn = passOn
    }

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
        case .reset(let cause): passOn(.reset(cause))
        case .request(let setup, let status): passOn(.request(setup, status))
        case .unknownEndpoint(let endpoint): passOn(.unknownEndpoint(endpoint))
        }
    }
}
