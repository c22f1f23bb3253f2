import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("Keyboards, mice and streams of a recording")
struct PeriodicReplayTests {
    private let input = EndpointAddress.in(1)

    /// Three keys: one second after the first poll, then 100 ms and 300 ms apart.
    private func keyboard() -> TraceMaker {
        let maker = TraceMaker(speed: .low) {
            Interface(0, class: .hid, subclass: 1, protocol: 1) {
                Endpoint(.in(1), .interrupt, maxPacketSize: 8, every: .milliseconds(10))
            }
        }
        maker.latency = 1_000_000_000
        maker.answer(1, [0, 0, 4, 0, 0, 0, 0, 0], .interrupt, asked: 8)
        maker.latency = 100_000_000
        maker.time = 2_000_000_000
        maker.answer(1, [0, 0, 0, 0, 0, 0, 0, 0], .interrupt, asked: 8)
        maker.latency = 300_000_000
        maker.time = 2_100_000_000
        maker.answer(1, [0, 0, 5, 0, 0, 0, 0, 0], .interrupt, asked: 8)
        return maker
    }

    @Test("a keyboard types by itself with the recorded gaps, from the first poll on")
    func gaps() throws {
        let (host, device) = try keyboard().host()
        host.clock.advance(by: 7_000_000_000)
        var times: [UInt64] = []
        host.onCompletion = { _ in times.append(host.clock.now) }
        let start = host.clock.now
        for _ in 0..<3 {
            host.submitIn(input, 8)
            while host.waiting.count > 0, let alarm = host.clock.nextAlarm { host.clock.advance(to: alarm) }
        }
        #expect(times.map { ($0 - start) / 1_000_000 } == [1000, 1100, 1400])
        #expect(host.read(input, 8) == nil, "nothing more was typed")
        #expect(host.completions.map { $0.data[2] } == [4, 0, 5])
        #expect(device.report.passed)
        host.onCompletion = nil
    }

    @Test("scaled, gaps are longer or shorter; fast, there are none")
    func scaled() throws {
        let (half, _) = try keyboard().host { $0.timing = .scaled(0.5) }
        let id = half.submitIn(input, 8)
        half.clock.advance(by: 499_999_999)
        #expect(half.outcome(id) == nil)
        half.clock.advance(by: 1)
        #expect(half.outcome(id)?.data[2] == 4)
        let (fast, _) = try keyboard().host { $0.timing = .fast }
        #expect((0..<3).compactMap { _ in fast.read(input, 8)?.data[2] } == [4, 0, 5])
    }

    @Test("a host that polls late gets what is due, and the gaps go on from there")
    func latePoll() throws {
        let (host, _) = try keyboard().host()
        host.submitIn(input, 8)
        host.clock.advance(by: 1_000_000_000)
        host.clock.advance(by: 60_000_000_000)
        #expect(host.read(input, 8)?.data[2] == 0)
        let id = host.submitIn(input, 8)
        #expect(host.outcome(id) == nil)
        host.clock.advance(by: 300_000_000)
        #expect(host.outcome(id)?.data[2] == 5)
    }

    @Test("loop types the same again")
    func loops() throws {
        let (host, device) = try keyboard().host {
            $0.timing = .fast
            $0.loops = true
        }
        #expect((0..<7).compactMap { _ in host.read(input, 8)?.data[2] } == [4, 0, 5, 4, 0, 5, 4])
        #expect(device.report.passed)
    }

    @Test("times that run backwards and gaps of years do no harm")
    func hostileTimes() throws {
        let maker = TraceMaker(speed: .full) {
            Interface(0, class: .hid) { Endpoint(.in(1), .interrupt, maxPacketSize: 8, every: .milliseconds(10)) }
        }
        for time: Int64 in [.max - 1_000_000, 5, .min + 1, 1 << 60] {
            maker.time = time
            maker.answer(1, [1], .interrupt, asked: 8)
        }
        let (host, _) = try maker.host()
        for _ in 0..<4 {
            host.submitIn(input, 8)
            host.clock.advance(by: 90_000_000_000_000)
        }
        #expect(host.completions.filter { $0.endpoint == input }.count == 4)
    }

    @Test("isochronous packets come as recorded, whatever transfers the host makes of them")
    func isochronous() throws {
        let maker = TraceMaker {
            Interface(0, class: .vendorSpecific)
            Interface(0, alternate: 1, class: .vendorSpecific) {
                Endpoint(.in(1), .isochronous, maxPacketSize: 64, every: .milliseconds(1))
            }
        }
        maker.stream(1, [(.success, [1, 1]), (.missed, []), (.success, [2])])
        maker.stream(1, [(.success, [3, 3, 3])])
        let (host, device) = try maker.host()
        host.control(SetupPacket(requestType: 0x01, request: 11, value: 1))
        let first = host.submitIsochronous(input, packets: 2, of: 64)
        let second = host.submitIsochronous(input, packets: 3, of: 64)
        #expect(host.outcome(first)?.data == [1, 1])
        #expect(host.outcome(first)?.packets.map(\.status) == [.success, .missed])
        #expect(host.outcome(second)?.data == [2, 3, 3, 3])
        #expect(host.outcome(second)?.packets.map { Int($0.actualLength) } == [1, 3, 0])
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }
}
