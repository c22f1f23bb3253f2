import SCSITarget

/// A store that lends no memory, and fails where a test wants it to.
final class FailingStore: BlockStore {
    let inner: MemoryStore
    var badReads: Range<UInt64> = 0..<0
    var badWrites: Range<UInt64> = 0..<0
    var failsToFlush = false
    var byteCount: UInt64 { inner.byteCount }
    var isReadOnly: Bool { false }
    var label: String { "failing" }

    init(byteCount: UInt64) throws { inner = try MemoryStore(byteCount: byteCount) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, buffer.count, badReads, .unreadable)
        unsafe try inner.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, bytes.count, badWrites, .unwritable)
        unsafe try inner.write(bytes, at: offset)
    }

    func flush() throws(StoreError) {
        if failsToFlush { throw StoreError(.unwritable, "the flush failed") }
    }

    func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        try inner.discard(at: offset, count: count)
    }

    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) { inner.allocation(at: offset) }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? { nil }

    private func check(
        _ offset: UInt64, _ count: Int, _ bad: Range<UInt64>, _ kind: StoreError.Kind
    ) throws(StoreError) {
        let touched = (offset..<(offset + UInt64(count))).clamped(to: bad)
        if !touched.isEmpty { throw StoreError(kind, at: touched.lowerBound, "injected") }
    }
}

extension BlockStore {
    /// So many blocks of 512 bytes as they are stored.
    func blocks(_ first: UInt64, _ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0xee, count: count * 512)
        unsafe try bytes.withUnsafeMutableBytes { unsafe try read(into: $0, at: first * 512) }
        return bytes
    }

    /// Fills the beginning with bytes that no misplaced block would repeat, and returns them.
    func fill(_ count: Int, seed: UInt64 = 1) throws -> [UInt8] {
        var state = seed
        let bytes = (0..<count * 512).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        unsafe try bytes.withUnsafeBytes { unsafe try write($0, at: 0) }
        return bytes
    }
}
