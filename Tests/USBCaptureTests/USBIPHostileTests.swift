import Testing
import USBCore
import USBIPWire

@testable import USBCapture

@Suite("USB/IP in packets: hostile bytes")
struct USBIPHostileTests {
    /// One that is damaged, and a good one after it.
    private func expectGivenUp(
        _ note: String, sourceLocation: SourceLocation = #_sourceLocation, _ say: (inout TestConnection) -> Void
    ) {
        var bad = TestConnection(clientPort: 50_000)
        bad.open()
        say(&bad)
        bad.client(Wire.read(0x7777, 4))
        var good = TestConnection(clientPort: 50_001)
        good.open()
        good.client(Wire.read(1, 4))
        let (decoding, decoder) = decodeNetwork(bad.packets + good.packets)
        #expect(decoder.warnings.count == 1, "\(note): \(decoder.warnings)", sourceLocation: sourceLocation)
        #expect(
            decoder.warnings.first?.contains("USB/IP connection 1 is given up") == true, "\(note)",
            sourceLocation: sourceLocation)
        #expect(!decoding.events.contains { $0.event.urb == 0x7777 }, "\(note)", sourceLocation: sourceLocation)
        #expect(decoding.events.last?.connection == 2, "\(note)", sourceLocation: sourceLocation)
        #expect(decoding.error == nil, sourceLocation: sourceLocation)
    }

    @Test("A connection that contradicts itself is given up with one warning, and others go on")
    func contradictions() {
        expectGivenUp("negative length") { $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: -1)) }
        expectGivenUp("huge length") { $0.client(Wire.submit(1, endpoint: 1, isIn: false, length: .max)) }
        expectGivenUp("-2 packets") { $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: -2)) }
        expectGivenUp("too many packets") {
            $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: 1025))
        }
        expectGivenUp("endpoint 16") { $0.client(Wire.submit(1, endpoint: 16, isIn: true, length: 4)) }
        expectGivenUp("direction 2") {
            $0.client(Wire.header([1, 1, Wire.deviceID, 2, 1, 0, 4, 0, 0, 0]) + [UInt8](repeating: 0, count: 8))
        }
        expectGivenUp("unknown command") { $0.client(Wire.header([7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])) }
        expectGivenUp("answer from the client") { $0.client(Wire.result(1, length: 0)) }
        expectGivenUp("request from the server") { $0.server(Wire.read(1, 4)) }
        expectGivenUp("op request from the server") { $0.server(OpMessage.deviceListRequest) }
        expectGivenUp("neither") { $0.client([UInt8](repeating: 0xee, count: 48)) }
        expectGivenUp("twice") { $0.client(Wire.read(1, 4), Wire.read(1, 4)) }
        expectGivenUp("answer to nothing") { $0.server(Wire.result(1, length: 0)) }
        expectGivenUp("unlink of nothing") { $0.server(Wire.unlinked(1, status: 0)) }
        expectGivenUp("answered twice") {
            $0.client(Wire.read(1, 4))
            $0.server(Wire.result(1, length: 0), Wire.result(1, length: 0))
        }
        for (status, length) in [(0, 5), (0, -1), (1, 0), (-5000, 0), (0, Int32.max)] as [(Int32, Int32)] {
            expectGivenUp("status \(status), length \(length)") {
                $0.client(Wire.read(1, 4))
                $0.server(Wire.result(1, status: status, length: length))
            }
        }
        expectGivenUp("packets outside of the data") {
            $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: 1, data: Wire.packet(.max, .max)))
        }
        expectGivenUp("packets with more than the data") {
            $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: 1, data: Wire.packet(0, 4)))
            $0.server(Wire.result(1, length: 2, packets: 1, data: [1, 2] + Wire.packet(0, 4, actual: .max)))
        }
        expectGivenUp("other packets than asked for") {
            $0.client(Wire.submit(1, endpoint: 1, isIn: true, length: 4, packets: 1, data: Wire.packet(0, 4)))
            $0.server(Wire.result(1, length: 0, packets: -1))
        }
        expectGivenUp("a name without an end") {
            $0.client(OpMessage.importRequest(busID: "1-1"))
            $0.server(OpHeader(.importReply).bytes + [UInt8](repeating: 0x41, count: 312))
        }
    }

    @Test("A list that says it has four billion devices waits for them without memory")
    func endlessList() {
        var connection = TestConnection()
        connection.open()
        connection.client(OpMessage.deviceListRequest)
        connection.server(OpHeader(.deviceListReply).bytes + [0xff, 0xff, 0xff, 0xff])
        for _ in 0..<50 { connection.server([UInt8](repeating: 0xff, count: 1332)) }
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.events.isEmpty)
        #expect(decoder.warnings == [])
    }

    @Test("More warnings than a hundred are not kept")
    func warnings() {
        var packets: [TestPacket] = []
        for port in 1...200 as ClosedRange<UInt16> {
            var connection = TestConnection(clientPort: port)
            connection.open()
            connection.client([UInt8](repeating: 0xee, count: 48))
            packets += connection.packets
        }
        #expect(decodeNetwork(packets).decoder.warnings.count == 101)
    }

    @Test("Connections without number need bounded memory, and those that speak USB/IP are kept")
    func manyConnections() {
        var good = TestConnection(clientPort: 1)
        good.open()
        good.client(Wire.read(1, 4))
        var packets = good.packets
        for index in 0..<25_000 {
            let connection = TestConnection(
                clientPort: UInt16(2 + index % 60_000), serverPort: UInt16(4000 + index / 60_000))
            packets.append(connection.packet(fromClient: true, [], [.syn]))
        }
        good.server(Wire.result(1, length: 1, data: [9]))
        let (decoding, decoder) = decodeNetwork(packets + good.packets.suffix(1))
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoder.warnings == [])
    }

    @Test("Bytes that wait for others are bounded")
    func waiting() {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 4))
        let next = connection.numbers[0]
        // Every second byte of what follows, without acknowledgements of the other half.
        for index in 0..<10_000 as Range<UInt32> {
            connection.numbers[0] = next &+ 1 &+ 2 * index
            connection.add(fromClient: true, [0x55])
        }
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1"])
        #expect(decoder.lostBytes > 0)
    }

    /// A conversation with everything in it.
    private var conversation: TestConnection {
        var connection = TestConnection()
        connection.open()
        let device = DeviceRecord(
            path: "/sys", busID: "1-1", busNumber: 3, deviceNumber: 7, speed: 3, vendorID: 1, productID: 2, release: 3,
            deviceClass: ClassRecord(0, 0, 0), configurationValue: 1, configurationCount: 1, interfaceCount: 1)
        connection.client(OpMessage.importRequest(busID: "1-1"))
        connection.server(OpMessage.importReply(device))
        connection.client(
            Wire.submit(1, endpoint: 0, isIn: true, length: 9, setup: [0x80, 6, 0, 2, 0, 0, 9, 0]))
        connection.server(Wire.result(1, length: 9, data: [9, 2, 16, 0, 1, 1, 0, 0x80, 50]))
        connection.client(Wire.submit(2, endpoint: 2, isIn: false, length: 3, data: [1, 2, 3]), Wire.read(3, 200))
        connection.server(Wire.result(2, length: 3))
        connection.send(fromClient: false, Wire.result(3, length: 200, data: Wire.bytes(200)), size: 90)
        connection.client(
            Wire.submit(
                4, endpoint: 3, isIn: true, length: 8, interval: 1, packets: 2,
                data: Wire.packet(0, 4) + Wire.packet(4, 4)))
        connection.server(
            Wire.result(4, length: 3, packets: 2, data: [1, 2, 3] + Wire.packet(0, 4, actual: 3) + Wire.packet(4, 4)))
        connection.client(Wire.read(5, 8), Wire.unlink(6, 5))
        connection.server(Wire.unlinked(6, status: -104))
        connection.close()
        return connection
    }

    @Test("Each packet cut at every byte gives sound events")
    func cuts() {
        let packets = conversation.packets
        #expect(decodeNetwork(packets).decoder.warnings == [])
        for index in packets.indices {
            for count in stride(from: 0, to: packets[index].bytes.count, by: 3) {
                for isKnown in [true, false] {
                    var other = packets
                    other[index].bytes = Array(packets[index].bytes.prefix(count))
                    if isKnown { other[index].originalLength = packets[index].bytes.count }
                    expectSound(decodeNetwork(other).decoding, "packet \(index) cut to \(count) bytes")
                }
            }
        }
    }

    @Test("Changed bytes, and packets that are lost, repeated or in another order, give sound events")
    func mutations() {
        let original = conversation.packets
        for seed in 1...2000 {
            var dice = Dice(UInt64(seed))
            var packets = original
            for _ in 0...Int.random(in: 0...6, using: &dice) {
                let packet = Int.random(in: 0..<packets.count, using: &dice)
                switch Int.random(in: 0...9, using: &dice) {
                case 0: packets.remove(at: packet)
                case 1: packets.insert(packets[packet], at: Int.random(in: 0...packets.count, using: &dice))
                case 2: packets.swapAt(packet, Int.random(in: 0..<packets.count, using: &dice))
                default:
                    // Most often in TCP's header or what follows it.
                    let count = packets[packet].bytes.count
                    let low = Bool.random(using: &dice) ? 0 : min(34, count - 1)
                    let place = Int.random(in: low..<count, using: &dice)
                    packets[packet].bytes[place] =
                        [0, 1, 0x7f, 0x80, 0xff, .random(in: 0...255, using: &dice)]
                        .randomElement(using: &dice) ?? 0
                }
            }
            let (decoding, decoder) = decodeNetwork(packets)
            expectSound(decoding, "seed \(seed)")
            #expect(decoding.error == nil)
            #expect(decoder.warnings.count <= 101)
        }
    }
}
