import Testing
import USBCore

@testable import USBCapture

@Suite("Packets that cannot be read")
struct MalformedPacketTests {
    @Test("cost only themselves in a capture of USBPcap, and are counted apart from other kinds")
    func usbpcap() throws {
        let good = USBPcapPacket(endpoint: 0x81).packet.bytes
        let reader = try CaptureReader(bytes: CaptureFiles.pcap([good, [1, 2, 3], good], linkType: 249))
        #expect(ReadCapture(reader).events.map(\.number) == [1, 3])
        #expect(ReadCapture(reader).error == nil)
        #expect(reader.malformedPackets == 1)
        #expect(reader.skippedPackets == 0)
    }

    @Test("are an error at the end when there is nothing else", arguments: [189, 220, 249, 1, 276] as [UInt32])
    func nothingElse(linkType: UInt32) throws {
        let reader = try CaptureReader(bytes: CaptureFiles.pcap([[1, 2, 3], [], [4]], linkType: linkType))
        let error = try #require(ReadCapture(reader).error)
        #expect(error.kind == .damaged)
        #expect(error.reason.hasPrefix("None of the 3 packets can be read"))
        #expect(error.reason.contains("snap length"))
        #expect(reader.malformedPackets == 3)
    }

    @Test("of networks are those cut before it can be told what they are; what is whole is only not ours")
    func networks() {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 4))
        var packets = connection.packets
        packets[3].originalLength = packets[3].bytes.count
        packets[3].bytes = Array(packets[3].bytes.prefix(14 + 30))
        packets.append(TestPacket(bytes: [UInt8](repeating: 0xff, count: 12) + [8, 6] + [0, 1]))
        packets.append(TestPacket(bytes: [UInt8](repeating: 0xff, count: 12) + [8, 0] + [0x45, 0, 0, 20]))
        #expect(decodeNetwork(packets).decoding.malformed == [4])
    }
}

@Suite("Captures of several kinds at once")
struct MixedCaptureTests {
    @Test("keep the channels of USB/IP connections and of interfaces apart, and pass on what a connection lacks")
    func channels() throws {
        var connection = TestConnection()
        connection.open()
        for sequence in 1...5 as ClosedRange<UInt32> {
            connection.client(Wire.read(sequence, 4))
            connection.server(Wire.result(sequence, length: 2, data: [1, 2]))
        }
        connection.packets.remove(at: 3 + 4)
        var file = NGBuilder()
        file.section()
        file.interface(1)
        file.interface(220)
        for packet in connection.packets { file.packet(packet.bytes) }
        file.packet(MonPacket().bytes(), interface: 1)
        let reader = try CaptureReader(bytes: file.bytes)
        let channels = Set(ReadCapture(reader).events.map(\.channel))
        #expect(channels == [1, ContainerLimits.interfaces + 1])
        #expect(USBIPChannel.connection(ofChannel: ContainerLimits.interfaces + 1) == 1)
        #expect(USBIPChannel.connection(ofChannel: 1) == nil)
        #expect(USBIPChannel.connection(ofChannel: ContainerLimits.interfaces - 1) == nil)
        #expect(reader.warnings == ["USB/IP connection 1 lacks 50 bytes"])
    }

    @Test("What has been said of devices is taken once")
    func announcements() {
        let output = DecodedEvents()
        output.announce(DeviceAnnouncement(channel: 1))
        #expect(output.takeAnnouncements().map(\.channel) == [1])
        #expect(output.takeAnnouncements() == [])
        #expect(output.announcements == [])
    }
}
