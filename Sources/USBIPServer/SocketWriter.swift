import Glibc
import SocketIO
import USBIPSession

/// Sends a session's bytes, in order, without ever blocking a thread that is not the connection's.
///
/// Confined to the device's executor, like the session.
final class SocketWriter: SessionOutput {
    private let socket: StreamSocket
    /// Bytes that the peer had no room for while the connection's thread was elsewhere.
    private var pending: [UInt8] = []
    private(set) var isBroken = false
    /// Whether the thread that runs now is the connection's.
    var mayBlock = false

    init(_ socket: StreamSocket) { self.socket = socket }

    var hasPending: Bool { !pending.isEmpty && !isBroken }

    func send(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer) {
        if !pending.isEmpty { flush() }
        guard !isBroken else { return }
        guard pending.isEmpty else {
            unsafe pending.append(contentsOf: head)
            unsafe pending.append(contentsOf: tail)
            return
        }
        var head = unsafe head
        var tail = unsafe tail
        while unsafe !head.isEmpty || !tail.isEmpty {
            let sent = unsafe socket.send(head, tail, mayBlock: mayBlock)
            guard sent >= 0 else {
                if !mayBlock, sent == -Int(EAGAIN) {
                    unsafe pending.append(contentsOf: head)
                    unsafe pending.append(contentsOf: tail)
                } else {
                    fail()
                }
                return
            }
            let fromHead = min(sent, head.count)
            unsafe head = UnsafeRawBufferPointer(rebasing: head[fromHead...])
            unsafe tail = UnsafeRawBufferPointer(rebasing: tail[(sent - fromHead)...])
        }
    }

    /// Sends what had to wait.
    func flush() {
        var used = 0
        while used < pending.count, !isBroken {
            let sent = unsafe pending.withUnsafeBytes { all in
                unsafe socket.send(
                    UnsafeRawBufferPointer(rebasing: all[used...]), UnsafeRawBufferPointer(start: nil, count: 0),
                    mayBlock: mayBlock)
            }
            if sent < 0 {
                if mayBlock || sent != -Int(EAGAIN) { fail() }
                break
            }
            used += sent
        }
        pending.removeFirst(min(used, pending.count))
    }

    /// The peer is gone: nothing more can be sent, and the connection's thread must notice.
    private func fail() {
        isBroken = true
        pending = []
        socket.shutdown()
    }
}
