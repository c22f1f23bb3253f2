import Testing

@testable import KeyboardLayouts

@Suite("What cannot be typed")
struct LayoutErrorTests {
    private func error(_ layout: String, _ text: String) throws -> LayoutError {
        let layout = try KeyboardLayout(layout)
        return try #require(throws: LayoutError.self) { try layout.strokes(for: text) }
    }

    @Test("is named with its place and who has it")
    func character() throws {
        let none = try error("us", "ab日c")
        #expect(none.kind == .unsupportedCharacter("日", position: 3) && none.layout == "us")
        #expect(none.description == "the layout us cannot type '日' (U+65E5), character 3 of the text")
        let other = try error("us", "ö")
        #expect(other.description.hasPrefix("the layout us cannot type 'ö' (U+00F6), character 1 of the text; "))
        #expect(other.description.contains("de") && !other.description.contains("us,"))
    }

    @Test(
        "is said by its code points when it has several, or cannot be shown",
        arguments: [
            ("x\u{301}", "U+0078 U+0301"), ("🇩🇪", "U+1F1E9 U+1F1EA"), ("\u{8}", "type U+0008, character 1"),
            ("\r", "type U+000D,"), ("\0", "type U+0000,"), ("\u{7F}", "type U+007F,"), ("\u{85}", "type U+0085,"),
        ])
    func codes(_ text: String, words: String) throws {
        let description = try error("de", text).description
        #expect(description.contains(words), "\(description)")
    }

    @Test("counts characters as readers do")
    func positions() throws {
        #expect(try error("de", "e\u{301}\r\n日").kind == .unsupportedCharacter("日", position: 3))
    }

    @Test(
        "is a layout that does not exist",
        arguments: [
            ("xx-none", "no keyboard layout xx-none"), ("xx-none", "common ones: us, gb, de"), ("dee", "near it: de"),
            ("DE", "near it: de,"), ("de(nodeadkey)", "near it: nodeadkeys"), ("de:zzzzzz", "variants of de: "),
            ("xx", "xkb-data"), ("pc", "no keyboard layout pc"), ("", "\"\" is no name"), ("us,de", "is no name"),
            ("../symbols/us", "is no name"), ("us(basic", "is no name"), ("us()", "is no name"),
            ("us(a)b", "is no name"), ("us:a:b", "is no name"), ("us\u{1B}[2J\0", "\"us?[2J?\" is no name"),
            ("us+de", "is no name"), ("%E", "is no name"), (String(repeating: "u", count: 100_000), "…\" is no name"),
        ])
    func unknown(_ name: String, words: String) throws {
        let error = try #require(throws: LayoutError.self) { try KeyboardLayout(name) }
        #expect(error.kind == .unknownLayout && error.layout == name)
        #expect(error.description.contains(words) && error.description.utf8.count < 1000, "\(error)")
    }

    @Test("is everything when the layouts are not installed")
    func missing() throws {
        let error = try #require(throws: LayoutError.self) {
            try KeyboardLayout("us", in: XKBContext(folders: ["/nonexistent"]))
        }
        #expect(error.kind == .dataMissing && error.description.contains("apt install xkb-data"))
    }

    @Test("is not among the layouts that are listed")
    func known() {
        let known = KeyboardLayout.known
        #expect(known.count > 50 && Set(["us", "gb", "de", "fr", "es", "jp"]).isSubset(of: known))
        #expect(!known.contains("nodeadkeys") && !known.contains("pc105"))
        #expect(KeyboardLayout.variants(of: "de").contains("nodeadkeys"))
        #expect(KeyboardLayout.variants(of: "xx").isEmpty)
    }
}
