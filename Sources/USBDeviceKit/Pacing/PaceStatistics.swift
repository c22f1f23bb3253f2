/// What a ``PacedDevice`` has to tell of how well time was kept.
public struct PaceStatistics: Hashable, Sendable {
    /// Transfers that ended at a time the bus gave them.
    public var completed = 0
    /// Those of them that ended more than ``lateness`` after it.
    public var late = 0
    /// The worst delay in nanoseconds.
    public var worst: UInt64 = 0

    /// From here on a delay counts as late: a frame, in nanoseconds.
    public static let lateness: UInt64 = 1_000_000

    /// Makes empty statistics.
    public init() {}

    mutating func count(delay: UInt64) {
        completed &+= 1
        if delay > Self.lateness { late &+= 1 }
        worst = max(worst, delay)
    }
}
