import CLinux
import Glibc

/// A Unix socket that accepts connections of one user's programs.
///
/// Its file has mode 0600 from the first moment. A file that a server left behind is replaced; one behind which a
/// server listens is not.
public final class UnixSocketListener: Sendable {
    private let descriptor: Int32
    private let file: FileIdentity
    /// Where it listens.
    public let path: String

    /// Listens at a path, of at most 107 bytes.
    ///
    /// - Throws: ``SocketError`` that says what is in the way.
    public init(path: String) throws(SocketError) {
        let address = try UnixSocketAddress(path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        guard descriptor >= 0 else { throw SocketError("cannot make a socket", code: errno) }
        do throws(SocketError) {
            // Two servers that begin at once would otherwise take each other's file for one that was left behind.
            let lock = FolderLock(ofFile: path)
            defer { lock.release() }
            file = try Self.bind(descriptor, address, path)
            guard listen(descriptor, 64) == 0 else {
                let code = errno
                unsafe unlink(path)
                throw SocketError("cannot listen on \(path)", code: code)
            }
        } catch {
            Glibc.close(descriptor)
            throw error
        }
        self.path = path
    }

    deinit { Glibc.close(descriptor) }

    private static func bind(
        _ descriptor: Int32, _ address: UnixSocketAddress, _ path: String
    ) throws(SocketError) -> FileIdentity {
        // Linux gives the file the socket's own mode (and takes the umask off): others never get to open it.
        guard fchmod(descriptor, 0o600) == 0 else { throw SocketError("cannot protect \(path)", code: errno) }
        let attempt = { unsafe address.withPointer { unsafe Glibc.bind(descriptor, $0, $1) == 0 ? 0 : errno } }
        var code = attempt()
        if code == EADDRINUSE {
            try removeLeftover(path, address)
            code = attempt()
        }
        guard code == 0 else { throw SocketError("cannot listen on \(path)", code: code) }
        guard let file = FileIdentity(path), file.isSocket, file.permissions & 0o177 == 0 else {
            unsafe unlink(path)
            throw SocketError("cannot listen on \(path): its file system does not keep others out; choose another")
        }
        return file
    }

    /// Removes the file of a server that has ended without doing so.
    private static func removeLeftover(_ path: String, _ address: UnixSocketAddress) throws(SocketError) {
        guard let file = FileIdentity(path), file.isSocket else {
            throw SocketError(
                "cannot listen on \(path): a file that is no socket is there; remove it, or choose another")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue) | closeOnExec, 0)
        guard probe >= 0 else { throw SocketError("cannot make a socket", code: errno) }
        let socket = StreamSocket(descriptor: probe)
        let code = unsafe address.withPointer { unsafe connect(probe, $0, $1) == 0 ? 0 : errno }
        switch code {
        case ECONNREFUSED: break
        case 0, EAGAIN:
            let who = socket.peerCredentials.map { "process \($0.processID)" } ?? "another server"
            throw SocketError("cannot listen on \(path): \(who) does; stop it, or choose another path")
        default: throw SocketError("cannot listen on \(path), which is there already", code: code)
        }
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw SocketError("cannot remove what another server left at \(path)", code: errno)
        }
    }

    /// Waits for a connection; nil once ``stop()`` was called.
    ///
    /// - Throws: ``SocketError`` when the system has no descriptor or memory left; trying again later may help.
    public func accept() throws(SocketError) -> StreamSocket? {
        while true {
            let accepted = linux_accept(descriptor)
            if accepted >= 0 { return StreamSocket(descriptor: accepted) }
            switch -accepted {
            case EINTR, ECONNABORTED: continue
            case EINVAL, EBADF: return nil
            case let code: throw SocketError("cannot accept a connection", code: code)
            }
        }
    }

    /// Stops accepting, and removes the file if it is still this socket's; a thread in ``accept()`` wakes up.
    public func stop() {
        _ = shutdown(descriptor, Int32(SHUT_RDWR))
        let lock = FolderLock(ofFile: path)
        defer { lock.release() }
        if FileIdentity(path) == file { unsafe unlink(path) }
    }

    /// Removes the file at a path if it is a socket behind which nobody listens.
    ///
    /// - Returns: whether it was one, and is gone.
    @discardableResult
    public static func removeIfAbandoned(_ path: String) -> Bool {
        guard let address = try? UnixSocketAddress(path), FileIdentity(path)?.isSocket == true else { return false }
        let lock = FolderLock(ofFile: path)
        defer { lock.release() }
        do throws(SocketError) {
            try removeLeftover(path, address)
            return true
        } catch {
            return false
        }
    }
}

/// Which file a path leads to, without following a link.
private struct FileIdentity: Equatable {
    private let device: dev_t
    private let number: ino_t
    private let mode: mode_t

    init?(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return nil }
        device = status.st_dev
        number = status.st_ino
        mode = status.st_mode
    }

    var isSocket: Bool { mode & S_IFMT == S_IFSOCK }
    var permissions: mode_t { mode & 0o7777 }

    static func == (left: Self, right: Self) -> Bool { left.device == right.device && left.number == right.number }
}

/// Keeps other servers of this program from changing a folder's sockets meanwhile.
private struct FolderLock {
    private let descriptor: Int32

    /// Locks the folder that a file is in.
    ///
    /// Whoever may read the folder could hold the lock for ever, so that waiting ends after two seconds; without it,
    /// only servers that begin in the same moment are at risk.
    init(ofFile path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        var attempts = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK || errno == EINTR, attempts < 200 {
            attempts += 1
            pause(milliseconds: 10)
        }
    }

    /// Unlocks it.
    func release() { if descriptor >= 0 { close(descriptor) } }
}
