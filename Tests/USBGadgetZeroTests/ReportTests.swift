import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

private let millisecond: UInt64 = 1_000_000

@Suite("Reports by the clock")
struct ReportTests {
    /// A gadget with a report every 10 ms, whose interrupt endpoints are selected.
    private func typing(_ pattern: TestPattern = .zeros, packet: UInt16 = 64) throws -> ZeroHost {
        var configuration = ZeroGadget.Configuration()
        configuration.pattern = pattern
        configuration.interrupt.packetSize = packet
        configuration.reportMilliseconds = 10
        let zero = try ZeroHost(ZeroGadget(configuration), configuration: 3)
        try zero.select(2)
        return zero
    }

    /// What the host has got, as numbers and times.
    private func reports(_ zero: ZeroHost) -> [Report] {
        zero.host.completions.filter { $0.endpoint == .in(3) && $0.status == .success }.compactMap { Report($0.data) }
    }

    @Test("a transfer waits until its report's time, to the nanosecond")
    func waits() throws {
        let zero = try typing()
        let start = zero.host.clock.now
        let id = zero.host.submitIn(.in(3), 64)
        zero.host.clock.advance(by: 10 * millisecond - 1)
        #expect(zero.host.outcome(id) == nil)
        zero.host.clock.advance(by: 1)
        let outcome = try #require(zero.host.outcome(id))
        #expect(outcome.status == .success && outcome.data.count == 64)
        #expect(reports(zero) == [Report(number: 0, time: start + 10 * millisecond)])
        #expect(outcome.data[16...].allSatisfy { $0 == 0 })
    }

    @Test("reports are made whether or not the host asks, wait for it, and are a packet each in order")
    func queue() throws {
        let zero = try typing(.mod63)
        let start = zero.host.clock.now
        zero.host.clock.advance(by: 35 * millisecond)
        for _ in 0..<4 { zero.host.submitIn(.in(3), 1_024) }
        #expect(reports(zero).count == 3, "the fourth transfer waits")
        zero.host.clock.advance(by: 5 * millisecond)
        #expect(reports(zero) == (0..<4).map { Report(number: $0, time: start + ($0 + 1) * 10 * millisecond) })
        let last = try #require(zero.host.completions.last)
        #expect(last.data.count == 64 && Array(last.data[16...]) == (16..<64).map { UInt8($0 % 63) })
        #expect(try zero.counts(.in(3)).transfers == 4 && zero.counts(.in(3)).lost == 0)
    }

    @Test("of more than 256 reports that nobody fetches the oldest are lost and counted")
    func overflow() throws {
        let zero = try typing()
        zero.host.clock.advance(by: 260 * 10 * millisecond)
        #expect(try zero.counts(.in(3)).lost == 4)
        for _ in 0..<257 { zero.host.submitIn(.in(3), 16) }
        #expect(reports(zero).map(\.number) == Array(4..<260))
        zero.host.clock.advance(by: 10 * millisecond)
        #expect(reports(zero).last?.number == 260)
    }

    @Test("the schedule does not drift when the clock rings late, and what was missed is made up for")
    func late() throws {
        let zero = try typing()
        let start = zero.host.clock.now
        zero.host.clock.jump(to: start + 29 * millisecond)
        for _ in 0..<3 { zero.host.submitIn(.in(3), 16) }
        #expect(reports(zero).map(\.time) == [start + 10 * millisecond, start + 20 * millisecond])
        #expect(zero.host.clock.nextAlarm == start + 30 * millisecond)
        zero.host.clock.advance(by: millisecond)
        #expect(reports(zero).last == Report(number: 2, time: start + 30 * millisecond))
    }

    @Test("after a standstill of a year the newest 256 reports are there, at once")
    func standstill() throws {
        let zero = try typing()
        let start = zero.host.clock.now
        zero.host.clock.advance(by: 15 * millisecond)
        let year: UInt64 = 365 * 86_400_000 * millisecond
        zero.host.clock.jump(to: start + year)
        let made = year / (10 * millisecond)
        #expect(try zero.counts(.in(3)).lost == made - 256)
        zero.host.submitIn(.in(3), 16)
        #expect(reports(zero) == [Report(number: made - 256, time: start + year - 2_550 * millisecond)])
    }

    @Test("one alarm is set while the setting is selected, and none before, after, or for other settings")
    func alarms() throws {
        var configuration = ZeroGadget.Configuration()
        configuration.reportMilliseconds = 10
        let zero = try ZeroHost(ZeroGadget(configuration), configuration: 3)
        #expect(zero.host.clock.alarmCount == 0)
        for end in ["another setting", "a configuration", "a reset", "an inferred reset", "the end"] {
            try #require(zero.host.control(.setConfiguration(3))?.status == .success)
            try zero.select(2)
            #expect(zero.host.clock.alarmCount == 1)
            switch end {
            case "another setting": try zero.select(1)
            case "a configuration": _ = zero.host.control(.setConfiguration(3))
            case "a reset": zero.device.reset(.port)
            case "an inferred reset": zero.device.reset(.inferred)
            default: zero.device.disconnect()
            }
            #expect(zero.host.clock.alarmCount == 0, "\(end)")
        }
        zero.device.connect()
        try #require(zero.host.control(.setConfiguration(3))?.status == .success)
        try zero.select(2)
        zero.host.clock.advance(by: 10 * millisecond)
        zero.host.submitIn(.in(3), 16)
        #expect(reports(zero).map(\.number) == [0], "the next host starts from the beginning")
    }

    @Test("selecting the setting again forgets what was not fetched and numbers from 0")
    func restart() throws {
        let zero = try typing()
        zero.host.clock.advance(by: 57 * millisecond)
        let start = zero.host.clock.now
        try zero.select(2)
        let id = zero.host.submitIn(.in(3), 16)
        #expect(zero.host.outcome(id) == nil)
        zero.host.clock.advance(by: 10 * millisecond)
        #expect(reports(zero) == [Report(number: 0, time: start + 10 * millisecond)])
    }

    @Test("a waiting transfer can be cancelled, and is given back when its endpoint goes or halts")
    func returned() throws {
        let zero = try typing()
        let ids = (0..<3).map { _ in zero.host.submitIn(.in(3), 16) }
        zero.host.cancel(ids[1])
        #expect(zero.host.outcome(ids[1])?.status == .cancelled)
        zero.host.clock.advance(by: 10 * millisecond)
        #expect(zero.host.outcome(ids[0])?.status == .success)
        #expect(zero.host.control(.halt(.in(3)))?.status == .success)
        #expect(zero.host.outcome(ids[2])?.status == .stalled)
        #expect(zero.host.control(.clearHalt(.in(3)))?.status == .success)
        let last = zero.host.submitIn(.in(3), 16)
        try zero.select(0)
        #expect(zero.host.outcome(last)?.status == .shutdown)
        #expect(zero.host.waiting.isEmpty && zero.host.violations.isEmpty)
    }

    @Test("a transfer with little room gets as much of the report as fits", arguments: [0, 3, 8, 11, 15])
    func small(room: Int) throws {
        let zero = try typing()
        zero.host.clock.advance(by: 10 * millisecond)
        let time = zero.host.clock.now
        let whole = (0..<16).map { $0 < 8 ? 0 : UInt8(truncatingIfNeeded: time >> UInt64(8 * ($0 - 8))) }
        #expect(zero.host.read(.in(3), room)?.data == Array(whole.prefix(room)))
        #expect(zero.host.violations.isEmpty)
    }

    @Test("a host that submits the next transfer from each completion gets every report, in order")
    func nested() throws {
        let zero = try typing()
        var left = 299
        zero.host.onCompletion = { completion in
            guard completion.endpoint == .in(3), left > 0 else { return }
            left -= 1
            zero.host.submitIn(.in(3), 16)
        }
        zero.host.clock.advance(by: 2_000 * millisecond)
        zero.host.submitIn(.in(3), 16)
        zero.host.clock.advance(by: 1_000 * millisecond)
        zero.host.onCompletion = nil
        #expect(reports(zero).map(\.number) == Array(0..<300))
        #expect(zero.host.violations.isEmpty)
    }
}

/// The start of a report.
private struct Report: Equatable {
    var number: UInt64
    var time: UInt64

    init(number: UInt64, time: UInt64) { (self.number, self.time) = (number, time) }

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 16 else { return nil }
        let words = [0, 8].map { start in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
        }
        self.init(number: words[0], time: words[1])
    }
}
