import USBCore

/// The line in an interface's comment that says which device is recorded there, and how it was made.
public enum DeviceComment {
    /// What the line begins with.
    public static let keyword = "ghostplug-device:"

    /// The line for a device.
    ///
    /// - Parameters:
    ///   - announcement: what is known; what it does not say is left out.
    ///   - seed: what keeps devices of one model apart, where there is something.
    public static func line(_ announcement: DeviceAnnouncement, seed: UInt64? = nil) -> String {
        var words = [keyword]
        if let channel = announcement.channel { words.append("channel=\(channel)") }
        if let bus = announcement.bus { words.append("bus=\(bus)") }
        if let device = announcement.device { words.append("device=\(device)") }
        if let speed = announcement.speed { words.append("speed=\(word(speed))") }
        if let busID = announcement.busID { words.append("busid=\(escaped(busID))") }
        if let id = announcement.vendorID { words.append("vid=\(hex(id))") }
        if let id = announcement.productID { words.append("pid=\(hex(id))") }
        if let model = announcement.model { words.append("model=\(escaped(model))") }
        if let seed { words.append("seed=\(seed)") }
        return words.joined(separator: " ")
    }

    private static func word(_ speed: Speed) -> String {
        switch speed {
        case .low: "low"
        case .full: "full"
        case .high: "high"
        case .super: "super"
        case .superPlus: "super-plus"
        }
    }

    private static func hex(_ value: UInt16) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// A value without what would end it: spaces, control characters and the escape's own sign become `%20` and the like.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.value > 0x20, scalar.value != 0x7f, scalar != "%", !scalar.properties.isWhitespace {
                result.unicodeScalars.append(scalar)
            } else {
                for byte in UTF8.encode(scalar) ?? UTF8.EncodedScalar() {
                    result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
                }
            }
        }
        return result
    }
}
