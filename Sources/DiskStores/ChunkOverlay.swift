internal import Glibc
internal import SCSITarget

/// Where a chunk's bytes are.
enum ChunkState: UInt8 {
    /// In the base, unchanged.
    case base = 0
    /// In the overlay.
    case data = 1
    /// Nowhere: it reads as zero.
    case zero = 2
}

/// What holds a snapshot's chunks.
protocol ChunkOverlay: AnyObject {
    func state(of chunk: UInt64) -> ChunkState
    /// Reads from a `.data` chunk.
    func read(_ chunk: UInt64, into buffer: UnsafeMutableRawBufferPointer, at start: Int) throws(StoreError)
    /// Writes to a `.data` chunk, or the whole of any chunk, which becomes `.data`.
    func write(_ chunk: UInt64, _ bytes: UnsafeRawBufferPointer, at start: Int, of length: Int) throws(StoreError)
    func setZero(_ chunk: UInt64) throws(StoreError)
    func flush() throws(StoreError)
    /// A `.data` chunk's memory, where it is in memory.
    func memory(of chunk: UInt64) -> UnsafeMutableRawBufferPointer?
}

/// Chunks in memory.
@safe
final class MemoryOverlay: ChunkOverlay {
    // A chunk without a buffer has been discarded: it reads as zero.
    private var chunks: [UInt64: UnsafeMutableRawBufferPointer?] = unsafe [:]
    private let limit: UInt64
    private var used: UInt64 = 0

    init(limit: UInt64) { self.limit = limit }

    deinit {
        unsafe chunks.values.forEach { unsafe free($0?.baseAddress) }
    }

    func state(of chunk: UInt64) -> ChunkState {
        guard let buffer = unsafe chunks[chunk] else { return .base }
        return unsafe buffer == nil ? .zero : .data
    }

    func read(_ chunk: UInt64, into buffer: UnsafeMutableRawBufferPointer, at start: Int) {
        guard let bytes = unsafe memory(of: chunk) else { return }
        unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + buffer.count]))
    }

    func write(_ chunk: UInt64, _ bytes: UnsafeRawBufferPointer, at start: Int, of length: Int) throws(StoreError) {
        if let present = unsafe memory(of: chunk) {
            unsafe UnsafeMutableRawBufferPointer(rebasing: present[start...]).copyMemory(from: bytes)
            return
        }
        guard UInt64(length) <= limit - used, let fresh = unsafe malloc(length) else {
            throw StoreError(
                .full, at: chunk * UInt64(SnapshotStore.chunkSize),
                "The snapshot's memory is full: \(used) bytes in use")
        }
        used += UInt64(length)
        let buffer = unsafe UnsafeMutableRawBufferPointer(start: fresh, count: length)
        unsafe buffer.copyMemory(from: bytes)
        unsafe chunks[chunk] = .some(buffer)
    }

    func setZero(_ chunk: UInt64) {
        if let buffer = unsafe memory(of: chunk) {
            used -= UInt64(buffer.count)
            unsafe free(buffer.baseAddress)
        }
        unsafe chunks[chunk] = .some(nil)
    }

    func flush() {}

    func memory(of chunk: UInt64) -> UnsafeMutableRawBufferPointer? {
        guard let buffer = unsafe chunks[chunk] else { return nil }
        return unsafe buffer
    }
}
