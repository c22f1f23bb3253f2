import Glibc

/// Waits for the signals that end the program.
///
/// They are blocked from the start, in every thread, so that none is lost and none interrupts anything.
struct SignalWaiter {
    private var set: sigset_t

    init() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&set, number) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        self.set = set
    }

    func wait() {
        var set = set
        var number: Int32 = 0
        unsafe sigwait(&set, &number)
        letSecondSignalEnd()
    }

    /// From now on a signal ends a program that hangs.
    func letSecondSignalEnd() {
        var set = set
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Sends this process the signal that ends it in order.
    static func endProcess() { kill(getpid(), SIGTERM) }
}
