import Glibc

/// A lock whose holder can wait until another thread changes what it guards.
///
/// Who holds it can take it once more, so that a condition can be put in terms of what takes the lock itself.
///
/// `@unchecked Sendable`: the memory does not move, and its contents are made for threads.
@safe final class Monitor: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let change: UnsafeMutablePointer<pthread_cond_t>

    /// How long a test waits for something before it fails: generous, since only failures take that long.
    static var limit: Int { 10 }

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        var kind = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&kind)
        unsafe pthread_mutexattr_settype(&kind, Int32(PTHREAD_MUTEX_RECURSIVE))
        unsafe pthread_mutex_init(mutex, &kind)
        unsafe pthread_mutexattr_destroy(&kind)
        unsafe change = .allocate(capacity: 1)
        unsafe change.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(change, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(change)
        unsafe pthread_mutex_destroy(mutex)
        unsafe change.deallocate()
        unsafe mutex.deallocate()
    }

    func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Lets go of the lock until `condition` holds; only under the lock, held once.
    ///
    /// - Returns: whether it came to hold within `seconds`.
    func wait(seconds: Int = Monitor.limit, until condition: () -> Bool) -> Bool {
        var end = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &end)
        end.tv_sec += seconds
        while !condition() {
            if unsafe pthread_cond_timedwait(change, mutex, &end) == ETIMEDOUT { return condition() }
        }
        return true
    }

    /// Lets everyone who waits look again; only under the lock.
    func notify() { unsafe pthread_cond_broadcast(change) }
}
