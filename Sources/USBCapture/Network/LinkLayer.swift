/// What comes before the internet packet, in the link types that carry USB/IP.
enum LinkLayer {
    private static let null: UInt16 = 0
    private static let ethernet: UInt16 = 1
    private static let loop: UInt16 = 108
    private static let sll: UInt16 = 113
    private static let sll2: UInt16 = 276

    /// Where the internet packet begins; nil when there is none.
    static func internetPacket(_ bytes: ByteView, linkType: UInt16) -> Int? {
        switch linkType {
        case ethernet: afterEtherType(bytes, at: 12)
        // The protocol family is a number of the system that captured: 2 for IPv4, one of several for IPv6. The
        // packet's first half-byte tells them apart anyway.
        case null, loop: bytes.count > 4 ? 4 : nil
        case sll: afterEtherType(bytes, at: 14)
        case sll2: isInternet(bytes.big16(0)) ? 20 : nil
        case 12, 14, 101, 228, 229: 0
        default: nil
        }
    }

    /// The shortest packet that says what is in it.
    static func shortest(_ linkType: UInt16) -> Int {
        switch linkType {
        case ethernet: 14
        case sll: 16
        case sll2: 20
        case null, loop: 5
        default: 1
        }
    }

    /// Goes past VLAN tags (IEEE 802.1Q), of which packets have at most a few.
    private static func afterEtherType(_ bytes: ByteView, at position: Int) -> Int? {
        var position = position
        for _ in 0..<4 {
            let type = bytes.big16(position)
            if isInternet(type) { return position + 2 }
            guard type == 0x8100 || type == 0x88a8 || type == 0x9100 else { return nil }
            position += 4
        }
        return nil
    }

    private static func isInternet(_ type: UInt16) -> Bool { type == 0x0800 || type == 0x86dd }
}
