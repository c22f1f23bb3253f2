import USBCore

/// Which entries of a transcript are wanted: `device=2 and (endpoint=1in or request=SET_REPORT)`.
package struct TranscriptFilter: Sendable {
    private let condition: FilterCondition

    /// Reads an expression.
    ///
    /// - Throws: ``FilterError`` with the place of the first mistake.
    package init(parsing text: String) throws(FilterError) {
        var parser = FilterParser(text)
        condition = try parser.expression()
    }

    /// Whether an entry is wanted.
    package func matches(_ entry: TranscriptEntry) -> Bool { condition.matches(entry) }
}

/// What is wrong with a filter expression.
package struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The place of the mistake: the character's number from 1; one behind the last for what is missing at the end.
    package let column: Int
    /// What is wrong, and what is possible.
    package let message: String

    /// Place and mistake in a line.
    package var description: String { "at character \(column): \(message)" }
}

/// What an expression means.
indirect enum FilterCondition: Sendable {
    case all([FilterCondition])
    case any([FilterCondition])
    case not(FilterCondition)
    case comparison(FilterField, [FilterValue])

    func matches(_ entry: TranscriptEntry) -> Bool {
        switch self {
        case .all(let conditions): conditions.allSatisfy { $0.matches(entry) }
        case .any(let conditions): conditions.contains { $0.matches(entry) }
        case .not(let condition): !condition.matches(entry)
        case .comparison(let field, let values): values.contains { field.matches(entry, $0) }
        }
    }
}

/// A value to which a field is compared; a field equals several when it equals one of them.
enum FilterValue: Hashable, Sendable {
    /// A number in a range; of times, nanoseconds.
    case range(ClosedRange<Int64>)
    /// A word as it stands, but for case, spaces and underscores.
    case word(String)
    /// What a text contains, but for case.
    case part(String)
    /// An endpoint; nil for both directions.
    case endpoint(number: UInt8, direction: Direction?)
}

/// What can be compared.
enum FilterField: String, CaseIterable, Sendable {
    case device
    case endpoint
    case type
    case status
    case request
    case scsi
    case packet
    case time
    case length
    case text

    /// What kind of values it has.
    enum Kind {
        case number
        case seconds
        case status
        case endpoint
        case word
        case text
    }

    var kind: Kind {
        switch self {
        case .device, .packet, .length: .number
        case .time: .seconds
        case .status: .status
        case .endpoint: .endpoint
        case .type, .request, .scsi: .word
        case .text: .text
        }
    }

    /// The words that it can have; nil for any.
    var words: [String]? {
        switch self {
        case .type: ["control", "bulk", "interrupt", "iso"]
        case .status:
            [
                "success", "stall", "overflow", "cancelled", "shutdown", "no-device", "timeout", "protocol-error",
                "error", "unanswered",
            ]
        default: nil
        }
    }

    func matches(_ entry: TranscriptEntry, _ value: FilterValue) -> Bool {
        switch value {
        case .range(let range):
            switch self {
            // A command is many packets.
            case .packet:
                return range.overlaps(Int64(entry.packets.lowerBound)...Int64(entry.packets.upperBound))
            case .device: return range.contains(Int64(entry.device))
            case .length: return range.contains(Int64(entry.length))
            case .time: return range.contains(entry.time)
            case .status: return entry.status.map { range.contains(Int64($0.rawValue)) } ?? false
            default: return false
            }
        case .endpoint(let number, let direction):
            // Control transfers go both ways.
            return entry.endpoint.number == number
                && (direction == nil || number == 0 || entry.endpoint.direction == direction)
        case .word(let word): return equals(entry, word)
        case .part(let part): return text(of: entry).map { Self.folded($0).contains(part) } ?? false
        }
    }

    private func text(of entry: TranscriptEntry) -> String? {
        switch self {
        case .type: entry.type.name
        case .status: entry.status?.name ?? "unanswered"
        case .request: entry.request
        case .scsi: entry.scsi
        case .text: entry.words
        default: nil
        }
    }

    private func equals(_ entry: TranscriptEntry, _ word: String) -> Bool {
        guard let text = text(of: entry).map(Self.folded) else { return false }
        // READ stands for READ(6), READ(10) and so on.
        return text == word || self == .scsi && text.hasPrefix(word + "(")
    }

    /// A text for comparing: `TEST_UNIT_READY` is `test unit ready`.
    static func folded(_ text: String) -> String {
        String(text.lowercased().map { $0 == "_" ? " " : $0 })
    }
}
