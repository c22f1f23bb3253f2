import USBReplay

/// Reads the settings of a replay.
enum ReplayOptions {
    static func settings(_ options: ModelOptions) throws(ModelError) -> ReplaySettings {
        var settings = ReplaySettings()
        if let text = options.string("match") {
            switch text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init) {
            case ["strict"]: settings.match = .strict
            case ["keyed"]: settings.match = .keyed
            case let parts where parts.count == 2 && parts[0] == "fuzzy":
                guard let percent = Int(parts[1]), (0...100).contains(percent) else {
                    throw options.refusal("match", text)
                }
                settings.match = .fuzzy(percent: percent)
            default: throw options.refusal("match", text)
            }
        }
        if let text = options.string("timing") {
            switch text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init) {
            case ["recorded"]: settings.timing = .recorded
            case ["fast"]: settings.timing = .fast
            case let parts where parts.count == 2 && parts[0] == "scale":
                guard let factor = Double(parts[1]), factor.isFinite, (0...1000).contains(factor) else {
                    throw options.refusal("timing", text)
                }
                settings.timing = .scaled(factor)
            default: throw options.refusal("timing", text)
            }
        }
        settings.missing = try options.choice(
            "missing", [("stall", .stall), ("zero", .zero)], default: settings.missing)
        settings.loops = try options.bool("loop", default: false)
        return settings
    }
}
