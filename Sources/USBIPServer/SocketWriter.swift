import Glibc
import SocketIO
import USBIPSession

/// Sends a session's bytes, in order, without ever blocking a thread that is not the connection's.
///
/// Confined to the device's executor, like the session.
final class SocketWriter: SessionOutput {
    private let socket: StreamSocket
    /// Bytes that the peer had no room for while the connection's thread was elsewhere; the first `sent` are gone.
    private var pending: [UInt8] = []
    private var sent = 0
    /// The most that is kept for a peer that does not read.
    private static let pendingLimit = 64 << 20
    private(set) var isBroken = false
    /// Whether the connection was given up because the peer does not read.
    private(set) var isOverfull = false
    /// Whether the thread that runs now is the connection's.
    var mayBlock = false

    init(_ socket: StreamSocket) { self.socket = socket }

    var hasPending: Bool { !pending.isEmpty && !isBroken }

    func send(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) {
        if !pending.isEmpty { flush() }
        guard !isBroken else { return }
        guard pending.isEmpty else {
            unsafe postpone(head, tail)
            return
        }
        var head = unsafe head
        var tail = unsafe tail
        while unsafe !head.isEmpty || !tail.isEmpty {
            let sent = unsafe socket.send(head, tail, mayBlock: mayBlock)
            guard sent >= 0 else {
                if !mayBlock, sent == -Int(EAGAIN) { unsafe postpone(head, tail) } else { fail() }
                return
            }
            let fromHead = min(sent, head.count)
            unsafe head = UnsafeRawBufferPointer(rebasing: head[fromHead...])
            unsafe tail = UnsafeRawBufferPointer(rebasing: tail[(sent - fromHead)...])
        }
    }

    private func postpone(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) {
        guard pending.count + head.count + tail.count <= Self.pendingLimit else {
            isOverfull = true
            fail()
            return
        }
        unsafe pending.append(contentsOf: head)
        unsafe pending.append(contentsOf: tail)
    }

    /// Sends what had to wait.
    func flush() {
        while sent < pending.count, !isBroken {
            let count = unsafe pending.withUnsafeBytes { all in
                unsafe socket.send(
                    UnsafeRawBufferPointer(rebasing: all[sent...]), UnsafeRawBufferPointer(start: nil, count: 0),
                    mayBlock: mayBlock)
            }
            if count < 0 {
                if mayBlock || count != -Int(EAGAIN) { fail() }
                return
            }
            sent += count
        }
        pending = []
        sent = 0
    }

    /// The peer is gone: nothing more can be sent, and the connection's thread must notice.
    private func fail() {
        isBroken = true
        pending = []
        sent = 0
        socket.shutdown()
    }
}
