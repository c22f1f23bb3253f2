import DirectHost
import TestSupport
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBRecording

/// What a host submits and gets back, in whatever order, is what the capture has.
@Suite("Any traffic") struct RandomTests {
    /// What the capture must have of one record.
    private struct Expected: Equatable {
        var kind: CapturedEvent.Kind
        var endpoint: EndpointAddress
        var status = TransferStatus.success
        var length: Int
        var data: [UInt8]
        var setup: SetupPacket?
        var packets: [CapturedPacket] = []
    }

    /// A transfer that a host may submit.
    private static func submit(
        _ host: DirectHost, _ random: inout SplitMix64
    ) -> (id: URB.ID, expected: Expected) {
        let sizes = [0, 1, 3, 64, 512, 4095, 70_000, 1 << 20]
        let size = sizes[random.below(random.oneIn(20) ? sizes.count : 6)]
        switch random.below(5) {
        case 0:
            let id = host.submitIn(.in(UInt8(1 + random.below(2))), size)
            return (id, Expected(kind: .submission, endpoint: .in(0), length: size, data: []))
        case 1:
            let bytes = random.bytes(size)
            let id = host.submitOut(.out(UInt8(1 + random.below(2))), bytes)
            return (id, Expected(kind: .submission, endpoint: .out(0), length: size, data: bytes))
        case 2:
            var setup = SetupPacket(littleEndian: random.any())
            setup.length = UInt16(min(size, 4096))
            let bytes = setup.direction == .out ? random.bytes(Int(setup.length)) : []
            let id = host.submitControl(setup, bytes)
            return (
                id,
                Expected(
                    kind: .submission, endpoint: .in(0), length: Int(setup.length), data: bytes, setup: setup)
            )
        default:
            let isIn = random.oneIn(2)
            let (count, each) = (1 + random.below(10), 1 + random.below(200))
            let bytes = isIn ? [] : random.bytes(count * each)
            let id = host.submitIsochronous(isIn ? .in(3) : .out(3), packets: count, of: each, bytes)
            let packets = (0..<count).map {
                CapturedPacket(status: .missed, offset: UInt32($0 * each), length: UInt32(each))
            }
            return (
                id,
                Expected(
                    kind: .submission, endpoint: .in(3), length: count * each, data: bytes, packets: packets)
            )
        }
    }

    /// A way to end a transfer.
    private static func answer(_ submission: ScriptedDevice.Submission, _ random: inout SplitMix64) -> Answer {
        let failures = [TransferStatus.stalled, .protocolError, .overflow, .noDevice].map(Answer.status)
        if random.oneIn(8) { return failures[random.below(failures.count)] }
        let count = random.oneIn(3) ? submission.requestedLength : random.below(submission.requestedLength + 2)
        switch (submission.type, submission.endpoint.direction) {
        case (.isochronous, .in):
            return .packets(
                submission.packets.map { packet in
                    .init(random.bytes(random.below(Int(packet.length) + 1)), random.oneIn(5) ? .missed : .success)
                })
        case (.isochronous, .out): return .acceptPackets
        case (_, .out): return .accept(count)
        case (_, .in):
            let bytes = random.bytes(count)
            return random.oneIn(2) ? .bytes(bytes) : random.oneIn(2) ? .inPlace(bytes) : .lent(bytes)
        }
    }

    @Test("is in the capture event by event", arguments: 0..<12)
    func everything(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let scratch = Scratch()
        // Small blocks, so that records end up at every place in them.
        let writer = try CaptureWriter(
            scratch["a.pcapng"], limits: CaptureLimits(blockSize: 4096 + random.below(8192), blockCount: 20_000))
        let device = ScriptedDevice()
        let host = DirectHost(CaptureTap(device, writer.register(RecordedDevice(name: "Device"))))
        var submitted: [URB.ID: Expected] = [:]
        var order: [(id: URB.ID, kind: CapturedEvent.Kind)] = []
        host.onCompletion = { order.append(($0.id, .completion)) }
        for _ in 0..<150 {
            while device.waiting.count > random.below(8) {
                let waiting = device.waiting
                let submission = waiting[random.below(waiting.count)]
                if random.oneIn(6) {
                    host.cancel(submission.id)
                } else {
                    device.complete(submission.id, Self.answer(submission, &random))
                }
            }
            let (id, expected) = Self.submit(host, &random)
            submitted[id] = expected
            order.append((id, .submission))
        }
        device.completeAll(.shutdown)
        #expect(host.violations.isEmpty)
        #expect(writer.close().dropped == 0)

        let events = try readAll(scratch["a.pcapng"]).events
        try #require(events.count == order.count)
        for (read, (id, kind)) in zip(events, order) {
            #expect(UInt32(truncatingIfNeeded: read.event.urb) == id)
            let expected = try #require(kind == .submission ? submitted[id] : host.outcome(id).map(Self.end))
            let found = Expected(
                kind: read.event.kind, endpoint: expected.endpoint, status: read.event.status,
                length: read.event.length, data: read.data, setup: read.event.setup, packets: read.event.packets)
            #expect(found == expected)
            #expect(!read.event.isCut)
        }
    }

    /// What the record of a transfer's end must have.
    private static func end(_ completion: DirectHost.Completion) -> Expected {
        var data = completion.data
        if !completion.packets.isEmpty, completion.endpoint.direction == .in {
            // Each packet where the host's buffer has it.
            data = []
            var rest = completion.data[...]
            for packet in completion.packets where packet.actualLength > 0 {
                data += [UInt8](repeating: 0, count: Int(packet.offset) - data.count)
                data += rest.prefix(Int(packet.actualLength))
                rest = rest.dropFirst(Int(packet.actualLength))
            }
        }
        return Expected(
            kind: .completion, endpoint: completion.endpoint, status: completion.status,
            length: completion.actualLength, data: data,
            packets: completion.packets.map {
                CapturedPacket(status: $0.status, offset: $0.offset, length: $0.actualLength)
            })
    }
}
