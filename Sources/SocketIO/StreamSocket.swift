import Glibc

/// A connected stream socket.
///
/// Reading belongs to one thread and writing to another at most; ``shutdown()`` may come from any and ends both. The
/// descriptor is closed when nobody refers to the socket any more, so it cannot be reused under a thread that is
/// blocked on it.
public final class StreamSocket: Sendable {
    /// The descriptor.
    public let descriptor: Int32

    /// Takes over a connected descriptor.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to the first address that answers.
    ///
    /// - Parameter timeout: seconds to wait for each address.
    /// - Throws: ``SocketError`` with the last address's reason.
    public static func connect(to peer: HostAndPort, timeout: Int32 = 10) throws(SocketError) -> StreamSocket {
        var last = SocketError("no address for \(peer.host)")
        for address in try SocketAddress.resolve(host: peer.host, port: peer.port) {
            let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0)
            guard descriptor >= 0 else {
                last = SocketError("cannot make a socket", code: errno)
                continue
            }
            let connection = StreamSocket(descriptor: descriptor)
            // The send timeout bounds connect(2) as well.
            connection.setTimeout(SO_SNDTIMEO, milliseconds: timeout * 1000)
            let code = unsafe address.withPointer { unsafe Glibc.connect(descriptor, $0, $1) == 0 ? 0 : errno }
            guard code == 0 else {
                last = SocketError("cannot connect to \(address)", code: code == EINPROGRESS ? ETIMEDOUT : code)
                continue
            }
            connection.setTimeout(SO_SNDTIMEO, milliseconds: 0)
            connection.tune()
            return connection
        }
        throw last
    }

    /// Sets what every USB/IP connection wants: small messages at once, and dead peers noticed.
    public func tune() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 6)
        // A peer that lives but does not read would otherwise keep its device for ever.
        set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 120_000)
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Bounds reads; 0 lets them wait for ever.
    ///
    /// A read that takes longer fails with `EAGAIN`.
    public func setReadTimeout(milliseconds: Int32) { setTimeout(SO_RCVTIMEO, milliseconds: milliseconds) }

    /// Bounds writes; 0 lets them wait for ever.
    ///
    /// A write that takes longer fails with `EAGAIN`.
    public func setWriteTimeout(milliseconds: Int32) { setTimeout(SO_SNDTIMEO, milliseconds: milliseconds) }

    private func setTimeout(_ option: Int32, milliseconds: Int32) {
        var time = timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The other end's address.
    public var peer: SocketAddress {
        unsafe SocketAddress { unsafe getpeername(descriptor, $0, $1) }
    }

    /// Reads what there is, at least a byte.
    ///
    /// - Parameters:
    ///   - isFilling: wait until the buffer is full, which costs fewer wake-ups when all of it is on its way.
    ///   - mayBlock: wait until there is something.
    /// - Returns: the bytes read, 0 at the end of the stream, or a negative errno; `-EAGAIN` when nothing is there.
    public func receive(
        into buffer: UnsafeMutableRawBufferPointer, isFilling: Bool = false, mayBlock: Bool = true
    ) -> Int {
        let flags = Int32(truncatingIfNeeded: (isFilling ? MSG_WAITALL : 0) | (mayBlock ? 0 : MSG_DONTWAIT))
        while true {
            let count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, flags)
            if count >= 0 { return count }
            if errno != EINTR { return -Int(errno) }
        }
    }

    /// Sends the beginning of `head` followed by `tail`, in one system call.
    ///
    /// - Returns: the bytes sent, or a negative errno; `-EAGAIN` when `mayBlock` is false and there is no room.
    public func send(
        _ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer, mayBlock: Bool
    ) -> Int {
        let flags = Int32(truncatingIfNeeded: MSG_NOSIGNAL) | (mayBlock ? 0 : Int32(truncatingIfNeeded: MSG_DONTWAIT))
        while true {
            let count: Int
            if unsafe tail.isEmpty {
                count = unsafe Glibc.send(descriptor, head.baseAddress, head.count, flags)
            } else {
                var parts = unsafe (
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: tail.baseAddress), iov_len: tail.count)
                )
                count = unsafe withUnsafeMutablePointer(to: &parts) { pointer in
                    unsafe pointer.withMemoryRebound(to: iovec.self, capacity: 2) { vector in
                        var message = unsafe msghdr()
                        unsafe message.msg_iov = vector
                        unsafe message.msg_iovlen = 2
                        return unsafe sendmsg(descriptor, &message, flags)
                    }
                }
            }
            if count >= 0 { return count }
            if errno != EINTR { return -Int(errno) }
        }
    }

    /// Sends every byte.
    ///
    /// - Throws: ``SocketError`` when the peer is gone.
    public func sendAll(_ bytes: [UInt8]) throws(SocketError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe send(
                    UnsafeRawBufferPointer(rebasing: all[sent...]), UnsafeRawBufferPointer(start: nil, count: 0),
                    mayBlock: true)
            }
            guard count > 0 else { throw SocketError("cannot send", code: Int32(-count)) }
            sent += count
        }
    }

    /// Reads exactly `count` bytes.
    ///
    /// - Throws: ``SocketError`` when the stream ends first, or a read times out.
    public func receiveExactly(_ count: Int) throws(SocketError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var received = 0
        while received < count {
            let result = unsafe bytes.withUnsafeMutableBytes { all in
                unsafe receive(into: UnsafeMutableRawBufferPointer(rebasing: all[received...]))
            }
            guard result != 0 else { throw SocketError("the connection ended after \(received) of \(count) bytes") }
            guard result > 0 else { throw SocketError("cannot read", code: Int32(-result)) }
            received += result
        }
        return bytes
    }

    /// Ends the connection in both directions; threads blocked on it wake up.
    public func shutdown() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Waits until the socket takes bytes again, or has ended.
    public func waitUntilWritable() {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
    }
}

/// The flag that keeps descriptors from leaking into the tools we start.
let closeOnExec = Int32(SOCK_CLOEXEC.rawValue)

extension StreamSocket {
    /// Makes two sockets that are connected to each other and that nothing else can reach (socketpair(2)).
    ///
    /// - Throws: ``SocketError`` when the system has no descriptor left.
    public static func pair() throws(SocketError) -> (StreamSocket, StreamSocket) {
        var descriptors: (Int32, Int32) = (-1, -1)
        let code = unsafe withUnsafeMutablePointer(to: &descriptors) { pointer in
            unsafe pointer.withMemoryRebound(to: Int32.self, capacity: 2) {
                unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | closeOnExec, 0, $0) == 0 ? 0 : errno
            }
        }
        guard code == 0 else { throw SocketError("cannot make a pair of sockets", code: code) }
        return (StreamSocket(descriptor: descriptors.0), StreamSocket(descriptor: descriptors.1))
    }
}
