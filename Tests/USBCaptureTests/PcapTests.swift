import Testing
import USBCapture
import USBCore

@Suite("pcap files")
struct PcapTests {
    @Test("are read in both byte orders", arguments: [false, true])
    func byteOrders(isBigEndian: Bool) throws {
        let packets = [MonPacket.submission(), MonPacket()].map { $0.bytes(isBigEndian: isBigEndian) }
        let read = ReadCapture(CaptureFiles.pcap(packets, isBigEndian: isBigEndian))
        #expect(read.error == nil)
        #expect(read.events.map(\.kind) == [.submission, .completion])
        #expect(read.events.map(\.number) == [1, 2])
        #expect(read.events.map(\.offset) == [24, 24 + 16 + 64])
        #expect(read.events.map(\.urb) == [0xffff_8881_0000_0040, 0xffff_8881_0000_0040])
        #expect(read.data == [[], [1, 2, 3, 4]])
        #expect(read.events[1].dataOffset == 184)
    }

    @Test("of microseconds give usbmon's own time, of nanoseconds their own")
    func times() throws {
        let packet = [MonPacket().bytes()]
        #expect(ReadCapture(CaptureFiles.pcap(packet)).events.map(\.time) == [1_700_000_000_123_456_000])
        #expect(
            ReadCapture(CaptureFiles.pcap(packet, magic: 0xa1b2_3c4d)).events.map(\.time)
                == [1_700_000_000_000_000_005])
    }

    @Test("give their own time where the record has none, or one that cannot be")
    func ownTime() throws {
        var packet = MonPacket()
        packet.seconds = 0
        packet.microseconds = 0
        var strange = MonPacket()
        strange.seconds = .max
        let file = CaptureFiles.pcap([packet.bytes(), strange.bytes()])
        #expect(ReadCapture(file).events.map(\.time) == [1_700_000_000_000_005_000, 1_700_000_001_000_005_000])
    }

    @Test("with the longer records of patched libpcaps are read", arguments: [false, true])
    func modified(isBigEndian: Bool) throws {
        let packets = [MonPacket(), MonPacket()].map { $0.bytes(isBigEndian: isBigEndian) }
        let read = ReadCapture(CaptureFiles.pcap(packets, magic: 0xa1b2_cd34, isBigEndian: isBigEndian))
        #expect(read.data == [[1, 2, 3, 4], [1, 2, 3, 4]])
    }

    @Test("may say more than the link type in its number")
    func upperBits() throws {
        #expect(ReadCapture(CaptureFiles.pcap([MonPacket().bytes()], linkType: 0xF000_00DC)).events.count == 1)
    }

    @Test("of a link type that is not understood are refused, with what is understood")
    func linkType() throws {
        let error = try #require(throws: CaptureError.self) {
            try CaptureReader(bytes: CaptureFiles.pcap([[1]], linkType: 127))
        }
        #expect(error.kind == .unsupported)
        #expect(error.reason.contains("127 (wireless network)"))
        #expect(error.reason.contains("usbmon (189 and 220)"))
    }

    @Test("of another version are refused")
    func version() throws {
        var file = CaptureFiles.pcap([])
        file[4] = 3
        let error = try #require(throws: CaptureError.self) { try CaptureReader(bytes: file) }
        #expect(
            error == CaptureError(.unsupported, "The file is pcap of version 3; understood is version 2", offset: 4))
    }

    @Test("say where and in which packet they are cut")
    func cut() throws {
        let file = CaptureFiles.pcap([MonPacket().bytes(), MonPacket().bytes()])
        let read = ReadCapture(Array(file.dropLast()))
        #expect(read.events.count == 1)
        #expect(read.error?.kind == .cut)
        #expect(read.error?.offset == 108)
        #expect(read.error?.packet == 2)
    }

    @Test("with a packet larger than the limit are read up to it")
    func tooLarge() throws {
        var file = CaptureFiles.pcap([MonPacket().bytes(), MonPacket().bytes()])
        file.replaceSubrange(24 + 84 + 8..<24 + 84 + 12, with: [0xff, 0xff, 0xff, 0xff])
        let read = ReadCapture(file)
        #expect(read.events.count == 1)
        #expect(read.error?.kind == .excessive)
        #expect(read.error?.offset == 108)
    }
}
