import DeviceControl

/// What hosts asked for and did not get, with what to do about it: `serve --explain`.
enum Explanation {
    static func text(for devices: [RunningDevice]) -> String {
        devices.map(text).joined(separator: "\n")
    }

    private static func text(for device: RunningDevice) -> String {
        let unhandled = device.unhandled
        guard !unhandled.entries.isEmpty else { return "\(device.busID): everything that was asked for was answered" }
        var lines = ["\(device.busID): what was asked for and refused"]
        for entry in unhandled.entries {
            lines.append("  \(entry.count) x \(entry.request)")
            if !entry.hint.isEmpty { lines.append("      \(entry.hint)") }
        }
        if unhandled.others > 0 { lines.append("  and \(unhandled.others) requests of other kinds") }
        return lines.joined(separator: "\n")
    }
}
