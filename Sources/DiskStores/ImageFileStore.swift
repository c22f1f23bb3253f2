internal import Glibc
public import SCSITarget

/// A store in a raw image file, byte for byte.
///
/// The file is locked while the store lives: one writer, or any number of readers. A failed flush is remembered: every
/// later write, discard and flush fails with it, because the kernel reports lost data once only and a second flush would
/// claim a success that is none. Opening the file again starts afresh.
public final class ImageFileStore: BlockStore {
    /// The store's size in bytes; the file's size when it was opened.
    public let byteCount: UInt64
    /// Whether the file was opened for reading only.
    public let isReadOnly: Bool
    /// `image` and the path, or what the maker of a temporary image called it.
    public let label: String
    /// When the file's contents last changed, in nanoseconds since 1970, as it was when the store was opened.
    public let modificationTime: Int64
    private let file: OpenFile

    /// Opens an image file, or makes one.
    ///
    /// A file that is not there is made when `size` is given, sparse, and with `O_EXCL`: a file that appears meanwhile
    /// is never overwritten, it is opened like any other. A file that is there keeps its bytes: a larger `size` makes
    /// it grow (sparsely), a smaller one is refused, since cutting would destroy data.
    ///
    /// - Parameters:
    ///   - path: the image file.
    ///   - size: the store's size in bytes, 1 to 2⁶³ − 1; nil takes the file's.
    ///   - isReadOnly: whether to open for reading only; the file is then neither made nor grown.
    ///   - allowsBlockDevices: whether `path` may be a block device. Off by default: writing to a real disk by mistake
    ///     destroys it.
    /// - Throws: ``DiskStoreError`` that names the file and says what to do.
    public convenience init(
        path: String, size: UInt64? = nil, isReadOnly: Bool = false, allowsBlockDevices: Bool = false
    ) throws(DiskStoreError) {
        try self.init(
            path: path, size: size, isReadOnly: isReadOnly, allowsBlockDevices: allowsBlockDevices, calls: .live)
    }

    init(
        path: String, size: UInt64? = nil, isReadOnly: Bool = false, allowsBlockDevices: Bool = false,
        label: String? = nil, calls: FileCalls
    ) throws(DiskStoreError) {
        if let size, size == 0 || size > UInt64(Int64.max) {
            throw DiskStoreError(.wrongSize, "\(path) cannot be \(size) bytes: 1 to \(Int64.max) are possible")
        }
        let (file, isNew) = try Self.openOrCreate(path, canCreate: size != nil, isReadOnly: isReadOnly, calls: calls)
        do throws(DiskStoreError) {
            try Self.checkKind(of: file, allowsBlockDevices: allowsBlockDevices)
            try file.lock(exclusive: !isReadOnly)
            byteCount = try Self.settleSize(of: file, wanted: size, isReadOnly: isReadOnly, isNew: isNew)
            if isNew { try synchronizeFolder(of: path) }
            let time = try file.status().st_mtim
            modificationTime = Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
        } catch {
            // Whoever locked the new file first has it in use: it is theirs now.
            if isNew, error.kind != .inUse { unsafe unlink(path) }
            throw error
        }
        self.file = file
        self.isReadOnly = isReadOnly
        self.label = label ?? "image \(path)"
    }

    /// Fills `buffer` with the bytes at `offset`; a file that has become shorter is `.unreadable` where it ends.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkRange(offset, UInt64(buffer.count))
        try unsafe file.read(into: buffer, at: offset)
    }

    /// Stores `bytes` at `offset`; no room, quota and file size limit are `.full`, all else is `.unwritable`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        try checkWritable()
        try checkRange(offset, UInt64(bytes.count))
        try unsafe file.write(bytes, at: offset)
    }

    /// Returns once the data are on stable storage (`fdatasync`); after one failure it keeps failing.
    public func flush() throws(StoreError) {
        if isReadOnly { return }
        try file.synchronize()
    }

    /// Punches a hole, or writes zeros where the file system has no holes.
    public func discard(at offset: UInt64, count: UInt64) throws(StoreError) {
        try checkWritable()
        try checkRange(offset, count)
        try file.zero(at: offset, count: count)
    }

    /// Asks the file system for data and holes; one that cannot tell has data everywhere.
    public func allocation(at offset: UInt64) -> (isAllocated: Bool, count: UInt64) {
        file.allocation(at: offset, limit: byteCount)
    }

    /// Always nil: the bytes are not in this process's memory.
    public func memory(at offset: UInt64, count: Int, writable: Bool) -> UnsafeMutableRawBufferPointer? { nil }

    private func checkWritable() throws(StoreError) {
        if isReadOnly { throw StoreError(.readOnly, "\(label) is read-only") }
    }
}

// MARK: - Opening

extension ImageFileStore {
    private static func openOrCreate(
        _ path: String, canCreate: Bool, isReadOnly: Bool, calls: FileCalls
    ) throws(DiskStoreError) -> (file: OpenFile, isNew: Bool) {
        // O_NONBLOCK: opening a FIFO must not wait for its other end; it means nothing to regular files.
        let flags = (isReadOnly ? O_RDONLY : O_RDWR) | O_NONBLOCK
        do throws(DiskStoreError) {
            return (try OpenFile.open(path, flags: flags, calls: calls), false)
        } catch {
            if error.kind == .permissionDenied, !isReadOnly {
                throw DiskStoreError(
                    .permissionDenied,
                    "\(error.message). To serve it without changing it, use readonly=yes or snapshot.")
            }
            guard error.kind == .notFound else { throw error }
            guard canCreate, !isReadOnly else {
                throw DiskStoreError(
                    .notFound, "\(path) does not exist. Give a size (and not readonly) to have it made.")
            }
        }
        do throws(DiskStoreError) {
            return (try OpenFile.open(path, flags: flags | O_CREAT | O_EXCL, calls: calls), true)
        } catch {
            guard unsafe access(path, F_OK) == 0 else { throw error }
            return (try OpenFile.open(path, flags: flags, calls: calls), false)
        }
    }

    private static func checkKind(of file: OpenFile, allowsBlockDevices: Bool) throws(DiskStoreError) {
        switch try file.status().st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFBLK where allowsBlockDevices: return
        case S_IFBLK:
            throw DiskStoreError(
                .unsupported, "\(file.path) is a block device: serving it could destroy a real disk. Use an image file."
            )
        case S_IFDIR:
            throw DiskStoreError(.unsupported, "\(file.path) is a folder. To serve a folder's files, use dir=.")
        default: throw DiskStoreError(.unsupported, "\(file.path) is not a regular file")
        }
    }

    private static func settleSize(
        of file: OpenFile, wanted: UInt64?, isReadOnly: Bool, isNew: Bool
    ) throws(DiskStoreError) -> UInt64 {
        let end = lseek(file.descriptor, 0, SEEK_END)
        guard end >= 0 else { throw DiskStoreError(system: errno, "Cannot size \(file.path)") }
        let present = UInt64(end)
        let size = wanted ?? present
        guard size > 0 else { throw DiskStoreError(.wrongSize, "\(file.path) is empty. Give a size.") }
        if size == present { return size }
        guard size > present else {
            throw DiskStoreError(
                .wrongSize,
                "\(file.path) has \(present) bytes, more than the size \(size) asked for: it would have to be cut. "
                    + "Leave the size out, or shorten the file yourself.")
        }
        guard !isReadOnly else {
            throw DiskStoreError(
                .wrongSize,
                "\(file.path) has \(present) bytes, fewer than the size \(size) asked for, and is read-only.")
        }
        guard ftruncate(file.descriptor, off_t(size)) == 0 else {
            throw DiskStoreError(system: errno, "Cannot make \(file.path) \(size) bytes large")
        }
        guard fsync(file.descriptor) == 0 else { throw DiskStoreError(system: errno, "Cannot flush \(file.path)") }
        return size
    }
}

extension BlockStore {
    /// Refuses bytes that lie outside the store.
    func checkRange(_ offset: UInt64, _ count: UInt64) throws(StoreError) {
        guard offset <= byteCount, count <= byteCount - offset else {
            throw StoreError(.outOfRange, at: offset, "\(label): \(count) bytes at \(offset) lie outside \(byteCount)")
        }
    }
}
