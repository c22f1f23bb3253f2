/// Names of keys by usage id (HID Usage Tables §10).
enum KeyNames {
    static func name(of id: UInt16) -> String? {
        switch id {
        case 0..<UInt16(low.count): low[Int(id)]
        case 0xb0..<0xb0 + UInt16(keypad.count): "Keypad " + keypad[Int(id) - 0xb0]
        case 0xe0..<0xe0 + UInt16(modifiers.count): modifiers[Int(id) - 0xe0]
        default: nil
        }
    }

    /// From usage id 0 without a gap.
    private static let low: [String] =
        ["No Event", "Error Roll Over", "POST Fail", "Error Undefined"]
        + "ABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890".map(String.init)
        + [
            "Enter", "Escape", "Backspace", "Tab", "Space", "-", "=", "[", "]", "\\", "Non-US #", ";", "'", "`", ",",
            ".", "/", "Caps Lock",
        ]
        + (1...12).map { "F\($0)" }
        + [
            "Print Screen", "Scroll Lock", "Pause", "Insert", "Home", "Page Up", "Delete", "End", "Page Down",
            "Right Arrow", "Left Arrow", "Down Arrow", "Up Arrow", "Num Lock", "Keypad /", "Keypad *", "Keypad -",
            "Keypad +", "Keypad Enter",
        ]
        + "1234567890".map { "Keypad \($0)" }
        + ["Keypad .", "Non-US \\", "Application", "Power", "Keypad ="]
        + (13...24).map { "F\($0)" }
        + [
            "Execute", "Help", "Menu", "Select", "Stop", "Again", "Undo", "Cut", "Copy", "Paste", "Find", "Mute",
            "Volume Up", "Volume Down", "Locking Caps Lock", "Locking Num Lock", "Locking Scroll Lock", "Keypad Comma",
            "Keypad Equal Sign",
        ]
        + (1...9).map { "International \($0)" }
        + (1...9).map { "Lang \($0)" }
        + [
            "Alternate Erase", "SysReq", "Cancel", "Clear", "Prior", "Return", "Separator", "Out", "Oper",
            "Clear/Again", "CrSel", "ExSel",
        ]

    /// From usage id 0xB0.
    private static let keypad = [
        "00", "000", "Thousands Separator", "Decimal Separator", "Currency Unit", "Currency Sub-unit", "(", ")", "{",
        "}", "Tab", "Backspace", "A", "B", "C", "D", "E", "F", "XOR", "^", "%", "<", ">", "&", "&&", "|", "||", ":",
        "#", "Space", "@", "!", "Memory Store", "Memory Recall", "Memory Clear", "Memory Add", "Memory Subtract",
        "Memory Multiply", "Memory Divide", "+/-", "Clear", "Clear Entry", "Binary", "Octal", "Decimal", "Hexadecimal",
    ]

    /// From usage id 0xE0.
    private static let modifiers = [
        "Left Control", "Left Shift", "Left Alt", "Left GUI", "Right Control", "Right Shift", "Right Alt", "Right GUI",
    ]
}
