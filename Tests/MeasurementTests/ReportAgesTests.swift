import Measurement
import Statistics
import Testing

@Suite("The ages of reports")
struct ReportAgesTests {
    private func ages(_ reports: [(bytes: [UInt8], now: UInt64)]) -> ReportAges {
        var ages = ReportAges()
        for report in reports { unsafe ages.receive(report.bytes.span.bytes, at: report.now) }
        return ages
    }

    private func report(_ time: UInt64) -> [UInt8] {
        [UInt8](repeating: 0xff, count: 8) + (0..<8).map { UInt8(truncatingIfNeeded: time >> UInt64(8 * $0)) } + [9]
    }

    @Test("are from the time behind the number to the arrival")
    func known() throws {
        let found = try #require(ages([(report(1_000), 1_000), (report(2_000), 5_000)]).histogram)
        #expect(found.count == 2 && found.least == 0 && found.greatest == 3_000 && found.mean == 1_500)
    }

    @Test("are not known of nothing, nor where one report has no time that can be true")
    func unknown() {
        let hour = ReportAges.greatestAge
        #expect(ages([]).histogram == nil)
        #expect(ages([(report(5), 5 + hour)]).histogram?.greatest == hour)
        for wrong: (bytes: [UInt8], now: UInt64) in [
            (report(5), 6 + hour), (report(7), 6), (report(0), 6), (report(.max), 6), (Array(report(5).prefix(15)), 6),
            ([], 6),
        ] {
            #expect(ages([wrong]).histogram == nil)
            #expect(ages([(report(5), 6), wrong, (report(5), 6)]).histogram == nil)
        }
    }
}
