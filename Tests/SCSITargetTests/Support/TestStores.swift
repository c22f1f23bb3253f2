import SCSITarget

/// A store that fails where and how a test wants, and counts what is asked of it.
final class FaultyStore: BlockStore {
    let inner: MemoryStore
    var isReadOnly = false
    var label: String { "faulty" }
    var byteCount: UInt64 { inner.byteCount }

    /// Reads that touch one of these bytes fail.
    var badReads: Range<UInt64> = 0..<0
    /// Writes, and discards, that touch one of these bytes fail, in this way.
    var badWrites: Range<UInt64> = 0..<0
    var writeFailure = StoreError.Kind.unwritable
    /// Flushes fail in this way.
    var flushFailure: StoreError.Kind?
    /// Whether failures name the offset of the first bad byte.
    var namesOffsets = true
    /// Reads fail as many times, wherever they are.
    var failingReads = 0

    private(set) var flushCount = 0
    private(set) var readCount = 0

    init(byteCount: UInt64) throws {
        inner = try MemoryStore(byteCount: byteCount)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        readCount += 1
        if failingReads > 0 {
            failingReads -= 1
            throw StoreError(.unreadable, "a passing failure")
        }
        try check(offset, UInt64(buffer.count), badReads, .unreadable)
        unsafe try inner.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, UInt64(bytes.count), badWrites, writeFailure)
        unsafe try inner.write(bytes, at: offset)
    }

    func flush() throws(StoreError) {
        flushCount += 1
        if let flushFailure {
            throw StoreError(flushFailure, "the flush failed")
        }
    }

    func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        try check(offset, count, badWrites, writeFailure)
        try inner.discard(at: offset, count: count)
    }

    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) { inner.allocation(at: offset) }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? { nil }

    private func check(
        _ offset: UInt64, _ count: UInt64, _ bad: Range<UInt64>, _ kind: StoreError.Kind
    ) throws(StoreError) {
        let touched = (offset..<(offset + count)).clamped(to: bad)
        if !touched.isEmpty {
            throw StoreError(kind, at: namesOffsets ? touched.lowerBound : nil, "injected")
        }
    }
}

/// A store of any size that keeps what was written, sector by sector, and nothing else.
final class SparseStore: BlockStore {
    let byteCount: UInt64
    var isReadOnly: Bool { false }
    var label: String { "sparse" }
    private var bytes: [UInt64: UInt8] = [:]

    init(byteCount: UInt64) {
        self.byteCount = byteCount
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, buffer.count)
        for index in 0..<buffer.count {
            unsafe buffer[index] = bytes[offset + UInt64(index)] ?? 0
        }
    }

    func write(_ piece: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, piece.count)
        for index in 0..<piece.count {
            unsafe bytes[offset + UInt64(index)] = piece[index]
        }
    }

    func flush() {}

    func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        for key in bytes.keys where key >= offset && key - offset < count {
            bytes[key] = nil
        }
    }

    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        let next = bytes.keys.filter { $0 >= offset }.min() ?? byteCount
        return next == offset ? (true, 1) : (false, next - offset)
    }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? { nil }

    private func check(_ offset: UInt64, _ count: Int) throws(StoreError) {
        guard offset <= byteCount, UInt64(count) <= byteCount - offset else {
            throw StoreError(.outOfRange, at: offset, "outside")
        }
    }
}
