import Glibc
import SocketIO
import Synchronization

/// One direction of a connection that passes through: what one socket receives, the other sends, as it came.
///
/// Holds one piece at a time: a receiver that is slow slows its sender down, as if both were connected.
final class Pipe: Sendable {
    /// How a direction ended.
    enum End: Equatable {
        /// The sender has said all it had to say; the other direction goes on.
        case finished
        /// A socket failed: an errno. Then the other direction has nothing left to do, either.
        case broken(Int32)
    }

    /// What is done with bytes on their way: the place for whatever is to happen to them there.
    @safe struct Hooks: Sendable {
        /// Sees bytes before they are sent, and so before anything that they bring about.
        var before: @Sendable (UnsafeRawBufferPointer) -> Void = { _ in }
        /// Sends bytes with `send`, in one piece or several, late or changed; false when sending has failed.
        var pass: @Sendable (_ bytes: UnsafeRawBufferPointer, _ send: (UnsafeRawBufferPointer) -> Bool) -> Bool = {
            bytes, send in unsafe send(bytes)
        }
    }

    /// Bytes of a piece: more than sockets give at once, usually.
    static let pieceSize = 256 << 10

    private let source: StreamSocket
    private let destination: StreamSocket
    private let hooks: Hooks
    private let count = Atomic(0)

    /// Bytes that were received and sent so far: where it stays the same, nothing passes.
    var progress: Int { count.load(ordering: .relaxed) }

    init(from source: StreamSocket, to destination: StreamSocket, _ hooks: Hooks = Hooks()) {
        self.source = source
        self.destination = destination
        self.hooks = hooks
    }

    /// Passes on what comes, until one side ends.
    func run() -> End {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 64)
        defer { unsafe memory.deallocate() }
        while true {
            let count = unsafe source.receive(into: memory)
            guard count > 0 else {
                guard count == 0 else { return .broken(Int32(clamping: -count)) }
                // Only this direction is over.
                _ = Glibc.shutdown(destination.descriptor, Int32(SHUT_WR))
                return .finished
            }
            self.count.wrappingAdd(count, ordering: .relaxed)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
            unsafe hooks.before(piece)
            var code: Int32 = 0
            let isSent = unsafe hooks.pass(piece) { bytes in
                code = unsafe send(bytes)
                return code == 0
            }
            guard isSent else { return .broken(code) }
        }
    }

    /// Sends every byte.
    ///
    /// - Returns: 0, or an errno.
    private func send(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe destination.send(
                UnsafeRawBufferPointer(rebasing: bytes[sent...]), UnsafeRawBufferPointer(start: nil, count: 0),
                mayBlock: true)
            guard count > 0 else { return Int32(clamping: max(1, -count)) }
            sent += count
            self.count.wrappingAdd(count, ordering: .relaxed)
        }
        return 0
    }
}
