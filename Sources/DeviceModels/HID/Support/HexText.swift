/// Bytes written in hexadecimal, as people and programs write them.
package enum HexText {
    /// Reads bytes: `05 01`, `0501`, `0x05, 0x01`; braces and semicolons do not matter.
    ///
    /// - Returns: nil when something else is among them.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        for word in text.split(whereSeparator: { $0.isWhitespace || ",;:{}".contains($0) }) {
            var digits = Array(word.utf8)
            let hasPrefix = digits.starts(with: [UInt8(ascii: "0"), UInt8(ascii: "x")])
            if hasPrefix { digits.removeFirst(2) }
            // A lone digit is a byte only where it cannot be half of one.
            if hasPrefix, digits.count == 1 { digits.insert(UInt8(ascii: "0"), at: 0) }
            guard !digits.isEmpty, digits.count % 2 == 0, !hasPrefix || digits.count == 2 else { return nil }
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
                bytes.append(high << 4 | low)
            }
        }
        return bytes
    }

    /// Writes bytes: two small digits each, without anything in between.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
