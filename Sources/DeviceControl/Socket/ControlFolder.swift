import Glibc
package import SocketIO

/// The folder in which a user's running servers have their control sockets, named after their processes.
package struct ControlFolder: Sendable {
    /// Where it is.
    package let path: String
    private let userID: UInt32

    /// Takes any folder, which must belong to a user.
    init(path: String, userID: UInt32) {
        self.path = path
        self.userID = userID
    }

    /// The usual one: `/run/ghostplug` for root, otherwise in `XDG_RUNTIME_DIR` or, without that, in `/tmp`.
    ///
    /// - Parameter environment: a variable's value.
    package init(userID: UInt32 = geteuid(), environment: (String) -> String? = Self.variable) {
        self.userID = userID
        if userID == 0 {
            path = "/run/ghostplug"
        } else if let runtime = environment("XDG_RUNTIME_DIR"), runtime.hasPrefix("/") {
            path = runtime + "/ghostplug"
        } else {
            path = "/tmp/ghostplug-\(userID)"
        }
    }

    /// A variable of this process's environment; nil where it is not set, or empty.
    package static func variable(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(cString: value)
        return text.isEmpty ? nil : text
    }

    /// Where a server of this process listens unless told otherwise: makes the folder if need be, and removes what
    /// servers that were killed left in it.
    ///
    /// - Throws: ``SocketError`` when the folder cannot be made, or is not safe.
    package func makeSocketPath(processID: Int32 = getpid()) throws(SocketError) -> String {
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw SocketError(
                "cannot make the folder \(path) for the control socket; choose another with --control PATH, or none",
                code: errno)
        }
        try check()
        for name in names { UnixSocketListener.removeIfAbandoned("\(path)/\(name)") }
        return "\(path)/\(processID).sock"
    }

    /// The sockets behind which somebody may listen, by process; none where the folder is not there.
    ///
    /// - Throws: ``SocketError`` when others could have put them there.
    package func sockets() throws(SocketError) -> [String] {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return [] }
        try check()
        return names.map { "\(path)/\($0)" }
    }

    /// Others must not be able to put a socket of theirs here: what is typed may be a password.
    private func check() throws(SocketError) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw SocketError("cannot look at \(path)", code: errno) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == userID, status.st_mode & 0o022 == 0 else {
            throw SocketError(
                "\(path) is not safe for control sockets: it must be a folder that belongs to user \(userID) and that "
                    + "nobody else can write to; remove it, or choose another place with --control PATH")
        }
    }

    /// Files named as servers name theirs.
    private var names: [String] {
        guard let folder = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(folder) }
        var numbers: [Int32] = []
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasSuffix(".sock"), let number = Int32(name.dropLast(5)), "\(number).sock" == name else {
                continue
            }
            numbers.append(number)
        }
        return numbers.sorted().map { "\($0).sock" }
    }
}
