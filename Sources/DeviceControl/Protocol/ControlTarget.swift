package import CommandSupport

/// What the control interface controls: it does what requests ask for, and tells what happens.
package protocol ControlTarget: Sendable {
    /// Does what a request asks for; blocks until it is done.
    ///
    /// Called on a connection's thread, from several at once.
    ///
    /// - Parameter cancellation: tells that nobody waits for the answer any more, so that waits end early.
    /// - Returns: the members of the answer's `result`.
    /// - Throws: ``ControlError``, which becomes the answer.
    func perform(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)]

    /// Where events come from; the command `events` is answered from it.
    var events: EventHub { get }
}

/// Why a request was not done.
package struct ControlError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is, for programs.
    package let code: ErrorCode
    /// What is wrong and what to do, in one line.
    package let message: String

    /// Makes an error.
    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}

/// What kind of failure an error is, as the protocol spells it.
///
/// A client may meet one that it does not know: a later server has more.
package struct ErrorCode: RawRepresentable, Hashable, Sendable {
    /// The word in the answer.
    package let rawValue: String

    /// Makes a code of a word.
    package init(rawValue: String) { self.rawValue = rawValue }

    /// The request is wrong, and will be wrong again: no JSON, an argument that is missing or cannot be.
    package static let invalid = ErrorCode(rawValue: "invalid")
    /// Neither the server nor the device has such a command.
    package static let unknownCommand = ErrorCode(rawValue: "unknown-command")
    /// No running device has this bus id.
    package static let unknownDevice = ErrorCode(rawValue: "unknown-device")
    /// What was waited for did not happen in time.
    package static let timeout = ErrorCode(rawValue: "timeout")
    /// The request is right, but could not be carried out; the same may succeed at another time.
    package static let failed = ErrorCode(rawValue: "failed")
    /// It was done, but something that was written could not be kept: data may be lost.
    package static let dataLoss = ErrorCode(rawValue: "data-loss")
    /// The request was given up, because the server is ending.
    package static let cancelled = ErrorCode(rawValue: "cancelled")
    /// Too many connections.
    package static let busy = ErrorCode(rawValue: "busy")
    /// The client belongs to another user.
    package static let denied = ErrorCode(rawValue: "denied")
    /// There is no server, or its connection ended; only clients say so.
    package static let unreachable = ErrorCode(rawValue: "unreachable")
}
