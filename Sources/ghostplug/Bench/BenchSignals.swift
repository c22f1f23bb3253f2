import CommandSupport
import Glibc
import SocketIO
import Synchronization

/// Signals that end a run early: the first in order, the second at once.
///
/// They are blocked in every thread, so that none interrupts a measurement, and taken by a thread of their own.
final class BenchSignals: Sendable {
    private struct State {
        var received: Int32?
        /// What ends that which is being waited for.
        var interruption: (@Sendable (Int32) -> Void)?
        /// The server that goes with this process; 0 for none.
        var server: pid_t = 0
    }

    private let state = Mutex(State())

    /// The signal that came; nil while none has.
    var received: Int32? { state.withLock { $0.received } }

    /// Starts to take signals, in place of what they do otherwise.
    ///
    /// To be called before other threads are started.
    func start() throws(SocketError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        let taken = set
        try startThread("bench-signals") { self.take(taken) }
    }

    private func take(_ signals: sigset_t) {
        var signals = signals
        while true {
            var number: Int32 = 0
            if unsafe sigwait(&signals, &number) == 0 { receive(number) }
        }
    }

    /// A signal has come.
    func receive(_ number: Int32) {
        let (isFirst, interruption) = state.withLock { state in
            let isFirst = state.received == nil
            if isFirst { state.received = number }
            return (isFirst, state.interruption)
        }
        if isFirst { interruption?(number) } else { exit(by: number) }
    }

    /// Names the server that is to end with this process; 0 for none.
    func hasServer(_ id: pid_t) { state.withLock { $0.server = id } }

    /// Carries out what can be waited for long, and interrupts it when a signal comes, or has come.
    ///
    /// - Parameter interruption: called on another thread, or on this one before `body`.
    func interruptible<R, E: Error>(
        _ interruption: @escaping @Sendable (Int32) -> Void, _ body: () throws(E) -> R
    ) throws(E) -> R {
        let received = state.withLock { state in
            state.interruption = interruption
            return state.received
        }
        defer { state.withLock { $0.interruption = nil } }
        if let received { interruption(received) }
        return try body()
    }

    /// Ends the process, and its server, without any more ado.
    func exit(by number: Int32) {
        let server = state.withLock { $0.server }
        if server > 0 { kill(server, SIGTERM) }
        StandardError.write("\nghostplug: interrupted by signal \(number)\n")
        _exit(1)
    }

    /// Waits.
    ///
    /// - Returns: whether one of the signals has come, at most a tenth of a second ago.
    func wait(nanoseconds: UInt64) -> Bool {
        if received != nil { return true }
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        if nanoseconds > 0 { unsafe nanosleep(&time, nil) }
        return received != nil
    }
}
