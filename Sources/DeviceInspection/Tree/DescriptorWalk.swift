import USBCore

/// A run of descriptors, followed by their lengths for as long as these make sense.
///
/// Unlike the parser of descriptions it refuses nothing: what a broken length leaves unread is ``rest``.
struct DescriptorWalk {
    /// One descriptor.
    struct Item {
        /// Where it begins, from the start of the answer.
        var offset: Int
        var bytes: ArraySlice<UInt8>

        var type: DescriptorType { DescriptorType(rawValue: byte(1)) }

        /// A byte, 0 beyond the end.
        func byte(_ index: Int) -> UInt8 {
            index < bytes.count ? bytes[bytes.startIndex + index] : 0
        }

        /// A sixteen-bit field, zeros beyond the end.
        func word(_ index: Int) -> UInt16 { UInt16(byte(index)) | UInt16(byte(index + 1)) << 8 }
    }

    /// The descriptors, in order.
    private(set) var items: [Item] = []
    /// What is left where a length makes no sense, which is its first byte; empty where the run is sound.
    private(set) var rest: ArraySlice<UInt8> = []

    init(_ bytes: some Sequence<UInt8>) { self.init([UInt8](bytes)[...]) }

    /// Walks a slice; offsets are the slice's own.
    init(_ bytes: ArraySlice<UInt8>) {
        var left = bytes
        while let length = left.first {
            guard length >= 2, Int(length) <= left.count else {
                rest = left
                return
            }
            items.append(Item(offset: left.startIndex, bytes: left.prefix(Int(length))))
            left = left.dropFirst(Int(length))
        }
    }
}
