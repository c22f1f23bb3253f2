import Glibc

/// Why a capture cannot be made, in one line that says what to do.
public struct RecordingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }

    /// Makes an error of a system call that failed.
    init(_ action: String, code: Int32) {
        self.init("\(action): \(unsafe String(cString: strerror(code)))")
    }
}
