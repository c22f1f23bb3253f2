import Glibc
import SocketIO

/// Reading of the op phase, where everything has to come by one deadline.
enum TimedReading {
    /// Reads exactly `count` bytes, however slowly they come, until the deadline.
    ///
    /// - Throws: ``HostError/unresponsive(_:)``, ``HostError/disconnected`` or ``HostError/socket(_:)``.
    static func receive(_ count: Int, _ socket: StreamSocket, _ deadline: Deadline) throws(HostError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let wait = deadline.millisecondsLeft
            guard wait > 0 else { throw late(received, count) }
            socket.setReadTimeout(milliseconds: wait)
            let result = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: all[received...]))
            }
            guard result != 0, result != -Int(ECONNRESET) else { throw .disconnected }
            guard result > 0 else {
                if result == -Int(EAGAIN) { throw late(received, count) }
                throw .socket(SocketError("cannot read", code: Int32(truncatingIfNeeded: -result)))
            }
            received += result
        }
        return bytes
    }

    private static func late(_ received: Int, _ count: Int) -> HostError {
        .unresponsive("\(received) of \(count) bytes of a part of its answer came in time")
    }
}
