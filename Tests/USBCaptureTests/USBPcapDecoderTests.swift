import Testing
import USBCore

@testable import USBCapture

/// A packet of USBPcap.
struct USBPcapPacket {
    var irp: UInt64 = 0xffff_8000_1234_5678
    var status: UInt32 = 0
    var function: UInt16 = 9
    var isCompletion = false
    var bus: UInt16 = 1
    var device: UInt16 = 4
    var endpoint: UInt8 = 0
    var transfer: UInt8 = 3
    /// Of a control transfer.
    var stage: UInt8?
    /// Of an isochronous transfer: offset, length and status of each packet.
    var packets: [(UInt32, UInt32, UInt32)]?
    var data: [UInt8] = []
    /// Where it is not the data's own.
    var dataLength: UInt32?

    var packet: TestPacket {
        var rest: [UInt8] = stage.map { [$0] } ?? []
        if let packets {
            rest.little(UInt32(77))
            rest.little(UInt32(packets.count))
            rest.little(UInt32(0))
            for packet in packets {
                rest.little(packet.0)
                rest.little(packet.1)
                rest.little(packet.2)
            }
        }
        var bytes: [UInt8] = []
        bytes.little(UInt16(27 + rest.count))
        bytes.little(irp)
        bytes.little(status)
        bytes.little(function)
        bytes.append(isCompletion ? 1 : 0)
        bytes.little(bus)
        bytes.little(device)
        bytes.append(endpoint)
        bytes.append(transfer)
        bytes.little(dataLength ?? UInt32(data.count))
        return TestPacket(bytes: bytes + rest + data, linkType: 249)
    }

    static func control(
        _ stage: UInt8, _ data: [UInt8] = [], isCompletion: Bool = false, endpoint: UInt8 = 0, function: UInt16 = 8,
        irp: UInt64 = 0xffff_8000_1234_5678, status: UInt32 = 0
    ) -> Self {
        Self(
            irp: irp, status: status, function: function, isCompletion: isCompletion, endpoint: endpoint, transfer: 2,
            stage: stage, data: data)
    }
}

func decodeUSBPcap(_ packets: [USBPcapPacket]) -> Decoding {
    Decoding(USBPcapDecoder(), packets.map(\.packet))
}

@Suite("USBPcap")
struct USBPcapDecoderTests {
    let getDescriptor: [UInt8] = [0x80, 6, 0, 1, 0, 0, 18, 0]
    let setLineCoding: [UInt8] = [0x21, 0x20, 0, 0, 2, 0, 7, 0]
    let lineCoding: [UInt8] = [0x80, 0x25, 0, 0, 0, 0, 8]

    @Test("Since 1.5, a control IN has a setup packet and an end with its data")
    func controlIn() throws {
        let descriptor = (0..<18).map { UInt8($0) }
        let decoding = decodeUSBPcap([
            .control(0, getDescriptor, endpoint: 0x80, function: 0x0b),
            .control(3, descriptor, isCompletion: true, endpoint: 0x80),
        ])
        #expect(decoding.malformed == [])
        try #require(decoding.events.count == 2)
        let (submission, end) = (decoding.events[0].event, decoding.events[1].event)
        #expect(submission.kind == .submission)
        #expect(submission.type == .control)
        #expect(submission.setup == SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18))
        #expect(submission.endpoint == .in(0))
        #expect(submission.length == 18)
        #expect(submission.dataCount == 0)
        #expect(submission.origin == .observed)
        #expect((submission.bus, submission.device, submission.urb) == (1, 4, 0xffff_8000_1234_5678))
        #expect(end.kind == .completion)
        #expect(end.length == 18)
        #expect(decoding.events[1].data == descriptor)
        #expect(end.number == 2)
        #expect(end.dataOffset == Int64(24 + 16 + 36 + 16 + 28), "after the first record and the second one's headers")
    }

    @Test("Since 1.5, what a control OUT sends follows its setup bytes in the same packet")
    func controlOut() throws {
        let decoding = decodeUSBPcap([
            .control(0, setLineCoding + lineCoding), .control(3, isCompletion: true),
        ])
        try #require(decoding.events.count == 2)
        #expect(decoding.events[0].data == lineCoding)
        #expect(decoding.events[0].event.dataOffset == Int64(24 + 16 + 36))
        #expect(!decoding.events[0].event.isCut)
        #expect(decoding.events[1].event.length == 7, "a success moved all of it")
        #expect(decoding.events[1].event.endpoint == .out(0))
    }

    @Test("Before 1.5, data and status have packets of their own, and the data's endpoint may lack its direction")
    func stages() throws {
        let decoding = decodeUSBPcap([
            .control(0, getDescriptor), .control(1, [18, 1, 0], isCompletion: true, endpoint: 0x00),
            .control(2, isCompletion: true), .control(0, [0x80, 8, 0, 0, 0, 0, 1, 0], irp: 5),
            .control(1, [1], isCompletion: true, endpoint: 0x80, irp: 5),
            .control(2, isCompletion: true, endpoint: 0x80, irp: 5),
        ])
        #expect(decoding.events.map(\.event.kind) == [.submission, .completion, .submission, .completion])
        #expect(decoding.events.map(\.event.number) == [1, 2, 4, 5])
        #expect(decoding.events.map(\.event.endpoint) == [.in(0), .in(0), .in(0), .in(0)])
        #expect(decoding.events[1].data == [18, 1, 0])
        #expect(decoding.events[3].data == [1])
    }

    @Test("Before 1.5, what a control OUT sends is in a later packet, of either direction", arguments: [false, true])
    func lateData(isCompletion: Bool) throws {
        let decoding = decodeUSBPcap([
            .control(0, setLineCoding), .control(1, lineCoding, isCompletion: isCompletion),
            .control(2, isCompletion: true),
        ])
        try #require(decoding.events.count == 2)
        #expect(decoding.events[0].event.number == 1)
        #expect(decoding.events[0].event.setup?.request == 0x20)
        #expect(decoding.events[0].data == lineCoding)
        #expect(decoding.events[0].event.isCut == false)
        #expect(decoding.events[1].event.number == 3)
        #expect(decoding.events[1].event.length == 7)
    }

    @Test("A control OUT whose data never come is cut, and is given at its end, or at the file's")
    func missingData() throws {
        let ended = decodeUSBPcap([.control(0, setLineCoding), .control(2, isCompletion: true)])
        #expect(ended.events.map(\.event.kind) == [.submission, .completion])
        #expect(ended.events.map(\.event.isCut) == [true, false])
        let open = decodeUSBPcap([.control(0, setLineCoding)])
        #expect(open.events.map(\.event.isCut) == [true])
        let again = decodeUSBPcap([.control(0, setLineCoding), .control(0, getDescriptor)])
        #expect(again.events.map(\.event.isCut) == [true, false])
    }

    @Test("What USBPcap lists as it starts, rebuilds, or takes from the hub driver's memory, is injected")
    func injected() {
        let setConfiguration: [UInt8] = [0, 9, 1, 0, 0, 0, 0, 0]
        let decoding = decodeUSBPcap([
            .control(0, getDescriptor, function: 0x0b, irp: 0), .control(3, [1], isCompletion: true, irp: 0),
            .control(0, setConfiguration, function: 0), .control(3, isCompletion: true, function: 0),
            .control(0, getDescriptor, function: 0x0b), .control(3, [1], isCompletion: true, function: 0x0b),
            .control(0, getDescriptor, function: 0x0b), .control(3, [1], isCompletion: true, function: 8),
        ])
        #expect(
            decoding.events.map(\.event.origin) == [
                .injected, .injected, .injected, .injected, .observed, .injected, .observed, .observed,
            ])
    }

    @Test("SET_INTERFACE, which USBPcap addresses to the device, is addressed to the interface")
    func setInterface() {
        let decoding = decodeUSBPcap([.control(0, [0, 0x0b, 1, 0, 2, 0, 0, 0], function: 1)])
        #expect(
            decoding.events.first?.event.setup == SetupPacket(requestType: 1, request: 0x0b, value: 1, index: 2))
    }

    @Test(
        "Since 1.5, a bulk or interrupt transfer has a beginning and an end; a beginning does not say how much is asked for"
    )
    func bothHalves() throws {
        let decoding = decodeUSBPcap([
            USBPcapPacket(irp: 1, endpoint: 0x81, transfer: 1),
            USBPcapPacket(irp: 2, endpoint: 0x02, data: [1, 2, 3]),
            USBPcapPacket(irp: 2, isCompletion: true, endpoint: 0x02),
            USBPcapPacket(irp: 1, isCompletion: true, endpoint: 0x81, transfer: 1, data: [9, 8]),
        ])
        #expect(decoding.events.map(\.event.kind) == [.submission, .submission, .completion, .completion])
        #expect(decoding.events.map(\.event.type) == [.interrupt, .bulk, .bulk, .interrupt])
        #expect(decoding.events.map(\.event.length) == [0, 3, 3, 2])
        #expect(decoding.events.map(\.data) == [[], [1, 2, 3], [], [9, 8]])
    }

    @Test("A capture that begins with an end has no beginning for it")
    func startedInTheMiddle() {
        let decoding = decodeUSBPcap([
            USBPcapPacket(isCompletion: true, endpoint: 0x81, transfer: 1, data: [1]),
            USBPcapPacket(endpoint: 0x81, transfer: 1),
        ])
        #expect(decoding.events.map(\.event.kind) == [.completion, .submission])
    }

    @Test("Before 1.5, a bulk transfer has one packet; the missing half has its number")
    func oneHalf() {
        let decoding = decodeUSBPcap([
            .control(0, getDescriptor), .control(1, [18], isCompletion: true), .control(2, isCompletion: true),
            USBPcapPacket(endpoint: 0x01, data: [0x55, 0x53, 0x42, 0x43]),
            USBPcapPacket(isCompletion: true, endpoint: 0x82, data: [7, 7]),
        ])
        let bulk = decoding.events.filter { $0.event.type == .bulk }
        #expect(bulk.map(\.event.kind) == [.submission, .completion, .submission, .completion])
        #expect(bulk.map(\.event.number) == [4, 4, 5, 5])
        #expect(bulk.map(\.event.length) == [4, 4, 0, 2])
        #expect(bulk.map(\.data) == [[0x55, 0x53, 0x42, 0x43], [], [], [7, 7]])
    }

    @Test("Before 1.5, an OUT that came before anything told the version ends when its request packet is used again")
    func reuse() {
        let decoding = decodeUSBPcap([
            USBPcapPacket(endpoint: 0x01, data: [1]),
            USBPcapPacket(isCompletion: true, endpoint: 0x82, data: [2]),
        ])
        #expect(decoding.events.map(\.event.kind) == [.submission, .completion, .submission, .completion])
        #expect(decoding.events.map(\.event.endpoint) == [.out(1), .out(1), .in(2), .in(2)])
        #expect(decoding.events.map(\.event.number) == [1, 1, 2, 2])
    }

    @Test("An isochronous IN that ended has its packets one after another")
    func isochronousIn() throws {
        let decoding = decodeUSBPcap([
            USBPcapPacket(function: 10, endpoint: 0x83, transfer: 0, packets: [(0, 0, 0), (192, 0, 0), (384, 0, 0)]),
            USBPcapPacket(
                function: 10, isCompletion: true, endpoint: 0x83, transfer: 0,
                packets: [(0, 2, 0), (2, 0, 0xc002_0000), (2, 3, 0)], data: [1, 2, 3, 4, 5]),
        ])
        try #require(decoding.events.count == 2)
        #expect(decoding.events[0].event.packets.map(\.offset) == [0, 192, 384])
        #expect(decoding.events[0].event.packets.map(\.length) == [192, 192, 192])
        let end = decoding.events[1].event
        #expect(end.type == .isochronous)
        #expect(end.startFrame == 77)
        #expect(end.packets.map(\.offset) == [0, 2, 2])
        #expect(end.packets.map(\.length) == [2, 0, 3])
        #expect(end.packets.map(\.status) == [.success, .missed, .success])
        #expect(decoding.events[1].data == [1, 2, 3, 4, 5])
        #expect(end.length == 5)
    }

    @Test("An isochronous OUT's packets reach to where the next begins; Windows does not fill in their lengths")
    func isochronousOut() throws {
        let decoding = decodeUSBPcap([
            USBPcapPacket(
                function: 10, endpoint: 0x03, transfer: 0, packets: [(0, 0, 0), (2, 0, 0)], data: [1, 2, 3, 4, 5]),
            USBPcapPacket(
                function: 10, isCompletion: true, endpoint: 0x03, transfer: 0, packets: [(0, 0, 0), (2, 0, 0)]),
        ])
        try #require(decoding.events.count == 2)
        #expect(decoding.events[0].event.packets.map(\.length) == [2, 3])
        #expect(decoding.events[0].data == [1, 2, 3, 4, 5])
        #expect(decoding.events[1].event.length == 5)
        #expect(decoding.events[1].event.packets.map(\.length) == [2, 3])
        let dataless = decodeUSBPcap([
            USBPcapPacket(function: 10, endpoint: 0x03, transfer: 0, packets: [(0, 0, 0), (2, 0, 0)])
        ])
        #expect(dataless.events.map(\.event.isCut) == [true])
    }

    @Test("A failed OUT has moved nothing, a failed IN what it has")
    func failures() {
        let decoding = decodeUSBPcap([
            USBPcapPacket(irp: 1, endpoint: 0x02, data: [1, 2, 3]), USBPcapPacket(irp: 2, endpoint: 0x81),
            USBPcapPacket(irp: 1, status: 0xc001_0000, isCompletion: true, endpoint: 0x02),
            USBPcapPacket(irp: 2, status: 0xc000_0012, isCompletion: true, endpoint: 0x81, data: [1]),
        ])
        #expect(decoding.events.map(\.event.status) == [.success, .success, .cancelled, .overflow])
        #expect(decoding.events.map(\.event.length) == [3, 0, 0, 1])
    }

    @Test("Data that a snap length cut away are missing")
    func snapLength() throws {
        var packet = USBPcapPacket(isCompletion: true, endpoint: 0x81, data: [1, 2], dataLength: 512).packet
        packet.originalLength = 27 + 512
        let decoding = Decoding(USBPcapDecoder(), [packet])
        let event = try #require(decoding.events.first)
        #expect(event.event.isCut)
        #expect(event.event.length == 512)
        #expect(event.data == [1, 2])
    }

    @Test("What is no transfer, or of a pipe USBPcap does not know, gives nothing")
    func skipped() {
        let decoding = decodeUSBPcap([
            USBPcapPacket(function: 0x1e, transfer: 0xfe), USBPcapPacket(function: 2, transfer: 0xff),
            USBPcapPacket(device: 0xffff, endpoint: 0xff), .control(9),
        ])
        #expect(decoding.malformed == [])
        #expect(decoding.events.isEmpty)
    }

    @Test("A header that does not fit its packet costs that packet")
    func damaged() {
        var short = USBPcapPacket(data: [1]).packet
        short.bytes[0] = 60
        var crowded = USBPcapPacket(transfer: 0, packets: [(0, 0, 0)]).packet
        crowded.bytes[31] = 2
        var unstaged = USBPcapPacket(transfer: 2).packet
        unstaged.bytes[0] = 27
        for packet in [short, crowded, unstaged] {
            let good = USBPcapPacket(endpoint: 0x81).packet
            let decoding = Decoding(USBPcapDecoder(), [good, packet, good])
            #expect(decoding.events.map(\.event.number) == [1, 3])
            #expect(decoding.malformed == [2])
        }
        var cut = USBPcapPacket(data: [1]).packet
        cut.originalLength = cut.bytes.count
        cut.bytes.removeLast(10)
        #expect(Decoding(USBPcapDecoder(), [cut]).malformed == [1])
    }

    static let statuses: [(UInt32, TransferStatus)] = [
        (0, .success), (0x4000_0000, .success), (0x8000_0900, .success), (0xc000_0009, .success),
        (0xc000_0004, .stalled), (0xc000_0030, .stalled), (0xc000_0008, .overflow), (0xc000_0012, .overflow),
        (0xc000_000c, .abandoned), (0xc000_000d, .abandoned), (0xc000_0010, .abandoned), (0xc000_0013, .abandoned),
        (0xc000_0001, .protocolError), (0xc000_0002, .protocolError), (0xc000_0003, .protocolError),
        (0xc000_0005, .protocolError), (0xc000_0006, .protocolError), (0xc000_0007, .protocolError),
        (0xc000_0011, .protocolError), (0xc000_000f, .missed), (0xc002_0000, .missed), (0xc003_0000, .missed),
        (0xc004_0000, .missed), (0xc005_0000, .missed), (0xc000_0a00, .missed), (0xc000_0b00, .missed),
        (0xc000_6000, .timedOut), (0xc000_7000, .noDevice), (0xc001_0000, .cancelled), (0x8000_0400, .busy),
        (0xc000_1000, .outOfMemory), (0x8000_0700, TransferStatus(rawValue: -28)), (0x8000_0800, .abandoned),
        (0xc000_8000, .abandoned), (0xc000_9000, .abandoned), (0x8000_0200, .invalid), (0x8000_0300, .invalid),
        (0x8000_0600, .invalid), (0xc000_0e00, .invalid), (0xc010_0000, .invalid), (0xffff_ffff, .invalid),
        (0x1234, .success),
    ]

    @Test("Each of Windows' statuses is one of Linux's", arguments: statuses)
    func status(_ windows: UInt32, _ linux: TransferStatus) {
        #expect(USBDStatus.linux(windows) == linux)
    }
}
