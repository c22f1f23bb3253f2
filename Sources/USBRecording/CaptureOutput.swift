import Glibc
import Synchronization

/// The file that a capture goes to.
///
/// What was there stays as it is until ``begin()``. Used by one thread at a time.
final class CaptureOutput: Sendable {
    /// What came of writing.
    struct Outcome {
        /// Bytes that were written.
        var written: Int
        /// 0, or an errno.
        var code: Int32
    }

    let path: String
    private let descriptor: Int32
    private let isClosed = Atomic(false)
    private let isRegular: Bool
    /// Whether the file is there because of us, and has nothing in it.
    private let isOurs: Atomic<Bool>

    /// Opens a file: a new one, an older capture, which is to be overwritten, or a FIFO, whose reader is waited for.
    ///
    /// - Throws: ``RecordingError`` when it cannot be opened, or is something that is not to be overwritten.
    init(path: String) throws(RecordingError) {
        self.path = path
        // Readable where that is possible, to see what is there.
        var status = stat()
        let isFIFO = unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        let mode = (isFIFO ? O_WRONLY : O_RDWR) | O_CREAT | O_CLOEXEC | O_NOCTTY
        let made = unsafe open(path, mode | O_EXCL, 0o644)
        isOurs = Atomic(made >= 0)
        descriptor = made >= 0 ? made : unsafe open(path, mode, 0o644)
        guard descriptor >= 0 else { throw RecordingError("cannot write \(path)", code: errno) }
        isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        do throws(RecordingError) {
            switch status.st_mode & S_IFMT {
            case S_IFREG: try check(size: Int64(status.st_size))
            case S_IFIFO, S_IFCHR: break
            default:
                throw RecordingError(
                    "\(path) is neither a file nor a FIFO; name the file that the capture is to go to")
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { _ = finish() }

    /// Locks a file, and makes sure that it is ours to overwrite.
    private func check(size: Int64) throws(RecordingError) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw RecordingError("another program writes to \(path); choose another name")
        }
        guard size > 0 else { return }
        // A mistyped name must not cost a disk image.
        var magic: UInt32 = 0
        let count = unsafe withUnsafeMutableBytes(of: &magic) { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        let captures: [UInt32] = [0x0a0d_0d0a, 0xa1b2_c3d4, 0xd4c3_b2a1, 0xa1b2_3c4d, 0x4d3c_b2a1]
        guard count == 4, captures.contains(magic) else {
            throw RecordingError(
                "\(path) is there already and is no capture; remove it, or choose another name")
        }
    }

    /// Empties the file: from now on it is written.
    ///
    /// - Throws: ``RecordingError`` when an older capture cannot be overwritten.
    func begin() throws(RecordingError) {
        guard !isRegular || ftruncate(descriptor, 0) == 0 else {
            throw RecordingError("cannot overwrite \(path)", code: errno)
        }
        isOurs.store(false, ordering: .relaxed)
    }

    /// Bytes that are written at once to what is no file: its reader may be slow, and progress is to be seen.
    private static let pieceSize = 64 << 10

    /// Writes every byte.
    ///
    /// - Parameter progress: is given the bytes of each piece that was written.
    func write(_ bytes: UnsafeRawBufferPointer, progress: (Int) -> Void = { _ in }) -> Outcome {
        var written = 0
        while written < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            let size = isRegular ? rest.count : min(rest.count, Self.pieceSize)
            let count = unsafe Glibc.write(descriptor, rest.baseAddress, size)
            if count > 0 {
                written += count
                progress(count)
            } else if count == 0 {
                return Outcome(written: written, code: EIO)
            } else if errno != EINTR {
                return Outcome(written: written, code: errno)
            }
        }
        return Outcome(written: written, code: 0)
    }

    /// Closes the file; the first time only.
    ///
    /// One that we made and have not begun to write is removed.
    ///
    /// - Returns: 0, or an errno: some file systems say only now that something could not be written.
    func finish() -> Int32 {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return 0 }
        if isOurs.load(ordering: .relaxed) { remove() }
        return close(descriptor) == 0 ? 0 : errno
    }

    /// Removes the file, unless its name is another's by now.
    private func remove() {
        var mine = stat()
        var there = stat()
        guard unsafe fstat(descriptor, &mine) == 0, unsafe lstat(path, &there) == 0, mine.st_dev == there.st_dev,
            mine.st_ino == there.st_ino, mine.st_size == 0
        else { return }
        unsafe unlink(path)
    }

    /// Cuts a file, so that it ends with a whole block; others are left as they are.
    func cut(to size: Int64) {
        guard isRegular, ftruncate(descriptor, Int(size)) == 0 else { return }
        lseek(descriptor, Int(size), SEEK_SET)
    }
}
