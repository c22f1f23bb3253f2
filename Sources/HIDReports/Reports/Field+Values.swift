extension ReportLayout.Field {
    /// The numbers that a value's bits can hold: signed where the logical range goes below zero.
    var representable: ClosedRange<Int64> {
        let bits = Int64(min(bitSize, 32))
        if logical.lowerBound < 0 { return bits == 0 ? 0...0 : -(1 << (bits - 1))...(1 << (bits - 1)) - 1 }
        return 0...(1 << bits) - 1
    }

    /// A value outside of the logical range that the bits can hold; nil if they hold none.
    var outsideValue: Int32? {
        let candidates: [Int64] = [0, Int64(logical.upperBound) + 1, Int64(logical.lowerBound) - 1]
        for candidate in candidates where representable.contains(candidate) {
            if let value = Int32(exactly: candidate), !logical.contains(value) { return value }
        }
        return nil
    }

    /// What a value is that nothing was said of.
    ///
    /// An array's slot names nothing, a field with a null state has it, and the others have what is nearest to zero.
    var restingValue: Int32 {
        if isArray {
            if logical.contains(0), usage(at: Int(0 - Int64(logical.lowerBound)))?.id ?? 0 == 0 { return 0 }
            return outsideValue ?? 0
        }
        if flags.contains(.nullState), let value = outsideValue { return value }
        return min(max(0, logical.lowerBound), logical.upperBound)
    }

    /// Reads a value; bits behind the report's end are zero.
    func value(at index: Int, in bytes: [UInt8]) -> Int32 {
        let bits = min(bitSize, 32)
        let start = bitOffset + index * bitSize
        var pattern: UInt64 = 0
        if bits > 0 {
            let first = start / 8
            for byte in first...(start + bits - 1) / 8 where byte < bytes.count {
                pattern |= UInt64(bytes[byte]) << UInt64((byte - first) * 8)
            }
        }
        pattern >>= UInt64(start % 8)
        if bits < 32 {
            pattern &= (1 << UInt64(bits)) - 1
            if logical.lowerBound < 0, bits > 0, pattern >> UInt64(bits - 1) == 1 { pattern |= ~0 << UInt64(bits) }
        }
        return Int32(truncatingIfNeeded: pattern)
    }

    /// Writes a value over zero bits, extended by its sign where it has more than 32.
    func write(_ value: Int32, at index: Int, into bytes: inout [UInt8]) {
        let sign: UInt8 = value < 0 && logical.lowerBound < 0 ? 1 : 0
        let start = bitOffset + index * bitSize
        for bit in 0..<bitSize {
            let one = bit < 32 ? UInt8(truncatingIfNeeded: value >> Int32(bit)) & 1 : sign
            let byte = (start + bit) / 8
            guard byte < bytes.count else { return }
            let mask: UInt8 = 1 << UInt8((start + bit) % 8)
            bytes[byte] = one == 1 ? bytes[byte] | mask : bytes[byte] & ~mask
        }
    }

    /// True where a report may hold a value in the field.
    func accepts(_ value: Int32) -> Bool {
        logical.contains(value) || flags.contains(.nullState) && representable.contains(Int64(value))
    }
}
