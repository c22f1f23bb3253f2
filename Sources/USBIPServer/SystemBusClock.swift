import Glibc
import SocketIO
public import USBDeviceKit

/// The machine's monotonic clock, with one thread for all alarms.
///
/// The thread runs the devices' work itself where their executors are free, so that an alarm costs one wake-up, and one
/// wake-up serves every device whose time has come.
///
/// `@unchecked Sendable`: everything that changes is guarded by `mutex`.
@safe public final class SystemBusClock: BusClock, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var alarms = AlarmQueue()
    private var isRunning = false
    /// Whether the thread is between two sleeps: it looks at the queue before the next.
    private var isAwake = false

    /// The clock; its thread starts with the first alarm, and lives as long as the process.
    public static let shared = SystemBusClock()

    private init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    /// See ``BusClock/now``.
    public var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// See ``BusClock/set(_:at:)``.
    public func set(_ alarm: Alarm, at time: UInt64) {
        lock()
        let isEarlier = time < alarms.earliest ?? .max
        alarms.set(alarm, at: time)
        if !isRunning {
            isRunning = true
            isAwake = true
            do throws(SocketError) {
                try startThread("bus clock") { [self] in run() }
            } catch {
                // The next alarm tries again.
                isRunning = false
            }
        } else if isEarlier, !isAwake {
            isAwake = true
            unsafe pthread_cond_signal(condition)
        }
        unlock()
    }

    /// See ``BusClock/cancel(_:)``.
    public func cancel(_ alarm: Alarm) {
        lock()
        alarms.remove(alarm)
        unlock()
    }

    private func run() {
        var due: [Alarm] = []
        lock()
        while true {
            let now = now
            while let alarm = alarms.popDue(at: now) { due.append(alarm) }
            if due.isEmpty {
                isAwake = false
                sleep()
                isAwake = true
                continue
            }
            unlock()
            for alarm in due { alarm.ring() }
            due.removeAll(keepingCapacity: true)
            lock()
        }
    }

    /// Sleeps until the first alarm, or one that is earlier; the lock is held before and afterwards.
    private func sleep() {
        guard let earliest = alarms.earliest else {
            unsafe pthread_cond_wait(condition, mutex)
            return
        }
        var time = timespec(tv_sec: Int(earliest / 1_000_000_000), tv_nsec: Int(earliest % 1_000_000_000))
        _ = unsafe pthread_cond_timedwait(condition, mutex, &time)
    }

    private func lock() { _ = unsafe pthread_mutex_lock(mutex) }
    private func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }
}
