/// When unchanged input reports are repeated (HID 1.11 §7.2.4), by report id; id 0 where there are none.
struct IdleRates {
    fileprivate struct Rate {
        /// In units of 4 ms; 0 for never.
        var duration: UInt8
        /// What holds after the next report: a request came too late for the period that was ending.
        var next: UInt8?
        /// When the last report was sent, or the period began.
        var last: UInt64
    }

    /// What GET_IDLE answers to id 0.
    private var common: UInt8
    private var rates: [UInt8: Rate]
    /// The durations of reports that the other protocol has.
    private var others: [UInt8: UInt8] = [:]

    /// A unit of the duration, in nanoseconds.
    fileprivate static let unit: UInt64 = 4_000_000

    /// Starts every report's period at `now`.
    ///
    /// - Parameters:
    ///   - ids: the ids of the input reports.
    ///   - duration: the rate of all, in units of 4 ms.
    init(ids: some Sequence<UInt8>, duration: UInt8, now: UInt64) {
        common = duration
        rates = Dictionary(
            ids.map { ($0, Rate(duration: duration, last: now)) }, uniquingKeysWith: { first, _ in first })
    }

    /// Goes on with other reports, those of another protocol, whose periods start at `now`.
    mutating func change(ids: some Sequence<UInt8>, now: UInt64) {
        for (id, rate) in rates { others[id] = rate.next ?? rate.duration }
        rates = Dictionary(
            ids.map { ($0, Rate(duration: others[$0] ?? common, last: now)) }, uniquingKeysWith: { first, _ in first })
    }

    /// What GET_IDLE answers, in units of 4 ms; nil for a report that does not exist.
    func duration(of id: UInt8) -> UInt8? {
        if let rate = rates[id] { return rate.next ?? rate.duration }
        return id == 0 ? common : nil
    }

    /// Takes a SET_IDLE; id 0 means all reports.
    ///
    /// - Returns: false for a report that does not exist.
    mutating func set(_ duration: UInt8, of id: UInt8, now: UInt64) -> Bool {
        guard id != 0 else {
            common = duration
            others = [:]
            for id in rates.keys { rates[id]?.set(duration, now) }
            return true
        }
        guard rates[id] != nil else { return false }
        rates[id]?.set(duration, now)
        return true
    }

    /// A report was sent: its period begins anew.
    mutating func reported(_ id: UInt8, now: UInt64) { rates[id]?.restart(now) }

    /// A report whose period is over, the one that has waited longest.
    func due(at now: UInt64) -> UInt8? {
        guard let first = first, first.deadline <= now else { return nil }
        return first.id
    }

    /// When the first period is over; nil when none will be.
    var deadline: UInt64? { first?.deadline }

    private var first: (id: UInt8, deadline: UInt64)? {
        var first: (id: UInt8, deadline: UInt64)?
        for (id, rate) in rates {
            guard let deadline = rate.deadline else { continue }
            if let best = first, (best.deadline, best.id) < (deadline, id) { continue }
            first = (id, deadline)
        }
        return first
    }
}

extension IdleRates.Rate {
    var deadline: UInt64? { duration == 0 ? nil : last &+ UInt64(duration) &* IdleRates.unit }

    /// A request counts as if it had come right after the last report, unless the period ends within 4 ms.
    mutating func set(_ new: UInt8, _ now: UInt64) {
        // A period that is over waits for a host that does not ask; there is no end to be too close to.
        if let deadline, deadline > now, deadline - now < IdleRates.unit {
            next = new
        } else {
            duration = new
            next = nil
        }
    }

    mutating func restart(_ now: UInt64) {
        last = now
        duration = next ?? duration
        next = nil
    }
}
