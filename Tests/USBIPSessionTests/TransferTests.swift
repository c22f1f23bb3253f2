import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

@Suite("Transfers")
struct TransferTests {
    let harness = SessionHarness()
    private var device: ScriptedDevice { harness.device }

    @Test("an IN transfer that the device keeps gets no answer, and certainly no empty one")
    func parked() throws {
        #expect(try harness.exchange(harness.client.submit(1, .in(2), length: 8)) == [])
        #expect(harness.session.keptCount == 1 && harness.output.bytes == [])
        device.complete(1, .bytes([1, 2, 3]))
        #expect(try harness.news() == [.submit(SubmitReply(1, actualLength: 3, data: [1, 2, 3]))])
        #expect(harness.session.keptCount == 0)
    }

    @Test("the device gets what the client sent")
    func submission() throws {
        let setup = SetupPacket(requestType: 0x21, request: 9, value: 0x0200, index: 1, length: 3)
        try harness.arrive(harness.client.control(1, setup, payload: [7, 8, 9]))
        try harness.arrive(harness.client.submit(2, .out(1), payload: [1, 2], flags: 0x40))
        try harness.arrive(harness.client.submit(3, .in(2), length: 64, flags: 0x201))
        let got = device.submissions
        #expect(got.map(\.endpoint) == [.out(0), .out(1), .in(2)])
        #expect(got.map(\.type) == [.control, .bulk, .interrupt])
        #expect(got.map(\.payload) == [[7, 8, 9], [1, 2], []])
        #expect(got.map(\.requestedLength) == [3, 2, 64])
        #expect(got[0].setup == setup)
        #expect(URB.Flags(rawValue: got[1].flags).contains(.zeroPacket))
        #expect(URB.Flags(rawValue: got[2].flags).contains(.shortNotOK))
    }

    @Test("an answer to an OUT transfer is a header, whatever it says has moved")
    func outHasNoPayload() throws {
        device.react = { _ in .answer(.accept()) }
        #expect(
            try harness.exchange(harness.client.submit(1, .out(1), payload: [1, 2, 3, 4]))
                == [.submit(SubmitReply(1, actualLength: 4))])
        device.react = { _ in .answer(.accept(3, .stalled)) }
        #expect(
            try harness.exchange(harness.client.submit(2, .out(1), payload: [1, 2, 3, 4]))
                == [.submit(SubmitReply(2, status: -32, actualLength: 3))])
        #expect(harness.output.bytes.count == 2 * URBWire.headerSize)
    }

    @Test("data travels with an error status too")
    func statusWithData() throws {
        device.react = { _ in .answer(.bytes([1, 2], .protocolError)) }
        #expect(
            try harness.exchange(harness.client.submit(1, .in(1), length: 8))
                == [.submit(SubmitReply(1, status: -71, actualLength: 2, data: [1, 2]))])
    }

    /// Each size on either side of what the session treats differently: in the output buffer, gathered, in scratch.
    private static let boundaries = [1, 511, 512, (8 << 10) - 1, 8 << 10, 20_000, 65_488, 65_489, 65_536, 300_000]

    @Test("answers of every size arrive whole, written in every way", arguments: boundaries, 0..<3)
    func sizes(size: Int, way: Int) throws {
        var random = SplitMix64(seed: UInt64(size))
        let data = random.bytes(size)
        let ways: [Answer] = [.bytes(data), .inPlace(data), .lent(data)]
        device.react = { $0.endpoint == .in(1) ? .answer(ways[way]) : .answer(.bytes([5])) }
        // In one batch, so that each answer meets a buffer that is partly full.
        var batch: [UInt8] = []
        for sequence in 1...6 as ClosedRange<UInt32> {
            batch += harness.client.submit(sequence, sequence % 2 == 0 ? .in(1) : .in(2), length: size)
        }
        let replies = try harness.exchange(batch)
        let five = size >= 1 ? [5] as [UInt8] : []
        #expect(
            replies
                == (1...6 as ClosedRange<UInt32>).map {
                    let bytes = $0 % 2 == 0 ? data : five
                    return .submit(SubmitReply($0, actualLength: Int32(bytes.count), data: bytes))
                })
    }

    @Test("a device that babbles is cut to what the client has room for", arguments: 0..<3)
    func babble(way: Int) throws {
        let data = [UInt8](0..<20)
        let ways: [Answer] = [.bytes(data), .inPlace(data), .lent(data)]
        device.react = { _ in .answer(ways[way]) }
        let replies = try harness.exchange(harness.client.submit(1, .in(1), length: 8))
        #expect(replies.first?.submit?.data == Array(data.prefix(8)))
        #expect(replies.first?.submit?.status == (way == 0 ? -75 : 0))
        let empty = try harness.exchange(harness.client.submit(2, .in(1), length: 0))
        #expect(empty.first?.submit?.actualLength == 0)
    }

    @Test("a control answer that is longer than wLength is cut without a word")
    func controlIsCut() throws {
        device.react = { _ in .answer(.bytes([UInt8](0..<18))) }
        let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 8)
        #expect(
            try harness.exchange(harness.client.control(1, setup))
                == [.submit(SubmitReply(1, actualLength: 8, data: [UInt8](0..<8)))])
    }

    @Test("a device that takes more than it was sent has taken what it was sent")
    func acceptsTooMuch() throws {
        device.react = { _ in .answer(.accept(100)) }
        #expect(
            try harness.exchange(harness.client.submit(1, .out(1), payload: [1]))
                == [.submit(SubmitReply(1, actualLength: 1))])
    }

    @Test("an IN transfer that a device accepts as if it were OUT moves nothing")
    func acceptsIn() throws {
        device.react = { _ in .answer(.accept()) }
        for (sequence, length) in [(1, 64), (2, 100_000)] as [(UInt32, Int)] {
            #expect(
                try harness.exchange(harness.client.submit(sequence, .in(1), length: length))
                    == [.submit(SubmitReply(sequence))])
        }
    }

    @Test("a control IN without data comes as OUT, with its setup packet as it is")
    func zeroLengthControlIn() throws {
        device.react = { _ in .answer(.status(.success)) }
        let setup = SetupPacket(requestType: 0xc0, request: 1)
        #expect(try harness.exchange(harness.client.control(1, setup)) == [.submit(SubmitReply(1))])
        #expect(device.submissions.map(\.endpoint) == [.out(0)])
        #expect(device.submissions.map(\.setup) == [setup])
    }

    @Test(
        "the packet count of a transfer that is not isochronous is noise", arguments: [0, -1, 7, .max, .min] as [Int32])
    func packetCountNoise(count: Int32) throws {
        device.react = { $0.endpoint.direction == .in ? .answer(.bytes([1])) : .answer(.accept()) }
        let bytes =
            harness.client.submit(1, .in(1), length: 1, packetCount: count)
            + harness.client.submit(2, .out(2), payload: [1, 2], packetCount: count)
            + harness.client.submit(3, .in(0), length: 1, packetCount: count)
        #expect(try harness.exchange(bytes).compactMap(\.submit).map(\.actualLength) == [1, 2, 1])
    }

    @Test("an endpoint that does not exist stalls, and the connection stays in step")
    func unknownEndpoint() throws {
        device.react = { _ in .answer(.bytes([1])) }
        let packets = [PacketDescriptor(offset: 0, length: 4), PacketDescriptor(offset: 4, length: 4)]
        let bytes =
            harness.client.submit(1, .in(9), length: 8) + harness.client.submit(2, .out(9), payload: [1, 2, 3])
            + harness.client.submit(3, .in(9), length: 8, packetCount: -1)
            + harness.client.submit(4, .in(9), length: 8, packets: packets)
            + harness.client.submit(5, .out(9), payload: [UInt8](0..<8), packets: packets)
            + harness.client.submit(6, .in(1), length: 8)
        let replies = try harness.exchange(bytes).compactMap(\.submit)
        #expect(replies.map(\.status) == [-32, -32, -32, -32, -32, 0])
        #expect(harness.client.unanswered == [] && harness.client.isInStep)
    }

    @Test("a large transfer arrives in the device's memory when it offers some", arguments: [true, false])
    func landing(lands: Bool) throws {
        device.landsTransfers = lands
        var random = SplitMix64(seed: 3)
        let payload = random.bytes(150_000)
        #expect(try harness.exchange(harness.client.submit(1, .out(1), payload: payload)) == [])
        #expect(device.landings == (lands ? [150_000] : []))
        #expect(device.submissions.map(\.payload) == [payload])
        device.complete(1, .accept())
        #expect(try harness.news() == [.submit(SubmitReply(1, actualLength: 150_000))])
    }

    @Test("what the device keeps stays as it was sent, whatever comes after", arguments: [100, 16_000, 17_000, 70_000])
    func keptPayload(size: Int) throws {
        var random = SplitMix64(seed: UInt64(size))
        var sent: [[UInt8]] = []
        device.react = { $0.endpoint == .out(2) ? .answer(.accept()) : .keep }
        for sequence in 1...20 as ClosedRange<UInt32> {
            let payload = random.bytes(size)
            if sequence % 2 == 1 { sent.append(payload) }
            try harness.arrive(harness.client.submit(sequence, sequence % 2 == 1 ? .out(1) : .out(2), payload: payload))
        }
        #expect(device.payloadsWaiting() == sent)
        device.completeAll(.success)
        #expect(try harness.news().count == 20)
        #expect(harness.client.unanswered == [])
    }

    @Test("answers leave in the order in which they were made")
    func order() throws {
        try harness.arrive(
            harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .in(2), length: 8)
                + harness.client.submit(3, .in(1), length: 8))
        device.complete(2, .bytes([2]))
        device.complete(1, .lent([UInt8](repeating: 1, count: 8)))
        device.complete(3, .bytes([3]))
        #expect(try harness.news().map(\.sequence) == [2, 1, 3])
    }

    @Test("a transfer that the device drops is an I/O error, and a bug worth telling", arguments: [true, false])
    func abandoned(atOnce: Bool) throws {
        device.react = { _ in atOnce ? .drop : .keep }
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        if !atOnce { device.dropAll() }
        #expect(try harness.news() == [.submit(SubmitReply(1, status: -5))])
        #expect(harness.events == [.abandoned(endpoint: 0x81)])
    }

    @Test("the answers of a stalled endpoint are bare", arguments: [EndpointAddress.in(1), .out(1), .in(0), .out(0)])
    func stall(endpoint: EndpointAddress) throws {
        device.react = { _ in .answer(.status(.stalled)) }
        let payload: [UInt8] = endpoint.direction == .out ? [1, 2] : []
        #expect(
            try harness.exchange(harness.client.submit(1, endpoint, length: 8, payload: payload))
                == [.submit(SubmitReply(1, status: -32))])
        #expect(harness.output.bytes.count == 48)
    }

    @Test("a client with another device id is served, and noted once")
    func foreignDeviceID() throws {
        device.react = { _ in .answer(.accept()) }
        harness.client.deviceID = 0x0009_0009
        #expect(try harness.exchange(harness.client.submit(1, .out(1), payload: [1])).count == 1)
        #expect(try harness.exchange(harness.client.unlink(2, victim: 1)).count == 1)
        #expect(harness.events == [.foreignDeviceID(0x0009_0009)])
    }
}
