import CommandSupport
import DeviceModels

/// What an event must be like.
package struct ScenarioEventPattern: Sendable {
    /// What happened, such as `leds`.
    let kind: String
    /// The device that it happened to; nil for any.
    let device: String?
    /// Members that it must have.
    let members: [ScenarioArgument]

    /// The pattern for people: `leds of kbd with caps=true`.
    var words: String {
        kind + (device.map { " of \($0)" } ?? "")
            + (members.isEmpty ? "" : " with " + members.map { "\($0.name)=\($0.value.words)" }.joined(separator: ", "))
    }

    /// - Parameter busID: that of the device, where the pattern names one.
    func matches(_ event: PublishedEvent, busID: String?) -> Bool {
        guard event.kind == kind, device == nil || event.busID == busID else { return false }
        return members.allSatisfy { $0.value.matches(event[$0.name]) }
    }
}

/// The events since the last step that did something; each is had by one expectation only.
struct ScenarioEvents {
    private let subscription: EventSubscription
    private var events: [PublishedEvent] = []
    /// Those that an expectation has had.
    private var taken: Set<Int> = []
    /// What could not be kept.
    private(set) var lost = 0

    /// The most events that are kept between two steps; what is beyond says so.
    private static let limit = 100_000

    /// - Parameter frequent: whose high-rate events an expectation may ask for.
    init(_ hub: EventHub, frequent: FrequentEvents) {
        subscription = hub.follow(limit: Self.limit, frequent: frequent)
    }

    /// Forgets what has happened: what happens from now on counts.
    mutating func begin() {
        fetch()
        events.removeAll(keepingCapacity: true)
        taken = []
        lost = 0
    }

    /// Waits for an event that no expectation has had, and takes it.
    ///
    /// - Returns: nil when there was none until the deadline, or the wait was cancelled.
    mutating func take(
        until deadline: ContinuousClock.Instant, _ cancellation: Cancellation, where isWanted: (PublishedEvent) -> Bool
    ) -> PublishedEvent? {
        fetch()
        var seen = 0
        while true {
            for index in seen..<events.count where !taken.contains(index) && isWanted(events[index]) {
                taken.insert(index)
                return events[index]
            }
            seen = events.count
            let news = subscription.next(until: deadline, cancellation: cancellation)
            guard !news.isEmpty else { return nil }
            append(news)
        }
    }

    /// What has happened, for people; of many events the last.
    mutating func words(_ name: (String) -> String?) -> String {
        fetch()
        let others = events.enumerated().filter { !taken.contains($0.offset) }.map(\.element)
        guard !others.isEmpty || lost > 0 else { return "nothing happened" }
        var words = others.suffix(8).map { Self.words($0, name) }
        if others.count > words.count { words.insert("\(others.count - words.count) events", at: 0) }
        if lost > 0 { words.append("\(lost) events that came too fast") }
        return words.joined(separator: ", ")
    }

    private static func words(_ event: PublishedEvent, _ name: (String) -> String?) -> String {
        let members = event.event.members.map { "\($0.0)=\($0.1.text)" }.joined(separator: " ")
        let device = event.busID.map { " of \(name($0) ?? $0)" } ?? ""
        return String((event.kind + device + (members.isEmpty ? "" : " (\(members))")).prefix(200))
    }

    private mutating func fetch() {
        // Not for ever, however fast more come.
        for _ in 0..<Self.limit {
            let news = subscription.next(until: .now)
            guard !news.isEmpty else { return }
            append(news)
        }
    }

    private mutating func append(_ news: [PublishedEvent]) {
        for event in news {
            if event.kind == "lost", event.busID == nil {
                if case .number(let count) = event["count"] { lost &+= count }
            } else if events.count < Self.limit {
                events.append(event)
            } else {
                lost &+= 1
            }
        }
    }
}
