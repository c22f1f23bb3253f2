/// How a capture is replayed as a host.
public struct HostReplaySettings: Sendable {
    /// When requests are made.
    public enum Timing: Hashable, Sendable {
        /// As soon as what came before them in the recording has ended.
        case fast
        /// After the pauses that the recorded host made.
        case recorded
        /// After the recorded pauses times a factor, 0 to 1000: 0.5 is twice as fast.
        case scaled(Double)
    }

    /// When requests are made.
    public var timing: Timing
    /// How much longer than in the recording an answer may take.
    public var timeout: Duration
    /// What of the answers is not compared.
    public var ignored: [IgnoreRule]
    /// Whether commands that change what a disk holds are sent; where not, they are left out whole.
    public var allowsWrites: Bool

    /// Makes settings.
    public init(
        timing: Timing = .fast, timeout: Duration = .seconds(5), ignored: [IgnoreRule] = [],
        allowsWrites: Bool = false
    ) {
        self.timing = timing
        self.timeout = timeout
        self.ignored = ignored
        self.allowsWrites = allowsWrites
    }

    /// What the recorded pauses are multiplied by.
    var scale: Double {
        switch timing {
        case .fast: 0
        case .recorded: 1
        case .scaled(let factor): factor.isFinite ? min(max(factor, 0), 1000) : 1
        }
    }

    /// The timeout in nanoseconds, up to a day.
    var patience: UInt64 {
        let (seconds, attoseconds) = timeout.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 86_400)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
