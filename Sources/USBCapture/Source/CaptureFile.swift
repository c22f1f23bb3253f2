internal import Glibc

/// A file that is read at any place, until nobody refers to it any more.
final class CaptureFile {
    /// How many bytes it had when it was opened; those that are added later are not read.
    let size: Int64
    private let descriptor: Int32
    private let name: String

    /// Takes over a descriptor.
    init(descriptor: Int32, size: Int64, name: String) {
        self.descriptor = descriptor
        self.size = size
        self.name = name
    }

    deinit { close(descriptor) }

    /// Opens a file, or standard input for `-`; what is not a regular file is copied into a temporary one.
    ///
    /// - Parameter onlyCaptures: whether what begins as no capture does is refused before the rest is copied.
    /// - Throws: ``CaptureError`` when it cannot be opened or copied.
    static func open(_ path: String, onlyCaptures: Bool = false) throws(CaptureError) -> CaptureFile {
        let name = path == "-" ? "standard input" : path
        // A duplicate, so that standard input stays open when this object goes.
        let descriptor =
            path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : try opened(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw unreadable(name, errno) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw unreadable(name, code)
        }
        let kind = status.st_mode & S_IFMT
        // Standard input that someone has read from begins where that ended.
        if kind == S_IFREG, path != "-" || lseek(descriptor, 0, SEEK_CUR) == 0 {
            let file = CaptureFile(descriptor: descriptor, size: Int64(status.st_size), name: name)
            guard status.st_size > 0 || !isStream(descriptor) else {
                throw CaptureError(
                    .unsupported, "\(name) is a live stream, and not a file; copy it first: cat FILE > usb.txt")
            }
            return file
        }
        defer { close(descriptor) }
        guard kind != S_IFDIR else {
            throw CaptureError(.unreadable, "\(name) is a folder. Give a capture file in it.")
        }
        return try TemporaryFile().copy(from: descriptor, name: name, onlyCaptures: onlyCaptures)
    }

    /// Whether a file that says it is empty gives bytes, or would wait for some: the files of debugfs and procfs do.
    private static func isStream(_ descriptor: Int32) -> Bool {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0 else { return false }
        _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK)
        defer { _ = fcntl(descriptor, F_SETFL, flags) }
        var byte: UInt8 = 0
        let count = unsafe Glibc.read(descriptor, &byte, 1)
        return count > 0 || count < 0 && errno == EAGAIN
    }

    private static func opened(_ path: String, _ flags: Int32) throws(CaptureError) -> Int32 {
        while true {
            let descriptor = unsafe Glibc.open(path, flags)
            if descriptor >= 0 || errno != EINTR { return descriptor }
        }
    }

    /// Fills memory with the bytes at an offset.
    ///
    /// - Throws: ``CaptureError`` when there are not so many bytes, or they cannot be read.
    func read(at offset: Int64, into memory: UnsafeMutableRawBufferPointer) throws(CaptureError) {
        var done = 0
        while done < memory.count {
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[done...])
            let count = unsafe pread(descriptor, rest.baseAddress, rest.count, off_t(offset + Int64(done)))
            if count > 0 {
                done += count
            } else if count == 0 {
                throw CaptureError(
                    .cut, "\(name) has become shorter while it was read. Read it again when it is complete.",
                    offset: offset + Int64(done))
            } else if errno != EINTR {
                let code = errno
                throw CaptureError(
                    .unreadable, "\(name) cannot be read: \(systemMessage(code))", offset: offset + Int64(done))
            }
        }
    }

    private static func unreadable(_ name: String, _ code: Int32) -> CaptureError {
        CaptureError(.unreadable, "\(name) cannot be opened: \(systemMessage(code))")
    }
}

/// What the C library says of an error number.
func systemMessage(_ code: Int32) -> String {
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        unsafe buffer.initialize(repeating: 0)
        guard let start = buffer.baseAddress, unsafe strerror_r(code, start, buffer.count) == 0 else {
            return "error \(code)"
        }
        return unsafe String(cString: start)
    }
}
