import Statistics
import Testing

/// The same numbers in every run: SplitMix64.
private struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

@Suite("A histogram")
struct HistogramTests {
    /// Quantiles as they are asked for, and the ends.
    private static let quantiles: [(UInt64, UInt64)] = [
        (0, 100), (1, 1000), (1, 100), (25, 100), (50, 100), (90, 100), (99, 100), (999, 1000), (99_999, 100_000),
        (100, 100),
    ]

    /// What a quantile is, by definition.
    private func exact(_ sorted: [UInt64], _ part: UInt64, _ whole: UInt64) -> UInt64 {
        let rank = max(1, (UInt64(sorted.count) * part + whole - 1) / whole)
        return sorted[Int(rank) - 1]
    }

    @Test("tells every quantile to 1 % of the exact one, whatever the numbers", arguments: 0..<60)
    func quantilesAreClose(_ seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        let bits = UInt64.random(in: 1...64, using: &random)
        let count = Int.random(in: 1...3000, using: &random)
        let values = (0..<count).map { _ in
            // Every magnitude up to `bits` bits, not only the greatest.
            random.next() >> (64 - UInt64.random(in: 1...bits, using: &random))
        }
        var histogram = Histogram()
        for value in values { histogram.record(value) }
        let sorted = values.sorted()
        for (part, whole) in Self.quantiles {
            let wanted = exact(sorted, part, whole)
            let told = histogram.quantile(part, of: whole)
            let distance = told > wanted ? told - wanted : wanted - told
            #expect(
                Double(distance) <= Double(wanted) * 0.01,
                "seed \(seed): \(part)/\(whole) of \(count) numbers is \(wanted), told \(told)")
        }
    }

    @Test("counts exactly, and knows the least, the greatest and the mean")
    func exactParts() {
        var histogram = Histogram()
        for value: UInt64 in [5, 1_000_003, 3, 70_007] { histogram.record(value) }
        #expect(histogram.count == 4)
        #expect(histogram.least == 3 && histogram.greatest == 1_000_003)
        #expect(histogram.mean == 267_504.5)
    }

    @Test("is exact below 256, one number at a time")
    func smallNumbers() {
        for value: UInt64 in 0..<256 {
            var histogram = Histogram()
            histogram.record(0)
            histogram.record(value)
            histogram.record(1000)
            #expect(histogram.quantile(50, of: 100) == value)
        }
    }

    @Test("has room for every number of 64 bits", arguments: 0..<64)
    func powersOfTwo(_ bit: UInt64) {
        for value in [1 << bit, 1 << bit - 1, UInt64.max - (1 << bit)] as [UInt64] {
            var histogram = Histogram()
            histogram.record(value)
            #expect(histogram.quantile(50, of: 100) == value, "alone, a number is least and greatest")
        }
    }

    @Test("never says more than the greatest or less than the least")
    func bounded() {
        var histogram = Histogram()
        for value: UInt64 in [1_000_001, 1_000_002, 1_000_003] { histogram.record(value) }
        for part: UInt64 in 0...100 {
            #expect((1_000_001...1_000_003).contains(histogram.quantile(part, of: 100)))
        }
    }

    @Test("takes the 99.9th percentile of 1000 numbers to be the 999th, not the 1000th")
    func nearestRank() {
        var histogram = Histogram()
        for _ in 0..<999 { histogram.record(7) }
        histogram.record(200)
        #expect(histogram.quantile(999, of: 1000) == 7)
        #expect(histogram.quantile(9991, of: 10_000) == 200)
    }

    @Test("that is empty answers 0")
    func empty() {
        let histogram = Histogram()
        #expect(histogram.count == 0 && histogram.mean == 0 && histogram.quantile(99, of: 100) == 0)
        #expect(histogram.quantile(1, of: 0) == 0)
    }

    @Test("holds the same after adding two as after recording all in one", arguments: 100..<110)
    func adding(_ seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        var (first, second, both) = (Histogram(), Histogram(), Histogram())
        for index in 0..<500 {
            let value = random.next() >> UInt64.random(in: 8...63, using: &random)
            if index.isMultiple(of: 3) { first.record(value) } else { second.record(value) }
            both.record(value)
        }
        first.add(Histogram())
        first.add(second)
        #expect(first.count == both.count && first.least == both.least && first.greatest == both.greatest)
        for (part, whole) in Self.quantiles {
            #expect(first.quantile(part, of: whole) == both.quantile(part, of: whole))
        }
    }
}
