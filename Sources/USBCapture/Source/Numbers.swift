extension UnsafeRawBufferPointer {
    /// The number at an offset, in either byte order and at any alignment; 0 where the bytes do not reach that far.
    @inline(__always)
    func number<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type, at offset: Int, isBigEndian: Bool
    ) -> Number {
        guard offset >= 0, offset <= count &- MemoryLayout<Number>.size else { return 0 }
        let value = unsafe loadUnaligned(fromByteOffset: offset, as: Number.self)
        return isBigEndian ? Number(bigEndian: value) : Number(littleEndian: value)
    }
}
