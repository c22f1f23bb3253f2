import HIDReports

/// A usage with its value, which can be compared where a pair cannot.
struct UsageValue: Hashable {
    var usage: Usage
    var value: Int32

    init(_ usage: Usage, _ value: Int32) {
        self.usage = usage
        self.value = value
    }
}

extension ReportLayout.Report {
    /// What ``decode(_:)`` gives, to compare.
    func values(_ bytes: [UInt8]) -> [UsageValue] { decode(bytes).map { UsageValue($0.0, $0.1) } }

    /// The fields that mean something.
    var dataFields: [ReportLayout.Field] { fields.filter { !$0.isPadding } }
}

/// Bytes written as hexadecimal, with `//` comments to the end of a line; empty where a word is no byte.
func hexBytes(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for line in text.split(separator: "\n") {
        let code = line.firstRange(of: "//").map { line[..<$0.lowerBound] } ?? line
        for word in code.split(separator: " ") {
            guard word.count == 2, let byte = UInt8(word, radix: 16) else { return [] }
            bytes.append(byte)
        }
    }
    return bytes
}
