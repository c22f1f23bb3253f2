/// The blocks of a pcapng file that are whole in its beginning.
///
/// pcapng: each block begins with its type and its length, which counts all of it; here in little-endian order.
struct WholeBlocks {
    /// Bytes of all of them.
    private(set) var size = 0
    /// Enhanced Packet Blocks among them.
    private(set) var records: UInt64 = 0
    /// Interface Description Blocks among them.
    private(set) var interfaces = 0

    /// Finds the blocks in the first `count` of bytes that we have made.
    init(_ bytes: UnsafeRawBufferPointer, first count: Int) {
        let end = min(count, bytes.count)
        while end - size >= 12 {
            let type = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: size, as: UInt32.self))
            let length = unsafe Int(
                UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: size + 4, as: UInt32.self)))
            guard length >= 12, length <= end - size else { return }
            size += length
            switch type {
            case 6: records += 1
            case 1: interfaces += 1
            default: break
            }
        }
    }
}
