/// What to press on a USB keyboard so that a host with this layout reads a text.
///
/// The layouts are those of XKB, which Linux uses under Wayland and X11; the package `xkb-data` has them. The same
/// strokes give the same text on other systems with that layout, but for dead keys with rare letters. Caps Lock must
/// be off on the host; Num Lock does not matter.
public final class KeyboardLayout: Sendable {
    /// The layout as XKB writes it, such as "gb" or "de(nodeadkeys)".
    public let name: String

    private let table: StrokeTable

    /// Loads a layout.
    ///
    /// - Parameter name: "us", "de", "fr", "es", "jp", "gb" or "uk", or any other of XKB; "de(nodeadkeys)" or
    ///   "de:nodeadkeys" for a variant.
    /// - Throws: when there is no such layout or variant, naming others; when XKB's data are not installed.
    public convenience init(_ name: String) throws(LayoutError) { try self.init(name, in: XKBContext()) }

    /// Loads a layout from where a context finds it.
    init(_ name: String, in context: XKBContext?) throws(LayoutError) {
        guard let context else {
            throw LayoutError(.dataMissing, layout: name, "libxkbcommon cannot be used: there is no memory")
        }
        guard let parsed = LayoutName(name) else {
            throw LayoutError(
                .unknownLayout, layout: name,
                "\(quoted(name)) is no name of a keyboard layout; these are: us, de, de(nodeadkeys)")
        }
        let keymap = context.keymap(layout: parsed.layout, variant: parsed.variant)
        // Parts that layouts are made of can be named as well, but have no letters.
        guard let keymap, let table = StrokeTable(keymap), table.strokes.keys.contains(where: { $0.isLetter }) else {
            let catalog = LayoutCatalog(folders: context.folders)
            guard !catalog.layouts.isEmpty else {
                throw LayoutError(
                    .dataMissing, layout: name,
                    "the keyboard layouts are not installed: install XKB's data (Debian: apt install xkb-data)")
            }
            throw LayoutError(
                .unknownLayout, layout: name,
                catalog.has(parsed)
                    ? "the layout \(parsed) of XKB's data (package xkb-data) has no letters, or cannot be read"
                    : "there is no keyboard layout \(parsed) in XKB's data (package xkb-data); "
                        + catalog.suggestion(for: parsed))
        }
        self.name = parsed.description
        self.table = table
    }

    /// What to press, in order, so that a text appears.
    ///
    /// A character comes from its own key where it has one, with Shift, AltGr or both; else from a dead key before
    /// another key. Composed and decomposed accents are the same. Line feeds, also after carriage returns, are the
    /// Enter key; tab and escape are keys too; no other control character is.
    ///
    /// - Throws: at the first character that the layout does not have; says where it is, and which layout has it.
    /// - Complexity: O(*n*) in the text's length.
    public func strokes(for text: String) throws(LayoutError) -> [KeyStroke] {
        var result: [KeyStroke] = []
        for (index, character) in text.enumerated() {
            guard let keys = strokes(for: character) else { throw missing(character, at: index) }
            result += keys
        }
        return result
    }

    /// The layouts that XKB's data lists, without variants; none when they are not installed.
    public static var known: [String] {
        LayoutCatalog(folders: XKBContext()?.folders ?? []).layouts
    }

    /// The variants of a layout that XKB's data lists.
    public static func variants(of layout: String) -> [String] {
        LayoutCatalog(folders: XKBContext()?.folders ?? []).variants[layout] ?? []
    }

    /// The characters that the layout has, in no order: for tests.
    var characters: some Collection<Character> { table.strokes.keys }

    private func strokes(for character: Character) -> [KeyStroke]? {
        if let keys = table.strokes[character] { return keys }
        // Scripts whose vowels are signs of their own at a consonant have keys for both.
        guard character.unicodeScalars.count > 1 else { return nil }
        var result: [KeyStroke] = []
        for scalar in character.unicodeScalars {
            guard let keys = table.strokes[Character(scalar)] else { return nil }
            result += keys
        }
        return result
    }

    private func missing(_ character: Character, at index: Int) -> LayoutError {
        let codes = character.unicodeScalars.prefix(8).map { scalar in
            let digits = String(scalar.value, radix: 16, uppercase: true)
            return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
        let others = LayoutCatalog.common.filter { other in
            guard other != name, let layout = try? KeyboardLayout(other) else { return false }
            return layout.strokes(for: character) != nil
        }
        let isShown = !character.unicodeScalars.contains { $0.properties.generalCategory == .control }
        return LayoutError(
            .unsupportedCharacter(character, position: index + 1), layout: name,
            "the layout \(name) cannot type \(isShown ? "'\(character)' (" : "")\(codes.joined(separator: " "))"
                + "\(isShown ? ")" : ""), character \(index + 1) of the text"
                + (others.isEmpty ? "" : "; \(others.prefix(4).joined(separator: ", ")) can"))
    }
}

/// A text from outside in quotes, without what would disturb a terminal, cut where it is long.
private func quoted(_ text: String) -> String {
    let shown = text.unicodeScalars.prefix(40).map { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: Character("?")
        default: Character(scalar)
        }
    }
    return "\"\(String(shown))\(text.unicodeScalars.count > 40 ? "…" : "")\""
}
