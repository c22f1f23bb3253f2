import Testing
import USBCapture
import USBCore

@testable import CaptureTraces

@Suite("Events that make no sense")
struct HostileEventsTests {
    /// Events with values from small sets, so that names, addresses and endpoints meet.
    private func script(seed: UInt64, count: Int) -> Script {
        var dice = Dice(seed: seed)
        func roll(_ sides: UInt64) -> UInt64 { dice.next() % sides }
        let types = TransferType.allCases
        let lengths: [UInt16] = [0, 2, 8, 18, 255, 0xffff]
        var script = Script()
        for _ in 0..<count {
            script.channel = Int(roll(2))
            script.bus = UInt16(roll(2))
            script.device = UInt16(roll(4))
            script.hasPlaces = roll(2) == 0
            let isAsking = roll(2) == 0
            let setup = SetupPacket(
                requestType: [0x80, 0x81, 0x00, 0x23, 0xa3, 0xc0][Int(roll(6))], request: [5, 6, 9, 0][Int(roll(4))],
                value: UInt16([1, 2, 3, 6, 7, 15, 0x22][Int(roll(7))] << 8 | roll(3)), index: UInt16(roll(3)),
                length: lengths[Int(roll(6))])
            var data = (0..<roll(40)).map { _ in UInt8(truncatingIfNeeded: roll(256)) }
            if roll(2) == 0, data.count > 1 {
                data[1] = UInt8(truncatingIfNeeded: setup.value >> 8)
                data[0] = UInt8(truncatingIfNeeded: roll(20))
            }
            if roll(8) == 0 { data = Samples.command([0x28], tag: 1, expected: UInt32(roll(1 << 32)), isIn: true) }
            if roll(8) == 0 { data = Samples.status(1, UInt8(roll(4)), residue: UInt32(roll(1 << 32))) }
            script.add(
                [.submission, .completion, .refusal][Int(roll(3))], isAsking ? .control : types[Int(roll(4))],
                UInt8(truncatingIfNeeded: dice.next()), urb: roll(6), setup: isAsking ? setup : nil,
                status: TransferStatus(rawValue: Int32(truncatingIfNeeded: [0, 0, 0, -2, -32, -121, 7][Int(roll(7))])),
                length: [0, data.count, -1, .max, .min][Int(roll(5))], data: data,
                packets: (0..<roll(3)).map { _ in
                    CapturedPacket(status: .success, offset: .max, length: UInt32(roll(1 << 32)))
                }, isCut: roll(5) == 0, interval: Int32(truncatingIfNeeded: dice.next()))
            let last = script.events.count - 1
            if roll(10) == 0 { script.events[last].event.time = roll(2) == 0 ? .min : .max }
            if roll(50) == 0 { script.events[last].event.number = roll(2) == 0 ? .max : -1 }
        }
        return script
    }

    @Test("give as many transfers as there are submissions and ends without one", arguments: 1...60)
    func random(seed: UInt64) throws {
        let script = script(seed: seed, count: 600)
        let summary = script.summary
        #expect(summary.events == 600)
        let (traces, loaded) = try TraceLoader.load(script.source, choice: nil)
        // A survey and a loader see the same, however the transfers are kept.
        #expect(summary == loaded)
        let devices = summary.devices
        #expect(devices.map(\.number) == Array(1...devices.count))
        for trace in traces {
            let device = trace.device
            #expect(trace.transfers.count == device.submissions + device.unasked)
            #expect(device.submissions + device.unasked == device.completions + device.unanswered)
            #expect(device.endpoints.count <= 128)
            for transfer in trace.transfers {
                let range = Int(transfer.firstPacket)..<Int(transfer.firstPacket) + Int(transfer.packetCount)
                #expect(range.upperBound <= trace.packets.count)
                #expect(try trace.bytes(transfer.input).count == Int(transfer.input.count))
                #expect(try trace.bytes(transfer.output).count == Int(transfer.output.count))
            }
            #expect(trace.packets.count == trace.submittedPackets.count)
            let (completed, _) = try trace.completedDescriptors()
            #expect(completed.device.count >= 18)
            if try !BulkOnlyReader.commands(of: trace).isEmpty { _ = try DiskImage(trace).describe(.final) }
        }
        #expect(traces.reduce(0) { $0 + $1.transfers.count } <= 600)
    }

    @Test("cannot fill the memory with descriptors")
    func manyDescriptors() {
        var script = Script()
        let large = [0xff, 3] + [UInt8](repeating: 1, count: 253)
        // Languages and indices make each one a new string; addresses make each device a new one.
        for n in 0..<3000 {
            script.device = UInt16(n % 100)
            script.descriptor(3, index: UInt8(truncatingIfNeeded: n), language: UInt16(n), large)
        }
        let kept = script.summary.devices.reduce(0) { $0 + $1.descriptors.strings.count }
        #expect(kept > 2900)
        var follower = DeviceFollower()
        let slot = follower.slot(channel: 0, bus: 1, address: 5, time: 0)
        let whole = [0xff, 3] + [UInt8](repeating: 0, count: 60_000)
        for n in 0..<6000 {
            let setup = SetupPacket(
                requestType: 0x81, request: 6, value: 0x2200, index: UInt16(n & 0xff), length: 0xffff)
            _ = follower.noteAnswer(setup, whole + [UInt8](repeating: 0, count: n / 256), slot: slot, time: 0)
            let string = SetupPacket(requestType: 0x80, request: 6, value: 0x0301, index: UInt16(n), length: 0xff)
            _ = follower.noteAnswer(string, large, slot: slot, time: 0)
        }
        #expect(!follower.hasLeftOutDescriptors)
        for index in UInt16(0)..<256 {
            for type: UInt16 in [0x0200, 0x0700] {
                let setup = SetupPacket(requestType: 0x80, request: 6, value: type | index, length: 0xffff)
                let bytes = [9, UInt8(type >> 8), 0xff, 0xff] + [UInt8](repeating: 0, count: 65_531)
                for slot in 0..<4 {
                    let place = follower.slot(channel: slot, bus: 1, address: 5, time: 0)
                    _ = follower.noteAnswer(setup, bytes, slot: place, time: 0)
                }
            }
        }
        #expect(follower.hasLeftOutDescriptors)
        let bytes = follower.slots.reduce(0) { sum, slot in
            sum + slot.device.descriptors.configurations.values.reduce(0) { $0 + $1.count }
                + slot.device.descriptors.otherSpeed.values.reduce(0) { $0 + $1.count }
        }
        #expect(bytes < 64 << 20)
    }
}
