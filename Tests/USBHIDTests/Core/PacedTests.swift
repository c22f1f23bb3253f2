import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

/// What the bus's turns do to reports, seen through the layer that devices are exported with.
@Suite("Reports on a bus")
struct PacedReportTests {
    /// A polled device, asked each millisecond, and when its reports came.
    private final class Bus {
        let probe = ProbeFunction.withoutIDs()
        let host: DirectHost
        var arrivals: [(time: UInt64, report: [UInt8])] = []

        init() throws {
            let gadget = HIDGadget(HIDGadget.Configuration(), functions: [probe])
            host = DirectHost(PacedDevice(try GadgetDevice(gadget)))
            try #require(host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
            host.onCompletion = { [unowned self] completion in
                guard completion.endpoint == .in(1), completion.status == .success else { return }
                arrivals.append((host.clock.now, completion.data))
                host.submitIn(.in(1), 64)
            }
            host.submitIn(.in(1), 64)
        }
    }

    @Test("a script without pauses brings one report each turn, and none is lost")
    func script() throws {
        let bus = try Bus()
        let link = try #require(bus.probe.link)
        bus.host.clock.advance(by: 5 * millisecond)
        var isDone = false
        let steps = (1...20 as ClosedRange<UInt8>).map { number in InputScript.Step { link.send([number]) } }
        link.play(InputScript(steps)) { _ in isDone = true }
        bus.host.clock.advance(by: 30 * millisecond)
        #expect(isDone && bus.arrivals.map { $0.report[0] } == Array(1...20))
        let gaps = zip(bus.arrivals, bus.arrivals.dropFirst()).map { $1.time - $0.time }
        #expect(gaps.allSatisfy { $0 == millisecond } && bus.host.violations.isEmpty)
    }

    @Test("a report that is sent between two turns comes with the next one")
    func latency() throws {
        let bus = try Bus()
        bus.host.clock.advance(by: 5 * millisecond)
        for _ in 0..<10 {
            bus.host.clock.advance(by: 3 * millisecond + 300_000)
            let sent = bus.host.clock.now
            bus.probe.link?.send([1])
            bus.host.clock.advance(by: millisecond)
            #expect(try #require(bus.arrivals.last).time - sent <= millisecond)
        }
        #expect(bus.arrivals.count == 10)
    }

    @Test("an idle rate of 8 ms repeats each 8 ms")
    func idle() throws {
        let bus = try Bus()
        try #require(
            bus.host.control(.init(requestType: 0x21, request: 10, value: 0x0200))?.status == .success)
        bus.host.clock.advance(by: 100 * millisecond)
        let gaps = zip(bus.arrivals, bus.arrivals.dropFirst()).map { $1.time - $0.time }
        #expect(gaps.count >= 9 && gaps.allSatisfy { (8 * millisecond...10 * millisecond).contains($0) })
    }
}
