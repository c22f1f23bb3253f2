internal import Glibc

/// Why a store or an image could not be set up, in words that say what to do next.
public struct DiskStoreError: Error, Hashable, Sendable {
    /// What kind of trouble it is, for callers that act on it.
    public enum Kind: Hashable, Sendable {
        /// There is no such file or folder.
        case notFound
        /// The file system refuses access.
        case permissionDenied
        /// Another process, or another store of this one, has the file open for writing.
        case inUse
        /// The size asked for does not fit the file, the folder or the format.
        case wrongSize
        /// The kept snapshot was not made over this base.
        case wrongBase
        /// The bytes are not what they should be.
        case malformed
        /// What was found there cannot be served: a directory, a block device without leave, a bad name.
        case unsupported
        /// A program that has to be installed is not.
        case toolMissing
        /// A program was run and failed.
        case toolFailed
        /// The system refused for another reason.
        case system
    }

    /// What kind of trouble it is.
    public let kind: Kind
    /// What happened, where, and what to do.
    public let message: String

    /// Makes an error.
    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// Makes the error of a system call that failed.
    init(system code: Int32, _ action: String) {
        let kind: Kind =
            switch code {
            case ENOENT: .notFound
            case EACCES, EPERM, EROFS: .permissionDenied
            default: .system
            }
        self.init(kind, "\(action): \(systemMessage(code))")
    }
}

extension DiskStoreError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

/// The system's words for an error number.
func systemMessage(_ code: Int32) -> String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
}
