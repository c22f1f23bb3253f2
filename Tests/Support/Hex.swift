/// Text that was to be bytes in hexadecimal and is not.
package struct HexError: Error, CustomStringConvertible {
    package let description: String
}

/// Reads bytes written in hexadecimal with comments, as captures and specifications show them.
///
/// Digits come in pairs, with or without blanks between the pairs. `00*29` repeats a byte. `//` and `#` begin a
/// comment that goes on to the end of the line.
package func hex(_ text: String) throws(HexError) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in text.split(whereSeparator: \.isNewline) {
        for word in code(in: line).split(whereSeparator: \.isWhitespace) {
            bytes += try parse(word)
        }
    }
    return bytes
}

private func code(in line: Substring) -> Substring {
    var end = line.firstIndex(of: "#") ?? line.endIndex
    var previous: Character?
    for index in line.indices {
        if line[index] == "/", previous == "/" {
            end = min(end, line.index(before: index))
            break
        }
        previous = line[index]
    }
    return line[..<end]
}

private func parse(_ word: Substring) throws(HexError) -> [UInt8] {
    let parts = word.split(separator: "*", omittingEmptySubsequences: false)
    var bytes: [UInt8] = []
    var digits = parts.first ?? ""
    while !digits.isEmpty {
        guard digits.count >= 2, let byte = UInt8(digits.prefix(2), radix: 16) else {
            throw HexError(description: "'\(word)' is not pairs of hexadecimal digits")
        }
        bytes.append(byte)
        digits = digits.dropFirst(2)
    }
    guard parts.count > 1 else { return bytes }
    guard parts.count == 2, bytes.count == 1, let byte = bytes.first, let count = Int(parts[1]), count >= 0 else {
        throw HexError(description: "'\(word)' is not a byte and how often it is repeated")
    }
    return [UInt8](repeating: byte, count: count)
}

/// The bytes that `write` puts into `count` bytes of memory, which holds 0xEE before.
package func written(_ count: Int, _ write: (UnsafeMutableRawPointer) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xee, count: count)
    unsafe bytes.withUnsafeMutableBytes { memory in
        if let start = memory.baseAddress { unsafe write(start) }
    }
    return bytes
}
