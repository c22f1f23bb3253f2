/// An IPv6 address, or an IPv4 address in an IPv6 one's clothes (RFC 4291 §2.5.5.2).
struct InternetAddress: Hashable, Comparable {
    /// The first eight bytes.
    var high: UInt64
    /// The last eight bytes.
    var low: UInt64

    static func < (one: Self, other: Self) -> Bool {
        one.high == other.high ? one.low < other.low : one.high < other.high
    }
}

/// One end of a TCP connection.
struct SocketAddress: Hashable, Comparable {
    /// The host.
    var address: InternetAddress
    /// The port.
    var port: UInt16

    static func < (one: Self, other: Self) -> Bool {
        one.address == other.address ? one.port < other.port : one.address < other.address
    }
}

/// A TCP segment in a captured packet (RFC 9293 §3.1).
struct TCPSegment {
    /// What a packet turns out to be.
    enum Reading {
        /// A segment.
        case segment(TCPSegment)
        /// A part of a TCP packet that was fragmented; these are not put together.
        case fragment
        /// Anything else, or nothing that makes sense.
        case other
    }

    /// Who sent it.
    var source: SocketAddress
    /// Whom it is for.
    var destination: SocketAddress
    /// The number of its first byte.
    var sequence: UInt32
    /// The number of the byte the sender expects next; nil when the segment does not say.
    var acknowledged: UInt32?
    /// Whether a connection begins: then the first byte of data has the next number.
    var isSYN: Bool
    /// Whether the sender has sent everything.
    var isFIN: Bool
    /// Whether the connection is aborted.
    var isRST: Bool
    /// Where its data are in the packet, as far as they were captured.
    var payload: Range<Int>
    /// How many bytes of data it had on the network.
    var length: Int

    /// The headers of IPv4 and TCP without options.
    static let shortestHeaders = 40
    /// The most extension headers of an IPv6 packet that are gone through.
    private static let maximumExtensions = 8

    /// Reads the internet packet that begins at `start`.
    static func read(_ bytes: ByteView, from start: Int) -> Reading {
        switch bytes[start] >> 4 {
        case 4: readVersion4(bytes, start)
        case 6: readVersion6(bytes, start)
        default: .other
        }
    }

    private static func readVersion4(_ bytes: ByteView, _ start: Int) -> Reading {
        let header = Int(bytes[start] & 0x0f) * 4
        guard header >= 20, start + header <= bytes.count, bytes[start + 9] == 6 else { return .other }
        if bytes.big16(start + 6) & 0x3fff != 0 { return .fragment }
        // Zero where the network card was to cut the packet to size after it was captured.
        let total = Int(bytes.big16(start + 2))
        guard total == 0 || total >= header else { return .other }
        func address(_ position: Int) -> InternetAddress {
            InternetAddress(high: 0, low: 0xffff_0000_0000 | UInt64(bytes.big32(position)))
        }
        return readSegment(
            bytes, from: start + header, to: total == 0 ? bytes.count : start + total, address(start + 12),
            address(start + 16))
    }

    private static func readVersion6(_ bytes: ByteView, _ start: Int) -> Reading {
        guard start + 40 <= bytes.count else { return .other }
        let payload = Int(bytes.big16(start + 4))
        let end = payload == 0 ? bytes.count : start + 40 + payload
        func address(_ position: Int) -> InternetAddress {
            InternetAddress(
                high: UInt64(bytes.big32(position)) << 32 | UInt64(bytes.big32(position + 4)),
                low: UInt64(bytes.big32(position + 8)) << 32 | UInt64(bytes.big32(position + 12)))
        }
        var kind = bytes[start + 6]
        var position = start + 40
        for _ in 0...maximumExtensions {
            guard position < min(end, bytes.count) else { return .other }
            switch kind {
            case 6: return readSegment(bytes, from: position, to: end, address(start + 8), address(start + 24))
            // Hop-by-hop options, routing, destination options, mobility, host identity, shim (RFC 8200 §4).
            case 0, 43, 60, 135, 139, 140:
                kind = bytes[position]
                position += (Int(bytes[position + 1]) + 1) * 8
            case 51:
                kind = bytes[position]
                position += (Int(bytes[position + 1]) + 2) * 4
            case 44:
                kind = bytes[position]
                if bytes.big16(position + 2) & 0xfff9 != 0 { return kind == 6 ? .fragment : .other }
                position += 8
            default: return .other
            }
        }
        return .other
    }

    private static func readSegment(
        _ bytes: ByteView, from start: Int, to end: Int, _ source: InternetAddress, _ destination: InternetAddress
    ) -> Reading {
        let header = Int(bytes[start + 12] >> 4) * 4
        let data = start + header
        guard header >= 20, start + 20 <= bytes.count, data <= end else { return .other }
        let flags = bytes[start + 13]
        let begin = min(data, bytes.count)
        return .segment(
            TCPSegment(
                source: SocketAddress(address: source, port: bytes.big16(start)),
                destination: SocketAddress(address: destination, port: bytes.big16(start + 2)),
                sequence: bytes.big32(start + 4), acknowledged: flags & 0x10 != 0 ? bytes.big32(start + 8) : nil,
                isSYN: flags & 2 != 0, isFIN: flags & 1 != 0, isRST: flags & 4 != 0,
                payload: begin..<min(end, bytes.count), length: end - data))
    }
}
