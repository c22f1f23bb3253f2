import CommandSupport
package import DeviceModels
import Glibc
import Synchronization

/// Whose high-rate events a follower wants: those that come by the thousand, see ``EventHub/frequentKinds``.
package enum FrequentEvents: Hashable, Sendable {
    /// Nobody's.
    case none
    /// Those of the device with this bus id.
    case of(busID: String)
    /// Every device's.
    case all

    func includes(_ busID: String?) -> Bool {
        switch self {
        case .none: false
        case .of(let wanted): wanted == busID
        case .all: true
        }
    }
}

/// Where events of all devices come together, and go to whoever follows them.
///
/// High-rate events go only to followers that want them, and are not kept: they would push out all others.
package final class EventHub: Sendable {
    private struct State {
        /// The last events; a ring once it is full, whose oldest is at `oldest`.
        var kept: [PublishedEvent] = []
        var oldest = 0
        var sequence: UInt64 = 0
        /// How many events were kept and are no longer, and the number of the last of them.
        var dropped: (count: UInt64, last: UInt64) = (0, 0)
        var followers: [FollowerQueue] = []
    }

    /// The kinds of events that come by the thousand, and are made only when somebody wants them.
    package static let frequentKinds: Set<String> = ["scsi"]

    private let capacity: Int
    private let state = Mutex(State())
    /// How many followers want high-rate events of any device.
    private let watcherCount = Atomic(0)

    /// Makes a hub.
    ///
    /// - Parameter capacity: how many of the last events are kept for who comes later.
    package init(capacity: Int = 1024) { self.capacity = max(1, capacity) }

    /// Whether somebody wants the high-rate events of a device at this moment; cheap when nobody wants any.
    package func isWatched(busID: String) -> Bool {
        guard watcherCount.load(ordering: .relaxed) > 0 else { return false }
        return state.withLock { $0.followers.contains { $0.frequent.includes(busID) } }
    }

    /// Tells everybody, and keeps the event for who comes later; does not wait for any of them.
    ///
    /// - Parameter busID: the device that it happened to, where it is one.
    package func publish(_ event: DeviceEvent, busID: String?) {
        state.withLock { state in
            state.sequence &+= 1
            let published = PublishedEvent(
                sequence: state.sequence, microseconds: Self.now, busID: busID, event: event)
            guard !Self.frequentKinds.contains(event.kind) else {
                for follower in state.followers where follower.frequent.includes(busID) { follower.append(published) }
                return
            }
            if state.kept.count < capacity {
                state.kept.append(published)
            } else {
                state.dropped = (state.dropped.count &+ 1, state.kept[state.oldest].sequence)
                state.kept[state.oldest] = published
                state.oldest = (state.oldest + 1) % capacity
            }
            for follower in state.followers { follower.append(published) }
        }
    }

    /// A sink for what happens to one device.
    package func sink(busID: String) -> EventSink {
        EventSink(isWatched: { self.isWatched(busID: busID) }, { self.publish($0, busID: busID) })
    }

    /// The events that are kept, oldest first, and the number of the last event; 0 when there was none.
    ///
    /// - Parameter sequence: only events after this one; where some of them are kept no longer, the first is `lost` and
    ///   says how many. Nil for what is kept.
    package func recent(since sequence: UInt64? = nil) -> (events: [PublishedEvent], last: UInt64) {
        state.withLock { (Self.recent(since: sequence, $0), $0.sequence) }
    }

    /// Begins to follow: events from now on.
    ///
    /// - Parameters:
    ///   - sequence: also those that are kept, after this one; 0 for all of them.
    ///   - limit: how many may wait for the follower, 1 or more; what comes then is dropped, and one event `lost` says
    ///     how many were.
    ///   - frequent: whose high-rate events come as well.
    package func follow(
        since sequence: UInt64? = nil, limit: Int = 4096, frequent: FrequentEvents = .none
    ) -> EventSubscription {
        let queue = FollowerQueue(limit: max(1, limit), frequent)
        let beginning = state.withLock { state in
            if let sequence { queue.begin(with: Self.recent(since: sequence, state)) }
            state.followers.append(queue)
            count(state)
            return state.sequence
        }
        return EventSubscription(hub: self, queue: queue, beginning: beginning)
    }

    /// Ends every subscription: followers get what waits for them, and then the end.
    package func closeAll() {
        let followers = state.withLock { state in
            defer {
                state.followers = []
                count(state)
            }
            return state.followers
        }
        for follower in followers { follower.close() }
    }

    func remove(_ queue: FollowerQueue) {
        state.withLock { state in
            state.followers.removeAll { $0 === queue }
            count(state)
        }
    }

    private func count(_ state: State) {
        watcherCount.store(state.followers.count { $0.frequent != .none }, ordering: .relaxed)
    }

    private static func recent(since sequence: UInt64?, _ state: State) -> [PublishedEvent] {
        let events = state.kept[state.oldest...] + state.kept[..<state.oldest]
        guard let sequence else { return Array(events) }
        let dropped = state.dropped
        guard sequence < dropped.last, let first = events.first else { return events.filter { $0.sequence > sequence } }
        // Numbers of high-rate events are among those in between, but they were never kept.
        let count = min(dropped.count, dropped.last - sequence)
        return [FollowerQueue.lost(count, last: dropped.last, before: first)] + events
    }

    private static var now: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000 &+ Int64(time.tv_nsec) / 1000
    }
}
