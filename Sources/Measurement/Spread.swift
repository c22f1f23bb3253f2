/// The mean and the deviation of a series, added number by number (Welford's method).
package struct Spread: Sendable, Equatable {
    /// How many numbers there were.
    package private(set) var count: UInt64 = 0
    /// The mean, 0 when there is nothing.
    package private(set) var mean: Double = 0
    /// The sum of the squares of the distances from the mean.
    private var squares: Double = 0

    /// Makes an empty series.
    package init() {}

    /// Adds a number.
    package mutating func record(_ value: Double) {
        count &+= 1
        let distance = value - mean
        mean += distance / Double(count)
        squares += distance * (value - mean)
    }

    /// The standard deviation of what was recorded, 0 of fewer than two numbers.
    package var standardDeviation: Double { count < 2 ? 0 : (squares / Double(count)).squareRoot() }
}
