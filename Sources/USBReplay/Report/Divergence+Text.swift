import USBCore

extension Divergence {
    /// What happened, in one line: `the host wrote 01 where the recording (packet 112) has 00, byte 3 of SET_REPORT …`.
    public var words: String {
        let what: String
        switch kind {
        case .unexpectedRequest: what = "the recording has no \(subject) like the one the \(actor) made"
        case .otherOrder: what = "the \(actor) made \(subject) out of the recorded order\(recorded)"
        case .missingRequest: what = "\(subject)\(recorded) was not made"
        case .noAnswer: what = "the \(actor) did not answer \(subject)\(recorded)"
        case .unreadable: what = "\(subject)\(recorded) cannot be compared"
        case .otherStatus: what = "\(subject) ended otherwise than recorded\(recorded)"
        case .otherData, .otherLength, .wrongAnswer: what = comparison
        }
        return detail.isEmpty ? what : "\(what): \(detail)"
    }

    /// The words, and both sides in hexadecimal with the first difference marked; lines end with a line feed.
    public func text(indent: String = "") -> String {
        var text = "\(indent)\(words)\n"
        guard !expected.isEmpty || !actual.isEmpty else { return text }
        for row in 0..<(max(expected.count, actual.count) + 15) / 16 {
            let offset = hexadecimal(excerptStart + row * 16, digits: 4)
            text += "\(indent)  recording \(offset)  \(hexadecimal(row * 16, of: expected))\n"
            text += "\(indent)  \(padded(actor.rawValue, to: 9)) \(offset)  \(hexadecimal(row * 16, of: actual))\n"
            guard let firstDifference else { continue }
            let column = firstDifference - excerptStart - row * 16
            if (0..<16).contains(column) {
                text += indent + String(repeating: " ", count: 18 + column * 3) + "^^\n"
            }
        }
        let shown = excerptStart + Self.excerptLimit
        if expectedCount > shown || actualCount > shown {
            text += "\(indent)  the recording has \(expectedCount) bytes, the \(actor) sent \(actualCount)\n"
        }
        return text
    }

    private var recorded: String { packet.map { " (packet \($0))" } ?? "" }

    private var comparison: String {
        let verb = actor == .host ? "wrote" : "answered"
        guard let firstDifference else {
            return "the \(actor) \(verb) \(subject) otherwise than the recording\(recorded)"
        }
        let place = "byte \(firstDifference) of \(subject)"
        let index = firstDifference - excerptStart
        let theirs = actual.indices.contains(index) ? hexadecimal(Int(actual[index]), digits: 2) : nil
        let ours = expected.indices.contains(index) ? hexadecimal(Int(expected[index]), digits: 2) : nil
        switch (theirs, ours) {
        case (let theirs?, let ours?):
            return "the \(actor) \(verb) \(theirs) where the recording\(recorded) has \(ours), \(place)"
        default:
            let bytes = actualCount == 1 ? "1 byte" : "\(actualCount) bytes"
            return "the \(actor) \(verb) \(bytes) where the recording\(recorded) has \(expectedCount), "
                + "the same up to \(place)"
        }
    }
}

extension Divergence.Actor: CustomStringConvertible {
    /// `host` or `device`.
    public var description: String { rawValue }
}

/// A number in hexadecimal, with zeros before it.
func hexadecimal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}

/// Bytes in hexadecimal with a space between two: `09 02 20`.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { hexadecimal(Int($0), digits: 2) }.joined(separator: " ")
}

/// A row of sixteen bytes, from `start` on.
private func hexadecimal(_ start: Int, of bytes: [UInt8]) -> String {
    let row = bytes.dropFirst(start).prefix(16)
    return row.isEmpty ? "(ended)" : hexadecimal(row)
}

/// Text with spaces behind it.
func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
