public import SCSITarget

/// Copy-on-write over another store, which is never written.
///
/// What is written lands in chunks of 64 KiB: in memory, to be forgotten when the store goes, or in a delta file that
/// is kept and can be opened again over the same base. A chunk is copied from the base when part of it is first
/// written; memory and file therefore grow with what is written, not with the base's size.
public final class SnapshotStore: BlockStore {
    /// The bytes in a chunk.
    public static let chunkSize: Int = 65536

    /// The base's size in bytes.
    public let byteCount: UInt64
    /// Whether writes are refused: never; that is what a snapshot is for.
    public var isReadOnly: Bool { false }
    /// `snapshot of` the base's label, and the delta file where there is one.
    public let label: String
    private let base: any BlockStore
    private let overlay: any ChunkOverlay
    private var scratch = [UInt8](repeating: 0, count: SnapshotStore.chunkSize)

    /// Makes a snapshot whose changes live in memory and are discarded with it.
    ///
    /// - Parameters:
    ///   - base: what is read where nothing has been written; it must not change meanwhile.
    ///   - memoryLimit: how many bytes of chunks may be held; a write beyond that fails as `.full`.
    public init(of base: any BlockStore, memoryLimit: UInt64 = .max) {
        self.base = base
        byteCount = base.byteCount
        label = "snapshot of \(base.label)"
        overlay = MemoryOverlay(limit: memoryLimit)
    }

    /// Makes or reopens a snapshot whose changes are kept in a delta file.
    ///
    /// What was written before the last successful ``flush()`` is there after a crash at any later moment. The delta
    /// belongs to its base: the base's size and, for an ``ImageFileStore``, the time it was last changed are checked.
    ///
    /// - Parameters:
    ///   - base: what is read where nothing has been written.
    ///   - path: the delta file: made if it is not there, else it must be one made over this base.
    ///   - acceptsTouchedBase: whether to go on although the base's modification time differs, as after copying it.
    /// - Throws: ``DiskStoreError`` when the file cannot be opened or made, is in use, damaged, or of another base.
    public convenience init(
        of base: any BlockStore, keptAt path: String, acceptsTouchedBase: Bool = false
    ) throws(DiskStoreError) {
        try self.init(of: base, keptAt: path, acceptsTouchedBase: acceptsTouchedBase, calls: .live)
    }

    init(
        of base: any BlockStore, keptAt path: String, acceptsTouchedBase: Bool = false, calls: FileCalls
    ) throws(DiskStoreError) {
        self.base = base
        byteCount = base.byteCount
        label = "snapshot of \(base.label), kept in \(path)"
        let identity = DeltaFile.Base(
            byteCount: base.byteCount, modificationTime: (base as? ImageFileStore)?.modificationTime ?? 0)
        overlay = try DeltaFile(path: path, base: identity, acceptsTouchedBase: acceptsTouchedBase, calls: calls)
    }

    /// Reads written chunks from the snapshot, all else from the base.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkRange(offset, UInt64(buffer.count))
        var done = 0
        while done < buffer.count {
            let piece = piece(at: offset + UInt64(done), left: buffer.count - done)
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + piece.count])
            switch overlay.state(of: piece.chunk) {
            case .base: try unsafe base.read(into: part, at: offset + UInt64(done))
            case .zero: unsafe part.initializeMemory(as: UInt8.self, repeating: 0)
            case .data: try unsafe overlay.read(piece.chunk, into: part, at: piece.start)
            }
            done += piece.count
        }
    }

    /// Writes to the snapshot only.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkRange(offset, UInt64(bytes.count))
        var done = 0
        while done < bytes.count {
            let piece = piece(at: offset + UInt64(done), left: bytes.count - done)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + piece.count])
            try unsafe write(part, to: piece)
            done += piece.count
        }
    }

    /// Makes a kept snapshot durable: the data first, then the map that says they are there.
    public func flush() throws(StoreError) { try overlay.flush() }

    /// Makes the bytes read as zero; whole chunks give their room back.
    public func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        try checkRange(offset, count)
        var done: UInt64 = 0
        while done < count {
            let piece = piece(at: offset + done, left: Int(clamping: count - done))
            if piece.count == chunkLength(piece.chunk) {
                try overlay.setZero(piece.chunk)
            } else if overlay.state(of: piece.chunk) != .zero {
                let zeros = [UInt8](repeating: 0, count: piece.count)
                let error = unsafe zeros.withUnsafeBytes { zeros -> StoreError? in
                    do throws(StoreError) {
                        try unsafe write(zeros, to: piece)
                        return nil
                    } catch { return error }
                }
                if let error { throw error }
            }
            done += UInt64(piece.count)
        }
    }

    /// Written chunks are allocated, discarded ones are not, and the base answers for the rest.
    public func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        var end = offset
        var answer: Bool?
        // At most 256 chunks (16 MiB) per question keep the time for an answer bounded.
        for _ in 0..<256 where end < byteCount {
            let piece = piece(at: end, left: Int(clamping: byteCount - end))
            var part = (isAllocated: true, count: UInt64(piece.count))
            switch overlay.state(of: piece.chunk) {
            case .data: break
            case .zero: part.isAllocated = false
            case .base:
                let below = base.allocation(at: end)
                part = (below.isAllocated, min(below.count, part.count))
            }
            if let answer, answer != part.isAllocated { break }
            answer = part.isAllocated
            end += part.count
        }
        return (answer ?? true, max(end &- offset, 1))
    }

    /// The chunk's memory, for a snapshot in memory; for reading, the base's where nothing has been written.
    public func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? {
        guard offset < byteCount, count > 0 else { return nil }
        let piece = piece(at: offset, left: count)
        switch overlay.state(of: piece.chunk) {
        case .data:
            guard let chunk = unsafe overlay.memory(of: piece.chunk) else { return nil }
            return unsafe UnsafeMutableRawBufferPointer(rebasing: chunk[piece.start..<piece.start + piece.count])
        case .base where !writable: return unsafe base.memory(at: offset, count: piece.count, writable: false)
        case .base, .zero: return nil
        }
    }
}

// MARK: - Chunks

extension SnapshotStore {
    private struct Piece {
        let chunk: UInt64
        let start: Int
        let count: Int
    }

    /// The part of a range that lies in the chunk at `offset`, which lies in the store.
    private func piece(at offset: UInt64, left: Int) -> Piece {
        let chunk = offset / UInt64(Self.chunkSize)
        let start = Int(offset % UInt64(Self.chunkSize))
        return Piece(chunk: chunk, start: start, count: min(left, chunkLength(chunk) - start))
    }

    /// A chunk's bytes: all alike but the last.
    private func chunkLength(_ chunk: UInt64) -> Int {
        Int(min(UInt64(Self.chunkSize), byteCount - chunk * UInt64(Self.chunkSize)))
    }

    private func write(_ bytes: UnsafeRawBufferPointer, to piece: Piece) throws(StoreError) {
        let length = chunkLength(piece.chunk)
        let state = overlay.state(of: piece.chunk)
        if state == .data || piece.count == length {
            try unsafe overlay.write(piece.chunk, bytes, at: piece.start, of: length)
            return
        }
        let base = base
        let overlay = overlay
        let error = unsafe scratch.withUnsafeMutableBytes { scratch -> StoreError? in
            do throws(StoreError) {
                let whole = unsafe UnsafeMutableRawBufferPointer(rebasing: scratch[..<length])
                if state == .base {
                    try unsafe base.read(into: whole, at: piece.chunk * UInt64(Self.chunkSize))
                } else {
                    unsafe whole.initializeMemory(as: UInt8.self, repeating: 0)
                }
                unsafe UnsafeMutableRawBufferPointer(rebasing: whole[piece.start...]).copyMemory(from: bytes)
                try unsafe overlay.write(piece.chunk, UnsafeRawBufferPointer(whole), at: 0, of: length)
                return nil
            } catch { return error }
        }
        if let error { throw error }
    }
}
