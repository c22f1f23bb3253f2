import TestSupport
import Testing
import USBCapture
import USBCore

/// What is encoded is what is read back.
@Suite("Written and read again") struct WriterRoundTripTests {
    private static func event(_ random: inout SplitMix64, number: Int) -> (event: CapturedEvent, data: [UInt8]) {
        let kind: CapturedEvent.Kind = [.submission, .completion, .completion, .refusal][random.below(4)]
        let type = TransferType.allCases[random.below(4)]
        let number4 = type == .control ? 0 : UInt8(1 + random.below(15))
        let endpoint: EndpointAddress = random.oneIn(2) ? .in(number4) : .out(number4)
        let statuses = [0, 0, 0, -32, -75, -104, -108, -2, -110, -71, -121].map { TransferStatus(rawValue: $0) }
        var event = CapturedEvent(
            kind, number: number, offset: 0, time: 1_600_000_000_000_000_000 + Int64(random.below(1 << 50)),
            bus: UInt16(1 + random.below(200)), device: UInt16(random.below(128)), urb: random.any(),
            endpoint: endpoint, type: type)
        if kind != .submission { event.status = statuses[random.below(statuses.count)] }
        if kind == .submission, type == .control { event.setup = SetupPacket(littleEndian: random.any()) }
        event.flags = random.any()
        let carries = kind != .refusal && (kind == .submission) == (endpoint.direction == .out)
        let sizes = [0, 0, 1, 3, 4, 5, 64, 512, 1023, 65_536]
        var count = carries ? sizes[random.below(sizes.count)] : 0
        switch type {
        case .isochronous:
            event.interval = Int32(1 << random.below(8))
            event.startFrame = Int32(random.below(1 << 30))
            if kind == .refusal { break }
            let packets = random.below(9)
            count = 0
            for index in 0..<packets {
                let length = UInt32(random.below(40))
                let status = statuses[random.below(statuses.count)]
                event.packets.append(CapturedPacket(status: status, offset: UInt32(index * 64), length: length))
                if carries, length > 0 { count = index * 64 + Int(length) }
            }
        case .interrupt: event.interval = Int32(1 << random.below(8))
        case .control, .bulk: break
        }
        event.dataCount = count
        event.length = carries ? count : kind == .refusal ? 0 : random.below(1 << 20)
        return (event, random.bytes(count))
    }

    @Test("Every kind of event comes back as it was", arguments: 0..<20)
    func everything(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        var file = PcapNGEncoder.section(application: "test")
        for index in 1...3 { file += PcapNGEncoder.interface(name: "usbmon\(index)") }
        var written: [(channel: Int, event: CapturedEvent, data: [UInt8])] = []
        for number in 1...200 {
            let (event, data) = Self.event(&random, number: number)
            let channel = random.below(3)
            written.append((channel, event, data))
            file += PcapNGEncoder.packet(UInt32(channel), event, data: data)
        }
        let reader = try CaptureReader(bytes: file)
        for (channel, event, data) in written {
            let found = try #require(try reader.next())
            var expected = event
            expected.channel = channel
            expected.offset = found.offset
            expected.dataOffset = found.dataOffset
            #expect(found == expected)
            #expect(reader.withData { unsafe $0.withUnsafeBytes { unsafe Array($0) } } == data)
        }
        #expect(try reader.next() == nil)
    }

    @Test("A transfer of 1 MiB comes back whole")
    func large() throws {
        var random = SplitMix64(seed: 1)
        let data = random.bytes(1 << 20)
        let event = CapturedEvent(
            .completion, number: 1, offset: 0, time: 1, bus: 1, device: 2, urb: 3, endpoint: .in(1), type: .bulk,
            length: data.count, dataCount: data.count)
        let reader = try CaptureReader(
            bytes: PcapNGEncoder.section(application: "test") + PcapNGEncoder.interface(name: "usbmon1")
                + PcapNGEncoder.packet(0, event, data: data))
        let found = try #require(try reader.next())
        #expect(found.length == 1 << 20 && !found.isCut)
        #expect(reader.withData { unsafe $0.withUnsafeBytes { unsafe $0.elementsEqual(data) } })
    }

    @Test("What an interface's comment says of a device is understood, and drops are counted")
    func announcement() throws {
        var announcement = DeviceAnnouncement(channel: 0, bus: 1, device: 2, speed: .high)
        announcement.model = "drive:label=MY DATA"
        announcement.busID = "1-7"
        announcement.vendorID = 0x1209
        announcement.productID = 0x0001
        let statistics = PcapNGEncoder.Statistics(start: 1, end: 2, received: 10, dropped: 3)
        let reader = try CaptureReader(
            bytes: PcapNGEncoder.section(application: "test")
                + PcapNGEncoder.interface(name: "usbmon1", comment: DeviceComment.line(announcement, seed: 7))
                + PcapNGEncoder.statistics(0, statistics, comment: "3 records were dropped"))
        #expect(try reader.next() == nil)
        #expect(reader.announcements == [announcement])
        #expect(reader.dropped == 3)
        #expect(reader.comments.contains("3 records were dropped"))
    }
}
