import Glibc
import Synchronization

/// The file that a capture goes to.
///
/// Used by one thread at a time.
final class CaptureOutput: Sendable {
    let path: String
    private let descriptor: Int32
    private let isClosed = Atomic(false)
    private let isRegular: Bool

    /// Opens a file: a new one, an older capture, which is overwritten, or a FIFO, whose reader is waited for.
    ///
    /// - Throws: ``RecordingError`` when it cannot be opened, or is something that is not to be overwritten.
    init(path: String) throws(RecordingError) {
        self.path = path
        // Readable where that is possible, to see what is there.
        var status = stat()
        let isFIFO = unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
        let mode = isFIFO ? O_WRONLY : O_RDWR
        descriptor = unsafe open(path, mode | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw RecordingError("cannot write \(path)", code: errno) }
        isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        do throws(RecordingError) {
            switch status.st_mode & S_IFMT {
            case S_IFREG: try takeOver(size: Int64(status.st_size))
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

    /// Empties a file that is ours to overwrite.
    private func takeOver(size: Int64) throws(RecordingError) {
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
        guard ftruncate(descriptor, 0) == 0 else { throw RecordingError("cannot overwrite \(path)", code: errno) }
    }

    /// Writes every byte.
    ///
    /// - Returns: 0, or an errno.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int32 {
        var written = 0
        while written < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count > 0 {
                written += count
            } else if count == 0 {
                return EIO
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    /// Closes the file; the first time only.
    ///
    /// - Returns: 0, or an errno: some file systems say only now that something could not be written.
    func finish() -> Int32 {
        guard !isClosed.exchange(true, ordering: .relaxed) else { return 0 }
        return close(descriptor) == 0 ? 0 : errno
    }

    /// Cuts a file, so that it ends with a whole block; others are left as they are.
    func cut(to size: Int64) {
        guard isRegular, ftruncate(descriptor, Int(size)) == 0 else { return }
        lseek(descriptor, Int(size), SEEK_SET)
    }
}
