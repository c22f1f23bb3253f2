internal import Glibc
internal import SCSITarget

/// An open file with reads and writes that are whole or fail, and a flush that never forgets a failure.
final class OpenFile {
    /// Where the file was when it was opened, for messages.
    let path: String
    let descriptor: Int32
    private let calls: FileCalls
    private var canPunch = true
    private var isLocked = false
    // Linux reports a failed write-back once and then marks the pages clean: a second fdatasync succeeds although the
    // data are gone. So the first failure is kept, and everything that could promise durability repeats it.
    private var lostData: StoreError?
    private static let zeros = [UInt8](repeating: 0, count: 1 << 18)

    /// Takes over a descriptor; it is closed when this object goes.
    init(descriptor: Int32, path: String, calls: FileCalls = .live) {
        self.descriptor = descriptor
        self.path = path
        self.calls = calls
    }

    deinit {
        // A child between fork and exec shares the open file and with it the lock; closing alone would leave it locked
        // for that moment.
        if isLocked { _ = setLock(Int16(F_UNLCK)) }
        close(descriptor)
    }

    /// Opens a file, close-on-exec.
    ///
    /// - Throws: ``DiskStoreError`` that begins with `action`.
    static func open(
        _ path: String, flags: Int32, mode: mode_t = 0o644, calls: FileCalls = .live
    ) throws(DiskStoreError) -> OpenFile {
        while true {
            let file = unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOCTTY, mode)
            if file >= 0 { return OpenFile(descriptor: file, path: path, calls: calls) }
            let code = errno
            if code != EINTR { throw DiskStoreError(system: code, "Cannot open \(path)") }
        }
    }

    /// What `fstat` says.
    func status() throws(DiskStoreError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw DiskStoreError(system: errno, "Cannot stat \(path)") }
        return status
    }

    /// Takes the whole-file lock: one writer, or any number of readers.
    ///
    /// An open-file-description lock: it belongs to this descriptor, so two stores in one process exclude each other
    /// too, and it goes when the descriptor is closed, however the process ends.
    func lock(exclusive: Bool) throws(DiskStoreError) {
        let code = setLock(Int16(exclusive ? F_WRLCK : F_RDLCK))
        guard code != 0 else {
            isLocked = true
            return
        }
        guard code == EAGAIN || code == EACCES else { throw DiskStoreError(system: code, "Cannot lock \(path)") }
        throw DiskStoreError(
            .inUse,
            exclusive
                ? "\(path) is in use: another drive has it open. Detach that one first, or serve this one read-only "
                    + "or as a snapshot."
                : "\(path) is in use: another drive has it open for writing. Detach that one first.")
    }

    /// Fills the buffer or throws; a file that ends early is `.unreadable` at the first byte that is missing.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) {
        var done = 0
        while done < buffer.count {
            let place = offset &+ UInt64(done)
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = unsafe calls.read(descriptor, rest, Int64(clamping: place))
            if count == -Int(EINTR) { continue }
            guard count >= 0 else {
                throw StoreError(
                    .unreadable, at: place, "Cannot read \(path) at \(place): \(systemMessage(Int32(clamping: -count)))"
                )
            }
            guard count > 0 else {
                throw StoreError(.unreadable, at: place, "\(path) ends at byte \(place); it has become shorter")
            }
            done += count
        }
    }

    /// Stores every byte or throws.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StoreError) {
        if let lostData { throw lostData }
        var done = 0
        while done < bytes.count {
            let place = offset &+ UInt64(done)
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = unsafe calls.write(descriptor, rest, Int64(clamping: place))
            if count == -Int(EINTR) { continue }
            // A regular file that takes no bytes and reports no error would be asked forever.
            guard count > 0 else { throw failure(of: "write", at: place, code: count == 0 ? Int(EIO) : -count) }
            done += count
        }
    }

    /// Returns once the data written before are on stable storage; after one failure it fails until reopened.
    func synchronize() throws(StoreError) {
        if let lostData { throw lostData }
        while true {
            let result = calls.synchronize(descriptor)
            if result == 0 { return }
            if result == -EINTR { continue }
            let error = failure(of: "flush", at: nil, code: -result)
            lostData = error
            throw error
        }
    }

    /// Makes a range read as zero: a hole where the file system can, zeros written in bounded pieces where not.
    func zero(at offset: UInt64, count: UInt64) throws(StoreError) {
        if let lostData { throw lostData }
        var result: Int32 = count == 0 ? 0 : -EOPNOTSUPP
        if canPunch, count > 0 {
            repeat {
                result = calls.punch(descriptor, Int64(clamping: offset), Int64(clamping: count))
            } while result == -EINTR
        }
        switch result {
        case 0: return
        case -EOPNOTSUPP, -ENOSYS, -EINVAL, -EPERM: canPunch = false
        default: throw failure(of: "discard", at: offset, code: -result)
        }
        var done: UInt64 = 0
        while done < count {
            let piece = Int(min(count - done, UInt64(Self.zeros.count)))
            let error: StoreError? = unsafe Self.zeros.withUnsafeBytes { zeros in
                do throws(StoreError) {
                    try unsafe write(UnsafeRawBufferPointer(rebasing: zeros[..<piece]), at: offset &+ done)
                    return nil
                } catch { return error }
            }
            if let error { throw error }
            done += UInt64(piece)
        }
    }

    /// Whether the byte at `offset` has room in the file, and how many bytes from there, up to `limit`, share that.
    func allocation(at offset: UInt64, limit: UInt64) -> (isAllocated: Bool, count: UInt64) {
        let left = max(limit &- offset, 1)
        guard offset < limit, let place = Int64(exactly: offset) else { return (true, 1) }
        let data = calls.seek(descriptor, place, 3)  // SEEK_DATA
        if data == -Int64(ENXIO) { return (false, left) }
        guard data >= place else { return (true, left) }
        if data > place { return (false, min(UInt64(data - place), left)) }
        let hole = calls.seek(descriptor, place, 4)  // SEEK_HOLE
        guard hole > place else { return (true, left) }
        return (true, min(UInt64(hole - place), left))
    }

    /// Changes the whole-file lock; answers the error number, or 0.
    private func setLock(_ kind: Int16) -> Int32 {
        var request = flock()
        request.l_type = kind
        request.l_whence = Int16(SEEK_SET)
        let openFileSetLock: Int32 = 37  // F_OFD_SETLK, which needs _GNU_SOURCE
        return unsafe fcntl(descriptor, openFileSetLock, &request) == 0 ? 0 : errno
    }

    private func failure(of verb: String, at offset: UInt64?, code: some BinaryInteger) -> StoreError {
        let code = Int32(clamping: code)
        let isFull = code == ENOSPC || code == EDQUOT || code == EFBIG
        let place = offset.map { " at \($0)" } ?? ""
        return StoreError(
            isFull ? .full : .unwritable, at: offset, "Cannot \(verb) \(path)\(place): \(systemMessage(code))")
    }
}

/// Makes the entry of a new file durable.
func synchronizeFolder(of path: String) throws(DiskStoreError) {
    let folder = parentFolder(of: path)
    let file = try OpenFile.open(folder, flags: O_RDONLY | O_DIRECTORY)
    // Some file systems cannot synchronise a directory and say EINVAL; there is nothing more to be done there.
    guard fsync(file.descriptor) == 0 || errno == EINVAL else {
        throw DiskStoreError(system: errno, "Cannot flush the folder \(folder)")
    }
}

/// The folder that holds a path's last component.
func parentFolder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}
