import Glibc

/// A system call that failed on a socket, in words.
public struct SocketError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The errno, or 0 where there is none.
    public let code: Int32
    /// What was attempted and what the system said.
    public let description: String

    /// Makes an error from an errno.
    public init(_ action: String, code: Int32) {
        self.code = code
        description = unsafe "\(action): \(String(cString: strerror(code)))"
    }

    /// Makes an error from words.
    public init(_ description: String) {
        code = 0
        self.description = description
    }
}
