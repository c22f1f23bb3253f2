import Glibc

/// Who is at the other end of a Unix socket, as it was when the connection was made.
public struct PeerCredentials: Hashable, Sendable {
    /// The process.
    public let processID: Int32
    /// Its effective user.
    public let userID: UInt32
    /// Its effective group.
    public let groupID: UInt32
}

extension StreamSocket {
    /// Connects to a Unix socket.
    ///
    /// - Parameter timeout: seconds to wait for a server that has many connections waiting.
    /// - Throws: ``SocketError``; its code is `ENOENT` or `ECONNREFUSED` where no server is.
    public static func connect(toUnixSocket path: String, timeout: Int32 = 5) throws(SocketError) -> StreamSocket {
        let address = try UnixSocketAddress(path)
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        guard descriptor >= 0 else { throw SocketError("cannot make a socket", code: errno) }
        let connection = StreamSocket(descriptor: descriptor)
        // The send timeout bounds connect(2) as well.
        connection.setWriteTimeout(milliseconds: timeout * 1000)
        let code = unsafe address.withPointer { unsafe Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
        guard code == 0 else {
            throw SocketError("cannot connect to \(path)", code: code == EAGAIN ? ETIMEDOUT : code)
        }
        connection.setWriteTimeout(milliseconds: 0)
        return connection
    }

    /// Who is at the other end of a Unix socket (SO_PEERCRED); nil where the system does not say.
    public var peerCredentials: PeerCredentials? {
        // struct ucred, which Swift's Glibc does not show: pid, uid and gid, of 32 bits each.
        var words: [UInt32] = [0, 0, 0]
        let size = words.count * MemoryLayout<UInt32>.size
        var length = socklen_t(size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &words, &length) == 0, Int(length) == size
        else { return nil }
        return PeerCredentials(processID: Int32(bitPattern: words[0]), userID: words[1], groupID: words[2])
    }

    /// Whether the other end of a Unix socket is gone altogether, rather than just done with sending.
    public var hasHungUp: Bool {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return unsafe poll(&entry, 1, 0) > 0
    }

    /// Waits until the other end of a Unix socket is gone altogether.
    public func waitForHangUp() {
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        while unsafe poll(&entry, 1, -1) < 0, errno == EINTR {}
    }

    /// Lets reading come to its end, here; what was received before can still be read, and writing goes on.
    public func shutdownReading() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RD)) }

    /// Tells the other end that nothing more is sent; reading goes on.
    public func shutdownWriting() { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }
}
