package import Statistics

/// The time from each completion of a periodic endpoint to the next.
package struct IntervalMeter: Sendable {
    /// The interval that the endpoint promises, in nanoseconds.
    package let nominal: UInt64
    /// Every interval, in nanoseconds.
    package private(set) var histogram = Histogram()
    private var spread = Spread()
    /// The interval furthest from ``nominal`` less ``nominal``: negative when it was too short.
    package private(set) var worstDeviation: Double = 0
    private var last: UInt64?

    /// Makes a meter.
    ///
    /// - Parameter nominal: what the interval should be, in nanoseconds.
    package init(nominal: UInt64) { self.nominal = nominal }

    /// Takes note of a completion.
    ///
    /// - Parameter time: when it was, in nanoseconds of a clock that never goes back.
    package mutating func complete(at time: UInt64) {
        defer { last = time }
        guard let last else { return }
        let interval = time >= last ? time - last : 0
        histogram.record(interval)
        spread.record(Double(interval))
        let deviation = Double(interval) - Double(nominal)
        if deviation.magnitude > worstDeviation.magnitude { worstDeviation = deviation }
    }

    /// How many intervals there were: one less than completions.
    package var count: UInt64 { spread.count }
    /// The mean, in nanoseconds.
    package var mean: Double { spread.mean }
    /// The standard deviation, in nanoseconds.
    package var standardDeviation: Double { spread.standardDeviation }
}
