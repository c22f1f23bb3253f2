import Testing
import USBCore
import USBIPWire

@testable import USBCapture

@Suite("USB/IP in packets: what is said")
struct USBIPConversationTests {
    let device = DeviceRecord(
        path: "/sys/devices/1-1", busID: "1-1", busNumber: 3, deviceNumber: 7, speed: 3, vendorID: 0x1209,
        productID: 0xdb42, release: 0x0100, deviceClass: ClassRecord(0, 0, 0), configurationValue: 1,
        configurationCount: 1, interfaceCount: 1)
    let getConfiguration: [UInt8] = [0x80, 6, 0, 2, 0, 0, 255, 0]

    private func opened() -> TestConnection {
        var connection = TestConnection()
        connection.open()
        return connection
    }

    @Test("A list of devices, then an import: the imported device is announced with all that was said of it")
    func importing() throws {
        var connection = opened()
        connection.client(OpMessage.deviceListRequest)
        let entries = (0..<3).map { count in
            DeviceListEntry(
                device: device, interfaces: Array(repeating: ClassRecord(3, 0, 0), count: count))
        }
        connection.send(fromClient: false, OpMessage.deviceListReply(entries), size: 100)
        connection.client(OpMessage.importRequest(busID: "1-1"))
        connection.server(OpMessage.importReply(device))
        connection.client(Wire.read(1, 4))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoder.warnings == [])
        #expect(decoding.order == ["S1"])
        var expected = DeviceAnnouncement(channel: USBIPChannel.ofConnection(1), bus: 3, device: 7, speed: .high)
        expected.vendorID = 0x1209
        expected.productID = 0xdb42
        expected.busID = "1-1"
        #expect(decoding.announcements == [expected])
    }

    @Test("An import that is refused announces nothing, and may be tried again")
    func refusedImport() {
        var connection = opened()
        connection.client(OpMessage.importRequest(busID: "1-1"))
        connection.server(OpHeader(.importReply, .noDevice).bytes)
        connection.client(OpMessage.importRequest(busID: "1-1"))
        connection.server(OpMessage.importReply(device))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.announcements.count == 1)
        #expect(decoder.warnings == [])
    }

    @Test("A control transfer: where it was, setup, data and length")
    func control() throws {
        var connection = opened()
        connection.client(
            Wire.submit(
                9, endpoint: 0, isIn: true, length: 18, setup: [0x80, 6, 0, 1, 0, 0, 18, 0], flags: 0x200))
        connection.server(Wire.result(9, length: 8, data: [18, 1, 0, 2, 0, 0, 0, 64]))
        connection.client(
            Wire.submit(10, endpoint: 0, isIn: false, length: 1, setup: [0x21, 9, 0, 2, 0, 0, 1, 0], data: [5]))
        connection.server(Wire.result(10, length: 1))
        let events = decodeNetwork(connection.packets).decoding.events
        try #require(events.count == 4)
        let submission = events[0].event
        #expect((submission.bus, submission.device, submission.urb) == (3, 7, 9))
        #expect(events[0].connection == 1)
        #expect(submission.endpoint == .in(0))
        #expect(submission.type == .control)
        #expect(submission.setup == SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18))
        #expect(submission.length == 18)
        #expect(submission.flags == 0x200)
        #expect(submission.dataCount == 0)
        #expect(events[1].event.length == 8)
        #expect(events[1].event.setup == nil)
        #expect(events[1].data == [18, 1, 0, 2, 0, 0, 0, 64])
        #expect(events[2].event.endpoint == .out(0))
        #expect(events[2].data == [5])
        #expect(events[3].event.length == 1)
        #expect(events[3].event.dataCount == 0)
    }

    @Test("The configuration descriptor tells interrupt from bulk; without it the interval does")
    func types() throws {
        let endpoints: [UInt8] = [7, 5, 0x81, 2, 64, 0, 0, 7, 5, 0x02, 3, 8, 0, 10]
        let configuration: [UInt8] = [9, 2, 23, 0, 1, 1, 0, 0x80, 50] + endpoints
        var connection = opened()
        connection.client(Wire.submit(1, endpoint: 1, isIn: true, length: 8, interval: 8))
        connection.client(Wire.submit(2, endpoint: 2, isIn: false, length: 1, data: [1]))
        connection.client(Wire.submit(3, endpoint: 0, isIn: true, length: 255, setup: getConfiguration))
        connection.server(Wire.result(3, length: 23, data: configuration))
        connection.client(Wire.submit(4, endpoint: 1, isIn: true, length: 8, interval: 8))
        connection.client(Wire.submit(5, endpoint: 2, isIn: false, length: 1, data: [1]))
        connection.server(Wire.result(1, length: 0))
        let events = decodeNetwork(connection.packets).decoding.events.map(\.event)
        #expect(
            events.map(\.type) == [.interrupt, .bulk, .control, .control, .bulk, .interrupt, .interrupt],
            "a transfer keeps the type with which it began")
        #expect(events[0].interval == 8)
    }

    @Test("Data come with a status that is no success, and are read")
    func failedWithData() {
        var connection = opened()
        connection.client(Wire.read(1, 512), Wire.read(2, 4))
        connection.server(
            Wire.result(1, status: -121, length: 3, data: [1, 2, 3]) + Wire.result(2, status: -32, length: 0))
        let events = decodeNetwork(connection.packets).decoding.events
        #expect(events.map(\.event.status.rawValue) == [0, 0, -121, -32])
        #expect(events[2].data == [1, 2, 3])
    }

    @Test("A transfer that was taken back ends once, with the status of the unlink")
    func unlink() {
        var connection = opened()
        connection.client(Wire.read(1, 8), Wire.unlink(2, 1))
        connection.server(Wire.unlinked(2, status: -104))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoding.events.last?.event.status == .cancelled)
        #expect(decoding.events.last?.event.endpoint == .in(1))
        #expect(decoder.warnings == [])
    }

    @Test("An unlink that came too late ends nothing")
    func lateUnlink() {
        var connection = opened()
        connection.client(Wire.read(1, 8), Wire.unlink(2, 1))
        connection.server(Wire.result(1, length: 1, data: [5]), Wire.unlinked(2, status: 0))
        connection.client(Wire.unlink(3, 1))
        connection.server(Wire.unlinked(3, status: -104))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoding.events.last?.event.status == .success)
        #expect(decoder.warnings == [])
    }

    @Test("Isochronous packets: of an IN the data come without gaps, and offsets count in them")
    func isochronousIn() throws {
        var connection = opened()
        let request = Wire.packet(0, 192, status: -18) + Wire.packet(192, 192, status: -18) + Wire.packet(384, 192)
        connection.client(
            Wire.submit(1, endpoint: 3, isIn: true, length: 576, interval: 1, packets: 3, data: request))
        let answer =
            Wire.packet(0, 192, actual: 2) + Wire.packet(192, 192, status: -18) + Wire.packet(384, 192, actual: 3)
        connection.server(Wire.result(1, length: 5, packets: 3, data: [1, 2, 3, 4, 5] + answer))
        let events = decodeNetwork(connection.packets).decoding.events
        try #require(events.count == 2)
        #expect(events.map(\.event.type) == [.isochronous, .isochronous])
        #expect(events[0].event.packets.map(\.offset) == [0, 192, 384])
        #expect(events[0].event.packets.map(\.length) == [192, 192, 192])
        #expect(events[0].event.packets.allSatisfy { $0.status == .success })
        #expect(events[1].event.packets.map(\.offset) == [0, 2, 2])
        #expect(events[1].event.packets.map(\.length) == [2, 0, 3])
        #expect(events[1].event.packets.map(\.status) == [.success, .missed, .success])
        #expect(events[1].data == [1, 2, 3, 4, 5])
    }

    @Test("Isochronous packets: of an OUT the data are in the submission")
    func isochronousOut() throws {
        var connection = opened()
        connection.client(
            Wire.submit(
                1, endpoint: 3, isIn: false, length: 5, interval: 1, packets: 2,
                data: [1, 2, 3, 4, 5] + Wire.packet(0, 2) + Wire.packet(2, 3)))
        connection.server(
            Wire.result(1, length: 5, packets: 2, data: Wire.packet(0, 2, actual: 2) + Wire.packet(2, 3, actual: 3)))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        try #require(decoding.events.count == 2)
        #expect(decoding.events[0].data == [1, 2, 3, 4, 5])
        #expect(decoding.events[0].event.packets.map(\.length) == [2, 3])
        #expect(decoding.events[1].event.packets.map(\.offset) == [0, 2])
        #expect(decoding.events[1].event.dataCount == 0)
        #expect(decoder.warnings == [])
    }

    @Test("A client that says -1 packets has none")
    func noPackets() {
        var connection = opened()
        connection.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: -1))
        connection.server(Wire.result(1, length: 2, packets: -1, data: [1, 2]))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoding.events.map(\.event.type) == [.bulk, .bulk])
        #expect(decoder.warnings == [])
    }

    @Test("An answer captured before its request waits for it")
    func answerFirst() {
        var connection = opened()
        connection.client(Wire.read(1, 4))
        connection.server(Wire.result(1, length: 2, data: [1, 2]))
        connection.packets.swapAt(3, 4)
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoder.warnings == [])
    }
}

@Suite(
    "USB/IP in packets: a capture between two kernels",
    .enabled(if: RealCaptures.folder != nil, "there are no real captures here"))
struct USBIPRealCaptureTests {
    @Test("Two connections, one of which began before the capture")
    func kernelStub() throws {
        let (decoding, decoder) = decodeNetwork(RealCaptures.packets("usbip-kernel-stub.pcapng"))
        #expect(decoder.warnings == [])
        #expect(decoder.lostBytes == 0)
        // As many headers as Wireshark finds.
        #expect(decoding.events.count == 141)
        let disk = decoding.events.filter { $0.connection == 1 }
        let keyboard = decoding.events.filter { $0.connection == 2 }
        #expect(disk.allSatisfy { ($0.event.bus, $0.event.device) == (18, 2) })
        #expect(keyboard.allSatisfy { ($0.event.bus, $0.event.device) == (17, 2) })
        #expect(disk.first?.event.setup == SetupPacket(requestType: 0xa1, request: 0xfe, length: 1))
        let reads = disk.filter { $0.event.kind == .completion && $0.event.length == 65_536 }
        #expect(reads.count == 4)
        #expect(reads.allSatisfy { $0.data.count == 65_536 })
        // Every command has its status, with the same tag.
        let commands = disk.filter { $0.data.starts(with: Array("USBC".utf8)) }.map { $0.data[4..<8] }
        let statuses = disk.filter { $0.data.starts(with: Array("USBS".utf8)) }.map { $0.data[4..<8] }
        #expect(commands.count == 19)
        #expect(commands == statuses)
        #expect(keyboard.last?.event.type == .interrupt)
        #expect(decoding.announcements.map(\.busID) == ["17-2"])
        #expect(decoding.announcements.map(\.vendorID) == [0x0627])
        #expect(decoding.announcements.map(\.speed) == [.high])
    }

    @Test("Cut anywhere, what came before is the same")
    func prefixes() {
        let packets = RealCaptures.packets("usbip-kernel-stub.pcapng")
        let whole = decodeNetwork(packets).decoding
        for count in stride(from: 0, to: packets.count, by: 13) {
            let events = decodeNetwork(Array(packets.prefix(count))).decoding.events
            #expect(events.map(\.event) == whole.events.prefix(events.count).map(\.event))
        }
    }
}
