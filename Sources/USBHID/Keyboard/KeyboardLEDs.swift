/// The lamps of a keyboard, as they stand in its output report (HID 1.11 appendix B.1).
public struct KeyboardLEDs: OptionSet, Hashable, Sendable {
    /// The report's bits.
    public let rawValue: UInt8
    /// Makes a set from the report's bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Num Lock.
    public static let numLock = Self(rawValue: 0x01)
    /// Caps Lock.
    public static let capsLock = Self(rawValue: 0x02)
    /// Scroll Lock.
    public static let scrollLock = Self(rawValue: 0x04)
    /// Compose.
    public static let compose = Self(rawValue: 0x08)
    /// Kana.
    public static let kana = Self(rawValue: 0x10)

    /// Every lamp with its name, lowest bit first.
    public static let all: [(lamp: Self, name: String)] = [
        (.numLock, "num"), (.capsLock, "caps"), (.scrollLock, "scroll"), (.compose, "compose"), (.kana, "kana"),
    ]

    /// The names of the lamps that are on.
    public var names: [String] { Self.all.filter { contains($0.lamp) }.map(\.name) }
}
