import CLinux
import Glibc

/// A socket that accepts connections on one address.
public final class ListeningSocket: Sendable {
    private let descriptor: Int32
    /// The address, with the port that the system chose where 0 was asked for.
    public let address: SocketAddress

    /// Listens on an address.
    ///
    /// An IPv6 wildcard takes IPv6 only, so that both families can be listened to side by side.
    ///
    /// - Throws: ``SocketError``, with what to do where that is known.
    public init(_ address: SocketAddress) throws(SocketError) {
        descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
        guard descriptor >= 0 else { throw SocketError("cannot make a socket", code: errno) }
        var one: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, size)
        if address.family == AF_INET6 {
            _ = unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, size)
        }
        let descriptor = self.descriptor
        let bound = unsafe address.withPointer { unsafe bind(descriptor, $0, $1) == 0 ? 0 : errno }
        guard bound == 0, Glibc.listen(descriptor, 512) == 0 else {
            let code = bound == 0 ? errno : bound
            close(descriptor)
            let error = SocketError("cannot listen on \(address)", code: code)
            guard code == EADDRINUSE else { throw error }
            throw SocketError(
                "\(error); another server has the port: stop it, or choose another with --listen HOST:PORT "
                    + "(port 0 takes a free one)")
        }
        self.address = unsafe SocketAddress { unsafe getsockname(descriptor, $0, $1) }
    }

    deinit { close(descriptor) }

    /// Waits for a connection; nil once ``stop()`` was called.
    ///
    /// - Throws: ``SocketError`` when the system has no descriptor or memory left; trying again later may help.
    public func accept() throws(SocketError) -> StreamSocket? {
        while true {
            let accepted = linux_accept(descriptor)
            if accepted >= 0 { return StreamSocket(descriptor: accepted) }
            switch -accepted {
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH: continue
            case EINVAL, EBADF: return nil
            case let code: throw SocketError("cannot accept a connection", code: code)
            }
        }
    }

    /// Stops accepting; a thread that waits in ``accept()`` wakes up.
    public func stop() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
}
