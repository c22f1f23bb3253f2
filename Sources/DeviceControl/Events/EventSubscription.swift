import CommandSupport
import DeviceModels

/// Somebody who follows events: takes them in order, and waits for more.
///
/// One thread takes events; ``close()`` may come from any. Letting go of the subscription ends it as well.
package final class EventSubscription: Sendable {
    private let hub: EventHub
    private let queue: FollowerQueue
    /// The number of the last event before those that were not kept, but followed.
    package let beginning: UInt64

    init(hub: EventHub, queue: FollowerQueue, beginning: UInt64) {
        self.hub = hub
        self.queue = queue
        self.beginning = beginning
    }

    deinit { close() }

    /// Takes the events that wait; where there are none, waits for the first.
    ///
    /// - Parameters:
    ///   - maximum: the most to take, 1 or more.
    ///   - deadline: how long to wait; nil for ever.
    ///   - cancellation: ends the wait, too.
    /// - Returns: no event when the deadline has passed, the wait was cancelled, or the subscription was closed and
    ///   everything was taken.
    package func next(
        maximum: Int = 256, until deadline: ContinuousClock.Instant? = nil, cancellation: Cancellation? = nil
    ) -> [PublishedEvent] {
        queue.take(maximum: max(1, maximum), until: deadline, cancellation)
    }

    /// Takes events until one is what was waited for.
    ///
    /// - Returns: that event; nil as ``next(maximum:until:cancellation:)`` returns none.
    package func first(
        until deadline: ContinuousClock.Instant? = nil, cancellation: Cancellation? = nil,
        where isWanted: (PublishedEvent) -> Bool
    ) -> PublishedEvent? {
        while let event = next(maximum: 1, until: deadline, cancellation: cancellation).first {
            if isWanted(event) { return event }
        }
        return nil
    }

    /// Whether it has ended, and no event waits any more.
    package var isOver: Bool { queue.isOver }

    /// Ends the subscription; a thread that waits wakes up.
    package func close() {
        hub.remove(queue)
        queue.close()
    }
}

/// The events that wait for one follower.
final class FollowerQueue: Sendable {
    private struct State {
        var events: [PublishedEvent] = []
        /// Those at the front that were taken already.
        var taken = 0
        var lost: UInt64 = 0
        var lastLost: PublishedEvent?
        var isClosed = false

        var waiting: Int { events.count - taken }

        /// Says how many were dropped, in their place.
        mutating func reportLoss() {
            guard lost > 0, let lastLost else { return }
            events.append(
                PublishedEvent(
                    sequence: lastLost.sequence, microseconds: lastLost.microseconds, busID: nil,
                    event: FollowerQueue.lostEvent(lost)))
            lost = 0
        }

        mutating func take(_ maximum: Int) -> [PublishedEvent] {
            if waiting + (lost > 0 ? 1 : 0) <= maximum {
                reportLoss()
                defer {
                    events.removeAll(keepingCapacity: true)
                    taken = 0
                }
                return taken == 0 ? events : Array(events[taken...])
            }
            defer {
                taken += maximum
                // Moving what is left is paid for by what was taken.
                if taken > events.count / 2 {
                    events.removeFirst(taken)
                    taken = 0
                }
            }
            return Array(events[taken..<taken + maximum])
        }
    }

    /// Whose high-rate events the follower wants.
    let frequent: FrequentEvents
    private let limit: Int
    private let state = Monitor(State())

    init(limit: Int, _ frequent: FrequentEvents) {
        self.limit = limit
        self.frequent = frequent
    }

    /// Puts events before all others, however many they are.
    func begin(with events: [PublishedEvent]) { state.change { $0.events = events } }

    func append(_ event: PublishedEvent) {
        state.change { state in
            guard !state.isClosed else { return }
            guard state.waiting < limit else {
                state.lost &+= 1
                state.lastLost = event
                return
            }
            state.reportLoss()
            state.events.append(event)
        }
    }

    func take(
        maximum: Int, until deadline: ContinuousClock.Instant?, _ cancellation: Cancellation?
    ) -> [PublishedEvent] {
        let wait = { (isCancelled: () -> Bool) in
            self.state.wait(until: deadline) { state -> [PublishedEvent]? in
                if state.waiting > 0 || state.lost > 0 { return state.take(maximum) }
                return state.isClosed || isCancelled() ? [] : nil
            } ?? []
        }
        guard let cancellation else { return wait { false } }
        return cancellation.withHandler({ self.state.change { _ in } }, { wait { cancellation.isCancelled } })
    }

    var isOver: Bool { state.change { $0.isClosed && $0.waiting == 0 && $0.lost == 0 } }

    func close() { state.change { $0.isClosed = true } }

    /// The event that stands for `count` others that came before another; `last` is the last one's number.
    static func lost(_ count: UInt64, last: UInt64, before event: PublishedEvent) -> PublishedEvent {
        PublishedEvent(
            sequence: last, microseconds: event.microseconds, busID: nil, event: lostEvent(count))
    }

    private static func lostEvent(_ count: UInt64) -> DeviceEvent {
        DeviceEvent("lost", [("count", .number(Int(clamping: count)))])
    }
}
