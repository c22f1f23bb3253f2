import Testing
import USBCore

@testable import USBCapture

@Suite("USB/IP in packets: what they are wrapped in")
struct NetworkLinkTests {
    static let links: [TestConnection.Link] = [
        .ethernet(tags: []), .ethernet(tags: [0x8100]), .ethernet(tags: [0x88a8, 0x8100]), .null, .loop, .raw(101),
        .raw(12), .raw(14), .raw(228), .raw(229), .cooked, .cooked2,
    ]

    @Test("Every link type, with IPv4 and IPv6", arguments: NetworkLinkTests.links, [false, true])
    func wrapped(link: TestConnection.Link, isVersion6: Bool) throws {
        var connection = TestConnection(link: link, isVersion6: isVersion6)
        connection.open()
        connection.client(Wire.read(1, 4))
        connection.server(Wire.result(1, length: 3, data: [7, 8, 9]))
        connection.close()
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(LinkType.reader(link.linkType) == .network)
        #expect(decoding.order == ["S1", "C1"])
        #expect(decoding.events.last?.data == [7, 8, 9])
        #expect(decoder.warnings == [])
    }

    @Test("IPv6 extension headers are gone through, but not without end")
    func extensions() {
        let options: (kind: UInt8, bytes: [UInt8]) = (0, [0, 0, 1, 4, 0, 0, 0, 0])
        let wholeFragment: (kind: UInt8, bytes: [UInt8]) = (44, [0, 0, 0, 0, 0, 0, 0, 1])
        let authentication: (kind: UInt8, bytes: [UInt8]) = (51, [0, 4] + [UInt8](repeating: 0, count: 22))
        let chain: [(kind: UInt8, bytes: [UInt8])] = [options, (43, options.bytes), (60, options.bytes)]
        let endless = [(kind: UInt8, bytes: [UInt8])](repeating: (60, options.bytes), count: 20)
        let cases: [([(kind: UInt8, bytes: [UInt8])], Bool)] = [
            (chain, true), ([wholeFragment], true), ([authentication], true), (endless, false),
            ([(99, options.bytes)], false),
        ]
        for (headers, isRead) in cases {
            var connection = TestConnection(isVersion6: true, extensions: headers)
            connection.open()
            connection.client(Wire.read(1, 4))
            #expect(decodeNetwork(connection.packets).decoding.order == (isRead ? ["S1"] : []))
        }
    }

    @Test("Fragments are counted and not read")
    func fragments() {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 4))
        connection.packets[3].bytes[14 + 6] = 0x20
        connection.client(Wire.read(2, 4))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoder.fragments == 1)
        #expect(decoding.order == ["S2"], "after the gap the next header is found")
        #expect(
            decoder.warnings == [
                "packet 4 is a fragment; fragments are not put together", "USB/IP connection 1 lacks 48 bytes",
            ])
        var version6 = TestConnection(isVersion6: true, extensions: [(44, [0, 0, 0, 1, 0, 0, 0, 1])])
        version6.client(Wire.read(1, 4))
        #expect(decodeNetwork(version6.packets).decoder.fragments == 1)
    }

    @Test("A packet whose length the network card was to fill in is as long as it was captured")
    func offloaded() {
        var connection = TestConnection(link: .raw(228))
        connection.open()
        connection.client(Wire.read(1, 4))
        connection.packets[3].bytes[2] = 0
        connection.packets[3].bytes[3] = 0
        #expect(decodeNetwork(connection.packets).decoding.order == ["S1"])
    }

    @Test("Other packets give nothing")
    func others() {
        let packets = [
            TestPacket(bytes: [UInt8](repeating: 0xff, count: 60)), TestPacket(bytes: []),
            TestPacket(bytes: [UInt8](repeating: 0, count: 60), linkType: 101),
            TestPacket(bytes: [0x45] + [UInt8](repeating: 17, count: 60), linkType: 101),
            TestPacket(bytes: [UInt8](repeating: 0x45, count: 60), linkType: 999),
        ]
        let (decoding, decoder) = decodeNetwork(packets)
        #expect(decoding.events.isEmpty && decoding.error == nil && decoder.warnings.isEmpty)
    }
}

@Suite("USB/IP in packets: TCP")
struct NetworkTCPTests {
    /// A connection with three reads of 100 bytes, in segments of at most 40 bytes.
    static func reads(size: Int = 40, beginning: Bool = true, first: UInt32 = 1000) -> TestConnection {
        var connection = TestConnection(numbers: [first, first &+ 77])
        if beginning { connection.open() }
        for sequence in 1...3 as ClosedRange<UInt32> {
            connection.send(fromClient: true, Wire.read(sequence, 100), size: size)
            connection.send(
                fromClient: false, Wire.result(sequence, length: 100, data: Wire.bytes(100, Int(sequence))), size: size)
        }
        connection.close()
        return connection
    }

    static let whole = ["S1", "C1", "S2", "C2", "S3", "C3"]

    func expectWhole(_ packets: [TestPacket], _ note: String = "") {
        let (decoding, decoder) = decodeNetwork(packets)
        #expect(decoding.order.sorted() == Self.whole.sorted(), "\(note)")
        #expect(decoder.warnings == [], "\(note)")
        #expect(decoder.lostBytes == 0, "\(note)")
        for decoded in decoding.events where decoded.event.kind == .completion {
            #expect(decoded.data == Wire.bytes(100, Int(decoded.event.urb)), "\(note)")
        }
    }

    @Test("Segments of every size are put together", arguments: [1, 2, 7, 47, 48, 49, 100, 147, 148, 1000])
    func sizes(size: Int) {
        let connection = Self.reads(size: size)
        expectWhole(connection.packets)
        #expect(decodeNetwork(connection.packets).decoding.order == Self.whole)
    }

    @Test("Sequence numbers begin again at 0", arguments: [0, 1, 30, 48, 149])
    func wrap(before: UInt32) { expectWhole(Self.reads(first: UInt32.max - before).packets) }

    @Test("An event has the number of the packet in which its header was complete, and its data's place in the file")
    func numbers() throws {
        let connection = Self.reads(size: 48)
        let events = decodeNetwork(connection.packets).decoding.events
        #expect(events.map(\.event.number) == [4, 5, 9, 10, 14, 15])
        #expect(events.allSatisfy { $0.event.dataOffset == nil }, "the data are in three packets")
        let large = Self.reads(size: 1000)
        let first = try #require(decodeNetwork(large.packets).decoding.events.first { $0.event.dataCount > 0 })
        let before = large.packets.prefix(4).reduce(24) { $0 + 16 + Int64($1.bytes.count) }
        #expect(first.event.offset == before)
        #expect(first.event.dataOffset == before + 16 + Int64(14 + 20 + 28 + 48))
    }

    @Test("Two neighbouring segments in the wrong order are put right")
    func swapped() {
        let packets = Self.reads().packets
        for index in 3..<packets.count - 4 {
            var other = packets
            other.swapAt(index, index + 1)
            expectWhole(other, "packets \(index) and \(index + 1)")
        }
    }

    @Test("Segments that come twice, at once or later, count once")
    func repeated() {
        let packets = Self.reads().packets
        for index in packets.indices {
            for later in [0, 1, 5, 12] {
                var other = packets
                other.insert(packets[index], at: min(packets.count, index + 1 + later))
                expectWhole(other, "packet \(index) again \(later) later")
            }
        }
    }

    @Test("A segment that overlaps with others gives what is new in it")
    func overlapping() {
        var connection = TestConnection()
        connection.open()
        let stream = (1...3).flatMap { Wire.read(UInt32($0), 100) }
        let start = connection.numbers[0]
        for (from, to) in [(0, 60), (20, 70), (100, 144), (50, 90), (10, 20), (80, 130)] {
            connection.numbers[0] = start &+ UInt32(from)
            connection.add(fromClient: true, Array(stream[from..<to]))
        }
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "S2", "S3"])
        #expect(decoder.lostBytes == 0)
    }

    @Test("A keep-alive is no data")
    func keepAlive() {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 4))
        connection.numbers[0] &-= 1
        connection.add(fromClient: true, [0])
        connection.numbers[0] &+= 1
        connection.client(Wire.read(2, 4))
        #expect(decodeNetwork(connection.packets).decoding.order == ["S1", "S2"])
    }

    @Test("Packets in any order, up to ten places from their own, give every transfer")
    func shuffled() {
        for seed in 1...200 {
            var dice = Dice(UInt64(seed))
            var packets = Self.reads(size: 25).packets
            for start in stride(from: 3, to: packets.count - 3, by: 10) {
                packets[start..<min(start + 10, packets.count - 3)].shuffle(using: &dice)
            }
            expectWhole(packets, "seed \(seed)")
        }
    }

    @Test("The connection begins before the capture: transfers are found from the first whole request on")
    func middle() {
        let packets = Self.reads(size: 48, beginning: false).packets
        for start in 0..<packets.count - 3 {
            let (decoding, decoder) = decodeNetwork(Array(packets.dropFirst(start)))
            // Each read has one packet of the client and four of the server.
            let firstWhole = (start + 4) / 5 + 1
            let expected = Self.whole.filter { Int($0.dropFirst()) ?? 0 >= firstWhole }
            #expect(decoding.order == expected, "from packet \(start)")
            #expect(!decoder.warnings.contains { $0.contains("given up") })
        }
    }

    @Test("Begun in the middle of a segment's header, the next one is found")
    func middleOfHeader() {
        var connection = TestConnection()
        connection.client(Array(Wire.read(1, 4).dropFirst(20)) + Wire.read(2, 4) + Wire.read(3, 4).prefix(30))
        connection.client(Array(Wire.read(3, 4).dropFirst(30)))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S2", "S3"])
        #expect(decoder.lostBytes == 28)
    }

    @Test("Data that were lost cut a transfer; nothing else is lost with them")
    func lostData() throws {
        let packets = Self.reads(size: 48).packets
        // The second read's request is packet 8; its answer's header 9, and data in 10, 11 and 12.
        for lost in 10...11 {
            var other = packets
            other.remove(at: lost)
            let (decoding, decoder) = decodeNetwork(other)
            #expect(decoding.order.sorted() == Self.whole.sorted())
            let second = try #require(decoding.events.first { $0.event.kind == .completion && $0.event.urb == 2 })
            #expect(second.event.isCut)
            #expect(second.event.length == 100)
            #expect(second.data == Array(Wire.bytes(100, 2).prefix((lost - 10) * 48)))
            #expect(decoder.lostBytes == 48)
            #expect(decoder.warnings == ["USB/IP connection 1 lacks 48 bytes"])
        }
    }

    @Test("A request that was lost takes its answer with it")
    func lostRequest() {
        var packets = Self.reads(size: 48).packets
        packets.remove(at: 8)
        let (decoding, decoder) = decodeNetwork(packets)
        #expect(decoding.order.sorted() == ["C1", "C3", "S1", "S3"])
        #expect(decoder.warnings.count == 1)
    }

    @Test("An answer that was lost leaves its transfer open")
    func lostAnswer() {
        var packets = Self.reads(size: 200).packets
        // Three of the handshake, then request and answer in turn.
        packets.remove(at: 6)
        #expect(decodeNetwork(packets).decoding.order.sorted() == ["C1", "C3", "S1", "S2", "S3"])
    }

    @Test("A long connection does not wait for lost bytes to its end")
    func patience() throws {
        var connection = TestConnection()
        connection.open()
        for sequence in 1...40 as ClosedRange<UInt32> {
            connection.client(Wire.read(sequence, 4))
            connection.server(Wire.result(sequence, length: 2, data: [1, 2]))
        }
        connection.packets.remove(at: 3 + 4)
        let output = DecodedEvents()
        let decoder = NetworkDecoder()
        for (index, packet) in connection.packets.enumerated() {
            let frame = CapturedFrame(
                number: index + 1, offset: 0, bytesOffset: 0, time: 0, interface: 0, linkType: 1, isBigEndian: false,
                originalLength: packet.bytes.count)
            #expect(unsafe packet.bytes.withUnsafeBytes { unsafe decoder.decode(frame, $0, into: output) })
        }
        #expect(output.events.count == 78)
        #expect(output.events.last?.event.number == connection.packets.count)
    }

    @Test("What a snap length cut away cuts transfers, and headers are found behind it")
    func snapLength() throws {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 1000), Wire.read(2, 4))
        connection.server(Wire.result(1, length: 1000, data: Wire.bytes(1000)))
        connection.server(Wire.result(2, length: 4, data: [1, 2, 3, 4]))
        connection.packets[5].originalLength = connection.packets[5].bytes.count
        connection.packets[5].bytes.removeLast(900)
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == ["S1", "S2", "C1", "C2"])
        #expect(decoding.events[2].event.isCut)
        #expect(decoding.events[2].data == Array(Wire.bytes(1000).prefix(100)))
        #expect(decoder.lostBytes == 900)
    }

    @Test("The same ports used again are another connection", arguments: [true, false])
    func portReuse(isClosed: Bool) {
        var connection = Self.reads()
        if !isClosed { connection.packets.removeLast(3) }
        connection.numbers = [77_000_000, 99_000_000]
        connection.open()
        connection.client(Wire.read(1, 4))
        let (decoding, decoder) = decodeNetwork(connection.packets)
        #expect(decoding.order == Self.whole + ["S1"])
        #expect(decoding.events.map(\.connection) == [1, 1, 1, 1, 1, 1, 2])
        #expect(decoder.warnings == [])
    }

    @Test("A reset ends the connection with what there was")
    func reset() {
        var connection = TestConnection()
        connection.open()
        connection.client(Wire.read(1, 4))
        connection.add(fromClient: false, [], [.rst, .ack])
        connection.client(Wire.read(2, 4))
        #expect(decodeNetwork(connection.packets).decoding.order == ["S1"])
    }

    @Test("Connections between the same hosts are told apart by their ports, and numbered")
    func several() {
        var first = TestConnection(clientPort: 50_000)
        var second = TestConnection(clientPort: 50_001)
        first.open()
        second.open()
        second.client(Wire.read(1, 4))
        first.client(Wire.read(1, 8))
        let packets = zip(first.packets, second.packets).flatMap { [$0, $1] }
        let decoding = decodeNetwork(packets).decoding
        #expect(decoding.events.map(\.connection) == [1, 2])
        #expect(decoding.events.map(\.event.length) == [8, 4])
    }

    @Test("Another port is recognised by what is said: by an op-phase message, or by a whole request")
    func otherPorts() {
        var importing = TestConnection(serverPort: 7777)
        importing.open()
        importing.client([1, 0x11, 0x80, 5, 0, 0, 0, 0])
        importing.client(Wire.read(1, 4))
        #expect(decodeNetwork(importing.packets).decoding.order == ["S1"])
        var late = TestConnection(serverPort: 7777)
        late.server(Wire.result(5, length: 3, data: [1, 2, 3]))
        late.client(Wire.read(6, 4))
        late.server(Wire.result(6, length: 4, data: [1, 2, 3, 4]))
        #expect(decodeNetwork(late.packets).decoding.order == ["S6", "C6"])
        var foreign = TestConnection(serverPort: 80)
        foreign.open()
        foreign.client(Array("GET / HTTP/1.1\r\nHost: example.org\r\nAccept: text/html\r\n\r\n".utf8))
        let (decoding, decoder) = decodeNetwork(foreign.packets)
        #expect(decoding.events.isEmpty && decoder.warnings.isEmpty)
    }
}
