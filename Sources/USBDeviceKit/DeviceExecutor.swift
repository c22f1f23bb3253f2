import Glibc

/// Serialises everything that happens to one device, without giving it a thread.
///
/// The connection's thread runs its work here; other threads post theirs. Whoever finds the executor free runs what is
/// queued, so work never waits for a thread to wake up, and whoever finds it taken leaves the work to the holder, so
/// posting never blocks. Calls to a device are thus ordered and never concurrent.
///
/// `@unchecked Sendable`: `queue`, `endConnection` and `presentation` are only touched under `queueLock`, `spare` and
/// `afterWork` only while `gate` is held.
public final class DeviceExecutor: DevicePort, @unchecked Sendable {
    /// Wrapped, because a closure that is an array's element itself costs an allocation each time it is stored.
    private struct Work {
        let run: @Sendable () -> Void
    }

    private let gate = Lock()
    private let queueLock = Lock()
    private var queue: [Work] = []
    /// The array that ``queue`` was before, empty, so that posting costs no allocation.
    private var spare: [Work] = []
    private var afterWork: ((_ mayBlock: Bool) -> Void)?
    private var endConnection: (@Sendable () -> Void)?
    private var presentation: (@Sendable (DeviceIdentity?) -> Void)?

    /// The time that the device lives by.
    public let clock: any BusClock

    /// Makes an idle executor.
    public init(clock: any BusClock) { self.clock = clock }

    /// Runs `body` once the executor is free, and what others posted meanwhile after it.
    ///
    /// Blocks; must not be called from work that runs on this executor.
    ///
    /// - Parameter mayBlock: whether the thread may wait for a peer that does not read.
    public func run<R>(mayBlock: Bool = true, _ body: () -> R) -> R {
        gate.lock()
        let result = body()
        finish(mayBlock: mayBlock)
        return result
    }

    /// Runs `body` if the executor is free; nil when it is not.
    ///
    /// Never waits, neither for the executor nor for a peer that does not read.
    public func tryRun<R>(_ body: () -> R) -> R? {
        guard gate.tryLock() else { return nil }
        let result = body()
        finish(mayBlock: false)
        return result
    }

    /// Runs `work` now when the executor is free, else leaves it to whoever holds it.
    ///
    /// Never blocks; callable from any thread, and from work that runs here.
    public func post(_ work: @escaping @Sendable () -> Void) {
        queueLock.lock()
        queue.append(Work(run: work))
        queueLock.unlock()
        if gate.tryLock() { finish(mayBlock: false) }
    }

    /// Sets what is to be done whenever work has run: a connection sends what its device has answered.
    ///
    /// Called on the executor. `mayBlock` tells whether the thread belongs to the connection.
    public func setAfterWork(_ action: ((_ mayBlock: Bool) -> Void)?) { afterWork = action }

    /// Sets how the connection that has the device is ended; nil when none has.
    ///
    /// `action` is called from any thread, and must not wait for the end: the connection's thread sees to that.
    public func setEndConnection(_ action: (@Sendable () -> Void)?) {
        queueLock.lock()
        endConnection = action
        queueLock.unlock()
    }

    /// See ``DevicePort/unplug()``.
    public func unplug() {
        // Not as work of the executor, which may be waiting for a peer that does not read.
        queueLock.lock()
        let action = endConnection
        queueLock.unlock()
        action?()
    }

    /// Sets who is told what the device is.
    ///
    /// `action` is called from any thread, and must not block.
    public func setPresentation(_ action: (@Sendable (DeviceIdentity?) -> Void)?) {
        queueLock.lock()
        presentation = action
        queueLock.unlock()
    }

    /// See ``DevicePort/present(_:)``.
    public func present(_ identity: DeviceIdentity?) {
        queueLock.lock()
        let action = presentation
        queueLock.unlock()
        action?(identity)
    }

    /// Empties the queue and lets go of the gate.
    ///
    /// Looks again after letting go: a poster that found the gate taken has left its work behind.
    private func finish(mayBlock: Bool) {
        while true {
            // Batch by batch, so that a device that posts to itself for ever still gets its answers sent.
            runAll()
            afterWork?(mayBlock)
            gate.unlock()
            queueLock.lock()
            let isEmpty = queue.isEmpty
            queueLock.unlock()
            guard !isEmpty, gate.tryLock() else { return }
        }
    }

    private func runAll() {
        queueLock.lock()
        guard !queue.isEmpty else {
            queueLock.unlock()
            return
        }
        var batch = spare
        spare = []
        swap(&batch, &queue)
        queueLock.unlock()
        for work in batch { work.run() }
        batch.removeAll(keepingCapacity: true)
        // Only who holds the gate gets here.
        spare = batch
    }
}

/// A mutual exclusion lock at a stable address.
@safe private final class Lock {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        // Spins for a moment before it sleeps: what is done under these locks is shorter than a sleep, and a clock's
        // thread meets the connection's just when an answer brings the next request.
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ADAPTIVE_NP))
        unsafe pthread_mutex_init(mutex, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    func lock() { _ = unsafe pthread_mutex_lock(mutex) }
    func tryLock() -> Bool { unsafe pthread_mutex_trylock(mutex) == 0 }
    func unlock() { _ = unsafe pthread_mutex_unlock(mutex) }
}
