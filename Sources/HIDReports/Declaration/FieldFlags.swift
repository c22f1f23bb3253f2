/// What kind of value a field holds: the data of an Input, Output or Feature item (HID 1.11 §6.2.2.5).
public struct FieldFlags: OptionSet, Hashable, Sendable {
    /// The nine bits that the specification gives a meaning, and whatever others an item has.
    public let rawValue: UInt16
    /// Makes flags from their bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Slots that each name one of the field's usages by its index: the absence of ``variable``.
    public static let array: Self = []
    /// Bit 0: padding, or a value that cannot be changed.
    public static let constant = Self(rawValue: 1)
    /// Bit 1: one value for each usage, not an array.
    public static let variable = Self(rawValue: 2)
    /// Bit 2: a change since the last report.
    public static let relative = Self(rawValue: 4)
    /// Bit 3: rolls over at its extremes.
    public static let wrap = Self(rawValue: 8)
    /// Bit 4: not linear in what it measures.
    public static let nonlinear = Self(rawValue: 0x10)
    /// Bit 5: has no state to which it returns by itself.
    public static let noPreferred = Self(rawValue: 0x20)
    /// Bit 6: a value outside the logical range says that there is none.
    public static let nullState = Self(rawValue: 0x40)
    /// Bit 7: may change without the host (Output and Feature).
    public static let volatile = Self(rawValue: 0x80)
    /// Bit 8: a stream of bytes.
    public static let bufferedBytes = Self(rawValue: 0x100)
}
