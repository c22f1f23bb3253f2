import SocketIO
import Synchronization

/// A thread for calls that take long, one after the other.
final class Worker: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        var isEnding = false
    }

    private let state = Mutex(State())
    private let news = Semaphore()
    private let ended = Semaphore()

    /// - Throws: ``SocketError`` when there is no thread to be had.
    init(_ name: String) throws(SocketError) { try startThread(name) { [self] in run() } }

    private func run() {
        while true {
            news.wait()
            let (work, isEnding) = state.withLock { state in
                (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isEnding)
            }
            if let work { work() } else if isEnding { break }
        }
        ended.signal()
    }

    /// Does `work` after what is queued.
    func post(_ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.queue.append(work) }
        news.signal()
    }

    /// Waits until all that is queued is done, then ends the thread.
    ///
    /// - Returns: false when it is not done in time; the thread then ends when it is.
    func end(milliseconds: Int32) -> Bool {
        state.withLock { $0.isEnding = true }
        news.signal()
        return ended.wait(milliseconds: milliseconds)
    }
}
