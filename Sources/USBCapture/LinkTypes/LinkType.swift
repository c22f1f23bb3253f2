/// The link types of captures that can show USB, as tcpdump.org numbers them.
enum LinkType {
    static let usbmon: UInt16 = 189
    static let usbmonMapped: UInt16 = 220
    static let usbpcap: UInt16 = 249

    /// What reads the packets of a link type.
    enum Reader {
        case usbmon
        case usbpcap
        /// Packets of a network, which can carry USB/IP.
        case network
    }

    /// What reads a link type's packets; nil when nothing does.
    @inline(__always)
    static func reader(_ linkType: UInt16) -> Reader? {
        switch linkType {
        case usbmon, usbmonMapped: .usbmon
        case usbpcap: .usbpcap
        // Loopback without and with a byte order, Ethernet, IP alone, and Linux's "any" interface.
        case 0, 108, 1, 12, 14, 101, 228, 229, 113, 276: .network
        default: nil
        }
    }

    /// The reason to give when nothing in a file can be read.
    static func unsupported(_ linkTypes: [UInt16]) -> String {
        let names = linkTypes.sorted().prefix(8).map { linkType in
            name(linkType).map { "\(linkType) (\($0))" } ?? "\(linkType)"
        }
        return "The capture has only packets of link type \(names.joined(separator: ", "))"
            + (linkTypes.count > names.count ? " and others" : "")
            + ". Understood are usbmon (189 and 220), USBPcap (249), and USB/IP in packets of Ethernet (1), loopback (0"
            + " and 108), IP (101, 228 and 229) or Linux's \"any\" interface (113 and 276). Capture the device again on"
            + " usbmonN or USBPcapN"
    }

    private static func name(_ linkType: UInt16) -> String? {
        switch linkType {
        case 105, 127: "wireless network"
        case 115, 187, 201: "Bluetooth"
        case 152, 186: "FreeBSD's USB"
        case 266: "macOS's USB"
        case 288, 293, 294, 295: "USB packets on the wire"
        default: nil
        }
    }
}
