package import Statistics

/// How old reports are that say when they were made.
///
/// A report that does has the time behind its number: eight bytes, least significant first, nanoseconds of the clock that
/// the receiver reads as well. That means something on one machine only.
package struct ReportAges: Sendable {
    private var ages: Histogram?
    private var hasImplausible = false

    /// No report is taken to be older, in nanoseconds: an hour.
    package static let greatestAge: UInt64 = 3_600_000_000_000

    /// Makes ages of nothing.
    package init() {}

    /// The ages in nanoseconds; nil where there was no report, or one without a time that can be true.
    ///
    /// One is enough: a device either sends times or something else.
    package var histogram: Histogram? { hasImplausible ? nil : ages }

    /// Takes a report that has arrived at `now`.
    package mutating func receive(_ report: RawSpan, at now: UInt64) {
        guard !hasImplausible else { return }
        // Any eight bytes are a number.
        let time = report.byteCount < 16 ? 0 : unsafe report.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self)
        let made = UInt64(littleEndian: time)
        guard made > 0, made <= now, now - made <= Self.greatestAge else { return hasImplausible = true }
        if ages == nil { ages = Histogram() }
        ages?.record(now - made)
    }
}
