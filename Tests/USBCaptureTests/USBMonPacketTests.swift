import Testing
import USBCapture
import USBCore

@Suite("Packets of usbmon")
struct USBMonPacketTests {
    private static func event(
        _ packet: MonPacket, isMapped: Bool = true, isBigEndian: Bool = false
    ) throws -> (event: CapturedEvent, data: [UInt8]) {
        let file = CaptureFiles.pcap(
            [packet.bytes(isBigEndian: isBigEndian, isMapped: isMapped)], linkType: isMapped ? 220 : 189,
            isBigEndian: isBigEndian)
        let read = ReadCapture(file)
        #expect(read.error == nil)
        return (try #require(read.events.first), try #require(read.data.first))
    }

    @Test("have all their fields read", arguments: [false, true], [false, true])
    func fields(isMapped: Bool, isBigEndian: Bool) throws {
        var packet = MonPacket()
        packet.type = 1
        packet.endpoint = 0x83
        packet.device = 127
        packet.bus = 0x1234
        packet.status = -32
        packet.interval = 8
        packet.flags = 0x204
        let (event, data) = try Self.event(packet, isMapped: isMapped, isBigEndian: isBigEndian)
        var expected = CapturedEvent(
            .completion, number: 1, offset: 24, time: 1_700_000_000_123_456_000, bus: 0x1234, device: 127,
            urb: 0xffff_8881_0000_0040, endpoint: .in(3), type: .interrupt, status: .stalled, length: 4, dataCount: 4,
            dataOffset: isMapped ? 104 : 88)
        if isMapped {
            expected.interval = 8
            expected.flags = 0x204
        }
        #expect(event == expected)
        #expect(data == [1, 2, 3, 4])
    }

    @Test("have setup packets in the bus's byte order, whatever the file's is", arguments: [false, true])
    func setup(isBigEndian: Bool) throws {
        var packet = MonPacket.submission(endpoint: 0x80, length: 18)
        packet.type = 2
        packet.setup = [0x80, 6, 0, 1, 9, 4, 18, 0]
        let event = try Self.event(packet, isBigEndian: isBigEndian).event
        #expect(event.setup == SetupPacket(requestType: 0x80, request: 6, value: 0x100, index: 0x409, length: 18))
        #expect(event.status == .success)
        #expect(!event.isCut)
        packet.setup = nil
        #expect(try Self.event(packet).event.setup == nil)
    }

    @Test("give the data of an OUT with its submission, and of an IN with its completion")
    func data() throws {
        let out = try Self.event(.submission(endpoint: 2, length: 3, data: [7, 8, 9]))
        #expect(out.data == [7, 8, 9])
        #expect(!out.event.isCut)
        var answer = MonPacket()
        answer.endpoint = 2
        answer.data = []
        answer.length = 3
        #expect(try !Self.event(answer).event.isCut)
        #expect(try !Self.event(.submission(length: 512)).event.isCut)
        // The kernel never has data there.
        #expect(try Self.event(.submission(length: 4, data: [1, 2, 3, 4])).event.dataCount == 0)
    }

    @Test(
        "are cut when there are fewer bytes than the bus moved",
        arguments: [
            // Kind, endpoint, length, captured, bytes in the file, and bytes that there are.
            ("C", 0x81, 5, 4, 4, 4), ("C", 0x81, 4, 3, 4, 3), ("C", 0x81, 4, 4, 2, 2), ("S", 0x02, 4, 0, 0, 0),
            ("S", 0x02, .max, .max, 4, 4),
        ] as [(Character, UInt8, UInt32, UInt32, Int, Int)])
    func cut(
        kind: Character, endpoint: UInt8, length: UInt32, captured: UInt32, bytes: Int, count: Int
    ) throws {
        var packet = MonPacket()
        packet.kind = kind.asciiValue ?? 0
        packet.endpoint = endpoint
        packet.length = length
        packet.captured = captured
        packet.data = Array([1, 2, 3, 4].prefix(bytes))
        let (event, data) = try Self.event(packet)
        #expect(event.isCut)
        #expect(data == Array([1, 2, 3, 4].prefix(count)))
        #expect(event.length == Int(length))
    }

    @Test("that captured more than the bus moved give what it moved")
    func tooMuch() throws {
        var packet = MonPacket()
        packet.length = 2
        #expect(try Self.event(packet).data == [1, 2])
    }

    @Test("have the descriptors of isochronous packets before the data", arguments: [false, true], [false, true])
    func isochronous(isMapped: Bool, isBigEndian: Bool) throws {
        var packet = MonPacket()
        packet.type = 0
        packet.startFrame = 77
        packet.interval = 1
        packet.descriptors = [(0, 0, 2), (-18, 4, 0), (0, 8, 2)]
        packet.data = Array(0..<10)
        packet.length = 4
        let (event, data) = try Self.event(packet, isMapped: isMapped, isBigEndian: isBigEndian)
        #expect(
            event.packets == [
                CapturedPacket(status: .success, offset: 0, length: 2),
                CapturedPacket(status: .missed, offset: 4, length: 0),
                CapturedPacket(status: .success, offset: 8, length: 2),
            ])
        #expect(data == Array(0..<10))
        #expect(event.length == 4)
        #expect(!event.isCut)
        #expect(event.startFrame == (isMapped ? 77 : 0))
    }

    @Test("are cut when packets are not described, or their data are missing")
    func isochronousCut() throws {
        var packet = MonPacket()
        packet.type = 0
        packet.descriptors = [(0, 0, 4)]
        packet.numberOfPackets = 200
        #expect(try Self.event(packet).event.isCut)
        packet.numberOfPackets = 1
        packet.storedDescriptors = .max
        #expect(try Self.event(packet).event.isCut)
        packet.storedDescriptors = 1
        packet.descriptors = [(0, .max, .max)]
        let (event, data) = try Self.event(packet)
        #expect(event.isCut)
        #expect(data == [1, 2, 3, 4])
    }

    @Test("of the short header without descriptors, as very old kernels wrote them, have data only")
    func oldIsochronous() throws {
        var packet = MonPacket()
        packet.type = 0
        packet.numberOfPackets = 8
        let (event, data) = try Self.event(packet, isMapped: false)
        #expect(event.packets.isEmpty)
        #expect(event.isCut)
        #expect(data == [1, 2, 3, 4])
    }

    @Test("that were refused end the transfer, without data")
    func refusal() throws {
        var packet = MonPacket()
        packet.kind = UInt8(ascii: "E")
        packet.endpoint = 2
        packet.status = -19
        packet.dataFlag = UInt8(ascii: "E")
        packet.data = []
        packet.length = 4
        let event = try Self.event(packet).event
        #expect(event.kind == .refusal)
        #expect(event.status == .noDevice)
        #expect(!event.isCut)
    }

    @Test("that are none, or shorter than their header, are passed over and counted")
    func passedOver() throws {
        var filler = MonPacket()
        filler.kind = UInt8(ascii: "@")
        var strange = MonPacket()
        strange.type = 4
        let short = Array(MonPacket().bytes().prefix(63))
        let file = CaptureFiles.pcap([filler.bytes(), strange.bytes(), short, [], MonPacket().bytes()])
        let reader = try CaptureReader(bytes: file)
        #expect(try reader.next()?.number == 5)
        #expect(reader.malformedPackets == 4)
        #expect(reader.skippedPackets == 0)
    }
}
