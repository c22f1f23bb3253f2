/// A command descriptor block: the sixteen bytes that say what a host wants.
///
/// A value without a heap allocation. Bytes that the transport did not bring read as zero, so a 6-byte command in a
/// 16-byte block and a 10-byte block with a 6-byte command both read well: hosts send either (the command's own length
/// follows from its operation code, SPC-4 §4.2.5).
public struct CDB: Hashable, Sendable {
    /// Bytes 0 to 7, the first in the highest position.
    let high: UInt64
    /// Bytes 8 to 15.
    let low: UInt64

    /// Makes a block from the two halves of its sixteen bytes, each in big-endian order.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes a block from bytes: sixteen at most count, missing ones are zero.
    public init(_ bytes: UnsafeRawBufferPointer) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<min(bytes.count, 8) {
            unsafe high |= UInt64(bytes[index]) << UInt64(56 - 8 * index)
        }
        for index in 8..<max(8, min(bytes.count, 16)) {
            unsafe low |= UInt64(bytes[index]) << UInt64(120 - 8 * index)
        }
        self.init(high: high, low: low)
    }

    /// Makes a block from bytes: sixteen at most count, missing ones are zero.
    public init(_ bytes: [UInt8]) {
        self = unsafe bytes.withUnsafeBytes { unsafe CDB($0) }
    }

    /// The byte at `index`, zero outside 0 to 15.
    public subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word(at: index) >> 56) }

    /// Byte 0: the operation code.
    public var opcode: UInt8 { UInt8(truncatingIfNeeded: high >> 56) }

    /// The low five bits of byte 1: the service action of the operation codes that have one.
    public var serviceAction: UInt8 { self[1] & 0x1F }

    /// The length that the operation code's group gives the command, in bytes; 16 for the groups that give none.
    public var commandLength: Int {
        switch opcode >> 5 {
        case 0: 6
        case 1, 2: 10
        case 5: 12
        default: 16
        }
    }

    /// The CONTROL byte: the command's last (SAM-5 §5.2).
    var control: UInt8 { self[commandLength - 1] }

    func u16(at index: Int) -> UInt16 { UInt16(truncatingIfNeeded: word(at: index) >> 48) }
    func u32(at index: Int) -> UInt32 { UInt32(truncatingIfNeeded: word(at: index) >> 32) }
    func u64(at index: Int) -> UInt64 { word(at: index) }

    /// The eight bytes from `index` on; shifts beyond the width give zero, so every index is safe.
    private func word(at index: Int) -> UInt64 {
        let bits = index &* 8
        return bits <= 64 ? (high << bits) | (low >> (64 - bits)) : low << (bits - 64)
    }
}

extension CDB: ExpressibleByArrayLiteral {
    /// Makes a block from its first bytes.
    public init(arrayLiteral bytes: UInt8...) {
        self.init(bytes)
    }
}

extension CDB: CustomStringConvertible {
    /// The command's name and its bytes in hexadecimal, as many as its operation code asks for: for the log.
    public var description: String {
        let bytes = (0..<commandLength).map { hexadecimal(self[$0]) }.joined(separator: " ")
        return "\(commandName) [\(bytes)]"
    }
}

/// Two hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.utf8.count == 1 ? "0" + digits : digits
}
