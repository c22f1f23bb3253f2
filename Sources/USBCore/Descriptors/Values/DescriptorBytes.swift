// The two directions between values and bytes that every descriptor shares: little-endian fields behind a header of
// length and type. Neither trusts its input: a writer saturates, a reader checks.

extension [UInt8] {
    /// Appends a sixteen-bit field.
    mutating func append(littleEndian value: UInt16) {
        append(UInt8(truncatingIfNeeded: value))
        append(UInt8(truncatingIfNeeded: value >> 8))
    }

    /// Appends a thirty-two-bit field.
    mutating func append(littleEndian value: UInt32) {
        append(littleEndian: UInt16(truncatingIfNeeded: value))
        append(littleEndian: UInt16(truncatingIfNeeded: value >> 16))
    }

    /// Appends a descriptor whose length is counted here; what exceeds the 255 bytes of `bLength` is left out.
    mutating func appendDescriptor(_ type: DescriptorType, _ body: [UInt8]) {
        let kept = body.prefix(DescriptorLimits.maxBody)
        append(UInt8(clamping: kept.count + 2))
        append(type.rawValue)
        append(contentsOf: kept)
    }

    /// Puts a sixteen-bit field over two bytes that exist.
    mutating func overwrite(at offset: Int, littleEndian value: UInt16) {
        guard offset >= 0, offset + 1 < count else { return }
        self[offset] = UInt8(truncatingIfNeeded: value)
        self[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
    }
}

/// Sizes that the width of length fields sets.
enum DescriptorLimits {
    /// The bytes of a descriptor after `bLength` and `bDescriptorType`.
    static let maxBody = 253
    /// `wTotalLength` of a configuration or a binary device object store.
    static let maxTotal = 0xffff
    /// The UTF-16 units of a string.
    static let maxUnits = maxBody / 2
}

/// One descriptor as it stands in a run of bytes.
///
/// The accessors answer 0 beyond the descriptor's end; whoever parses a type checks the length first with
/// ``require(_:)``, which carries the error, so the zeros are never seen.
struct RawDescriptor {
    let bytes: ArraySlice<UInt8>

    /// The distance of `bLength` from the start of what is being parsed.
    var offset: Int { bytes.startIndex }

    var type: DescriptorType { DescriptorType(rawValue: byte(1)) }

    func byte(_ index: Int) -> UInt8 {
        let position = bytes.startIndex + index
        return bytes.indices.contains(position) ? bytes[position] : 0
    }

    func word(_ index: Int) -> UInt16 { UInt16(byte(index)) | UInt16(byte(index + 1)) << 8 }

    func long(_ index: Int) -> UInt32 { UInt32(word(index)) | UInt32(word(index + 2)) << 16 }

    /// The bytes from `index` on, none if the descriptor ends before.
    func tail(_ index: Int) -> [UInt8] { [UInt8](bytes.dropFirst(index)) }

    func require(_ length: Int) throws(DescriptorError) {
        guard bytes.count >= length else {
            let name = type.name ?? "type \(hex(type.rawValue))"
            throw .malformed(
                offset: offset,
                reason: "bLength of the \(name) descriptor is \(bytes.count), at least \(length) is needed")
        }
    }

    func requireType(_ allowed: DescriptorType...) throws(DescriptorError) {
        guard allowed.contains(type) else {
            let wanted = allowed.map { "\(hex($0.rawValue)) (\($0.name ?? "?"))" }.joined(separator: " or ")
            throw .malformed(
                offset: offset + 1, reason: "bDescriptorType is \(hex(type.rawValue)), \(wanted) is expected")
        }
    }
}

/// Walks a run of descriptors by their lengths.
struct DescriptorReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Reads `bytes`; offsets in errors are the slice's own indices, so slices of one input agree.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The next descriptor, or nil at the end.
    mutating func next() throws(DescriptorError) -> RawDescriptor? {
        guard position < bytes.endIndex else { return nil }
        let length = Int(bytes[position])
        guard length >= 2 else {
            throw .malformed(offset: position, reason: "bLength is \(length), no descriptor is shorter than 2 bytes")
        }
        let left = bytes.endIndex - position
        guard length <= left else {
            throw .malformed(offset: position, reason: "bLength is \(length), but only \(left) bytes are left")
        }
        defer { position += length }
        return RawDescriptor(bytes: bytes[position..<position + length])
    }

    /// The first descriptor, which must be there.
    mutating func first() throws(DescriptorError) -> RawDescriptor {
        guard let descriptor = try next() else { throw .malformed(offset: position, reason: "there are no bytes") }
        return descriptor
    }
}

/// A number as this library prints it in messages, such as `0x21`.
func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String { "0x" + hexDigits(value) }

/// A number's hexadecimal digits, as many as its type has.
func hexDigits(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, value.bitWidth / 4 - digits.count)) + digits
}
