/// A block of Internet addresses in CIDR notation (RFC 4632, RFC 4291 §2.3).
public struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    private let bytes: [UInt8]
    private let prefixLength: Int

    /// Reads `ADDRESS/BITS`; a bare address stands for itself alone.
    ///
    /// Nil when the text is neither.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let first = parts.first, !first.isEmpty,
            first.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" }),
            let address = try? SocketAddress.resolve(host: String(first), port: 0).first
        else { return nil }
        bytes = address.addressBytes
        guard parts.count == 2 else {
            prefixLength = bytes.count * 8
            return
        }
        guard let bits = Int(parts[1]), (0...bytes.count * 8).contains(bits) else { return nil }
        prefixLength = bits
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
