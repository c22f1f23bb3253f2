extension ScenarioStep {
    /// The step in a few words.
    var words: String {
        switch kind {
        case .wait(let device, let state, _): "wait for \(device) \(state.rawValue)"
        case .pause(let time): "pause \(time.words)"
        case .at(let time): "wait until \(time.words)"
        case .plug(let device, _): "plug \(device)"
        case .unplug(let device): "unplug \(device)"
        case .act(let name, let device, let arguments):
            Self.short(([name, device] + arguments.map { "\($0.name)=\($0.value.words)" }).joined(separator: " "))
        case .run(let command): Self.short("run \(command.text)")
        case .expect(let pattern, let timeout): Self.short("expect \(pattern.words)") + " within \(timeout.words)"
        case .expectNone(let pattern, let time): Self.short("expect no \(pattern.words)") + " for \(time.words)"
        case .repeat(let times, _): "repeat \(times) times"
        }
    }

    /// One line of bearable length, without what would move a terminal's cursor.
    static func short(_ text: String, to length: Int = 120) -> String {
        let isLong = text.unicodeScalars.count > length
        let line = text.unicodeScalars.prefix(length).map { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\t": "\\t"
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value): "?"
            default: String(scalar)
            }
        }
        return line.joined() + (isLong ? "…" : "")
    }
}
