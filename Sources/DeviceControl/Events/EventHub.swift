import CommandSupport
package import DeviceModels
import Glibc
import Synchronization

/// Where events of all devices come together, and go to whoever follows them.
package final class EventHub: Sendable {
    private struct State {
        /// The last events; a ring once it is full, whose oldest is at `oldest`.
        var kept: [PublishedEvent] = []
        var oldest = 0
        var sequence: UInt64 = 0
        var followers: [FollowerQueue] = []
    }

    private let capacity: Int
    private let state = Mutex(State())
    private let followerCount = Atomic(0)

    /// Makes a hub.
    ///
    /// - Parameter capacity: how many of the last events are kept for who comes later.
    package init(capacity: Int = 1024) { self.capacity = max(1, capacity) }

    /// Whether somebody follows at this moment; cheap.
    package var isWatched: Bool { followerCount.load(ordering: .relaxed) > 0 }

    /// Tells everybody, and keeps the event for who comes later; does not wait for any of them.
    ///
    /// - Parameter busID: the device that it happened to, where it is one.
    package func publish(_ event: DeviceEvent, busID: String?) {
        state.withLock { state in
            state.sequence &+= 1
            let published = PublishedEvent(
                sequence: state.sequence, microseconds: Self.now, busID: busID, event: event)
            if state.kept.count < capacity {
                state.kept.append(published)
            } else {
                state.kept[state.oldest] = published
                state.oldest = (state.oldest + 1) % capacity
            }
            for follower in state.followers { follower.append(published) }
        }
    }

    /// A sink for what happens to one device.
    package func sink(busID: String) -> EventSink {
        EventSink(isWatched: { self.isWatched }, { self.publish($0, busID: busID) })
    }

    /// The events that are kept, oldest first, and the number of the last event; 0 when there was none.
    ///
    /// - Parameter sequence: only events after this one; where some of them are kept no longer, the first is `lost` and
    ///   says how many.
    package func recent(since sequence: UInt64 = 0) -> (events: [PublishedEvent], last: UInt64) {
        state.withLock { (Self.recent(since: sequence, $0), $0.sequence) }
    }

    /// Begins to follow: events from now on.
    ///
    /// - Parameters:
    ///   - sequence: also those that are kept, after this one; 0 for all of them.
    ///   - limit: how many may wait for the follower, 1 or more; what comes then is dropped, and one event `lost` says
    ///     how many were.
    package func follow(since sequence: UInt64? = nil, limit: Int = 4096) -> EventSubscription {
        let queue = FollowerQueue(limit: max(1, limit))
        let beginning = state.withLock { state in
            if let sequence { queue.begin(with: Self.recent(since: sequence, state)) }
            state.followers.append(queue)
            followerCount.store(state.followers.count, ordering: .relaxed)
            return state.sequence
        }
        return EventSubscription(hub: self, queue: queue, beginning: beginning)
    }

    /// Ends every subscription: followers get what waits for them, and then the end.
    package func closeAll() {
        let followers = state.withLock { state in
            defer { state.followers = [] }
            followerCount.store(0, ordering: .relaxed)
            return state.followers
        }
        for follower in followers { follower.close() }
    }

    func remove(_ queue: FollowerQueue) {
        state.withLock { state in
            state.followers.removeAll { $0 === queue }
            followerCount.store(state.followers.count, ordering: .relaxed)
        }
    }

    private static func recent(since sequence: UInt64, _ state: State) -> [PublishedEvent] {
        let events = state.kept[state.oldest...] + state.kept[..<state.oldest]
        guard let first = events.first else { return [] }
        guard sequence < first.sequence &- 1 else { return events.filter { $0.sequence > sequence } }
        return [FollowerQueue.lost(first.sequence &- 1 &- sequence, before: first)] + events
    }

    private static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}
