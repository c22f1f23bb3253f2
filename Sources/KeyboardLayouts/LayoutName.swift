/// The name of a layout of XKB and of one of its variants.
struct LayoutName: Hashable, CustomStringConvertible {
    let layout: String
    /// Empty for the layout's usual variant.
    let variant: String

    /// Takes a name apart: "de", "de(nodeadkeys)" or "de:nodeadkeys"; nothing when it is none of these.
    ///
    /// XKB gives other characters a meaning: with a slash it would look for its files elsewhere, with a comma it would
    /// take two layouts.
    init?(_ name: String) {
        var rest = name[...]
        var variant = ""[...]
        if let start = rest.firstIndex(where: { $0 == "(" || $0 == ":" }) {
            variant = rest[rest.index(after: start)...]
            if rest[start] == "(" {
                guard variant.last == ")" else { return nil }
                variant.removeLast()
            }
            guard Self.isWord(variant) else { return nil }
            rest = rest[..<start]
        }
        guard Self.isWord(rest) else { return nil }
        // What people call it; XKB's own names of layouts are mostly codes of countries.
        layout = rest == "uk" ? "gb" : String(rest)
        self.variant = String(variant)
    }

    /// As XKB writes it.
    var description: String { variant.isEmpty ? layout : "\(layout)(\(variant))" }

    private static func isWord(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
