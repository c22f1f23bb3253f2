/// A distribution of whole numbers, such as latencies in nanoseconds, in memory that does not grow.
///
/// Buckets are log-linear: numbers below 256 have one each, and every power of two above is cut into 128 equal parts.
/// A quantile is therefore at most 0.4 % off, whatever the range; count, mean, least and greatest are exact.
/// Recording allocates nothing. The whole is 58 KiB.
package struct Histogram: Sendable {
    /// Parts of a power of two, as an exponent of two.
    private static let precision = 7
    /// What every number of 64 bits needs.
    private static let bucketCount = (64 - precision + 1) << precision

    private var counts = [UInt64](repeating: 0, count: bucketCount)
    private var sum: Double = 0
    /// How many numbers were recorded.
    package private(set) var count: UInt64 = 0
    /// The least number, 0 when there is none.
    package private(set) var least: UInt64 = 0
    /// The greatest number, 0 when there is none.
    package private(set) var greatest: UInt64 = 0

    /// Makes an empty distribution.
    package init() {}

    /// Adds a number.
    package mutating func record(_ value: UInt64) {
        least = count == 0 ? value : min(least, value)
        greatest = max(greatest, value)
        counts[Self.bucket(of: value)] &+= 1
        count &+= 1
        sum += Double(value)
    }

    /// The mean, 0 when there is nothing.
    package var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The number that `part` of `whole` numbers do not exceed, by the nearest rank.
    ///
    /// The 99.9th percentile is `quantile(999, of: 1000)`. The fraction is of whole numbers because 99.9 has no exact
    /// binary form, and the rank would be one off now and then. The answer lies between ``least`` and ``greatest``,
    /// and is 0 when there is nothing.
    package func quantile(_ part: UInt64, of whole: UInt64) -> UInt64 {
        guard count > 0, whole > 0 else { return 0 }
        // 128 bits, since the count alone may fill 64.
        let product = UInt128(count) * UInt128(min(part, whole))
        let rank = max(1, (product + UInt128(whole) - 1) / UInt128(whole))
        if rank >= UInt128(count) { return greatest }
        var seen: UInt64 = 0
        for (bucket, number) in counts.enumerated() where number > 0 {
            seen &+= number
            if UInt128(seen) >= rank { return min(max(Self.middle(of: bucket), least), greatest) }
        }
        return greatest
    }

    /// Adds all that another distribution holds.
    package mutating func add(_ other: Histogram) {
        guard other.count > 0 else { return }
        least = count == 0 ? other.least : min(least, other.least)
        greatest = max(greatest, other.greatest)
        for (bucket, number) in other.counts.enumerated() { counts[bucket] &+= number }
        count &+= other.count
        sum += other.sum
    }

    private static func bucket(of value: UInt64) -> Int {
        let shift = max(0, 63 - value.leadingZeroBitCount - precision)
        return shift << precision + Int(truncatingIfNeeded: value >> UInt64(shift))
    }

    private static func middle(of bucket: Int) -> UInt64 {
        let shift = max(0, bucket >> precision - 1)
        let lowest = UInt64(bucket - shift << precision) << UInt64(shift)
        return lowest + (shift == 0 ? 0 : 1 << UInt64(shift - 1))
    }
}
