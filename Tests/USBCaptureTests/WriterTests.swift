import TestSupport
import Testing
import USBCapture
import USBCore

/// What the encoder writes, byte by byte, against the layouts of pcapng and of Linux's `mon_bin_hdr`.
@Suite("A capture's blocks") struct WriterTests {
    private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes.dropFirst(offset).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The usbmon record in a packet block.
    private func record(_ event: CapturedEvent, data: [UInt8] = []) -> [UInt8] {
        let block = PcapNGEncoder.packet(0, event, data: data)
        return Array(block[28..<(28 + Int(word(block, 20)))])
    }

    private func event(
        _ kind: CapturedEvent.Kind, _ endpoint: EndpointAddress, _ type: TransferType, length: Int = 0,
        data: Int = 0, packets: [CapturedPacket] = []
    ) -> CapturedEvent {
        CapturedEvent(
            kind, number: 0, offset: 0, time: 1_700_000_000_123_456_789, bus: 3, device: 2, urb: 0x1_0000_0007,
            endpoint: endpoint, type: type, length: length, dataCount: data, packets: packets)
    }

    @Test("A section begins with its magic, names the program, and has its length at both ends")
    func section() {
        let bytes = PcapNGEncoder.section(application: "ghostplug 1.0", comment: "nightly")
        #expect(word(bytes, 0) == 0x0a0d_0d0a)
        #expect(word(bytes, 8) == 0x1a2b_3c4d)
        #expect(word(bytes, 12) == 1)
        #expect(bytes.count % 4 == 0)
        #expect(Int(word(bytes, 4)) == bytes.count)
        #expect(Int(word(bytes, bytes.count - 4)) == bytes.count)
        // The comment is option 1, the program option 4.
        #expect(Array(bytes[24..<28]) == [1, 0, 7, 0])
        #expect(Array(bytes[36..<40]) == [4, 0, 13, 0])
        #expect(String(decoding: bytes[40..<53], as: UTF8.self) == "ghostplug 1.0")
    }

    @Test("An interface has usbmon's link type, no limit on packets, and times in nanoseconds")
    func interface() {
        let bytes = PcapNGEncoder.interface(name: "usbmon1")
        #expect(word(bytes, 0) == 1)
        #expect(word(bytes, 8) == 220)
        #expect(word(bytes, 12) == 0)
        #expect(Array(bytes[16..<28]) == [2, 0, 7, 0] + Array("usbmon1".utf8) + [0])
        #expect(Array(bytes[28..<40]) == [9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0])
        #expect(Int(word(bytes, 4)) == bytes.count)
    }

    @Test("Statistics say how many records there were and how many were dropped")
    func statistics() {
        let bytes = PcapNGEncoder.statistics(
            2, PcapNGEncoder.Statistics(start: 1, end: 2, received: 30, dropped: 4))
        #expect(word(bytes, 0) == 5)
        #expect(word(bytes, 8) == 2)
        // Start, end, received, dropped: eight bytes each behind a head of four.
        #expect(Array(bytes[20..<24]) == [2, 0, 8, 0])
        #expect(Array(bytes[56..<68]) == [5, 0, 8, 0, 4, 0, 0, 0, 0, 0, 0, 0])
        #expect(Int(word(bytes, bytes.count - 4)) == bytes.count)
    }

    @Test("A text that is too long for an option is cut between characters")
    func longComment() {
        let text = String(repeating: "ä", count: 40_000)
        let bytes = PcapNGEncoder.interface(name: "usbmon1", comment: text)
        #expect(Array(bytes[16..<20]) == [1, 0, 0xfe, 0xff])
        #expect(Int(word(bytes, 4)) == bytes.count)
        #expect(bytes.count % 4 == 0)
    }

    @Test("A control request's submission has the setup bytes, EINPROGRESS, and what it asks for")
    func controlSubmission() {
        var event = event(.submission, .in(0), .control, length: 18)
        event.setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18)
        event.flags = 0x200
        let bytes = record(event)
        #expect(bytes.count == 64)
        #expect(Array(bytes[0..<8]) == [7, 0, 0, 0, 1, 0, 0, 0])
        // S, control, IN endpoint 0, device 2, bus 3, setup present, data expected.
        #expect(Array(bytes[8..<16]) == [0x53, 2, 0x80, 2, 3, 0, 0, UInt8(ascii: "<")])
        #expect(word(bytes, 16) == 1_700_000_000)
        #expect(word(bytes, 24) == 123_456)
        #expect(Int32(bitPattern: word(bytes, 28)) == -115)
        #expect(word(bytes, 32) == 18)
        #expect(word(bytes, 36) == 0)
        #expect(Array(bytes[40..<48]) == [0x80, 6, 0, 1, 0, 0, 18, 0])
        #expect(word(bytes, 56) == 0x200)
    }

    @Test(
        "Flags say where data are, and why there are none",
        arguments: [
            // Kind, endpoint, length, data, flag.
            (CapturedEvent.Kind.submission, EndpointAddress.out(2), 3, 3, UInt8(0)),
            (.submission, .out(2), 0, 0, 0), (.submission, .in(1), 64, 0, UInt8(ascii: "<")),
            (.completion, .in(1), 3, 3, 0), (.completion, .in(1), 0, 0, 0),
            (.completion, .out(2), 3, 0, UInt8(ascii: ">")), (.submission, .out(2), 3, 0, UInt8(ascii: "Z")),
            (.refusal, .out(2), 0, 0, UInt8(ascii: "E")),
        ])
    func flags(
        _ kind: CapturedEvent.Kind, _ endpoint: EndpointAddress, _ length: Int, _ data: Int, _ flag: UInt8
    ) {
        let bytes = record(event(kind, endpoint, .bulk, length: length, data: data), data: [1, 2, 3])
        #expect(bytes[14] == UInt8(ascii: "-"))
        #expect(bytes[15] == flag)
        #expect(bytes.count == 64 + data)
    }

    @Test("Types have usbmon's numbers, which are not those of descriptors")
    func types() {
        let numbers = [TransferType.isochronous, .interrupt, .control, .bulk].map {
            record(event(.completion, .in(1), $0))[9]
        }
        #expect(numbers == [0, 1, 2, 3])
    }

    @Test("Isochronous packets stand before the data, with their number and that of those that failed")
    func isochronous() {
        let packets = [
            CapturedPacket(status: .success, offset: 0, length: 2),
            CapturedPacket(status: .missed, offset: 4, length: 0),
        ]
        var event = event(.completion, .in(3), .isochronous, length: 2, data: 2, packets: packets)
        event.startFrame = 77
        event.interval = 8
        let bytes = record(event, data: [0xaa, 0xbb])
        #expect(bytes.count == 64 + 32 + 2)
        #expect(word(bytes, 36) == 34)
        #expect(word(bytes, 40) == 1)
        #expect(word(bytes, 44) == 2)
        #expect(word(bytes, 48) == 8)
        #expect(word(bytes, 52) == 77)
        #expect(word(bytes, 60) == 2)
        #expect(Array(bytes[64..<80]) == [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0])
        #expect(Int32(bitPattern: word(bytes, 80)) == -18)
        #expect(word(bytes, 84) == 4)
        #expect(Array(bytes[96..<98]) == [0xaa, 0xbb])
    }

    @Test("A packet is filled up to four bytes, and a cut one says how long it was", arguments: 0...5)
    func padding(count: Int) {
        var event = event(.completion, .in(1), .bulk, length: count + 10, data: count)
        event.isCut = true
        let block = PcapNGEncoder.packet(7, event, data: [1, 2, 3, 4, 5])
        #expect(block.count % 4 == 0)
        #expect(Int(word(block, 4)) == block.count)
        #expect(Int(word(block, block.count - 4)) == block.count)
        #expect(word(block, 8) == 7)
        #expect(Int(word(block, 20)) == 64 + count)
        #expect(Int(word(block, 24)) == 64 + count + 10)
        let time = UInt64(word(block, 12)) << 32 | UInt64(word(block, 16))
        #expect(time == 1_700_000_000_123_456_789)
    }

    @Test("A device's line has its model without spaces")
    func deviceLine() {
        var announcement = DeviceAnnouncement(channel: 0, bus: 1, device: 2, speed: .superPlus)
        announcement.busID = "1-1"
        announcement.vendorID = 0x525
        announcement.productID = 0xa4a5
        announcement.model = "drive:label=MY DATA,image=100%.img"
        #expect(
            DeviceComment.line(announcement, seed: 7)
                == "ghostplug-device: channel=0 bus=1 device=2 speed=super-plus busid=1-1 vid=0525 pid=a4a5 "
                + "model=drive:label=MY%20DATA,image=100%25.img seed=7")
    }
}
