import USBPassthrough

/// A function of libusb's.
enum FakeFunction: String, Sendable, CaseIterable {
    case list, makeContext, freeContext, open, close, setConfiguration, detachDriver, attachDriver,
        claim, release, setAlternate
    case clearHalt, reset, allocateTransfer, freeTransfer, submit, cancel, handleEvents, interrupt

    /// Whether it changes a device's state, and not only moves data or looks.
    var changesDevice: Bool {
        switch self {
        case .open, .close, .setConfiguration, .detachDriver, .attachDriver, .claim, .release, .setAlternate,
            .clearHalt, .reset:
            true
        case .list, .makeContext, .freeContext, .allocateTransfer, .freeTransfer, .submit, .cancel,
            .handleEvents, .interrupt:
            false
        }
    }

    /// Whether the library allows it within a transfer's callback.
    var isAllowedInCallback: Bool {
        switch self {
        case .submit, .cancel, .allocateTransfer, .freeTransfer, .interrupt: true
        default: false
        }
    }
}

/// A call that a ``FakeLibUSB`` has had.
struct FakeCall: Sendable, CustomStringConvertible {
    var function: FakeFunction
    /// The device's path; empty where the function is for none.
    var path: String
    /// The arguments, as they stand in a script: numbers, endpoints as `EP 1 IN`.
    var arguments: String
    /// Whether the thread is one that handles events.
    var isOnEventThread: Bool
    /// Whether it was made by a transfer's callback.
    var isInCallback: Bool
    /// How it was refused.
    var error: LibUSBError?

    /// As a test writes it: `claim 1`, or `claim 1: somebody else has it`.
    var description: String {
        let call = arguments.isEmpty ? function.rawValue : "\(function.rawValue) \(arguments)"
        return error.map { "\(call): \($0)" } ?? call
    }
}

/// A refusal that a test has arranged.
struct FakeFailure: Sendable {
    var function: FakeFunction
    /// The arguments that it is for; nil for all.
    var arguments: String?
    var error: LibUSBError
    /// How many calls it is for still.
    var count: Int
}

/// A place at which calls wait until the test lets them go.
struct FakeHold: Sendable {
    var function: FakeFunction
    /// The arguments that it is for; nil for all.
    var arguments: String?
    /// How many calls wait.
    var waiting = 0
}

/// What a ``FakeLibUSB`` does when a transfer's return is asked for.
enum FakeCancelling: Sendable {
    /// It comes back cancelled.
    case cancelled
    /// It comes back cancelled, with what it had received.
    case partial([UInt8])
    /// It had ended just then; the library notices, or does not.
    case tooLate(FakeOutcome, noticed: Bool)
    /// It comes back when the test says how.
    case never
}
