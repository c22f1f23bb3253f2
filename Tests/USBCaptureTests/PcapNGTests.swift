import Testing
import USBCapture
import USBCore

@Suite("pcapng files")
struct PcapNGTests {
    @Test("are read in both byte orders", arguments: [false, true])
    func byteOrders(isBigEndian: Bool) throws {
        let reader = try CaptureReader(bytes: CaptureFiles.small(isBigEndian: isBigEndian))
        let read = ReadCapture(reader)
        #expect(read.error == nil)
        #expect(reader.format == "pcapng")
        #expect(reader.position == reader.size)
        #expect(read.events.map(\.kind) == [.submission, .completion, .completion])
        #expect(read.events.map(\.channel) == [0, 0, 1])
        #expect(read.data == [[], [1, 2, 3, 4], [1, 2, 3, 4]])
        #expect(reader.comments == ["of the section", "one"])
        #expect(reader.dropped == 7)
        #expect(reader.skippedPackets == 0)
    }

    @Test("of several sections number their interfaces on, whatever the sections' byte orders and lengths are")
    func sections() throws {
        var last = NGBuilder(isBigEndian: true)
        last.section(sectionLength: 12)
        last.interface(220)
        last.packet(MonPacket().bytes(isBigEndian: true))
        let read = ReadCapture(CaptureFiles.small() + CaptureFiles.small(isBigEndian: true) + last.bytes)
        #expect(read.error == nil)
        #expect(read.events.map(\.channel) == [0, 0, 1, 2, 2, 3, 4])
        #expect(read.events.map(\.number) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test(
        "give times in nanoseconds whatever their resolution is",
        arguments: [
            // Resolution, offset in seconds, time, and nanoseconds.
            (9, 0, 1_700_000_000_000_000_042, 1_700_000_000_000_000_042),
            (7, 0, 17_000_000_000_000_001, 1_700_000_000_000_000_100),
            (12, 0, 1_700_000_000_123, 1_700_000_000), (9, 10, 5, 10_000_000_005), (9, -1, 5, -999_999_995),
            (0x80 | 20, 0, 3 << 20 | 1 << 19, 3_500_000_000), (0x80 | 32, 0, 7 << 32, 7_000_000_000),
            (0x80 | 127, 0, .max, 0), (127, 0, .max, 0), (29, 0, .max, 0), (28, 0, .max, 1), (9, 0, .max, .max),
            (7, 0, .max, .max), (9, .max, 0, .max), (9, .min, 0, .min),
        ] as [(UInt8, Int64, UInt64, Int64)])
    func resolutions(resolution: UInt8, offset: Int64, time: UInt64, nanoseconds: Int64) throws {
        var shift = ByteBuilder()
        shift.put(offset)
        var file = NGBuilder()
        file.section()
        file.interface(220, options: [(9, [resolution]), (14, shift.bytes)])
        file.packet(MonPacket().bytes(), time: time)
        #expect(ReadCapture(file.bytes).events.map(\.time) == [nanoseconds])
    }

    @Test("that are no finer than microseconds give usbmon's own time", arguments: [6, 3, 0, 0x80 | 10] as [UInt8])
    func coarse(resolution: UInt8) throws {
        var file = NGBuilder()
        file.section()
        file.interface(220, options: [(9, [resolution])])
        file.packet(MonPacket().bytes(), time: 5)
        #expect(ReadCapture(file.bytes).events.map(\.time) == [1_700_000_000_123_456_000])
    }

    @Test("can have simple packets, cut to the interface's length, and packets of the old kind")
    func otherPackets() throws {
        var file = NGBuilder()
        file.section()
        file.interface(220, snapLength: 66, options: [(9, [9])])
        file.simplePacket(Array(MonPacket().bytes().prefix(66)), original: 68)
        file.obsoletePacket(MonPacket().bytes(), interface: 0, time: 9)
        let read = ReadCapture(file.bytes)
        #expect(read.error == nil)
        #expect(read.data == [[1, 2], [1, 2, 3, 4]])
        #expect(read.events.map(\.isCut) == [true, false])
        #expect(read.events.map(\.time) == [1_700_000_000_123_456_000, 9])
    }

    @Test("can describe interfaces after packets, and have blocks that nobody knows")
    func order() throws {
        var file = NGBuilder()
        file.section()
        file.interface(1)
        file.interface(220)
        file.packet(MonPacket().bytes(), interface: 1)
        file.block(0x0bad, Array(CaptureFiles.small()))
        file.block(10, [])
        file.interface(220)
        file.packet(MonPacket().bytes(), interface: 2)
        #expect(ReadCapture(file.bytes).events.map(\.channel) == [1, 2])
        #expect(ReadCapture(file.bytes).error == nil)
    }

    @Test("without any packets are empty, and no error")
    func empty() {
        var file = NGBuilder()
        file.section()
        #expect(ReadCapture(file.bytes) == ReadCapture(CaptureFiles.pcap([])))
        #expect(ReadCapture(file.bytes).error == nil)
    }

    @Test("of other link types are passed over; with nothing else that is an error at the end")
    func linkTypes() throws {
        var file = NGBuilder()
        file.section()
        file.interface(127)
        file.packet([1, 2, 3])
        file.interface(293)
        file.packet([1], interface: 1)
        let error = try #require(ReadCapture(file.bytes).error)
        #expect(error.kind == .unsupported)
        #expect(error.reason.contains("127 (wireless network), 293 (USB packets on the wire)."))
        file.interface(220)
        file.packet(MonPacket().bytes(), interface: 2)
        let reader = try CaptureReader(bytes: file.bytes)
        let read = ReadCapture(reader)
        #expect(read.error == nil)
        #expect(read.events.map(\.number) == [3])
        #expect(reader.skippedPackets == 2)
    }

    @Test("say how many packets were missed: by the last statistics of each interface, or by the packets")
    func dropped() throws {
        var file = NGBuilder()
        file.section()
        file.interface(220)
        file.interface(220)
        file.packet(MonPacket().bytes(), options: [(4, [3, 0, 0, 0, 0, 0, 0, 0])])
        let before = try CaptureReader(bytes: file.bytes)
        _ = ReadCapture(before)
        #expect(before.dropped == 3)
        file.statistics(0, dropped: 4)
        file.statistics(1, dropped: 10, options: [(7, [1, 0, 0, 0, 0, 0, 0, 0])])
        file.statistics(0, dropped: 5)
        let reader = try CaptureReader(bytes: file.bytes)
        _ = ReadCapture(reader)
        #expect(reader.dropped == 16)
        file.statistics(0, dropped: .max)
        let liar = try CaptureReader(bytes: file.bytes)
        _ = ReadCapture(liar)
        #expect(liar.dropped == .max)
    }

    @Test("announce devices in comments of ours, also when they were merged and renumbered")
    func announcements() throws {
        let line =
            "ghostplug-device: channel=0 bus=1 device=2 speed=high busid=1-1 vid=0525 pid=a4a5 what=ever "
            + "model=hid:name=a%20b%25 seed=7"
        var file = NGBuilder()
        file.section(options: [(1, Array("ghostplug-device: channel=1 vid=1".utf8))])
        file.interface(1)
        file.interface(220, options: [(1, Array("Kept.\n\(line)\n".utf8))])
        file.packet(MonPacket().bytes(), interface: 1)
        let reader = try CaptureReader(bytes: file.bytes)
        _ = try reader.next()
        var first = DeviceAnnouncement(channel: 1)
        first.vendorID = 1
        var second = DeviceAnnouncement(channel: 1, bus: 1, device: 2, speed: .high)
        second.busID = "1-1"
        second.vendorID = 0x0525
        second.productID = 0xa4a5
        second.model = "hid:name=a b%"
        #expect(reader.announcements == [first, second])
    }
}
