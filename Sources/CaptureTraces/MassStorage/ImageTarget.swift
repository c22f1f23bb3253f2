internal import Glibc
internal import USBCapture

/// A file that gets its name when it is whole, so that what was there before is there until then.
struct ImageTarget {
    /// The name as it was given, for errors.
    private let path: String
    /// The file itself, behind symbolic links.
    private let target: String
    /// The file until it is whole.
    private let part: String
    private let overwrites: Bool
    private let mode: mode_t?

    /// Looks at what is there.
    ///
    /// - Throws: ``CaptureError`` when it must not be replaced.
    init(_ path: String, overwriting: Bool, sparing: [String]) throws(CaptureError) {
        self.path = path
        overwrites = overwriting
        var status = stat()
        if unsafe stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw CaptureError(.unreadable, "\(path): it is not a regular file")
            }
            for spared in sparing where Self.isSame(status, spared) {
                throw CaptureError(.unreadable, "\(path): the image is made of this file; name another one")
            }
            guard overwriting else { throw Self.exists(path) }
            mode = status.st_mode & 0o7777
            target = Self.resolved(path)
        } else {
            mode = nil
            target = path
        }
        part = "\(target).part-\(getpid())"
    }

    /// Creates the file under its temporary name, open for writing.
    func create() throws(CaptureError) -> Int32 {
        let file = unsafe open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0o644)
        guard file >= 0 else { throw failure("created") }
        if let mode { _ = fchmod(file, mode) }
        return file
    }

    /// Gives the file its name.
    func finish() throws(CaptureError) {
        if !overwrites {
            if unsafe link(part, target) == 0 {
                _ = unsafe unlink(part)
                return
            }
            switch errno {
            case EEXIST: throw Self.exists(path)
            case EPERM, EOPNOTSUPP, ENOSYS: break
            default: throw failure("created")
            }
            // File systems without links: who has the name first, has it.
            let reserved = unsafe open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0o644)
            guard reserved >= 0 else { throw errno == EEXIST ? Self.exists(path) : failure("created") }
            close(reserved)
        }
        guard unsafe rename(part, target) == 0 else {
            let error = failure(overwrites ? "replaced" : "created")
            if !overwrites { _ = unsafe unlink(target) }
            throw error
        }
    }

    /// Removes what was written.
    func abandon() { _ = unsafe unlink(part) }

    /// An error with the system's reason.
    func failure(_ participle: String) -> CaptureError {
        CaptureError(.unreadable, "\(path): it cannot be \(participle): \(unsafe String(cString: strerror(errno)))")
    }

    private static func exists(_ path: String) -> CaptureError {
        CaptureError(.unreadable, "\(path): it exists already; name a file that does not")
    }

    private static func isSame(_ status: stat, _ other: String) -> Bool {
        var its = stat()
        let result = other == "-" ? unsafe fstat(STDIN_FILENO, &its) : unsafe stat(other, &its)
        return result == 0 && its.st_dev == status.st_dev && its.st_ino == status.st_ino
    }

    private static func resolved(_ path: String) -> String {
        guard let name = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }
}
