import Glibc

/// Signals that end a run early, received where the run waits anyway.
///
/// They are blocked from the start, in every thread, so that none interrupts a measurement.
final class BenchSignals {
    private var set = sigset_t()
    /// The signal that came; nil while none has.
    private(set) var received: Int32?

    init() {
        unsafe sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits.
    ///
    /// - Returns: whether one of the signals came; a second one then ends a program that hangs.
    func wait(nanoseconds: UInt64) -> Bool {
        var set = set
        var time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let number = unsafe sigtimedwait(&set, nil, &time)
        guard number > 0 else { return false }
        received = number
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        return true
    }
}
