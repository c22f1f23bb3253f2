extension JSON {
    /// Reads a text.
    ///
    /// Whole numbers that fit become ``number(_:)``, others ``decimal(_:digits:)``.
    ///
    /// - Throws: ``JSONError`` with the line where it goes wrong.
    package init(parsing text: some Sequence<UInt8>) throws(JSONError) {
        var reader = JSONReader(text)
        self = try reader.document()
    }
}

/// What is wrong with a JSON text, in words.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Where and what.
    package let description: String
}

private struct JSONReader {
    /// Deeper nesting than any of ours is an attempt on the stack.
    private static let depthLimit = 64

    private let bytes: [UInt8]
    private var next = 0
    private var depth = 0

    init(_ text: some Sequence<UInt8>) { bytes = Array(text) }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value()
        skipSpace()
        guard next == bytes.count else { throw error("something follows the end") }
        return value
    }

    private func error(_ what: String) -> JSONError {
        let line = bytes.prefix(next).count { $0 == UInt8(ascii: "\n") } + 1
        return JSONError(description: "line \(line): \(what)")
    }

    private var current: UInt8? { next < bytes.count ? bytes[next] : nil }

    private mutating func skipSpace() {
        while let byte = current, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { next += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: character) else { return false }
        next += 1
        return true
    }

    private mutating func value() throws(JSONError) -> JSON {
        skipSpace()
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("nested too deeply") }
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case nil: throw error("the text ends in the middle")
        default: return try word()
        }
    }

    private mutating func object() throws(JSONError) -> JSON {
        next += 1
        var members: [(String, JSON)] = []
        skipSpace()
        if skip("}") { return .object([]) }
        repeat {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("a member's name in quotes is expected") }
            let name = try string()
            skipSpace()
            guard skip(":") else { throw error("a colon is expected after \"\(name)\"") }
            members.append((name, try value()))
            skipSpace()
        } while skip(",")
        guard skip("}") else { throw error("a comma or } is expected") }
        return .object(members)
    }

    private mutating func array() throws(JSONError) -> JSON {
        next += 1
        var values: [JSON] = []
        skipSpace()
        if skip("]") { return .array([]) }
        repeat {
            values.append(try value())
            skipSpace()
        } while skip(",")
        guard skip("]") else { throw error("a comma or ] is expected") }
        return .array(values)
    }

    /// A number, `true`, `false` or `null`.
    private mutating func word() throws(JSONError) -> JSON {
        let end = bytes[next...].firstIndex { " \t\r\n,:]}[{\"".utf8.contains($0) } ?? bytes.count
        let word = String(decoding: bytes[next..<end], as: UTF8.self)
        let known: [String: JSON] = ["null": .null, "true": .bool(true), "false": .bool(false)]
        if let value = known[word] {
            next = end
            return value
        }
        // Double alone would take "nan", "inf", "0x1p3" and "+1" as well.
        let isPlain = word.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) } && !word.hasPrefix("+")
        if isPlain, let number = Int(word) {
            next = end
            return .number(number)
        }
        guard isPlain, let number = Double(word), number.isFinite else {
            throw error("'\(word.prefix(40))' is no JSON value")
        }
        next = end
        return .decimal(number, digits: 6)
    }

    private mutating func string() throws(JSONError) -> String {
        next += 1
        var text: [UInt8] = []
        while let byte = current {
            guard byte >= 0x20 else { throw error("a control character stands in a string") }
            next += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): text += try escape()
            default: text.append(byte)
            }
        }
        throw error("a string does not end")
    }

    private mutating func escape() throws(JSONError) -> [UInt8] {
        guard let byte = current else { throw error("a string does not end") }
        next += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var units = [try codeUnit()]
            // What is beyond 16 bits comes as two escapes.
            if UTF16.isLeadSurrogate(units[0]), skip("\\") {
                guard skip("u") else { throw error("half a character in a string") }
                units.append(try codeUnit())
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        default: throw error("a string has an unknown escape")
        }
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        let digits = bytes[next...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits are expected after \\u") }
        next += 4
        return unit
    }
}
