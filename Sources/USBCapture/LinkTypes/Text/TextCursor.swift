/// Goes through a line of text, word by word.
struct TextCursor {
    private let bytes: ByteView
    private(set) var position = 0

    /// Begins at a line's first byte.
    init(_ bytes: ByteView) { self.bytes = bytes }

    /// Whether nothing but spaces is left.
    var isAtEnd: Bool {
        var ahead = self
        return ahead.word() == nil
    }

    /// The next word; nil at the end of the line.
    mutating func word() -> ByteView? {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        let start = position
        while position < bytes.count, !Self.isSpace(bytes[position]) { position += 1 }
        return start < position ? bytes[start..<position] : nil
    }

    /// The next word if it is a single character.
    mutating func character() -> UInt8? {
        guard let word = word(), word.count == 1 else { return nil }
        return word[0]
    }

    /// The next word if it is a decimal number.
    mutating func decimal() -> Int64? { word().flatMap { Self.decimal($0) } }

    /// The next word if it is a hexadecimal number of at most `digits` digits.
    mutating func hexadecimal(_ digits: Int) -> UInt64? { word().flatMap { Self.hexadecimal($0, digits) } }

    /// The number that a text is, of at most 18 digits and perhaps a sign.
    static func decimal(_ text: ByteView) -> Int64? {
        let isNegative = text[0] == UInt8(ascii: "-")
        let first = isNegative ? 1 : 0
        guard text.count > first, text.count <= 18 else { return nil }
        var value: Int64 = 0
        for index in first..<text.count {
            guard text[index] >= UInt8(ascii: "0"), text[index] <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int64(text[index] - UInt8(ascii: "0"))
        }
        return isNegative ? -value : value
    }

    /// The number that a text of at most 16 hexadecimal digits is.
    static func hexadecimal(_ text: ByteView, _ digits: Int) -> UInt64? {
        guard text.count > 0, text.count <= min(digits, 16) else { return nil }
        var value: UInt64 = 0
        for index in 0..<text.count {
            guard let digit = digit(text[index]) else { return nil }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    /// The value of a hexadecimal digit.
    static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The decimal numbers of a text, with colons between them.
    static func numbers(_ text: ByteView) -> [Int64]? {
        var numbers: [Int64] = []
        var start = 0
        for index in 0...text.count where index == text.count || text[index] == UInt8(ascii: ":") {
            guard let number = decimal(text[start..<index]) else { return nil }
            numbers.append(number)
            start = index + 1
        }
        return numbers
    }

    private static func isSpace(_ character: UInt8) -> Bool {
        character == 0x20 || character == 0x09 || character == 0x0a || character == 0x0d
    }
}
