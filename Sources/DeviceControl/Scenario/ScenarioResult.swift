package import CommandSupport

/// How a step went.
package struct ScenarioResult: Sendable {
    /// What became of it.
    package enum Outcome: String, Sendable {
        /// It was done.
        case done
        /// What was expected holds.
        case held
        /// What was expected does not hold, or it could not be done.
        case failed
        /// It was given up, because the play was ended from outside.
        case interrupted
    }

    /// Which it is of those played, from 1; 0 for a device that is plugged in at the beginning.
    package let number: Int
    /// The file's line.
    package let line: Int
    /// The step in words.
    package let what: String
    /// What became of it.
    package let outcome: Outcome
    /// When it began, from the first step; nil before that.
    package let start: Duration?
    /// How long it took.
    package let time: Duration
    /// What there is to say of it: what happened instead, or that it came late.
    package let message: String?

    /// The result for programs.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("step", .number(number)), ("line", .number(line)), ("what", .string(what)),
            ("outcome", .string(outcome.rawValue)),
            ("at", start.map { .decimal($0.inSeconds, digits: 3) } ?? .null),
            ("seconds", .decimal(time.inSeconds, digits: 3)),
        ]
        if let message { members.append(("message", .string(message))) }
        return .object(members)
    }

    /// The result in a line for people.
    ///
    /// - Parameter file: the scenario's file.
    package func line(in file: String) -> String {
        let point = start.map { decimal($0.inSeconds, 3) } ?? "-"
        let word = outcome == .failed ? "FAILED" : outcome.rawValue
        var text = String(repeating: " ", count: max(0, 9 - point.count)) + point
        text += "  \(word)" + String(repeating: " ", count: max(0, 6 - word.count)) + "  \(file):\(line): \(what)"
        text += "  (\(decimal(time.inSeconds, 3)) s)"
        return text + (message.map { ": \($0)" } ?? "")
    }
}

/// How a scenario went.
package struct ScenarioSummary: Sendable {
    /// How many steps were played.
    package var steps = 0
    /// How many of them failed, devices that could not be plugged in at the beginning among them.
    package var failures = 0
    /// Whether it was ended from outside.
    package var isInterrupted = false
    /// What could not be finished when devices were unplugged.
    package var lost: [String] = []
    /// How long it took, from the first step to the last.
    package var time = Duration.zero

    /// Whether all of it was played, and everything held.
    package var hasHeld: Bool { failures == 0 && !isInterrupted && lost.isEmpty }

    /// The summary for programs: the last line.
    package var json: JSON {
        .object([
            ("steps", .number(steps)), ("failures", .number(failures)), ("interrupted", .bool(isInterrupted)),
            ("lost", .array(lost.map { .string($0) })), ("seconds", .decimal(time.inSeconds, digits: 3)),
            ("held", .bool(hasHeld)),
        ])
    }

    /// The summary in a line for people.
    package var words: String {
        let count = "\(steps) step\(steps == 1 ? "" : "s") in \(decimal(time.inSeconds, 3)) s"
        var parts: [String] = []
        if failures > 0 { parts.append("\(failures) failed") }
        if isInterrupted { parts.append("interrupted") }
        if !lost.isEmpty { parts.append("data may be lost: \(lost.joined(separator: "; "))") }
        return "\(count): \(parts.isEmpty ? "everything held" : parts.joined(separator: ", "))"
    }
}

extension Duration {
    /// For output: fractions beyond what a double has do not matter.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }

    /// In words: `1.5 s`.
    var words: String {
        let text = decimal(inSeconds, 3)
        guard text.contains(".") else { return "\(text) s" }
        let short = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
        return "\(String(short.reversed())) s"
    }
}
