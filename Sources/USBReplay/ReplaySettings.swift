/// How a capture is replayed as a device.
public struct ReplaySettings: Hashable, Sendable {
    /// How much of what the host does must be as recorded.
    public enum Match: Hashable, Sendable {
        /// Every request in the recorded order with the recorded data; anything else is answered with STALL.
        ///
        /// A disk's commands may come in any order: those that the recording does not have, and writes with other data,
        /// are divergences, and are answered as a disk would.
        case strict
        /// Requests are known by their setup packet and data, in any order; what is written to a disk may differ.
        case keyed
        /// As ``keyed``, but so many percent of the bytes that the host sends may be others, 0 to 100.
        case fuzzy(percent: Int)
    }

    /// When answers are given.
    public enum Timing: Hashable, Sendable {
        /// Control and bulk transfers at once, interrupt IN transfers with their recorded gaps.
        case usual
        /// Nothing sooner after what came before it than in the recording.
        case recorded
        /// Everything at once.
        case fast
        /// As ``recorded``, with every time multiplied: 0.5 is twice as fast.
        case scaled(Double)
    }

    /// What a disk answers for a block that the capture does not have.
    public enum Missing: Hashable, Sendable {
        /// CHECK CONDITION with MEDIUM ERROR, unrecovered read error.
        case stall
        /// Zeros.
        case zero
    }

    /// How much of what the host does must be as recorded.
    public var match = Match.keyed
    /// When answers are given.
    public var timing = Timing.usual
    /// What a disk answers for a block that the capture does not have.
    public var missing = Missing.stall
    /// Whether a sequence begins again at its end.
    public var loops = false

    /// Makes the usual settings: keyed, with the times of keyboards and mice kept.
    public init() {}

    var isStrict: Bool { match == .strict }

    /// How many percent of the bytes may differ.
    var tolerance: Int {
        guard case .fuzzy(let percent) = match else { return 0 }
        return min(max(percent, 0), 100)
    }

    /// A recorded time as it is kept, in nanoseconds.
    ///
    /// - Parameter isPeriodic: whether the transfer is one of an interrupt endpoint.
    func delay(_ recorded: Int64, isPeriodic: Bool) -> UInt64 {
        // A day is more than any gap worth keeping; times of a capture can be anything.
        let gap = min(max(recorded, 0), 86_400_000_000_000)
        switch timing {
        case .fast: return 0
        case .usual: return isPeriodic ? UInt64(gap) : 0
        case .recorded: return UInt64(gap)
        case .scaled(let factor):
            let scaled = Double(gap) * (factor.isFinite ? max(factor, 0) : 1)
            return UInt64(min(scaled, 86_400_000_000_000))
        }
    }
}

/// Why a capture cannot be replayed.
public struct ReplayError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Why, in one line that says what to do.
    public let description: String

    /// Makes an error.
    public init(_ description: String) { self.description = description }
}
