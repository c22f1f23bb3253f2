import CLinux
import Glibc

/// Waits for many descriptors and a point in time at once.
///
/// One thread waits; adding, removing and setting the time are possible from any.
public final class ReadinessPoller: Sendable {
    private let poll: Int32
    private let timer: Int32
    /// The tag that says that the time has come.
    public static let timerTag: UInt64 = 0

    /// Makes a poller of no descriptors.
    ///
    /// - Throws: ``SocketError`` when the system has no descriptor left.
    public init() throws(SocketError) {
        poll = linux_poll_create()
        guard poll >= 0 else { throw SocketError("cannot wait for sockets", code: -poll) }
        timer = linux_timer_create()
        let code = timer < 0 ? timer : linux_poll_add(poll, timer, Self.timerTag, 1)
        guard code >= 0 else {
            close(poll)
            if timer >= 0 { close(timer) }
            throw SocketError("cannot make a timer", code: -code)
        }
    }

    deinit {
        close(timer)
        close(poll)
    }

    /// Watches a socket that is to be read.
    ///
    /// - Parameter tag: what ``wait(_:)`` reports; not 0.
    /// - Throws: ``SocketError``.
    public func add(_ socket: StreamSocket, tag: UInt64) throws(SocketError) {
        let code = linux_poll_add(poll, socket.descriptor, tag, 0)
        guard code >= 0 else { throw SocketError("cannot wait for a socket", code: -code) }
    }

    /// Watches a socket no longer.
    public func remove(_ socket: StreamSocket) { _ = linux_poll_remove(poll, socket.descriptor) }

    /// Sets when ``timerTag`` is to be reported, in nanoseconds of the monotonic clock; `.max` is never.
    public func setTimer(_ nanoseconds: UInt64) { _ = linux_timer_set(timer, nanoseconds == .max ? 0 : nanoseconds) }

    /// Waits until something can be read or the time has come.
    ///
    /// - Parameters:
    ///   - isBlocking: false to look only.
    ///   - body: is given the tags of what can be read, at most 64.
    public func wait(isBlocking: Bool = true, _ body: (Span<UInt64>) -> Void) {
        unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 64) { room in
            let count = unsafe linux_poll_wait(poll, room.baseAddress, Int32(room.count), isBlocking ? 1 : 0)
            body(unsafe Span(_unsafeElements: UnsafeBufferPointer(rebasing: room[..<max(0, Int(count))])))
        }
    }
}
