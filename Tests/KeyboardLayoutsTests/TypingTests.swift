import Testing

@testable import KeyboardLayouts

@Suite("Typed text is read as it was meant")
struct TypingTests {
    init() throws {
        try #require(KeyDecoder.hasSequences, "dead keys are judged by libx11-data: Scripts/setup installs it")
    }

    private static let ascii = String(String.UnicodeScalarView((0x20...0x7E).compactMap(Unicode.Scalar.init)))

    @Test(
        "ASCII and the letters of the layout's languages",
        arguments: [
            ("us", "", "Hello, World!\n"),
            ("us", "intl", "áéíóúàèâêäöüñÑçÇ€´¨¿¡"),
            ("gb", "", "£¬¦€áéíóú"),
            ("de", "", "äöüßÄÖÜẞ€§°µ²³áàâéèêÉÈÊôÔ´Falsches Üben von Xylophonmusik quält jeden größeren Zwerg."),
            ("de", "nodeadkeys", "äöüßÄÖÜ€^`´~"),
            ("fr", "", "éèàçùâêîôûëïüÿÂÊÎÔÛËÏÜ€£§µ²°¨Voix ambiguë d'un roi qui préfère les jattes de kiwis"),
            ("fr", "oss", "œŒæÆÀÉÈÇ«»ŷẑ"),
            ("es", "", "ñÑ¿¡çÇáéíóúüÁÉÍÓÚÜ€ªº·¨´¿Qué tal, pingüino?"),
            ("it", "", "àèéìòùç°§£€"),
            ("pt", "", "ãõâêôáéíóúàçÃÕºª«»€"),
            ("br", "abnt2", "ãõâêôáéíóúàçÃÕºª´¨"),
            ("se", "", "åäöÅÄÖéèü€½§"),
            ("pl", "", "ąćęłńóśźżĄĆĘŁŃÓŚŹŻ€"),
            ("cz", "qwerty", "ěščřžýáíéúůďťňÓŠ"),
            ("tr", "", "çğıöşüÇĞİÖŞÜâîû₺"),
            ("jp", "", ""),
            ("jp", "OADG109A", "¥"),
            ("ch", "fr", "éèàäöüçÉÈÀÄÖÜ€£"),
        ])
    func languages(_ layout: String, variant: String, letters: String) throws {
        try check(letters + Self.ascii, layout, variant)
    }

    @Test(
        "other scripts",
        arguments: [
            ("ru", "", "Съешь же ещё этих мягких французских булок, да выпей чаю №1\n"),
            ("bg", "", "Ах чудна българска земьо, полюшвай цъфтящи жита.\n"),
            ("gr", "", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. ΐΰϊϋΆΈΉΊΌΎΏΪΫ€"),
            ("gr", "polytonic", "ἄνθρωπος ᾧ ῥήτωρ ᾶ ΐ"),
            ("vn", "", "Tiếng Việt ắằẳẵặấầẩẫậ"),
            ("th", "", "กำลังที่นี้"),
            ("il", "", "שלום"),
            ("ara", "", "سلام لا"),
        ])
    func scripts(_ layout: String, variant: String, text: String) throws { try check(text, layout, variant) }

    /// Over everything that a layout claims, because a wrong claim types something else without a word.
    @Test("every character of every layout", arguments: KeyboardLayout.known.filter { $0 != "custom" && $0 != "brai" })
    func everything(_ name: String) throws {
        let layout = try KeyboardLayout(name)
        let decoder = try #require(KeyDecoder(layout: name))
        var wrong: [Character: String] = [:]
        for character in layout.characters {
            let typed = decoder.text(try layout.strokes(for: String(character)))
            if typed != (character == "\r\n" ? "\n" : String(character)) { wrong[character] = typed }
        }
        #expect(wrong.isEmpty && layout.characters.count > 50)
    }

    @Test("lines, tabs and escape", arguments: ["us", "fr", "ru", "jp"])
    func controls(_ name: String) throws {
        let layout = try KeyboardLayout(name)
        #expect(
            try layout.strokes(for: "\n\r\n\t\u{1B} ")
                == [0x28, 0x28, 0x2B, 0x29, 0x2C].map { KeyStroke(usage: $0) })
    }

    private func check(_ text: String, _ layout: String, _ variant: String) throws {
        let strokes = try KeyboardLayout(variant.isEmpty ? layout : "\(layout)(\(variant))").strokes(for: text)
        let decoder = try #require(KeyDecoder(layout: layout, variant: variant))
        #expect(decoder.text(strokes) == text)
        #expect(decoder.text(strokes, numLock: true) == text, "with Num Lock")
        // Control, Alt and GUI would make commands of it.
        #expect(strokes.allSatisfy { $0.modifiers & 0b1001_1101 == 0 })
    }
}
