/// One key press of a USB keyboard, with the modifier keys that are held meanwhile.
///
/// A stroke says what to press: modifiers down, key down, key up, modifiers up. Two equal strokes in a row need the
/// key up in between.
public struct KeyStroke: Hashable, Sendable {
    /// The key: a usage of the Keyboard/Keypad page (HID Usage Tables, page 0x07), 0x04…0xDF.
    ///
    /// Layouts of ISO, Brazilian, Japanese and Korean keyboards need usages above those of the usual boot report
    /// descriptor (0x65): up to 0x8C.
    public var usage: UInt8
    /// The modifier keys: bit n is usage 0xE0 + n, as in the first byte of a boot report (HID 1.11 appendix B.1).
    ///
    /// From bit 0: left Control, Shift, Alt, GUI; right Control, Shift, Alt (AltGr), GUI.
    public var modifiers: UInt8

    /// Makes a stroke.
    public init(usage: UInt8, modifiers: UInt8 = 0) {
        self.usage = usage
        self.modifiers = modifiers
    }
}
