import USBCore

/// A number in hexadecimal with all its digits.
func hex<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, Number.bitWidth / 4 - digits.utf8.count)) + digits
}

/// Bytes in hexadecimal, two digits each.
func hex(_ bytes: some Sequence<UInt8>, separator: String = "") -> String {
    bytes.map { hex($0) }.joined(separator: separator)
}

/// Bytes as ASCII, with a point for what has no character.
func ascii(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
}

/// A text from outside in quotes, harmless to terminals.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        default: result += PrintableText.of(String(scalar))
        }
    }
    return result + "\""
}

/// Serial data as text in quotes: UTF-8 where it is that, else ASCII with `\x` before what has no character.
func quoted(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return quoted(text) }
    return "\""
        + bytes.map { byte in
            switch byte {
            case UInt8(ascii: "\n"): "\\n"
            case UInt8(ascii: "\r"): "\\r"
            case UInt8(ascii: "\t"): "\\t"
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + ascii([byte])
            case 0x20..<0x7f: ascii([byte])
            default: "\\x" + hex(byte)
            }
        }.joined() + "\""
}

/// A count with its noun, such as `1 byte`, `2 bytes`.
func counted(_ count: some BinaryInteger, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// Fields of descriptors, requests and commands; zero beyond the end, so that short answers are read as far as they go.
extension [UInt8] {
    func byte(_ index: Int) -> UInt8 { index >= 0 && index < count ? self[index] : 0 }

    func little16(_ index: Int) -> UInt16 { UInt16(byte(index)) | UInt16(byte(index + 1)) << 8 }

    func little32(_ index: Int) -> UInt32 { UInt32(little16(index)) | UInt32(little16(index + 2)) << 16 }

    func big16(_ index: Int) -> UInt16 { UInt16(byte(index)) << 8 | UInt16(byte(index + 1)) }

    func big32(_ index: Int) -> UInt32 { UInt32(big16(index)) << 16 | UInt32(big16(index + 2)) }

    func big64(_ index: Int) -> UInt64 { UInt64(big32(index)) << 32 | UInt64(big32(index + 4)) }
}
