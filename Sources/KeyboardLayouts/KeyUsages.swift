/// Which key event of Linux each usage of the Keyboard/Keypad page becomes.
///
/// The usages are those of the HID Usage Tables, page 0x07; the codes those of `<linux/input-event-codes.h>`, which the
/// kernel's HID driver assigns to them. XKB counts the same codes from 8.
enum KeyUsages {
    /// How far a key is from what every keyboard has, as a penalty in the choice among keys for one character.
    enum Place: Int {
        /// A key that keyboards of every country have.
        case main = 0
        /// A key of some countries' keyboards only. More effort than Shift, less than AltGr: `<` has its own key on
        /// German keyboards and is on Shift+comma on American ones, which have no such key.
        case national = 2
        /// A key of the keypad, which programs may tell from the main one with the same character.
        case keypad = 8
    }

    /// A key that can give a character.
    struct Key {
        let usage: UInt8
        /// The code of its events.
        let event: UInt16
        let place: Place

        /// XKB's number for it.
        var code: UInt32 { UInt32(event) + 8 }
    }

    /// The keys that can give characters.
    ///
    /// A key that has two usages is there once, as its usual one.
    static let typing: [Key] =
        // A…Z
        run(
            0x04, .main,
            [30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20, 22, 47, 17, 45, 21, 44])
        // 1…9 and 0; Enter, Escape; then Tab, Space, minus, equals, brackets and the backslash. Backspace deletes.
        + run(0x1E, .main, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 1])
        + run(0x2B, .main, [15, 57, 12, 13, 26, 27, 43])
        // Usage 0x32, the ISO key beside Enter, is the backslash's key to Linux as well.
        // Semicolon, apostrophe, grave accent, comma, full stop, slash.
        + run(0x33, .main, [39, 40, 41, 51, 52, 53])
        // The ISO key beside the left Shift.
        + run(0x64, .national, [86])
        // International 1…6: Ro (also Brazil's slash), Katakana/Hiragana, Yen, Henkan, Muhenkan, the PC-9800's comma.
        + run(0x87, .national, [89, 93, 124, 92, 94, 95])
        // / * - + Enter, 1…9, 0, the decimal separator; equals and Brazil's thousands separator.
        + run(0x54, .keypad, [98, 55, 74, 78, 96, 79, 80, 81, 75, 76, 77, 71, 72, 73, 82, 83])
        + run(0x67, .keypad, [117]) + run(0x85, .keypad, [121])

    /// The modifier keys, in the order of their usages from 0xE0 and of their bits in a boot report.
    static let modifierEvents: [UInt16] = [29, 42, 56, 125, 97, 54, 100, 126]

    /// The event of Num Lock, usage 0x53.
    static let numLockEvent: UInt16 = 69

    private static func run(_ first: UInt8, _ place: Place, _ events: [UInt16]) -> [Key] {
        events.enumerated().map { Key(usage: first &+ UInt8(truncatingIfNeeded: $0), event: $1, place: place) }
    }
}
