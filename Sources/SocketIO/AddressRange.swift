import Glibc

/// A block of Internet addresses in CIDR notation (RFC 4632, RFC 4291 §2.3).
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// Reads `ADDRESS/BITS`; a bare address stands for itself alone.
    ///
    /// IPv4 needs all four numbers, since `10/8` means different blocks to different tools. A block of IPv4 addresses
    /// mapped into IPv6 stands for those addresses. Nil when the text is none of these.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, let address = Self.bytes(String(first)) else { return nil }
        var prefixLength = address.count * 8
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard !digits.isEmpty, digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
                let bits = Int(parts[1]), bits <= prefixLength
            else { return nil }
            prefixLength = bits
        }
        if address.count == 16, prefixLength >= 96, address.starts(with: SocketAddress.mappedPrefix) {
            bytes = Array(address.suffix(4))
            self.prefixLength = prefixLength - 96
        } else {
            bytes = address
            self.prefixLength = prefixLength
        }
    }

    /// The 4 or 16 bytes of a numeric address; nil for anything else, which no name server is asked about.
    private static func bytes(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if unsafe inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }

    /// Whether `address` lies in the block; an IPv4 address that came over IPv6 counts as what it is.
    public func contains(_ address: SocketAddress) -> Bool {
        let other = address.addressBytes
        guard other.count == bytes.count else { return false }
        for index in bytes.indices {
            let bits = min(8, max(0, prefixLength - index * 8))
            let mask = bits == 0 ? 0 : UInt8(truncatingIfNeeded: 0xff00 >> bits)
            if (bytes[index] ^ other[index]) & mask != 0 { return false }
        }
        return true
    }

    /// The block in CIDR notation.
    public var description: String {
        if bytes.count == 4 { return bytes.map(String.init).joined(separator: ".") + "/\(prefixLength)" }
        let groups = stride(from: 0, to: bytes.count, by: 2).map {
            String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16)
        }
        return groups.joined(separator: ":") + "/\(prefixLength)"
    }
}
