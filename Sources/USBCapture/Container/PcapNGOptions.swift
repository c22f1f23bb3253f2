/// Goes through the options of a pcapng block (draft-ietf-opsawg-pcapng §3.5).
@safe
struct PcapNGOptions {
    private let source: ByteSource
    private var offset: Int64
    private let end: Int64
    private let isBigEndian: Bool

    /// - Parameters:
    ///   - offset: where the options begin in the file.
    ///   - end: where they end at the latest: at the length that closes the block.
    init(_ source: ByteSource, from offset: Int64, to end: Int64, isBigEndian: Bool) {
        self.source = source
        self.offset = offset
        self.end = end
        self.isBigEndian = isBigEndian
    }

    /// The next option's code and value, which is lent until the next; nil after the last.
    ///
    /// - Throws: ``CaptureError`` when the option is longer than the block.
    mutating func next() throws(CaptureError) -> (code: UInt16, value: UnsafeRawBufferPointer)? {
        guard end - offset >= 4 else { return nil }
        let header = try unsafe source.piece(at: offset, count: 4)
        let code = unsafe header.number(UInt16.self, at: 0, isBigEndian: isBigEndian)
        let length = Int(unsafe header.number(UInt16.self, at: 2, isBigEndian: isBigEndian))
        if code == 0 { return nil }
        guard Int64(length) <= end - offset - 4 else {
            throw CaptureError(
                .damaged, "An option says it has \(length) bytes, more than its block", offset: offset)
        }
        let value = try unsafe source.piece(at: offset + 4, count: length)
        offset += 4 + Int64((length + 3) & ~3)
        return unsafe (code, value)
    }
}
