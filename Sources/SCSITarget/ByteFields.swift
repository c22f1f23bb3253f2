extension [UInt8] {
    /// Appends an integer, its highest byte first: the order of every SCSI field.
    mutating func append(bigEndian value: some FixedWidthInteger) {
        var shift = value.bitWidth - 8
        while shift >= 0 {
            append(UInt8(truncatingIfNeeded: value >> shift))
            shift -= 8
        }
    }

    /// Overwrites the bytes from `index` on with an integer; those beyond the end are dropped.
    mutating func put(_ value: some FixedWidthInteger, at index: Int) {
        let width = value.bitWidth / 8
        for position in 0..<width where indices.contains(index + position) {
            self[index + position] = UInt8(truncatingIfNeeded: value >> (8 * (width - 1 - position)))
        }
    }

    /// The 16-bit field at `index`; bytes beyond the end read as zero.
    func u16(at index: Int) -> UInt16 { field(at: index) }
    /// The 32-bit field at `index`; bytes beyond the end read as zero.
    func u32(at index: Int) -> UInt32 { field(at: index) }
    /// The 64-bit field at `index`; bytes beyond the end read as zero.
    func u64(at index: Int) -> UInt64 { field(at: index) }

    private func field<Value: FixedWidthInteger>(at index: Int) -> Value {
        var value: Value = 0
        for position in index..<(index + Value.bitWidth / 8) {
            value = (value << 8) | (indices.contains(position) ? Value(truncatingIfNeeded: self[position]) : 0)
        }
        return value
    }

    /// Appends `text` in ASCII, cut or padded with spaces to `width` bytes; other characters become `?`.
    mutating func append(ascii text: String, width: Int) {
        let bytes = text.unicodeScalars.prefix(width).map { (0x20...0x7E).contains($0.value) ? UInt8($0.value) : 0x3F }
        self += bytes
        self += [UInt8](repeating: 0x20, count: width - bytes.count)
    }
}
