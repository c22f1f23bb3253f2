import DeviceInspection
import Testing
import USBCore

/// Devices that answer anything: a report is made all the same, of bounded size, and fit to be shown.
@Suite struct HostileDeviceTests {
    /// A generator of the same numbers each time (SplitMix64's step).
    struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    private func bases() -> [AnsweringDevice] {
        [.full, .high, .super].map(LawfulDevices.drive)
            + [LawfulDevices.keyboard, LawfulDevices.headset, LawfulDevices.serialPort]
    }

    @Test(arguments: 0..<40) func spoiltAnswersAreReported(_ seed: Int) {
        var random = Seeded(state: UInt64(seed))
        for base in bases() {
            var device = base
            let keys = device.answers.keys.sorted {
                ($0.request, $0.value, $0.index) < ($1.request, $1.value, $1.index)
            }
            for key in keys {
                guard var bytes = device.answers[key]?.bytes, Int.random(in: 0..<3, using: &random) == 0 else {
                    continue
                }
                for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
                device.answers[key] = .bytes(bytes)
            }
            let report = device.report
            expectHarmless(report)
            #expect(report.hasErrors == report.text.contains("\n  error: "), "seed \(seed)")
        }
    }

    @Test(arguments: 0..<40) func noiseIsReported(_ seed: Int) {
        var random = Seeded(state: UInt64(seed) | 1 << 32)
        var device = LawfulDevices.drive([.full, .high, .super][seed % 3])
        let raw = DeviceReading.read(device.record) { setup in
            .bytes(
                (0..<Int.random(in: 0...min(300, Int(setup.length)), using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                })
        }
        expectHarmless(DeviceReport(raw))
        // The same answers, one byte and none.
        for key in device.answers.keys { device.answers[key] = .bytes([UInt8(truncatingIfNeeded: seed)]) }
        #expect(device.report.hasErrors)
        for key in device.answers.keys { device.answers[key] = .bytes([]) }
        #expect(device.report.hasErrors)
    }

    /// 64 KiB of descriptors in one configuration must not cost their square.
    @Test(
        .timeLimit(.minutes(10)),
        arguments: [
            [7, 5, 0x81, 2, 64, 0, 0], [9, 4, 0, 0, 0, 3, 0, 0, 1], [2, 0x41], [9, 0x21, 1, 1, 0, 1, 0x22, 8, 0],
        ] as [[UInt8]]) func longConfigurationsAreReported(_ filler: [UInt8])
    {
        var device = LawfulDevices.keyboard
        device.editConfiguration { bytes in
            while bytes.count + filler.count <= 0xffff { bytes += filler }
        }
        let report = device.report
        #expect(report.text.count > 10_000)
        #expect(report.json.count > 10_000)
    }
}
