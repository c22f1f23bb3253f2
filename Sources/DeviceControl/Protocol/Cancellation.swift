import Synchronization

/// Tells who waits that nobody needs the outcome any more.
package final class Cancellation: Sendable {
    /// Notices by itself that the other side has gone; asked for only while somebody waits.
    package struct Source: Sendable {
        /// Looks whether it has gone.
        let hasGone: @Sendable () -> Bool
        /// Begins to watch; calls back from any thread when it has gone.
        let watch: @Sendable (@escaping @Sendable () -> Void) -> Void
        /// Ends that.
        let unwatch: @Sendable () -> Void
    }

    private struct State {
        var handlers: [UInt64: @Sendable () -> Void] = [:]
        var next: UInt64 = 0
    }

    private let source: Source?
    private let flag = Atomic(false)
    private let state = Mutex(State())

    /// Makes one that is cancelled by hand alone.
    package init() { source = nil }

    /// Makes one that is also cancelled when the source says so.
    init(_ source: Source) { self.source = source }

    /// Whether nobody waits for the outcome any more; calls no handler, so it may be asked under a lock.
    package var isCancelled: Bool { flag.load(ordering: .acquiring) || source?.hasGone() == true }

    /// Says so; calls every handler, once.
    package func cancel() {
        guard !flag.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let handlers = state.withLock { state in
            defer { state.handlers = [:] }
            return state.handlers.values.map { $0 }
        }
        for handler in handlers { handler() }
    }

    /// Does something; if nobody needs the outcome any more meanwhile, or before, calls a handler.
    ///
    /// - Parameter handler: called at most once, from any thread, perhaps still when `body` has returned; wakes who
    ///   waits.
    package func withHandler<R, E: Error>(
        _ handler: @escaping @Sendable () -> Void, _ body: () throws(E) -> R
    ) throws(E) -> R {
        let (id, isFirst) = state.withLock { state in
            state.next &+= 1
            state.handlers[state.next] = handler
            return (state.next, state.handlers.count == 1)
        }
        // Registered before: who cancels meanwhile has seen it.
        if flag.load(ordering: .acquiring) {
            if state.withLock({ $0.handlers.removeValue(forKey: id) }) != nil { handler() }
            return try body()
        }
        if isFirst { source?.watch { [weak self] in self?.cancel() } }
        defer {
            let isLast = state.withLock { state in
                state.handlers[id] = nil
                return state.handlers.isEmpty
            }
            if isLast { source?.unwatch() }
        }
        return try body()
    }
}
