internal import CXKBCommon

/// What dead keys do to the key pressed after them.
///
/// Hosts have a list of thousands of sequences for this, which differs a little by their language. What is here is
/// common: a dead accent with a letter gives the letter that Unicode composes of both (``ComposedLetter``), and the
/// accent alone comes from the space bar after its key, or from pressing its key twice.
struct DeadKey {
    /// The combining characters that the key stands for: two where Greek has another for the same key.
    let marks: [Unicode.Scalar]
    /// What the key gives with the space bar.
    var withSpace: Character?
    /// What the key gives when pressed twice, where that is something else.
    var twice: Character?
    /// What it gives with other characters, where Unicode composes nothing.
    var others: [(base: Character, result: Character)] = []

    /// The dead keys by their keysyms.
    static let byKeysym: [UInt32: Self] = {
        let keys: [(Int32, Self)] = [
            (XKB_KEY_dead_grave, Self(marks: ["\u{300}"], withSpace: "`")),
            // With the space bar most hosts give the typewriter's apostrophe and quotation mark.
            (XKB_KEY_dead_acute, Self(marks: ["\u{301}"], withSpace: "'", twice: "´")),
            (XKB_KEY_dead_circumflex, Self(marks: ["\u{302}"], withSpace: "^")),
            // Also Greek's perispomeni.
            (XKB_KEY_dead_tilde, Self(marks: ["\u{303}", "\u{342}"], withSpace: "~")),
            (XKB_KEY_dead_macron, Self(marks: ["\u{304}"], withSpace: "¯")),
            (XKB_KEY_dead_breve, Self(marks: ["\u{306}"], withSpace: "˘")),
            (XKB_KEY_dead_abovedot, Self(marks: ["\u{307}"], withSpace: "˙")),
            (XKB_KEY_dead_diaeresis, Self(marks: ["\u{308}"], withSpace: "\"", twice: "¨")),
            (XKB_KEY_dead_abovering, Self(marks: ["\u{30A}"], withSpace: "°")),
            (XKB_KEY_dead_doubleacute, Self(marks: ["\u{30B}"], withSpace: "˝")),
            (XKB_KEY_dead_caron, Self(marks: ["\u{30C}"], withSpace: "ˇ")),
            (XKB_KEY_dead_cedilla, Self(marks: ["\u{327}"], withSpace: "¸")),
            (XKB_KEY_dead_ogonek, Self(marks: ["\u{328}"], withSpace: "˛")),
            (XKB_KEY_dead_iota, Self(marks: ["\u{345}"], withSpace: "\u{37A}")),
            (XKB_KEY_dead_belowdot, Self(marks: ["\u{323}"])),
            (XKB_KEY_dead_hook, Self(marks: ["\u{309}"])),
            (XKB_KEY_dead_horn, Self(marks: ["\u{31B}"])),
            (XKB_KEY_dead_psili, Self(marks: ["\u{313}"])),
            (XKB_KEY_dead_dasia, Self(marks: ["\u{314}"])),
            (XKB_KEY_dead_doublegrave, Self(marks: ["\u{30F}"])),
            (XKB_KEY_dead_invertedbreve, Self(marks: ["\u{311}"])),
            (XKB_KEY_dead_belowring, Self(marks: ["\u{325}"])),
            (XKB_KEY_dead_belowmacron, Self(marks: ["\u{331}"])),
            (XKB_KEY_dead_belowcircumflex, Self(marks: ["\u{32D}"])),
            (XKB_KEY_dead_belowtilde, Self(marks: ["\u{330}"])),
            (XKB_KEY_dead_belowbreve, Self(marks: ["\u{32E}"])),
            (XKB_KEY_dead_belowdiaeresis, Self(marks: ["\u{324}"])),
            (XKB_KEY_dead_belowcomma, Self(marks: ["\u{326}"])),
            (
                XKB_KEY_dead_stroke,
                Self(
                    marks: [],
                    others: [
                        ("b", "ƀ"), ("d", "đ"), ("D", "Đ"), ("g", "ǥ"), ("G", "Ǥ"), ("h", "ħ"), ("H", "Ħ"), ("i", "ɨ"),
                        ("I", "Ɨ"), ("l", "ł"), ("L", "Ł"), ("o", "ø"), ("O", "Ø"), ("t", "ŧ"), ("T", "Ŧ"), ("z", "ƶ"),
                        ("Z", "Ƶ"),
                    ])
            ),
            (
                XKB_KEY_dead_currency,
                Self(
                    marks: [], withSpace: "¤",
                    others: [("c", "¢"), ("e", "€"), ("f", "ƒ"), ("l", "£"), ("s", "₪"), ("w", "₩"), ("y", "¥")])
            ),
        ]
        return Dictionary(keys.map { (UInt32(bitPattern: $0), $1) }) { first, _ in first }
    }()
}
