import USBCore

extension ReplayReport {
    /// The report as one JSON object (RFC 8259), in one line.
    ///
    /// Members: `subject`, `passed`, `divergences` (how many), `endpoints` (each with `endpoint`, `type`, `matched`,
    /// `diverged`, `unrecorded`, `not_reached`), `first` (the divergences that were kept), `notes`.
    public func json() -> String {
        let endpoints = endpoints.map { counts in
            "{\"endpoint\":\(counts.endpoint.rawValue),\"name\":\(jsonText(counts.name)),"
                + "\"type\":\(jsonText("\(counts.type)")),"
                + "\"matched\":\(counts.matched),\"diverged\":\(counts.diverged),"
                + "\"unrecorded\":\(counts.unrecorded),\"not_reached\":\(counts.notReached)}"
        }
        return "{\"subject\":\(jsonText(subject)),\"passed\":\(passed),\"divergences\":\(divergenceCount),"
            + "\"endpoints\":[\(endpoints.joined(separator: ","))],"
            + "\"first\":[\(divergences.map { $0.json() }.joined(separator: ","))],"
            + "\"notes\":[\(notes.map(jsonText).joined(separator: ","))]}"
    }
}

extension Divergence {
    /// The divergence as one JSON object, in one line; bytes are hexadecimal text.
    public func json() -> String {
        let packet = packet.map { "\($0)" } ?? "null"
        let difference = firstDifference.map { "\($0)" } ?? "null"
        return "{\"kind\":\(jsonText(kind.rawValue)),\"actor\":\(jsonText(actor.rawValue)),\"packet\":\(packet),"
            + "\"endpoint\":\(endpoint.rawValue),\"subject\":\(jsonText(subject)),\"time\":\(time),"
            + "\"first_difference\":\(difference),\"excerpt_start\":\(excerptStart),"
            + "\"expected\":\(jsonText(hexadecimal(expected))),\"expected_count\":\(expectedCount),"
            + "\"actual\":\(jsonText(hexadecimal(actual))),\"actual_count\":\(actualCount),"
            + "\"words\":\(jsonText(words))}"
    }
}

/// A JSON string.
private func jsonText(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case _ where scalar.value < 0x20: quoted += "\\u" + hexadecimal(Int(scalar.value), digits: 4)
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + "\""
}
