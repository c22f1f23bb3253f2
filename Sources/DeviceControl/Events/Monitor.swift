import Glibc

/// A value that threads share, and changes of which they can wait for.
///
/// `@unchecked Sendable`: the value is only touched with the lock held.
@safe package final class Monitor<Value>: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value
    private var waiting = 0

    /// Makes a monitor of a value.
    package init(_ value: sending Value) {
        self.value = value
        unsafe lock = .allocate(capacity: 1)
        unsafe lock.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(lock, nil)
        unsafe changed = .allocate(capacity: 1)
        unsafe changed.initialize(to: pthread_cond_t())
        // Deadlines must not move when somebody sets the clock.
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe changed.deallocate()
        unsafe pthread_mutex_destroy(lock)
        unsafe lock.deallocate()
    }

    /// Changes the value, and wakes who waits.
    package func change<R>(_ body: (inout Value) -> sending R) -> sending R {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        defer { if waiting > 0 { unsafe pthread_cond_broadcast(changed) } }
        return body(&value)
    }

    /// Waits until `body` returns something; it is called now and after each change.
    ///
    /// - Parameter deadline: nil to wait for ever.
    /// - Returns: what `body` returned; nil when the deadline has passed.
    package func wait<R: Sendable>(
        until deadline: ContinuousClock.Instant? = nil, _ body: (inout Value) -> R?
    ) -> R? {
        unsafe pthread_mutex_lock(lock)
        defer { unsafe pthread_mutex_unlock(lock) }
        waiting += 1
        defer { waiting -= 1 }
        var end = deadline.map(Self.time)
        while true {
            if let result = body(&value) { return result }
            if end == nil {
                unsafe pthread_cond_wait(changed, lock)
            } else if var time = end, unsafe pthread_cond_timedwait(changed, lock, &time) == ETIMEDOUT {
                // The last look was before it had passed.
                end = nil
                return body(&value)
            }
        }
    }

    /// A point in time on the condition's clock.
    private static func time(_ deadline: ContinuousClock.Instant) -> timespec {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        let left = max(.zero, min(deadline - .now, .seconds(1 << 32))).components
        time.tv_sec += Int(left.seconds)
        time.tv_nsec += Int(left.attoseconds / 1_000_000_000)
        if time.tv_nsec >= 1_000_000_000 {
            time.tv_nsec -= 1_000_000_000
            time.tv_sec += 1
        }
        return time
    }
}
