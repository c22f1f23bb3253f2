import USBCore

/// Reads the values of a comparison.
struct FilterValueReader {
    struct Mistake: Error {
        var message: String
    }

    private let field: FilterField
    private let comparator: FilterComparator

    init(_ field: FilterField, _ comparator: FilterComparator) {
        self.field = field
        self.comparator = comparator
    }

    func read(_ text: String) throws(Mistake) -> FilterValue {
        if comparator == .contains { return .part(FilterField.folded(text)) }
        let shown = PrintableText.of(text)
        switch field.kind {
        case .word, .text:
            if let words = field.words, !words.contains(text.lowercased()) {
                throw Mistake(message: "there is no \(field.rawValue) '\(shown)'; \(words.joined(separator: ", ")) are")
            }
            return .word(FilterField.folded(text))
        case .status:
            if let words = field.words, comparator == .equal || comparator == .unequal,
                words.contains(text.lowercased())
            {
                return .word(FilterField.folded(text))
            }
            guard let range = range(text) else {
                let words = (field.words ?? []).joined(separator: ", ")
                throw Mistake(message: "'\(shown)' is no status: a number, as Linux has it, or \(words)")
            }
            return .range(range)
        case .endpoint:
            guard let endpoint = Self.endpoint(text.lowercased()) else {
                throw Mistake(message: "'\(shown)' is no endpoint; write 0x81, 1in, 2out or 0")
            }
            return endpoint
        case .number, .seconds:
            guard let range = range(text) else {
                let example = field.kind == .seconds ? "1.5 or 1.5..2" : "10 or 10..50"
                throw Mistake(message: "'\(shown)' is no value of \(field.rawValue); write a number such as \(example)")
            }
            return .range(range)
        }
    }

    // MARK: Numbers

    /// The numbers that a comparison lets pass; nil where the text is none, or a range where one number must stand.
    private func range(_ text: String) -> ClosedRange<Int64>? {
        switch comparator {
        case .equal, .unequal: return closedRange(text)
        case .lessOrEqual: return number(text).map { Int64.min...$0 }
        case .greaterOrEqual: return number(text).map { $0...Int64.max }
        case .less: return number(text).flatMap { $0 == .min ? nil : Int64.min...$0 - 1 }
        case .greater: return number(text).flatMap { $0 == .max ? nil : $0 + 1...Int64.max }
        case .contains: return nil
        }
    }

    /// `10`, `10..50`, `10..` or `..50`.
    private func closedRange(_ text: String) -> ClosedRange<Int64>? {
        let characters = Array(text)
        guard let split = characters.indices.dropLast().first(where: { characters[$0...$0 + 1] == [".", "."] }) else {
            return number(text).map { $0...$0 }
        }
        let (first, last) = (String(characters[..<split]), String(characters[(split + 2)...]))
        guard let lower = first.isEmpty ? .min : number(first), let upper = last.isEmpty ? .max : number(last),
            lower <= upper, text != ".."
        else { return nil }
        return lower...upper
    }

    /// A number, of times in nanoseconds.
    private func number(_ text: String) -> Int64? {
        guard field.kind == .seconds else {
            return text.hasPrefix("0x") ? Int64(text.dropFirst(2), radix: 16) : Int64(text)
        }
        // Double alone would take "nan" and "0x1p3" as well.
        guard text.utf8.allSatisfy({ "0123456789.-".utf8.contains($0) }), let seconds = Double(text) else { return nil }
        return Int64(exactly: (seconds * 1_000_000_000).rounded())
    }

    /// `0x81`, `1in`, `2out`, or a number for both directions.
    private static func endpoint(_ text: String) -> FilterValue? {
        if text.hasPrefix("0x") {
            guard let raw = UInt8(text.dropFirst(2), radix: 16), raw & 0x70 == 0 else { return nil }
            return .endpoint(number: raw & 0x0f, direction: raw & 0x80 == 0 ? .out : .in)
        }
        let direction: Direction? = text.hasSuffix("in") ? .in : text.hasSuffix("out") ? .out : nil
        let digits = text.dropLast(direction == .in ? 2 : direction == .out ? 3 : 0)
        guard let number = UInt8(digits), number < 16 else { return nil }
        return .endpoint(number: number, direction: direction)
    }
}
