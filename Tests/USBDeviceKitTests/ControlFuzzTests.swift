import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Any setup packet in any state")
struct ControlFuzzTests {
    @Test(
        "ends exactly once, never with more bytes than were asked for, and with none after a STALL",
        arguments: Speed.all, 0..<8 as Range<UInt64>)
    func anything(speed: Speed, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bench = try Bench(speed, in: DeviceState.allCases.randomElement(using: &generator) ?? .default)
        let host = bench.host
        for _ in 0..<2_000 {
            host.forget()
            let setup = likelySetup(&generator)
            let room = Bool.random(using: &generator) ? nil : Int.random(in: 0...600, using: &generator)
            let direction: Direction? = Int.random(in: 0..<8, using: &generator) == 0 ? .in : nil
            let bytes = setup.direction == .out ? generator.bytes(min(Int(setup.length), 64)) : []
            let id = host.submitControl(setup, bytes, room: room, direction: direction)
            if host.waiting.contains(id) { host.cancel(id) }
            #expect(host.completions.filter { $0.id == id }.count == 1, "\(setup)")
            let outcome = try #require(host.outcome(id))
            #expect([.success, .stalled, .cancelled].contains(outcome.status), "\(setup)")
            #expect(outcome.actualLength <= Int(setup.length), "\(setup)")
            if outcome.status == .stalled { #expect(outcome.actualLength == 0, "\(setup)") }
            disturb(bench, &generator)
        }
        #expect(host.violations.isEmpty)
        bench.device.disconnect()
        #expect(host.waiting.isEmpty)
    }

    /// A setup packet whose fields are random in part, so that some get past the first check.
    private func likelySetup(_ generator: inout SeededGenerator) -> SetupPacket {
        var setup = SetupPacket(littleEndian: generator.next())
        if Int.random(in: 0..<10, using: &generator) > 0 {
            setup.requestType =
                [0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x21, 0xa1, 0x40, 0xc0]
                .randomElement(using: &generator) ?? 0
            setup.request = UInt8.random(in: 0...12, using: &generator)
        }
        if Bool.random(using: &generator) { setup.value = UInt16.random(in: 0...2, using: &generator) }
        if Bool.random(using: &generator) {
            setup.index = [0, 1, 2, 0x80, 0x81, 0x82, 0x83, 0x01, 0x02, 0x04].randomElement(using: &generator) ?? 0
        }
        if Bool.random(using: &generator) {
            setup.length = [0, 1, 2, 8, 18, 255].randomElement(using: &generator) ?? 0
        }
        return setup
    }

    /// Now and then something else happens to the device.
    private func disturb(_ bench: Bench, _ generator: inout SeededGenerator) {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0: bench.device.reset(.port)
        case 1: bench.device.reset(.inferred)
        case 2:
            bench.device.disconnect()
            bench.device.connect()
        case 3...6: bench.host.submitIn(.in(UInt8.random(in: 1...4, using: &generator)), 64)
        case 7...10: bench.host.submitOut(.out(UInt8.random(in: 1...4, using: &generator)), [1])
        case 11...20:
            for id in bench.host.waiting { bench.host.cancel(id) }
        default: break
        }
    }
}
