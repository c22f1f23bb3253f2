import Testing

@testable import KeyboardLayouts

@Suite("A stroke")
struct StrokeTests {
    private func strokes(_ layout: String, _ text: String) throws -> [[UInt8]] {
        try KeyboardLayout(layout).strokes(for: text).map { [$0.modifiers, $0.usage] }
    }

    @Test("is a key, with the left Shift key or the right Alt key where the character needs them")
    func modifiers() throws {
        #expect(try strokes("us", "aA1!") == [[0, 0x04], [2, 0x04], [0, 0x1E], [2, 0x1E]])
        #expect(try strokes("de", "zZ@€\\") == [[0, 0x1C], [2, 0x1C], [64, 0x14], [64, 0x08], [64, 0x2D]])
        #expect(try strokes("gb", "£\"@") == [[2, 0x20], [2, 0x1F], [2, 0x34]])
        #expect(try strokes("de", "ẞ") == [[66, 0x16]])
    }

    @Test("is on the key that has the character in that country")
    func national() throws {
        #expect(try strokes("us", "<>\\|") == [[2, 0x36], [2, 0x37], [0, 0x31], [2, 0x31]])
        #expect(try strokes("de", "<>|#'") == [[0, 0x64], [2, 0x64], [64, 0x64], [0, 0x31], [2, 0x31]])
        #expect(try strokes("gb", "\\|#~") == [[0, 0x64], [2, 0x64], [0, 0x31], [2, 0x31]])
        #expect(try strokes("jp", "\\_|@") == [[0, 0x87], [2, 0x87], [2, 0x89], [0, 0x2F]])
        #expect(try strokes("jp(OADG109A)", "¥") == [[0, 0x89]])
        #expect(try strokes("br", "/?") == [[0, 0x87], [2, 0x87]])
    }

    @Test("is never on the keypad where the main keys have the character")
    func keypad() throws {
        for layout in ["us", "de", "fr", "es"] {
            let usages = try strokes(layout, "+-*/0123456789.,=").map { $0[1] }
            #expect(usages.allSatisfy { !(0x54...0x63).contains($0) }, "\(layout)")
        }
    }

    @Test("comes after a dead key's where no key has the character")
    func dead() throws {
        #expect(try strokes("de", "éÊ") == [[0, 0x2E], [0, 0x08], [0, 0x35], [2, 0x08]])
        #expect(try strokes("de", "^`´") == [[0, 0x35], [0, 0x2C], [2, 0x2E], [0, 0x2C], [0, 0x2E], [0, 0x2E]])
        #expect(try strokes("fr", "êé") == [[0, 0x2F], [0, 0x08], [0, 0x1F]])
        #expect(try strokes("de(nodeadkeys)", "^´") == [[0, 0x35], [0, 0x2E]])
    }

    @Test("is the same for composed and decomposed characters")
    func decomposed() throws {
        #expect(try strokes("de", "u\u{308}e\u{301}A\u{30A}") == strokes("de", "\u{FC}\u{E9}\u{C5}"))
        #expect(try strokes("fr", "e\u{301}") == strokes("fr", "\u{E9}"))
    }

    @Test("is the same by all names of a layout")
    func names() throws {
        #expect(try KeyboardLayout("uk").name == "gb" && strokes("uk", "£") == strokes("gb", "£"))
        #expect(try KeyboardLayout("de:nodeadkeys").name == "de(nodeadkeys)")
        #expect(try strokes("de:nodeadkeys", "^") == strokes("de(nodeadkeys)", "^"))
    }

    @Test("is for an accent only what Unicode composes")
    func facts() {
        for composed in ComposedLetter.all + ComposedLetter.swapped {
            var parts = String(composed.base)
            parts.unicodeScalars.append(composed.mark)
            #expect(parts == String(composed.letter), "\(composed.letter)")
        }
        #expect(ComposedLetter.all.count > 700 && ComposedLetter.swapped.count > 10)
        #expect(Set(ComposedLetter.all.map(\.letter)).count == ComposedLetter.all.count)
    }
}
