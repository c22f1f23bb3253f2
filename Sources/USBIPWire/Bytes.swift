/// Takes big-endian fields off the front of a collection of bytes; nil once they run out.
struct ByteReader<Bytes: Collection<UInt8>> {
    private var rest: Bytes.SubSequence

    init(_ bytes: Bytes) { rest = bytes[...] }

    mutating func u8() -> UInt8? { rest.popFirst() }

    mutating func u16() -> UInt16? {
        guard let high = u8(), let low = u8() else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    mutating func u32() -> UInt32? {
        guard let high = u16(), let low = u16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    /// A zero-terminated string in a field of `size` bytes; nil when it is cut, not terminated or not UTF-8.
    mutating func string(_ size: Int) -> String? {
        let field = rest.prefix(size)
        guard field.count == size, let end = field.firstIndex(of: 0) else { return nil }
        rest = rest.dropFirst(size)
        return String(validating: field[..<end], as: UTF8.self)
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }

    /// Appends `text`, cut between characters to leave a terminating zero, then zeros up to `size` bytes.
    mutating func append(padded text: String, to size: Int) {
        var room = size - 1
        for scalar in text.unicodeScalars {
            let bytes = UTF8.encode(scalar)
            guard let bytes, bytes.count <= room else { break }
            append(contentsOf: bytes)
            room -= bytes.count
        }
        append(contentsOf: repeatElement(0, count: room + 1))
    }
}
