import CommandSupport
import Statistics

extension Report.Keys {
    private typealias Pacing = ControlledKeys.Pacing

    /// A table.
    var text: String {
        "a key on one of \(ControlledKeys.count) attached keyboards, from the control interface to the host\n"
            + Table.text([
                ["asked", "keys", "p50 µs", "goal", "", "p99 µs", "goal", "", "answer p50 µs", "p99 µs"],
                Self.row(.free, free, p50Goal: Goal.keyTime, isFreeMet),
                Self.row(.bus, bus, p99Goal: busGoal, isBusMet),
            ])
    }

    private static func row(
        _ pacing: Pacing, _ figures: Figures, p50Goal: UInt64? = nil, p99Goal: UInt64? = nil, _ isMet: Bool
    ) -> [String] {
        let goal = { (goal: UInt64?, sign: String) in
            goal.map { ["\(sign) \(microseconds($0))", Report.word(isMet)] } ?? ["-", ""]
        }
        return [
            pacing == .free ? "at any time" : "every \(pacing.name)", "\(figures.toHost.count)",
            microseconds(figures.toHost.quantile(1, of: 2)),
        ] + goal(p50Goal, "<") + [microseconds(figures.toHost.quantile(99, of: 100))] + goal(p99Goal, "≤") + [
            microseconds(figures.roundTrip.quantile(1, of: 2)), microseconds(figures.roundTrip.quantile(99, of: 100)),
        ]
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String { decimal(Double(nanoseconds) / 1e3, 1) }

    /// An object for each pacing.
    var json: [JSON] {
        [
            Self.json(.free, free, ("p50GoalMicroseconds", Goal.keyTime), isFreeMet),
            Self.json(.bus, bus, ("p99GoalMicroseconds", busGoal), isBusMet),
        ]
    }

    private static func json(
        _ pacing: Pacing, _ figures: Figures, _ goal: (String, UInt64), _ isMet: Bool
    ) -> JSON {
        func quantile(_ times: Histogram, _ part: UInt64) -> JSON {
            .decimal(Double(times.quantile(part, of: 100)) / 1e3, digits: 3)
        }
        return .object([
            ("case", .string(Case.keys200.rawValue)), ("pace", .string(pacing == .free ? "free" : "bus")),
            ("intervalMilliseconds", pacing == .free ? .null : .number(ControlledKeys.interval)),
            ("keys", .number(Int(clamping: figures.toHost.count))),
            ("p50Microseconds", quantile(figures.toHost, 50)), ("p99Microseconds", quantile(figures.toHost, 99)),
            ("answerP50Microseconds", quantile(figures.roundTrip, 50)),
            ("answerP99Microseconds", quantile(figures.roundTrip, 99)),
            (goal.0, .decimal(Double(goal.1) / 1e3, digits: 3)), ("met", .bool(isMet)),
        ])
    }
}
