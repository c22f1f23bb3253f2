/// The bytes of a packet, read by position; beyond their end there are zeros.
@safe struct ByteView {
    private let bytes: UnsafeRawBufferPointer

    /// How many bytes there are.
    let count: Int

    /// Looks at bytes that stay valid as long as this is used.
    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = unsafe bytes
        count = bytes.count
    }

    /// The byte at a position.
    subscript(position: Int) -> UInt8 {
        position >= 0 && position < count ? unsafe bytes[position] : 0
    }

    /// A part, as far as it exists.
    subscript(range: Range<Int>) -> ByteView {
        let part = range.clamped(to: 0..<count)
        return unsafe ByteView(UnsafeRawBufferPointer(rebasing: bytes[part]))
    }

    /// Two bytes, the most significant first.
    func big16(_ position: Int) -> UInt16 { UInt16(self[position]) << 8 | UInt16(self[position &+ 1]) }

    /// Four bytes, the most significant first.
    func big32(_ position: Int) -> UInt32 {
        UInt32(big16(position)) << 16 | UInt32(big16(position &+ 2))
    }

    /// Two bytes, the least significant first.
    func little16(_ position: Int) -> UInt16 { big16(position).byteSwapped }

    /// Four bytes, the least significant first.
    func little32(_ position: Int) -> UInt32 { big32(position).byteSwapped }

    /// Eight bytes, the least significant first.
    func little64(_ position: Int) -> UInt64 {
        UInt64(little32(position)) | UInt64(little32(position &+ 4)) << 32
    }

    /// Lends the first bytes of a part to code that reads them in place; nil when there are fewer than `size`.
    func lend<R>(_ size: Int, _ body: (UnsafeRawPointer) -> R) -> R? {
        guard count >= size, let base = unsafe bytes.baseAddress else { return nil }
        return unsafe body(base)
    }

    /// A copy of a part, as far as it exists.
    func copy(_ range: Range<Int>) -> [UInt8] { unsafe [UInt8](bytes[range.clamped(to: 0..<count)]) }
}
