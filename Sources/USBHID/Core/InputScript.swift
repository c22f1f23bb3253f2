/// Input that takes time: changes of a function's state, one after the other, such as the keys of a text.
///
/// A step is done when the host has fetched the reports that it sent, and its pause has passed: since the change, and half
/// of it since the host knows. Played by ``HIDLink/play(_:with:completion:)``.
public struct InputScript {
    /// One change, and the rest after it.
    public struct Step {
        /// How long from the change to the next one.
        public var pause: Duration
        /// Changes the state and sends the reports that tell so.
        public var change: () -> Void

        /// Makes a step.
        ///
        /// - Parameters:
        ///   - pause: how long from this change to the next; none when negative.
        ///   - change: runs on the device's executor.
        public init(pause: Duration = .zero, _ change: @escaping () -> Void) {
            self.pause = pause
            self.change = change
        }
    }

    /// How many steps there are.
    public var count: Int
    /// Makes the step of an index, 0 to ``count`` - 1; called once for each, in order.
    public var step: (Int) -> Step
    /// Brings the state back to rest when the script fails after it has begun: lets go of keys.
    public var undo: () -> Void
    /// How long the host may leave a report unfetched; from then on the script has failed.
    public var patience = Duration.seconds(3)
    /// Whether anybody still wants it; nil for always.
    ///
    /// Asked before each step, and four times a second in between.
    public var isWanted: (() -> Bool)?

    /// Makes a script of steps that are at hand.
    public init(_ steps: [Step], undo: @escaping () -> Void = {}) {
        self.init(count: steps.count, undo: undo) { steps[$0] }
    }

    /// Makes a script of steps that are made one by one.
    ///
    /// - Parameters:
    ///   - count: how many there are.
    ///   - undo: brings the state back to rest when the script fails.
    ///   - step: makes the step of an index.
    public init(count: Int, undo: @escaping () -> Void = {}, step: @escaping (Int) -> Step) {
        self.count = max(0, count)
        self.step = step
        self.undo = undo
    }
}

/// Why a script was not played to its end.
public enum InputScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No host has configured the device.
    case notConfigured
    /// The host has gone, has reset the device or has configured it anew.
    case gone(done: Int, of: Int)
    /// The host did not fetch a report in time.
    case notFetched(done: Int, of: Int, after: Duration)
    /// Nobody wants it any more.
    case unwanted(done: Int, of: Int)
    /// Too many scripts wait already.
    case busy

    /// One line.
    public var description: String {
        switch self {
        case .notConfigured: "no host has configured the device"
        case .gone(let done, let count): "the host has gone or has reset the device, after \(done) of \(count) steps"
        case .notFetched(let done, let count, let time):
            "the host has not asked for a report for \(time), after \(done) of \(count) steps"
        case .unwanted(let done, let count): "nobody waits for it any more, after \(done) of \(count) steps"
        case .busy: "too much other input waits to be sent"
        }
    }
}
