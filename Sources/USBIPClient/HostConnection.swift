import Glibc
import SocketIO
import Synchronization
import USBCore
import USBIPWire

/// How long a thread may wait for a server that does not read.
enum SendPatience: Sendable {
    /// Not at all, as becomes a task's thread.
    case none
    case until(Deadline)
    /// For as long as the connection lives, which ``HostLimits/sendStall`` bounds.
    case unlimited

    /// Until `deadline`, where there is one.
    init(until deadline: Deadline?) { self = deadline.map { .until($0) } ?? .unlimited }
}

/// A session on a socket: a thread that reads, and any that submit.
///
/// `@unchecked Sendable`: ``session`` and the state below it are touched under ``lock`` only, but for what belongs to
/// the reading thread alone, which is marked so.
@safe final class HostConnection: @unchecked Sendable {
    private let socket: StreamSocket
    private let limits: HostLimits
    private let lock = SessionLock()
    private let session: HostSession
    /// Why the connection ends; nothing is submitted once it is set.
    private var ending: HostError?
    /// Whether a thread is sending, which also takes up what others add meanwhile.
    private var isSending = false
    /// Whether the socket had no room for what the reading thread had to send.
    private var isStalled = false
    private let reader = Atomic<UInt>(0)

    init(_ socket: StreamSocket, deviceID: UInt32, limits: HostLimits) {
        self.socket = socket
        self.limits = limits
        session = HostSession(deviceID: deviceID, limits: limits)
    }

    /// Starts the reading thread, which keeps the connection until it ends.
    func start() throws(SocketError) {
        try startThread("usbip-host") { self.read() }
    }

    /// Whether the calling thread is the one that runs the handlers.
    var isReader: Bool { reader.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Why the connection has ended, or is about to; nil while it lives.
    var error: HostError? { lock.withLock { ending } }

    /// How many transfers have not ended, and how many commands have no answer.
    var counts: (transfers: Int, unanswered: Int) {
        lock.withLock { (session.usedCount, session.unansweredCount) }
    }

    // MARK: Submitting

    func submit(
        _ command: SubmitCommand, _ request: TransferRequest, _ patience: SendPatience = .unlimited,
        _ handler: @escaping TransferHandler
    ) throws(HostError) -> TransferID {
        let id = try lock.withLock { () throws(HostError) in
            if let ending { throw ending }
            return try session.submit(command, request, handler)
        }
        if !isReader { flush(patience) }
        return id
    }

    /// Never waits: where the socket has no room, a thread of its own sends the unlink.
    func cancel(_ id: TransferID) {
        do {
            try lock.withLock { () throws(HostError) in
                if ending == nil { try session.cancel(id) }
            }
        } catch {
            end(error)
        }
        if !isReader { flush(.none) }
    }

    /// Ends the connection: the reading thread gives every transfer back with `error`.
    func end(_ error: HostError) {
        let isFirst = lock.withLock {
            guard ending == nil else { return false }
            ending = error
            return true
        }
        if isFirst { socket.shutdown() }
    }

    // MARK: Sending

    /// Sends what there is, unless another thread is at it.
    ///
    /// The reading thread does not wait for room: a server that waits for us to read would never make any. The others
    /// wait as long as they may, and then leave the rest to a thread that has the time: nobody else would send it.
    private func flush(_ patience: SendPatience = .unlimited) {
        if beginSending() { send(patience) }
    }

    /// Sends what there is; ``isSending`` is this thread's.
    private func send(_ patience: SendPatience) {
        while let (head, tail) = unsafe nextParts() {
            let count = unsafe socket.send(head, tail, mayBlock: false)
            if count >= 0 {
                lock.withLock { session.sent(count) }
            } else if count != -Int(EAGAIN) {
                return sendingFailed(Int32(truncatingIfNeeded: -count))
            } else if isReader {
                return stopSending(isStalled: true)
            } else if !waitForRoom(patience) {
                return handOver()
            }
        }
    }

    /// The rest is sent by a thread of its own, which gives up only when the server reads nothing for too long.
    private func handOver() {
        do throws(SocketError) {
            try startThread("usbip-send") { self.send(.unlimited) }
        } catch {
            stopSending()
            end(.socket(error))
        }
    }

    /// Nothing can be sent any more, so ``isSending`` stays.
    private func sendingFailed(_ code: Int32) {
        guard code == EPIPE || code == ECONNRESET else {
            return end(.socket(SocketError("cannot send", code: code)))
        }
        // The server has gone, perhaps with answers on the way: the reading thread takes those, and finds the end.
        socket.shutdown()
    }

    private func beginSending() -> Bool {
        lock.withLock {
            guard !isSending, ending == nil, !session.output.isEmpty else { return false }
            isSending = true
            isStalled = false
            return true
        }
    }

    private func stopSending(isStalled: Bool = false) {
        lock.withLock {
            isSending = false
            self.isStalled = isStalled
        }
    }

    /// What is to be sent next; nil, and sending is over, when there is nothing.
    private func nextParts() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer)? {
        var parts: (UnsafeRawBufferPointer, UnsafeRawBufferPointer)?
        lock.withLock {
            if ending == nil, !session.output.isEmpty {
                unsafe parts = session.output.parts()
            } else {
                isSending = false
            }
        }
        return unsafe parts
    }

    /// Waits until the server reads again, or the connection ends; false when the patience is at its end.
    private func waitForRoom(_ patience: SendPatience) -> Bool {
        let stall = Deadline(after: limits.sendStall)
        let deadline: Deadline?
        switch patience {
        case .none: return false
        case .until(let time): deadline = time
        case .unlimited: deadline = nil
        }
        while true {
            var entry = pollfd(fd: socket.descriptor, events: Int16(POLLOUT), revents: 0)
            let wait = min(stall.millisecondsLeft, deadline?.millisecondsLeft ?? .max)
            if unsafe poll(&entry, 1, max(1, wait)) > 0 { return true }
            if stall.hasPassed {
                end(.unresponsive("it has read nothing for \(limits.sendStall)"))
                return true
            }
            if let deadline, deadline.hasPassed { return false }
        }
    }

    // MARK: Reading

    private static let bufferSize = 256 << 10
    /// How much is read after an answer that was received in place: the next one likely is, too, and what comes with
    /// its header has to be copied.
    private static let shortRead = 4 << 10

    private func read() {
        reader.store(UInt(pthread_self()), ordering: .relaxed)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 64)
        var batch: [UnsafeMutablePointer<TransferSlot>] = unsafe []
        let error: HostError
        do {
            error = unsafe try receiveAll(buffer, &batch)
        } catch let violation {
            error = violation
        }
        end(error)
        // What was set first is the reason; the end of the stream is its consequence.
        lock.withLock { session.failAll(ending ?? error) }
        unsafe deliver(&batch)
        // Nobody else's any more: a later transfer must not be taken for a handler's.
        reader.store(0, ordering: .relaxed)
        unsafe buffer.deallocate()
    }

    /// Reads until the stream ends.
    ///
    /// - Returns: why it ended.
    /// - Throws: ``HostError/violation(_:)`` when the server broke the protocol.
    private func receiveAll(
        _ buffer: UnsafeMutableRawBufferPointer, _ batch: inout [UnsafeMutablePointer<TransferSlot>]
    ) throws(HostError) -> HostError {
        var filled = 0
        var room = buffer.count
        while true {
            waitWhileStalled()
            let landing = unsafe session.landing
            let isLanding = unsafe !landing.isEmpty
            let target = unsafe isLanding ? landing : UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<room])
            let count = unsafe socket.receive(into: target, isFilling: isLanding)
            guard count > 0 else {
                return count == 0 || count == -Int(ECONNRESET) || count == -Int(EPIPE)
                    ? .disconnected : .socket(SocketError("cannot read", code: Int32(truncatingIfNeeded: -count)))
            }
            var outcome: HostError?
            var used = 0
            lock.withLock {
                do throws(HostError) {
                    if isLanding {
                        try session.landed(count)
                    } else {
                        filled += count
                        used = unsafe try session.receive(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
                    }
                } catch {
                    outcome = error
                }
            }
            unsafe deliver(&batch)
            if let outcome { throw outcome }
            if used > 0 {
                filled -= used
                if filled > 0, let start = buffer.baseAddress {
                    unsafe start.copyMemory(from: start + used, byteCount: filled)
                }
            }
            room = isLanding ? max(Self.shortRead, filled + URBWire.headerSize) : buffer.count
        }
    }

    /// Runs the handlers of what was completed, and sends what they submit.
    private func deliver(_ batch: inout [UnsafeMutablePointer<TransferSlot>]) {
        while unsafe !session.completed.isEmpty {
            unsafe swap(&batch, &session.completed)
            for index in unsafe batch.indices {
                let slot = unsafe batch[index]
                let step = unsafe slot.pointee.handler?(TransferCompletion(slot)) ?? .done
                unsafe slot.pointee.next = slot.pointee.isFinal ? .done : step
                // Dropped here and not under the lock: the last reference to the device may go with it.
                if unsafe slot.pointee.next == .done { unsafe slot.pointee.handler = nil }
            }
            lock.withLock {
                for index in unsafe batch.indices { unsafe session.settle(batch[index]) }
            }
            unsafe batch.removeAll(keepingCapacity: true)
        }
        flush()
    }

    /// Waits while there is nothing to read and no room for what is to be sent.
    private func waitWhileStalled() {
        while lock.withLock({ isStalled && ending == nil }) {
            var entry = pollfd(fd: socket.descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
            let limit = Deadline(after: limits.sendStall)
            let count = unsafe poll(&entry, 1, limit.millisecondsLeft)
            if count == 0, limit.hasPassed { return end(.unresponsive("it has read nothing for \(limits.sendStall)")) }
            if entry.revents & Int16(POLLOUT) != 0 { flush() }
            if entry.revents & ~Int16(POLLOUT) != 0 { return }
        }
    }
}
