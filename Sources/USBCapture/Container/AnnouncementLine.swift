internal import USBCore

/// The line by which our own recordings say what device an interface shows:
/// `ghostplug-device: channel=0 bus=1 device=2 speed=high busid=1-1 vid=0525 pid=a4a5 model=drive:size=1M seed=7`.
enum AnnouncementLine {
    private static let speeds: [String: Speed] = [
        "low": .low, "full": .full, "high": .high, "super": .super, "super-plus": .superPlus,
    ]

    /// What a line of a comment announces; nil when it announces nothing.
    ///
    /// Unknown words are ignored.
    ///
    /// - Parameters:
    ///   - interface: the interface whose comment it is: it counts more than the number in the line, which is that of
    ///     the file as it was written, while programs that merge files number their interfaces anew.
    ///   - base: the number of the section's first interface.
    static func parse(_ line: Substring, interface: Int?, base: Int) -> DeviceAnnouncement? {
        guard line.hasPrefix(DeviceComment.keyword) else { return nil }
        var result = DeviceAnnouncement(channel: interface)
        for word in line.dropFirst(DeviceComment.keyword.count).split(separator: " ") {
            guard let equals = word.firstIndex(of: "=") else { continue }
            let value = word[word.index(after: equals)...]
            switch word[..<equals] {
            case "channel":
                if interface == nil, let number = UInt32(value) { result.channel = base + Int(number) }
            case "bus": result.bus = UInt16(value)
            case "device": result.device = UInt16(value)
            case "speed": result.speed = speeds[String(value)]
            case "busid": result.busID = decoded(value)
            case "vid": result.vendorID = UInt16(value, radix: 16)
            case "pid": result.productID = UInt16(value, radix: 16)
            case "model": result.model = decoded(value)
            default: break
            }
        }
        return result
    }

    /// Text with its `%20` and the like replaced; what is not a byte in hexadecimal stays as it is.
    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy(isHexDigit),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
