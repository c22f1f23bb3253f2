import Glibc

/// A path as the address of a Unix socket (unix(7)).
@safe struct UnixSocketAddress: Sendable {
    /// The longest path, in bytes: `sun_path` has room for 108, the last of which is 0.
    static let longestPath = 107

    private var storage = sockaddr_un()
    private let length: socklen_t

    /// Takes a path.
    ///
    /// - Throws: ``SocketError`` when it is empty, too long or has a zero byte in it.
    init(_ path: String) throws(SocketError) {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else { throw SocketError("'\(path)' is no path for a socket") }
        guard bytes.count <= Self.longestPath else {
            throw SocketError(
                "the path \(path) is too long for a socket: it has \(bytes.count) bytes, and \(Self.longestPath) are "
                    + "possible; choose a shorter one")
        }
        storage.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &storage.sun_path) { unsafe $0.copyBytes(from: bytes) }
        length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count + 1)
    }

    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, length) }
        }
    }
}
