/// A port of the virtual host controller, by the number that `status` shows and `detach` takes.
///
/// One numbering runs over all controllers and both halves of each, so a number alone tells neither.
public struct PortNumber: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number, from 0.
    public let rawValue: UInt32

    /// Makes a port number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reads a number of decimal digits; nil for anything else.
    public init?(_ text: String) {
        guard let number = DecimalText.number(text) else { return nil }
        rawValue = number
    }

    /// By the number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The number.
    public var description: String { "\(rawValue)" }
}

/// Numbers as sysfs writes them.
enum DecimalText {
    /// Reads digits alone: `UInt32` would take a sign as well.
    static func number(_ text: some StringProtocol, radix: Int = 10) -> UInt32? {
        guard !text.isEmpty, text.utf8.first != UInt8(ascii: "+"), text.utf8.first != UInt8(ascii: "-") else {
            return nil
        }
        return UInt32(text, radix: radix)
    }
}
