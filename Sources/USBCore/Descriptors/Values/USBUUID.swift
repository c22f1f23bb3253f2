/// A universally unique identifier, as container id and platform capabilities carry it.
///
/// In a descriptor its first three fields are little-endian and the rest is not, so the sixteen bytes there are not
/// in the order of the text.
public struct USBUUID: Hashable, Sendable {
    /// The first eight bytes in the order of the text.
    public var high: UInt64
    /// The last eight bytes in the order of the text.
    public var low: UInt64

    /// Makes an identifier from its halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes an identifier from the sixteen bytes of a descriptor; nil for another number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        high = 0
        low = 0
        for (position, source) in Self.order.enumerated() {
            let byte = UInt64(bytes[source])
            if position < 8 { high = high << 8 | byte } else { low = low << 8 | byte }
        }
    }

    /// Makes an identifier from its text, such as `d8dd60df-4589-4cc7-9cd2-659d9e648a9f`, with or without braces.
    ///
    /// nil where the text is not five groups of 8, 4, 4, 4 and 12 hexadecimal digits.
    public init?(_ text: String) {
        var body = text[...]
        if body.hasPrefix("{"), body.hasSuffix("}") { body = body.dropFirst().dropLast() }
        let groups = body.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12], groups.joined().allSatisfy(\.isHexDigit) else { return nil }
        let digits = groups.joined()
        guard let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    /// The sixteen bytes in the order of a descriptor.
    public var bytes: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        for (position, target) in Self.order.enumerated() {
            let half = position < 8 ? high : low
            bytes[target] = UInt8(truncatingIfNeeded: half >> UInt64(56 - position % 8 * 8))
        }
        return bytes
    }

    /// For each byte of the text, its place in a descriptor.
    private static let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
}

extension USBUUID: CustomStringConvertible {
    /// The text in lower case without braces.
    public var description: String {
        let digits = hexDigits(high) + hexDigits(low)
        var groups: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return groups.joined(separator: "-")
    }
}
