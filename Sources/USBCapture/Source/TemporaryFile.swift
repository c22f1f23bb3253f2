internal import Glibc

/// A file without a name that is written from its beginning and then read; it goes when nobody refers to it any more.
final class TemporaryFile {
    /// The most that is put into one: 16 GiB.
    static let usualLimit: Int64 = 16 << 30

    private var descriptor: Int32
    private let folder: String
    private let limit: Int64
    /// How many bytes it has.
    private(set) var count: Int64 = 0

    /// Makes an empty file in `$TMPDIR`, or in `/tmp`.
    ///
    /// - Throws: ``CaptureError`` when there can be none.
    convenience init(limit: Int64 = usualLimit) throws(CaptureError) {
        var folder = "/tmp"
        if let named = unsafe getenv("TMPDIR") {
            let text = unsafe String(cString: named)
            if !text.isEmpty { folder = text }
        }
        try self.init(in: folder, limit: limit)
    }

    /// Makes an empty file in a folder.
    ///
    /// - Throws: ``CaptureError`` when there can be none.
    convenience init(in folder: String, limit: Int64 = usualLimit) throws(CaptureError) {
        // O_TMPFILE is a macro that Swift does not import; its own bit is the same wherever Swift runs on Linux.
        var descriptor = unsafe open(folder, O_RDWR | O_CLOEXEC | O_DIRECTORY | 0o20_000_000, 0o600)
        if descriptor < 0 {
            // Not every file system has files without a name.
            var template = Array("\(folder)/ghostplug-XXXXXX".utf8CString)
            descriptor = unsafe template.withUnsafeMutableBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return -1 }
                let made = unsafe mkstemp(start)
                if made >= 0 {
                    _ = fcntl(made, F_SETFD, FD_CLOEXEC)
                    _ = unsafe unlink(start)
                }
                return made
            }
        }
        guard descriptor >= 0 else {
            let code = errno
            throw CaptureError(
                .unreadable,
                "No temporary file can be made in \(folder): \(systemMessage(code)). Set TMPDIR to a folder that can "
                    + "be written.")
        }
        self.init(descriptor: descriptor, folder: folder, limit: limit)
    }

    /// Takes over a descriptor.
    init(descriptor: Int32, folder: String, limit: Int64) {
        self.descriptor = descriptor
        self.folder = folder
        self.limit = limit
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Appends bytes.
    ///
    /// - Throws: ``CaptureError`` when there is no room, or the limit is reached.
    func append(_ bytes: UnsafeRawBufferPointer) throws(CaptureError) {
        guard Int64(bytes.count) <= limit - count else {
            throw CaptureError(
                .excessive,
                "The capture has more than \(limit) bytes, the limit for what is compressed or comes through a pipe. "
                    + "Make it a file that is not compressed, which has no limit")
        }
        var done = 0
        while done < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
            let added = unsafe write(descriptor, rest.baseAddress, rest.count)
            if added >= 0 {
                done += added
            } else if errno != EINTR {
                let code = errno
                throw CaptureError(
                    .unreadable,
                    "What the capture expands to cannot be kept in \(folder) after \(count + Int64(done)) bytes: "
                        + "\(systemMessage(code)). Make room there, or set TMPDIR to a folder that has it.")
            }
        }
        count += Int64(bytes.count)
    }

    /// The file, to be read from; nothing can be appended any more.
    func finished() -> CaptureFile {
        defer { descriptor = -1 }
        return CaptureFile(descriptor: descriptor, size: count, name: "the temporary file")
    }

    /// Appends everything that a descriptor gives, up to its end.
    ///
    /// - Parameter onlyCaptures: whether what begins as no capture does is refused before the rest is read, which
    ///   may be without an end.
    /// - Throws: ``CaptureError`` when it cannot be read or is refused, or there is no room.
    func copy(
        from source: Int32, name: String, onlyCaptures: Bool = false
    ) throws(CaptureError) -> CaptureFile {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { unsafe buffer.deallocate() }
        // What has been read and not been checked stays in the buffer.
        var isToBeChecked = onlyCaptures
        var held = 0
        while true {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[held...])
            let read = unsafe Glibc.read(source, room.baseAddress, room.count)
            if read >= 0 {
                held += read
                let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[..<held])
                if read > 0, isToBeChecked, held < CaptureKind.lookahead { continue }
                if isToBeChecked { try unsafe CaptureKind.refuseOthers(bytes) }
                isToBeChecked = false
                try unsafe append(bytes)
                held = 0
                if read == 0 { return finished() }
            } else if errno != EINTR {
                let code = errno
                throw CaptureError(.unreadable, "\(name) cannot be read: \(systemMessage(code))", offset: count)
            }
        }
    }
}
