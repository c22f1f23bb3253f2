import Glibc

/// A point in time by which something must have happened, on the clock that never jumps.
struct Deadline: Sendable {
    private let nanoseconds: UInt64

    /// - Parameter duration: cut to a span between nothing and thirty years.
    init(after duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let bounded = UInt64(min(max(seconds, 0), 1_000_000_000))
        let fraction = seconds < 0 ? 0 : UInt64(max(attoseconds, 0)) / 1_000_000_000
        nanoseconds = Self.now + bounded * 1_000_000_000 + fraction
    }

    private static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    var hasPassed: Bool { Self.now >= nanoseconds }

    /// Rounded up, so that 0 means that it has passed; at most ten minutes.
    var millisecondsLeft: Int32 {
        let now = Self.now
        guard now < nanoseconds else { return 0 }
        return Int32(min((nanoseconds - now + 999_999) / 1_000_000, 600_000))
    }

    var absoluteTime: timespec {
        timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
