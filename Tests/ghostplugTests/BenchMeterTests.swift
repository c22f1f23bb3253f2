import CommandSupport
import Measurement
import Statistics
import Testing
import USBCore

@testable import ghostplug

private let millisecond: UInt64 = 1_000_000

/// A meter of one second after a warm-up of half a second, which begins at zero.
private func meter(
    _ type: BenchType = .bulkIn, depth: Int = 1, packets: Int = 0, interval: UInt64? = nil, numbered: Bool = false,
    warmup: String = "0.5", server: Double? = nil
) throws -> CaseMeter {
    var settings = try BenchSettings(target: ["127.0.0.1", "1-1"])
    try settings.set("warmup", to: warmup)
    try settings.set("time", to: "1")
    settings.isNumbered = numbered
    return CaseMeter(
        BenchCase(type: type, endpoint: .in(1), size: 100, depth: depth, packets: packets, interval: interval), nil,
        settings, now: 0, processorTimes: { (7, server) })
}

@Suite("The meter of a case")
struct BenchMeterTests {
    @Test("leaves the warm-up out, counts whole intervals only, and ends by itself")
    func window() throws {
        var meter = try meter()
        // A URB each 100 ms: 500 begins the count, 600 to 1500 are counted, 1500 is the end.
        var counted = 0
        var last = CaseMeter.Verdict()
        for time in stride(from: 100 * millisecond, through: 1500 * millisecond, by: 100 * Int(millisecond)) {
            last = meter.complete(0, at: time, status: .success, length: 100)
            if last.isCounted { counted += 1 }
        }
        #expect(counted == 10 && !last.goesOn)
        let result = meter.result
        #expect(result.urbs == 10 && result.bytes == 1000)
        #expect(result.seconds == 1 && result.urbsPerSecond == 10 && result.megabytesPerSecond == 0.001)
        #expect(meter.complete(0, at: 1600 * millisecond, status: .success, length: 100) == .init())
        #expect(meter.result.urbs == 10)
    }

    @Test("without a warm-up counts from the first URB's submission")
    func noWarmup() throws {
        var meter = try meter(warmup: "0")
        #expect(meter.complete(0, at: 1000 * millisecond, status: .success, length: 1) == .init(isCounted: true))
        #expect(meter.result.seconds == 1 && meter.result.urbs == 1)
    }

    @Test("takes each URB's latency from its own submission")
    func latency() throws {
        var meter = try meter(depth: 2, warmup: "0")
        _ = meter.complete(0, at: 10 * millisecond, status: .success, length: 1)
        _ = meter.complete(1, at: 40 * millisecond, status: .success, length: 1)
        _ = meter.complete(0, at: 50 * millisecond, status: .success, length: 1)
        #expect(meter.result.latency.least == 10 * millisecond)
        #expect(meter.result.latency.greatest == 40 * millisecond)
        #expect(meter.result.latency.count == 3)
    }

    @Test("waits for a completion that counts, however late it is")
    func late() throws {
        var meter = try meter()
        #expect(meter.complete(0, at: 9000 * millisecond, status: .success, length: 1).goesOn)
        #expect(meter.complete(0, at: 9500 * millisecond, status: .success, length: 1) == .init(isCounted: true))
        #expect(meter.result.urbs == 1 && meter.result.seconds == 0.5)
    }

    @Test("reads numbers and ages from reports when told to, and says both")
    func reports() throws {
        var meter = try ghostplugTests.meter(.interruptIn, interval: millisecond, numbered: true)
        for (number, made) in [(3, 10), (5, 12)] as [(UInt64, UInt64)] {
            let bytes = [number, made * millisecond].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
            }
            unsafe meter.receiveReport(bytes.span.bytes, at: 20 * millisecond)
        }
        #expect(meter.result.counter?.received == 2 && meter.result.counter?.lost == 1)
        #expect(meter.result.ages.histogram?.mean == 9e6)
        let json = "\(meter.result.json.text)"
        #expect(json.contains("ageMicroseconds") && json.contains("9000"))
        var plain = try ghostplugTests.meter(.interruptIn, interval: millisecond)
        unsafe plain.receiveReport([UInt8](repeating: 1, count: 16).span.bytes, at: 1)
        #expect(plain.result.counter == nil && plain.result.ages.histogram == nil)
    }

    @Test("measures intervals from the completion that begins the count")
    func intervals() throws {
        var meter = try meter(.interruptIn, interval: 100 * millisecond)
        for time: UInt64 in [500, 600, 720] {
            _ = meter.complete(0, at: time * millisecond, status: .success, length: 1)
        }
        #expect(meter.result.intervals?.count == 2)
        #expect(meter.result.intervals?.mean == 110e6)
        #expect(meter.result.intervals?.worstDeviation == 20e6)
    }

    @Test("stops at once at what does not pass, and says what it was")
    func stops() throws {
        let ends: [(TransferStatus, String)] = [
            (.stalled, "0x81 stalled"), (.shutdown, "gone"), (.overflow, "more than 100 bytes"),
            (.invalid, "does not take"),
        ]
        for (status, words) in ends {
            var meter = try meter(depth: 2)
            #expect(meter.complete(0, at: 600 * millisecond, status: status, length: 0) == .init())
            #expect(meter.result.trouble?.contains(words) == true)
            #expect(meter.result.failures == [status.rawValue: 1])
            // The others come back, too, and do not count.
            #expect(meter.complete(1, at: 700 * millisecond, status: .success, length: 1) == .init())
        }
    }

    @Test("counts failures that pass, and gives up when nothing else comes")
    func failures() throws {
        var meter = try meter()
        _ = meter.complete(0, at: 500 * millisecond, status: .success, length: 1)
        #expect(meter.complete(0, at: 600 * millisecond, status: .protocolError, length: 0).goesOn)
        #expect(meter.complete(0, at: 610 * millisecond, status: .success, length: 1).goesOn)
        #expect(meter.result.failureCount == 1 && meter.result.urbs == 1 && meter.result.latency.count == 1)
        for _ in 1..<CaseMeter.failureLimit {
            #expect(meter.complete(0, at: 620 * millisecond, status: .protocolError, length: 0).goesOn)
        }
        #expect(!meter.complete(0, at: 630 * millisecond, status: .protocolError, length: 0).goesOn)
        #expect(meter.result.trouble?.contains("100 URBs in a row") == true)
    }

    @Test("counts packets with errors apart from empty ones")
    func packets() throws {
        var meter = try meter(.isoIn, packets: 3)
        meter.receivePacket(status: .success, length: 10)
        meter.receivePacket(status: .success, length: 0)
        meter.receivePacket(status: .missed, length: 0)
        #expect(meter.result.packets == 3 && meter.result.emptyPackets == 1 && meter.result.packetErrors == 1)
    }

    @Test("ended early keeps what was measured until then")
    func interrupted() throws {
        var meter = try meter(server: 3)
        for time: UInt64 in [500, 600, 700] {
            _ = meter.complete(0, at: time * millisecond, status: .success, length: 1)
        }
        meter.finish()
        #expect(meter.result.urbs == 2 && meter.result.seconds == 0.2 && meter.result.trouble == nil)
        #expect(meter.result.serverCPU == 0)
    }

    @Test("does not trap on a URB that there is not, nor on a clock that goes back")
    func hostile() throws {
        var meter = try meter(warmup: "0")
        #expect(meter.complete(5, at: 0, status: .success, length: 0) == .init())
        _ = meter.complete(0, at: 50, status: .success, length: -1)
        _ = meter.complete(0, at: 20, status: .success, length: 1)
        #expect(meter.result.latency.least == 0)
    }
}

@Suite("The report of bench")
struct BenchReportTests {
    private func report() throws -> BenchReport {
        var report = BenchReport(
            target: "zero", vendorID: 0x0525, productID: 0xa4a0, speed: .high, configuration: 3,
            settings: try BenchSettings(target: ["127.0.0.1", "1-1"]))
        for (size, depth) in [(64, 1), (64, 32), (1024, 1), (1024, 32)] {
            var result = BenchResult(
                benchCase: BenchCase(type: .bulkIn, endpoint: .in(1), size: size, depth: depth),
                setting: .init(interface: 0, alternate: 0))
            result.seconds = 2
            result.urbs = UInt64(1000 * depth)
            result.bytes = result.urbs * UInt64(size)
            result.latency.record(10_000)
            result.clientCPU = 0.001
            report.results.append(result)
        }
        return report
    }

    @Test("has a line for each case, with rates per second and latencies in microseconds")
    func table() throws {
        let text = try report().text
        let line = text.split(separator: "\n").first { $0.hasPrefix("bulk-in  0x81    64") }
        let cells = line?.split(separator: " ").map(String.init) ?? []
        #expect(
            cells == ["bulk-in", "0x81", "64", "1", "500", "0.032", "10.0", "10.0", "10.0", "10.0", "10.0", "1.00"])
        #expect(!text.contains("interval") && !text.contains("note:"))
    }

    @Test("says what the figures alone do not")
    func remarks() throws {
        var report = try report()
        report.results[0].trouble = "endpoint 0x81 stalled"
        report.results[1].failures = [TransferStatus.protocolError.rawValue: 4]
        #expect(report.text.contains("note: bulk-in 0x81 64 × 1: endpoint 0x81 stalled"))
        #expect(report.text.contains("4 URBs failed") && report.text.contains("(-71)"))
        #expect(!report.isWhole)
    }

    @Test("is the same as JSON, apart from when and where, whenever it is made")
    func json() throws {
        let text = try report().json(date: 1_700_000_000).text
        #expect(text.hasPrefix(#"{"version":1,"target":"zero","device":{"idVendor":"0525","idProduct":"a4a0""#))
        #expect(text.contains(#""startedAt":1700000000,"complete":true,"interrupted":false"#))
        #expect(
            text.contains(
                #"{"type":"bulk-in","endpoint":129,"interface":0,"alternate":0,"size":1024,"depth":32,"result":"#
                    + #"{"seconds":2.000000,"urbs":32000,"bytes":32768000,"urbsPerSecond":16000.00,"#))
        #expect(text.contains(#""latencyMicroseconds":{"mean":10.000,"min":10.000,"p50":10.000,"#))
        #expect(try text == report().json(date: 1_700_000_000).text)
    }

    @Test("plots throughput against size with a line for each depth, and latency against depth")
    func plot() throws {
        let charts = try report().plot.charts
        #expect(charts.map(\.title) == ["bulk-in: throughput", "bulk-in: latency"])
        #expect(charts[0].x.scale == .log2 && charts[0].x.unit == .bytes)
        #expect(charts[0].series.map(\.name) == ["1 in flight", "32 in flight"])
        #expect(charts[0].series[1].points == [.init(64, 1.024), .init(1024, 16.384)])
        #expect(charts[1].series.map(\.name) == ["64, p50", "64, p99", "1K, p50", "1K, p99"])
    }

    @Test("plots the rate against the depth where there is one size")
    func oneSize() throws {
        var report = try report()
        report.results.removeFirst(2)
        #expect(report.plot.charts.first?.title == "bulk-in: rate")
        #expect(report.plot.charts.first?.series.first?.points == [.init(1, 500), .init(32, 16_000)])
    }
}
