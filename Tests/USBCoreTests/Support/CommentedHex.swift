/// Bytes written as hexadecimal, field by field, with `//` comments to the end of a line.
///
/// Whatever is no byte makes the result empty, which no test expects.
func hexBytes(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
        let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
        for word in code.split(separator: " ") {
            guard word.count == 2, let byte = UInt8(word, radix: 16) else { return [] }
            bytes.append(byte)
        }
    }
    return bytes
}
