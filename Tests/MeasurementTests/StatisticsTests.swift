import Measurement
import Statistics
import Testing

@Suite("A spread")
struct SpreadTests {
    @Test("has the mean and the deviation of the textbook's example")
    func example() {
        var spread = Spread()
        for value: Double in [2, 4, 4, 4, 5, 5, 7, 9] { spread.record(value) }
        #expect(spread.count == 8 && spread.mean == 5)
        #expect(abs(spread.standardDeviation - 2) < 1e-12)
    }

    @Test("keeps small deviations of large numbers")
    func cancellation() {
        var spread = Spread()
        for value in [1e15, 1e15 + 2] { spread.record(value) }
        #expect(spread.standardDeviation == 1)
    }

    @Test("of nothing, or of one number, does not deviate")
    func small() {
        var spread = Spread()
        #expect(spread.mean == 0 && spread.standardDeviation == 0)
        spread.record(3)
        #expect(spread.mean == 3 && spread.standardDeviation == 0)
    }
}

@Suite("The meter of intervals")
struct IntervalMeterTests {
    private func meter(_ times: [UInt64]) -> IntervalMeter {
        var meter = IntervalMeter(nominal: 1_000_000)
        for time in times { meter.complete(at: time) }
        return meter
    }

    @Test("has one interval less than completions")
    func count() {
        #expect(meter([]).count == 0)
        #expect(meter([5_000_000]).count == 0)
        #expect(meter([5_000_000, 6_000_000, 7_000_000]).count == 2)
    }

    @Test("finds nothing wrong with a clock")
    func steady() {
        let meter = meter((0...10).map { $0 * 1_000_000 })
        #expect(meter.mean == 1_000_000 && meter.standardDeviation == 0 && meter.worstDeviation == 0)
    }

    @Test("tells the worst deviation with its sign")
    func deviation() {
        // Intervals of 1.4, 0.1 and 1.5 ms: the short one is furthest from 1 ms.
        let early = meter([0, 1_400_000, 1_500_000, 3_000_000])
        #expect(early.worstDeviation == -900_000)
        #expect(early.mean == 1_000_000)
        let late = meter([0, 3_000_000, 4_000_000])
        #expect(late.worstDeviation == 2_000_000)
        #expect(late.histogram.greatest == 3_000_000)
    }
}

@Suite("The check of numbered reports")
struct CounterCheckTests {
    private func check(_ numbers: [UInt64]) -> CounterCheck {
        var check = CounterCheck()
        for number in numbers { check.receive(number) }
        return check
    }

    @Test("begins wherever the first report begins, and finds nothing in a series without gaps")
    func whole() {
        let check = check([41, 42, 43, 44])
        #expect(check.received == 4 && check.lost == 0 && check.gaps == 0 && check.repeated == 0)
    }

    @Test("counts the numbers of each gap")
    func gaps() {
        let check = check([1, 2, 5, 6, 8])
        #expect(check.lost == 3 && check.gaps == 2 && check.repeated == 0)
    }

    @Test("tells repeats from losses, and expects what it expected before")
    func repeats() {
        let check = check([1, 2, 2, 3, 1, 4])
        #expect(check.lost == 0 && check.repeated == 2)
    }

    @Test("goes on past the greatest number")
    func wrap() {
        let check = check([.max - 1, .max, 0, 1])
        #expect(check.received == 4 && check.lost == 0 && check.repeated == 0)
    }

    @Test("does not trap on numbers that no device counts to")
    func hostile() {
        #expect(check([0, .max, 5, .max]).lost == UInt64.max)
        #expect(check([0, .max - 1, .max]).lost == UInt64.max - 2)
    }

    @Test("reads a report's first eight bytes, least significant first, and counts those too short")
    func bytes() {
        var check = CounterCheck()
        let reports: [[UInt8]] = [
            [0x02, 0x01, 0, 0, 0, 0, 0, 0, 0xff], [0x04, 0x01, 0, 0, 0, 0, 0, 0], [0x05, 0x01, 0, 0, 0, 0, 0], [],
        ]
        for report in reports { unsafe check.receive(report.span.bytes) }
        #expect(check.received == 2 && check.lost == 1 && check.unnumbered == 2)
    }
}

@Suite("Sizes in bytes")
struct ByteSizeTests {
    @Test(
        "are read as people write them",
        arguments: [("64", 64), ("0", 0), ("1K", 1024), ("64k", 65_536), ("1M", 1_048_576), ("2G", 2_147_483_648)])
    func parse(_ text: String, bytes: Int) { #expect(ByteSize.parse(text) == bytes) }

    @Test(
        "are not guessed at",
        arguments: ["", "K", "1.5K", "-1", "+1", " 1", "1KB", "0x10", "1T", "9999999999G", "99999999999999999999"])
    func refuse(_ text: String) { #expect(ByteSize.parse(text) == nil) }

    @Test("are written so that they read back", arguments: [0, 1, 64, 1000, 1024, 1536, 65_536, 3 << 20, 1 << 30])
    func roundTrip(_ bytes: Int) { #expect(ByteSize.parse(ByteSize.text(bytes)) == bytes) }

    @Test("are written short")
    func short() { #expect([512, 1536, 65_536, 1 << 20].map(ByteSize.text) == ["512", "1536", "64K", "1M"]) }
}

@Suite("A table")
struct TextTableTests {
    @Test("lines its columns up, leaves empty ones out, and ends no line with a space")
    func text() {
        var table = TextTable([("type", .leading), ("MB/s", .trailing), ("lost", .trailing), ("note", .leading)])
        table.add(["bulk-in", "1200", "", ""])
        table.add(["iso", "8", "", "slow"])
        #expect(
            table.text == """
                type     MB/s  note
                bulk-in  1200
                iso         8  slow
                """)
    }
}
