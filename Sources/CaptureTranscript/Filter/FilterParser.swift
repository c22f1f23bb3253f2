import USBCore

/// Reads filter expressions: comparisons, `and`, `or`, `not` and parentheses.
struct FilterParser {
    /// Deeper nesting than any of people's is an attempt on the stack.
    private static let depthLimit = 64

    private let characters: [Character]
    private var place = 0
    private var depth = 0

    init(_ text: String) { characters = Array(text) }

    mutating func expression() throws(FilterError) -> FilterCondition {
        let condition = try alternatives()
        skipSpace()
        guard place == characters.count else {
            if characters[place] == ")" { throw error("there is no '(' for this ')'") }
            throw error("'and', 'or' or the end is expected, not '\(found)'")
        }
        return condition
    }

    private mutating func alternatives() throws(FilterError) -> FilterCondition {
        var conditions = [try conjunction()]
        while skip(word: "or") { conditions.append(try conjunction()) }
        return conditions.count == 1 ? conditions[0] : .any(conditions)
    }

    private mutating func conjunction() throws(FilterError) -> FilterCondition {
        var conditions = [try term()]
        while skip(word: "and") { conditions.append(try term()) }
        return conditions.count == 1 ? conditions[0] : .all(conditions)
    }

    private mutating func term() throws(FilterError) -> FilterCondition {
        skipSpace()
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("nested too deeply") }
        if skip(word: "not") { return .not(try term()) }
        guard skip("(") else { return try comparison() }
        let start = place
        let condition = try alternatives()
        skipSpace()
        guard skip(")") else {
            if place == characters.count { throw error("')' is missing for '('", at: start - 1) }
            throw error("'and', 'or' or ')' is expected, not '\(found)'")
        }
        return condition
    }

    // MARK: Comparisons

    private mutating func comparison() throws(FilterError) -> FilterCondition {
        let start = place
        let name = word()
        let names = FilterField.allCases.map(\.rawValue).joined(separator: ", ")
        guard !name.isEmpty else {
            let what = place == characters.count ? "" : ", not '\(found)'"
            throw error("a condition is expected\(what): one of \(names)")
        }
        guard let field = FilterField(rawValue: name.lowercased()) else {
            throw error("there is no '\(PrintableText.of(name))'; there are: \(names)", at: start)
        }
        skipSpace()
        let operatorPlace = place
        guard let comparator = comparator() else {
            throw error("after '\(field.rawValue)', \(Self.allowed(field)) is expected")
        }
        guard Self.comparators(of: field).contains(comparator) else {
            throw error(
                "'\(comparator.rawValue)' does not go with \(field.rawValue); \(Self.allowed(field)) does",
                at: operatorPlace)
        }
        skipSpace()
        var values: [FilterValue] = []
        repeat {
            let valuePlace = place
            let text = try value(of: field)
            let reader = FilterValueReader(field, comparator)
            do throws(FilterValueReader.Mistake) {
                values.append(try reader.read(text))
            } catch {
                throw self.error(error.message, at: valuePlace)
            }
        } while skip("|")
        let condition = FilterCondition.comparison(field, values)
        return comparator == .unequal ? .not(condition) : condition
    }

    private static func comparators(of field: FilterField) -> [FilterComparator] {
        switch field.kind {
        case .number, .seconds, .status: [.equal, .unequal, .less, .lessOrEqual, .greater, .greaterOrEqual]
        case .endpoint: [.equal, .unequal]
        case .word: [.equal, .unequal, .contains]
        case .text: [.contains]
        }
    }

    private static func allowed(_ field: FilterField) -> String {
        let all = comparators(of: field).map { "'\($0.rawValue)'" }
        guard let last = all.last, all.count > 1 else { return all.joined() }
        return all.dropLast().joined(separator: ", ") + " or " + last
    }

    private mutating func comparator() -> FilterComparator? {
        for comparator in FilterComparator.longestFirst {
            let text = Array(comparator.rawValue)
            guard characters[place...].starts(with: text) else { continue }
            place += text.count
            return comparator
        }
        return nil
    }

    /// A value: a text in quotes, or all up to a space, a bar, or a parenthesis that it has not opened.
    private mutating func value(of field: FilterField) throws(FilterError) -> String {
        if place < characters.count, characters[place] == "\"" { return try quotedValue() }
        var text = ""
        var open = 0
        while place < characters.count {
            let character = characters[place]
            if character.isWhitespace || character == "|" { break }
            if character == "(" { open += 1 }
            if character == ")" {
                if open == 0 { break }
                open -= 1
            }
            text.append(character)
            place += 1
        }
        guard !text.isEmpty else { throw error("a value of \(field.rawValue) is missing") }
        return text
    }

    private mutating func quotedValue() throws(FilterError) -> String {
        let start = place
        place += 1
        var text = ""
        while place < characters.count {
            var character = characters[place]
            place += 1
            if character == "\"" { return text }
            if character == "\\", place < characters.count {
                character = characters[place]
                place += 1
            }
            text.append(character)
        }
        throw error("the closing '\"' is missing", at: start)
    }

    // MARK: Characters

    private func error(_ message: String, at place: Int? = nil) -> FilterError {
        FilterError(column: (place ?? self.place) + 1, message: message)
    }

    /// What stands here, for messages.
    private var found: String {
        let rest = characters[place...].prefix(20).prefix { !$0.isWhitespace }
        return PrintableText.of(String(rest))
    }

    private mutating func skipSpace() {
        while place < characters.count, characters[place].isWhitespace { place += 1 }
    }

    private mutating func skip(_ character: Character) -> Bool {
        guard place < characters.count, characters[place] == character else { return false }
        place += 1
        return true
    }

    /// The letters that stand here.
    private mutating func word() -> String {
        let letters = characters[place...].prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
        place += letters.count
        return String(letters)
    }

    private mutating func skip(word expected: String) -> Bool {
        let start = place
        skipSpace()
        if word().lowercased() == expected { return true }
        place = start
        return false
    }
}

/// How a field is compared with a value.
enum FilterComparator: String, CaseIterable {
    case equal = "="
    case unequal = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case contains = "~"

    static let longestFirst = allCases.sorted { $0.rawValue.utf8.count > $1.rawValue.utf8.count }
}
