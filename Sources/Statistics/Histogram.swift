/// A distribution of whole numbers, such as latencies in nanoseconds, in memory that does not grow.
///
/// Buckets are log-linear: every power of two is cut into 128 equal parts, unless another precision is asked for, and
/// small numbers have a bucket each. A quantile is therefore at most 0.4 % off, whatever the range; count, mean, least
/// and greatest are exact. Recording allocates nothing. The whole is 58 KiB; with 8 parts, at most 6.3 % off, 4 KiB.
package struct Histogram: Sendable {
    /// Parts of a power of two, as an exponent of two.
    private let precision: Int
    private var counts: [UInt64]
    private var sum: Double = 0
    /// How many numbers were recorded.
    package private(set) var count: UInt64 = 0
    /// The least number, 0 when there is none.
    package private(set) var least: UInt64 = 0
    /// The greatest number, 0 when there is none.
    package private(set) var greatest: UInt64 = 0

    /// Makes an empty distribution.
    ///
    /// - Parameter precision: the parts of a power of two, as an exponent of two, 1 to 10.
    package init(precision: Int = 7) {
        self.precision = min(max(precision, 1), 10)
        // What every number of 64 bits needs.
        counts = Array(repeating: 0, count: (64 - self.precision + 1) << self.precision)
    }

    /// Adds a number, which was met so many times.
    package mutating func record(_ value: UInt64, times: UInt64 = 1) {
        guard times > 0 else { return }
        least = count == 0 ? value : min(least, value)
        greatest = max(greatest, value)
        counts[bucket(of: value)] &+= times
        count &+= times
        sum += Double(value) * Double(times)
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
            if UInt128(seen) >= rank { return min(max(middle(of: bucket), least), greatest) }
        }
        return greatest
    }

    /// How many numbers lie in each power of two, from the least to the greatest that was met: below 1, 2, 4, 8, ….
    package var octaves: [(below: UInt64, count: UInt64)] {
        var octaves: [(below: UInt64, count: UInt64)] = []
        for (bucket, number) in counts.enumerated() where number > 0 {
            let middle = middle(of: bucket)
            let below = middle == 0 ? 1 : UInt64(1) << UInt64(min(63, 64 - middle.leadingZeroBitCount))
            if octaves.last?.below == below {
                octaves[octaves.count - 1].count &+= number
            } else {
                octaves.append((below, number))
            }
        }
        return octaves
    }

    /// Adds all that another distribution holds.
    package mutating func add(_ other: Histogram) {
        guard other.count > 0 else { return }
        precondition(precision == other.precision, "distributions of unlike precision cannot be added")
        least = count == 0 ? other.least : min(least, other.least)
        greatest = max(greatest, other.greatest)
        for (bucket, number) in other.counts.enumerated() { counts[bucket] &+= number }
        count &+= other.count
        sum += other.sum
    }

    private func bucket(of value: UInt64) -> Int {
        let shift = max(0, 63 - value.leadingZeroBitCount - precision)
        return shift << precision + Int(truncatingIfNeeded: value >> UInt64(shift))
    }

    private func middle(of bucket: Int) -> UInt64 {
        let shift = max(0, bucket >> precision - 1)
        let lowest = UInt64(bucket - shift << precision) << UInt64(shift)
        return lowest + (shift == 0 ? 0 : 1 << UInt64(shift - 1))
    }
}
