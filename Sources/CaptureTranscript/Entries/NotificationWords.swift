/// What devices announce on their interrupt endpoints.
enum NotificationWords {
    /// A notification of a communications function (CDC 1.2 §6.3); nil where it is none.
    static func communications(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 8, bytes[0] == 0xa1 else { return nil }
        switch bytes[1] {
        case 0x00: return bytes.little16(2) == 0 ? "NETWORK_CONNECTION down" : "NETWORK_CONNECTION up"
        case 0x01: return "RESPONSE_AVAILABLE"
        case 0x20:
            let state = bytes.little16(8)
            let names = ["DCD", "DSR", "break", "ring", "framing error", "parity error", "overrun"]
            let set = names.indices.filter { state >> UInt16($0) & 1 != 0 }.map { names[$0] }
            return "SERIAL_STATE " + (set.isEmpty ? "none" : set.joined(separator: " "))
        case 0x2a where bytes.count >= 16:
            return "CONNECTION_SPEED_CHANGE down \(bytes.little32(8)) b/s, up \(bytes.little32(12)) b/s"
        default: return nil
        }
    }

    /// Which ports of a hub have something to tell (USB 2.0 §11.12.4).
    static func hub(_ bytes: [UInt8]) -> String? {
        var ports: [String] = []
        for index in 0..<min(bytes.count, 32) * 8 where bytes[index / 8] >> UInt8(index % 8) & 1 != 0 {
            ports.append(index == 0 ? "the hub" : "port \(index)")
        }
        return ports.isEmpty ? "nothing changed" : "changed: " + ports.joined(separator: ", ")
    }
}
