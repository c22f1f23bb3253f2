import CaptureTraces
import SCSITarget
import USBCapture

/// The blocks of a recorded disk, with what the host writes kept over them in memory.
final class OverlayStore: BlockStore {
    /// The most bytes that are kept of what the host writes.
    static let limit = 1 << 30

    let byteCount: UInt64
    var isReadOnly: Bool { false }
    var label: String { "recorded blocks" }

    private let disk: RecordedDisk
    private let blocks: RecordedBlocks
    private let missing: ReplaySettings.Missing
    private let blockSize: Int
    /// By block.
    private var written: [UInt64: [UInt8]] = [:]
    /// Told once when a block is asked for that the capture does not have.
    var onMissing: ((UInt64) -> Void)?
    /// Told when the capture cannot be read, with the place of the recorded command that has the data.
    var onUnreadable: ((CaptureError, Int) -> Void)?

    init(_ disk: RecordedDisk, _ blocks: RecordedBlocks, missing: ReplaySettings.Missing) {
        self.disk = disk
        self.blocks = blocks
        self.missing = missing
        blockSize = Int(blocks.blockSize)
        byteCount = blocks.count &* UInt64(blocks.blockSize)
    }

    /// Forgets what was written.
    func rewind() { written = [:] }

    /// Whether the host has written any of some blocks.
    func isWritten(_ first: UInt64, count: UInt64) -> Bool {
        guard !written.isEmpty, count > 0 else { return false }
        if count > UInt64(written.count) {
            return written.keys.contains { $0 >= first && $0 - first < count }
        }
        return (0..<count).contains { written[first &+ $0] != nil }
    }

    // MARK: BlockStore

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, buffer.count)
        var done = 0
        while done < buffer.count {
            let place = offset + UInt64(done)
            let block = place / UInt64(blockSize)
            let within = Int(place % UInt64(blockSize))
            if let bytes = written[block] {
                let count = min(blockSize - within, buffer.count - done)
                for index in 0..<count { unsafe buffer[done + index] = bytes[within + index] }
                done += count
                continue
            }
            // As much at once as one command of the recording has and the host has not written over.
            let end = (offset + UInt64(buffer.count) + UInt64(blockSize) - 1) / UInt64(blockSize)
            let known = blocks.extent(of: block)
            var stop = min(end, known?.end ?? blocks.nextKnown(after: block) ?? end)
            if !written.isEmpty, let first = (block + 1..<max(stop, block + 1)).first(where: { written[$0] != nil }) {
                stop = first
            }
            let count = min(Int(stop - block) * blockSize - within, buffer.count - done)
            let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + count)])
            if let known {
                unsafe try copy(known, block, within, into: piece)
            } else {
                onMissing?(block)
                if missing == .stall {
                    throw StoreError(
                        .unreadable, at: block * UInt64(blockSize), "block \(block) is not in the recording")
                }
                unsafe piece.initializeMemory(as: UInt8.self, repeating: 0)
            }
            done += count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try check(offset, bytes.count)
        var done = 0
        while done < bytes.count {
            let place = offset + UInt64(done)
            let within = Int(place % UInt64(blockSize))
            let count = min(blockSize - within, bytes.count - done)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<(done + count)])
            unsafe try put(piece, place / UInt64(blockSize), within)
            done += count
        }
    }

    func flush() {}

    func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        guard let length = Int(exactly: count) else { throw StoreError(.outOfRange, "\(count) bytes are too many") }
        try check(offset, length)
        let zeros = [UInt8](repeating: 0, count: 1 << 16)
        var done = 0
        while done < length {
            let part = min(zeros.count, length - done)
            var failure: StoreError?
            unsafe zeros.withUnsafeBytes { memory in
                do throws(StoreError) {
                    unsafe try write(
                        UnsafeRawBufferPointer(rebasing: memory[..<part]), at: offset + UInt64(done))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            done += part
        }
    }

    func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        (true, offset < byteCount ? byteCount - offset : 1)
    }

    func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? { nil }

    // MARK: Blocks

    private func check(_ offset: UInt64, _ count: Int) throws(StoreError) {
        guard offset <= byteCount, UInt64(count) <= byteCount - offset else {
            throw StoreError(.outOfRange, at: offset, "\(count) bytes at \(offset) lie outside the disk")
        }
    }

    private func put(_ bytes: UnsafeRawBufferPointer, _ block: UInt64, _ within: Int) throws(StoreError) {
        if var whole = written[block] {
            for index in 0..<bytes.count { unsafe whole[within + index] = bytes[index] }
            written[block] = whole
            return
        }
        guard (written.count + 1) * blockSize <= Self.limit else {
            throw StoreError(
                .full, at: block * UInt64(blockSize), "\(Self.limit >> 20) MiB were written, more than is kept")
        }
        var whole = [UInt8](repeating: 0, count: blockSize)
        if bytes.count < blockSize, let known = blocks.extent(of: block) {
            var failure: StoreError?
            unsafe whole.withUnsafeMutableBytes { memory in
                do throws(StoreError) { unsafe try copy(known, block, 0, into: memory) } catch { failure = error }
            }
            if let failure { throw failure }
        }
        for index in 0..<bytes.count { unsafe whole[within + index] = bytes[index] }
        written[block] = whole
    }

    private func copy(
        _ extent: RecordedBlocks.Extent, _ block: UInt64, _ within: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(StoreError) {
        let start = Int(extent.offset + (block - extent.first)) * blockSize + within
        do throws(CaptureError) {
            unsafe try disk.commands[extent.command].copy(from: disk.trace, at: start, into: memory)
        } catch {
            onUnreadable?(error, extent.command)
            throw StoreError(.unreadable, at: block * UInt64(blockSize), "the capture cannot be read: \(error)")
        }
    }
}
