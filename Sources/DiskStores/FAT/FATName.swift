/// Names on FAT: what it can hold, and the short names that go with long ones (fatgen 1.03, "Name limits").
enum FATName {
    /// Where the 13 UTF-16 units of a long-name entry lie in it.
    static let unitOffsets = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]

    /// Why FAT cannot hold a name, or nil where it can.
    static func objection(to name: String) -> String? {
        if let bad = name.unicodeScalars.first(where: { $0.value < 0x20 || #""*/:<>?\|"#.unicodeScalars.contains($0) })
        {
            return bad.value < 0x20 ? "it has a control character" : "it has the character \(bad)"
        }
        if name.hasSuffix(".") || name.hasSuffix(" ") { return "it ends with a dot or a space" }
        if name.utf16.count > 255 { return "it is longer than 255 UTF-16 units" }
        return nil
    }

    /// What names must not share in one folder: FAT does not tell upper from lower case.
    static func collisionKey(_ name: String) -> [UInt16] { Array(name.uppercased().utf16) }

    /// Entries that a name takes: its short one and one for each 13 UTF-16 units.
    static func entryCount(_ name: String) -> Int { 1 + (name.utf16.count + 12) / 13 }

    /// The checksum that ties long-name entries to their short one.
    static func checksum(ofShort short: [UInt8]) -> UInt8 {
        short.reduce(0) { sum, byte in (sum >> 1 | sum << 7) &+ byte }
    }

    /// The long-name entries for a name, in the order in which they stand on the disk.
    static func longEntries(for name: String, short: [UInt8]) -> [UInt8] {
        var units = Array(name.utf16)
        let count = (units.count + 12) / 13
        if units.count % 13 != 0 { units.append(0) }
        units += [UInt16](repeating: 0xFFFF, count: count * 13 - units.count)
        var bytes: [UInt8] = []
        for order in (1...max(count, 1)).reversed() {
            var entry = [UInt8](repeating: 0, count: 32)
            entry[0] = UInt8(order) | (order == count ? 0x40 : 0)
            entry[11] = 0x0F
            entry[13] = checksum(ofShort: short)
            for (index, offset) in unitOffsets.enumerated() {
                entry.setLittle(units[(order - 1) * 13 + index], at: offset)
            }
            bytes += entry
        }
        return bytes
    }

    /// A short name's text, with the case flags that Windows NT keeps in byte 12.
    static func text(ofShort short: [UInt8], caseFlags: UInt8) -> String {
        func decode(_ bytes: ArraySlice<UInt8>, isLower: Bool) -> String {
            let trimmed = bytes.reversed().drop { $0 == 0x20 }.reversed()
            let text = String(String.UnicodeScalarView(trimmed.map(scalar)))
            return isLower ? text.lowercased() : text
        }
        var bytes = short
        // 0xE5 marks a deleted entry, so a name that begins with it is stored with 0x05.
        if bytes.first == 0x05 { bytes[0] = 0xE5 }
        let base = decode(bytes[0..<8], isLower: caseFlags & 0x08 != 0)
        let suffix = decode(bytes[8..<11], isLower: caseFlags & 0x10 != 0)
        return suffix.isEmpty ? base : "\(base).\(suffix)"
    }

    private static func scalar(_ byte: UInt8) -> Unicode.Scalar {
        byte < 0x80 ? Unicode.Scalar(byte) : codePage437[Int(byte) - 0x80]
    }

    /// The upper half of code page 437, Linux's default for short names.
    private static let codePage437: [Unicode.Scalar] = Array(
        ("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐"
            + "└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}").unicodeScalars)
}

/// Gives every name of a folder a short name of its own.
struct FATShortNames {
    private var taken: Set<[UInt8]> = []
    private var next: [[UInt8]: Int] = [:]

    /// Sets aside the names that are short names already, so that no made-up one takes theirs.
    init(for names: [String]) {
        for name in names { if let exact = Self.exact(name) { taken.insert(exact) } }
    }

    /// The 11 bytes of a name that needs no long name: capitals, digits and a few signs in 8.3.
    static func exact(_ name: String) -> [UInt8]? {
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let suffix = parts.count == 2 ? Array(parts[1]) : []
        guard let first = parts.first, (1...8).contains(first.count),
            parts.count == 1 || (1...3).contains(suffix.count),
            parts.count <= 2, (Array(first) + suffix).allSatisfy(isLegal)
        else { return nil }
        return padded(Array(first), 8) + padded(suffix, 3)
    }

    /// A short name like `LONGFI~1.TXT` that nothing else in the folder has.
    mutating func make(for name: String) -> [UInt8] {
        let bytes = name.utf8.map { byte in (97...122).contains(byte) ? byte - 32 : byte }
        let dot = bytes.lastIndex(of: UInt8(ascii: ".")).flatMap { $0 > 0 ? $0 : nil } ?? bytes.count
        let base = Self.legal(bytes[..<dot])
        let suffix = Self.padded(Array(Self.legal(bytes[min(dot + 1, bytes.count)...]).prefix(3)), 3)
        let key = Array(base.prefix(6)) + suffix
        var number = next[key, default: 1]
        while true {
            let tail = Array("~\(number)".utf8)
            let short = Self.padded(Array(base.prefix(max(8 - tail.count, 0))) + tail, 8) + suffix
            number += 1
            guard taken.insert(short).inserted else { continue }
            next[key] = number
            return short
        }
    }

    private static func legal(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.filter { $0 != 0x20 && $0 != UInt8(ascii: ".") && $0 & 0xC0 != 0x80 }
            .map { isLegal($0) ? $0 : UInt8(ascii: "_") }
    }

    private static func isLegal(_ byte: UInt8) -> Bool {
        (65...90).contains(byte) || (48...57).contains(byte) || "!#$%&'()-@^_`{}~".utf8.contains(byte)
    }

    private static func padded(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0x20, count: max(0, count - bytes.count))
    }
}
