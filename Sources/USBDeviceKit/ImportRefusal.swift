/// Why a host cannot have a device now.
public struct ImportRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the host is told; USB/IP has no more words.
    public enum Answer: Sendable {
        /// Somebody else has it.
        case busy
        /// It is broken, or cannot be had from the system.
        case error
        /// It is not there.
        case absent
    }

    /// What the host is told.
    public let answer: Answer
    /// Why, and what to do, for the server's log.
    public let description: String

    /// Makes a refusal.
    public init(_ answer: Answer, _ description: String) {
        self.answer = answer
        self.description = description
    }
}
