import Glibc

/// Gives records their times: the date when recording began, and from there on a clock that is never set.
///
/// So times never run backwards, whatever is done to the system's date.
struct RecordingClock: Sendable {
    /// Nanoseconds from the steady clock to 1970.
    private let offset: Int64

    init() { offset = Self.read(CLOCK_REALTIME) &- Self.read(CLOCK_BOOTTIME) }

    /// Nanoseconds since 1970 UTC.
    var now: Int64 { Self.read(CLOCK_BOOTTIME) &+ offset }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// A time of day in UTC for people, such as `2026-05-04 12:00:03.25 UTC`.
    static func words(_ time: Int64) -> String {
        var seconds = time_t(time / 1_000_000_000)
        var parts = unsafe tm()
        guard unsafe gmtime_r(&seconds, &parts) != nil else { return "\(time) ns" }
        func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = unsafe "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
        let day = unsafe "\(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec))"
        return "\(date) \(day).\(padded(Int32(time % 1_000_000_000 / 10_000_000))) UTC"
    }
}
