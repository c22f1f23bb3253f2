import Glibc
import Synchronization

/// Waits for the signals that end the program.
///
/// They are blocked from the start, in every thread, so that none is lost and none interrupts anything.
struct SignalWaiter {
    private var set: sigset_t
    /// Whether this process is ending already: it must not send itself the second signal, which kills.
    private static let isEnding = Atomic(false)

    init() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        // Whoever started this may ignore it, and programs that are started here are waited for.
        signal(SIGCHLD, SIG_DFL)
        self.set = set
    }

    func wait() {
        var set = set
        var number: Int32 = 0
        unsafe sigwait(&set, &number)
        Self.isEnding.store(true, ordering: .releasing)
        // A second signal ends a program that hangs.
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Sends this process the signal that ends it in order; once.
    static func endProcess() {
        guard !isEnding.exchange(true, ordering: .acquiringAndReleasing) else { return }
        kill(getpid(), SIGTERM)
    }
}
