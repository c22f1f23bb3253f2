import Glibc
import SocketIO
import Synchronization

/// Reads a pipe to its end.
final class PipeCopy: Sendable {
    private let descriptor: Int32
    private let read = Mutex<[UInt8]>([])
    private let ended = Semaphore()

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    var bytes: [UInt8] { read.withLock { $0 } }

    /// Whether a record has come that says what was lost before it.
    var hasComment: Bool { commented.load(ordering: .acquiring) }
    private let commented = Atomic(false)

    func run() {
        _ = fcntl(descriptor, F_SETFL, 0)
        var tail: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            read.withLock { $0 += piece[..<count] }
            tail = tail.suffix(64) + piece[..<count]
            if String(decoding: tail, as: UTF8.self).contains("records were dropped before") {
                commented.store(true, ordering: .releasing)
            }
        }
        close(descriptor)
        ended.signal()
    }

    func wait() { ended.wait() }
}
