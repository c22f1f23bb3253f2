internal import SCSITarget

extension [UInt8] {
    /// A little-endian number, or 0 where the bytes do not reach that far.
    func little<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type, at offset: Int) -> Number {
        var value: Number = 0
        for index in 0..<MemoryLayout<Number>.size where offset &+ index < count && offset >= 0 {
            value |= Number(self[offset + index]) << Number(index * 8)
        }
        return value
    }

    /// Appends a little-endian number.
    mutating func appendLittle<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number) {
        for index in 0..<MemoryLayout<Number>.size {
            append(UInt8(truncatingIfNeeded: value >> Number(index * 8)))
        }
    }

    /// Replaces the bytes at `offset`, which must be there, by a little-endian number.
    mutating func setLittle<Number: FixedWidthInteger & UnsignedInteger>(_ value: Number, at offset: Int) {
        for index in 0..<MemoryLayout<Number>.size {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> Number(index * 8))
        }
    }
}

/// The CRC-32 of IEEE 802.3, bit by bit: it is asked for a few bytes at a time.
func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var value: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
    return ~value
}

extension BlockStore {
    /// Fills an array from the store.
    func read(into array: inout [UInt8], at offset: UInt64) throws(StoreError) {
        let error = unsafe array.withUnsafeMutableBytes { buffer -> StoreError? in
            do throws(StoreError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }

    /// Writes an array's bytes to the store.
    func write(_ array: [UInt8], at offset: UInt64) throws(StoreError) {
        let error = unsafe array.withUnsafeBytes { bytes -> StoreError? in
            do throws(StoreError) {
                try unsafe write(bytes, at: offset)
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }
}

extension OpenFile {
    /// Fills an array from the file.
    func read(into array: inout [UInt8], at offset: UInt64) throws(StoreError) {
        let error = unsafe array.withUnsafeMutableBytes { buffer -> StoreError? in
            do throws(StoreError) {
                try unsafe read(into: buffer, at: offset)
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }

    /// Writes an array's bytes to the file.
    func write(_ array: [UInt8], at offset: UInt64) throws(StoreError) {
        let error = unsafe array.withUnsafeBytes { bytes -> StoreError? in
            do throws(StoreError) {
                try unsafe write(bytes, at: offset)
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }
}
