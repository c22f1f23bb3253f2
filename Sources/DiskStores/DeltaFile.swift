internal import Glibc
internal import SCSITarget

/// A kept snapshot's file: a header, a map of two bits per chunk, and the chunks where they lie in the base.
///
/// Everything is little-endian. The header is one page: magic (8 bytes), version (4), chunk size (4), base size (8),
/// base modification time (8), CRC-32 of what precedes. The map follows at 4096 in whole pages, the chunks after it; the
/// file is sparse and as large as all of these. A flush makes the data durable before it writes the map pages that speak
/// of them, so a map entry never promises bytes that are not there; a torn map page is a mix of old and new entries, each
/// of them valid.
final class DeltaFile: ChunkOverlay {
    /// What the delta's base must look like.
    struct Base {
        let byteCount: UInt64
        /// Nanoseconds since 1970, or 0 where it is not known.
        let modificationTime: Int64
    }

    private static let pageSize = 4096
    private static let chunksPerPage = UInt64(pageSize * 4)
    private static let magic: [UInt8] = Array("GPDELTA\0".utf8)
    private static let version: UInt32 = 1

    private let file: OpenFile
    private let dataStart: UInt64
    // Pages that are all zero are not kept: the map's memory grows with what is written.
    private var pages: [UInt64: [UInt8]] = [:]
    private var dirty: Set<UInt64> = []

    init(path: String, base: Base, acceptsTouchedBase: Bool, calls: FileCalls) throws(DiskStoreError) {
        let chunkSize = UInt64(SnapshotStore.chunkSize)
        let chunkCount = base.byteCount / chunkSize + (base.byteCount % chunkSize == 0 ? 0 : 1)
        let pageCount = (chunkCount + Self.chunksPerPage - 1) / Self.chunksPerPage
        dataStart = UInt64(Self.pageSize) * (1 + pageCount)
        let (fileSize, overflow) = dataStart.addingReportingOverflow(base.byteCount)
        guard !overflow, fileSize <= UInt64(Int64.max) else {
            throw DiskStoreError(.wrongSize, "A base of \(base.byteCount) bytes is too large for a kept snapshot")
        }
        let isNew: Bool
        (file, isNew) = try Self.openOrCreate(path, calls: calls)
        do throws(DiskStoreError) {
            try file.lock(exclusive: true)
            if isNew {
                try create(base, size: fileSize)
            } else {
                try check(base, size: fileSize, acceptsTouchedBase: acceptsTouchedBase)
                try loadMap(pageCount: pageCount, chunkCount: chunkCount)
            }
        } catch {
            // Whoever locked the new file first has it in use: it is theirs now.
            if isNew, error.kind != .inUse { unsafe unlink(path) }
            throw error
        }
    }

    func state(of chunk: UInt64) -> ChunkState {
        guard let page = pages[chunk / Self.chunksPerPage] else { return .base }
        let index = Int(chunk % Self.chunksPerPage)
        return ChunkState(rawValue: page[index / 4] >> UInt8(index % 4 * 2) & 3) ?? .base
    }

    func read(_ chunk: UInt64, into buffer: UnsafeMutableRawBufferPointer, at start: Int) throws(StoreError) {
        try unsafe file.read(into: buffer, at: place(of: chunk) + UInt64(start))
    }

    func write(_ chunk: UInt64, _ bytes: UnsafeRawBufferPointer, at start: Int, of length: Int) throws(StoreError) {
        try unsafe file.write(bytes, at: place(of: chunk) + UInt64(start))
        set(chunk, .data)
    }

    func setZero(_ chunk: UInt64) throws(StoreError) {
        if state(of: chunk) == .data {
            let chunkEnd = place(of: chunk) + UInt64(SnapshotStore.chunkSize)
            // The last chunk may be short; zeros written past the file's end would make the file longer.
            let count = min(chunkEnd, fileEnd) - place(of: chunk)
            try file.zero(at: place(of: chunk), count: count)
        }
        set(chunk, .zero)
    }

    func flush() throws(StoreError) {
        try file.synchronize()
        guard !dirty.isEmpty else { return }
        for page in dirty.sorted() {
            guard let bytes = pages[page] else { continue }
            try file.write(bytes, at: UInt64(Self.pageSize) * (1 + page))
        }
        try file.synchronize()
        dirty.removeAll()
    }

    func memory(of chunk: UInt64) -> UnsafeMutableRawBufferPointer? { nil }

    private var fileEnd: UInt64 = 0

    private func place(of chunk: UInt64) -> UInt64 { dataStart + chunk * UInt64(SnapshotStore.chunkSize) }

    private func set(_ chunk: UInt64, _ state: ChunkState) {
        guard self.state(of: chunk) != state else { return }
        let page = chunk / Self.chunksPerPage
        let index = Int(chunk % Self.chunksPerPage)
        let shift = UInt8(index % 4 * 2)
        pages[page, default: [UInt8](repeating: 0, count: Self.pageSize)][index / 4] &= ~(3 << shift)
        pages[page]?[index / 4] |= state.rawValue << shift
        dirty.insert(page)
    }
}

// MARK: - Making and checking the file

extension DeltaFile {
    private static func openOrCreate(
        _ path: String, calls: FileCalls
    ) throws(DiskStoreError) -> (file: OpenFile, isNew: Bool) {
        do throws(DiskStoreError) {
            return (try OpenFile.open(path, flags: O_RDWR | O_NONBLOCK, calls: calls), false)
        } catch  where error.kind == .notFound {
            return (try OpenFile.open(path, flags: O_RDWR | O_CREAT | O_EXCL, calls: calls), true)
        }
    }

    private func create(_ base: Base, size: UInt64) throws(DiskStoreError) {
        guard ftruncate(file.descriptor, off_t(size)) == 0 else {
            throw DiskStoreError(system: errno, "Cannot make \(file.path) \(size) bytes large")
        }
        fileEnd = size
        do {
            try file.write(Self.header(for: base), at: 0)
            try file.synchronize()
        } catch { throw DiskStoreError(.system, error.message) }
        try synchronizeFolder(of: file.path)
    }

    private func check(_ base: Base, size: UInt64, acceptsTouchedBase: Bool) throws(DiskStoreError) {
        let remedy = "Give another file to start a new snapshot."
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DiskStoreError(.unsupported, "\(file.path) is not a regular file. \(remedy)")
        }
        let header = try page(at: 0)
        guard header.starts(with: Self.magic) else {
            throw DiskStoreError(
                .malformed, "\(file.path) is not a kept snapshot (or making it was interrupted). \(remedy)")
        }
        let version = header.little(UInt32.self, at: 8)
        guard version == Self.version else {
            throw DiskStoreError(.unsupported, "\(file.path) has version \(version); version 1 is known. \(remedy)")
        }
        guard header.little(UInt32.self, at: 32) == crc32(header.prefix(32)),
            header.little(UInt32.self, at: 12) == UInt32(SnapshotStore.chunkSize)
        else { throw DiskStoreError(.malformed, "\(file.path) has a damaged header. \(remedy)") }
        let baseSize = header.little(UInt64.self, at: 16)
        guard baseSize == base.byteCount else {
            throw DiskStoreError(
                .wrongBase,
                "\(file.path) belongs to a base of \(baseSize) bytes; this one has \(base.byteCount). \(remedy)")
        }
        let time = Int64(bitPattern: header.little(UInt64.self, at: 24))
        guard time == base.modificationTime || acceptsTouchedBase else {
            throw DiskStoreError(
                .wrongBase, "The base has changed since \(file.path) was made over it. Restore the base. \(remedy)")
        }
        guard UInt64(clamping: status.st_size) == size else {
            throw DiskStoreError(
                .malformed, "\(file.path) has \(status.st_size) bytes instead of \(size): it was cut. \(remedy)")
        }
        fileEnd = size
    }

    private func loadMap(pageCount: UInt64, chunkCount: UInt64) throws(DiskStoreError) {
        let end = UInt64(Self.pageSize) * (1 + pageCount)
        var place = UInt64(Self.pageSize)
        while place < end {
            let extent = file.allocation(at: place, limit: end)
            if !extent.isAllocated {
                // Up to the page in which the hole ends; a page that begins in a hole and ends in data is read.
                place += max(extent.count / UInt64(Self.pageSize), 1) * UInt64(Self.pageSize)
                if extent.count >= UInt64(Self.pageSize) { continue }
                place -= UInt64(Self.pageSize)
            }
            let index = place / UInt64(Self.pageSize) - 1
            let bytes = try page(at: place)
            let known = min(chunkCount - index * Self.chunksPerPage, Self.chunksPerPage)
            for (position, byte) in bytes.enumerated() where byte != 0 {
                for slot in 0..<4 {
                    let value = byte >> UInt8(slot * 2) & 3
                    guard value == 0 || (value != 3 && UInt64(position * 4 + slot) < known) else {
                        throw DiskStoreError(
                            .malformed, "\(file.path) has a damaged map. Give another file to start a new snapshot.")
                    }
                }
            }
            if bytes.contains(where: { $0 != 0 }) { pages[index] = bytes }
            place += UInt64(Self.pageSize)
        }
    }

    private func page(at offset: UInt64) throws(DiskStoreError) -> [UInt8] {
        var page = [UInt8](repeating: 0, count: Self.pageSize)
        do throws(StoreError) { try file.read(into: &page, at: offset) } catch {
            throw DiskStoreError(.malformed, "\(file.path) is not a kept snapshot: \(error.message)")
        }
        return page
    }

    private static func header(for base: Base) -> [UInt8] {
        var bytes = magic
        bytes.appendLittle(version)
        bytes.appendLittle(UInt32(SnapshotStore.chunkSize))
        bytes.appendLittle(base.byteCount)
        bytes.appendLittle(UInt64(bitPattern: base.modificationTime))
        bytes.appendLittle(crc32(bytes[...]))
        return bytes + [UInt8](repeating: 0, count: pageSize - bytes.count)
    }
}
