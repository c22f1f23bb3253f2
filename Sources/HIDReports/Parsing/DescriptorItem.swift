/// One item of a report descriptor as it stands in the bytes (HID 1.11 §6.2.2.2, §6.2.2.3).
struct DescriptorItem {
    enum Tag {
        case main(MainItem)
        case global(GlobalItem)
        case local(LocalItem)
        /// A type or tag without a meaning.
        case reserved
        /// A long item.
        case long
    }

    /// Where the item starts.
    var offset: Int
    /// The bytes of the item, prefix and all.
    var length: Int
    var tag: Tag
    /// The data as an unsigned number; 0 for none, and for a long item.
    var value: UInt32
    /// The bytes of the data, 0, 1, 2 or 4 of a short item.
    var size: Int

    /// The data as a signed number.
    var signed: Int32 {
        switch size {
        case 1: Int32(Int8(truncatingIfNeeded: value))
        case 2: Int32(Int16(truncatingIfNeeded: value))
        default: Int32(truncatingIfNeeded: value)
        }
    }

    /// The data as a unit's exponent: a four-bit number in two's complement.
    ///
    /// Many devices give a whole signed byte instead, which hosts take as well.
    var exponent: Int8 {
        guard value <= 0xf else { return Int8(clamping: signed) }
        return value < 8 ? Int8(value) : Int8(value) - 16
    }

    /// Reads the item at a place; nil where the bytes end within it.
    init?(_ bytes: [UInt8], at offset: Int) {
        guard offset < bytes.count else { return nil }
        let prefix = bytes[offset]
        self.offset = offset
        value = 0
        if prefix == 0xfe {
            guard bytes.count - offset >= 3 else { return nil }
            size = Int(bytes[offset + 1])
            length = 3 + size
            tag = .long
            guard bytes.count - offset >= length else { return nil }
            return
        }
        size = prefix & 3 == 3 ? 4 : Int(prefix & 3)
        length = 1 + size
        guard bytes.count - offset >= length else { return nil }
        for index in 0..<size { value |= UInt32(bytes[offset + 1 + index]) << UInt32(8 * index) }
        let number = prefix >> 4
        let known: Tag? =
            switch prefix >> 2 & 3 {
            case 0: MainItem(rawValue: number).map { .main($0) }
            case 1: GlobalItem(rawValue: number).map { .global($0) }
            case 2: LocalItem(rawValue: number).map { .local($0) }
            default: nil
            }
        tag = known ?? .reserved
    }
}
