import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

@Suite("Isochronous transfers")
struct IsochronousTests {
    let harness = SessionHarness()
    private var device: ScriptedDevice { harness.device }

    /// Three packets of eight bytes with gaps of two between them.
    private let gapped = [0, 10, 20].map { PacketDescriptor(offset: $0, length: 8, status: -18) }

    @Test("IN: the answer is compact, the packets keep their places, and the lengths add up")
    func compaction() throws {
        device.react = { _ in
            .answer(.packets([.init([1, 2, 3]), .init([], .missed), .init([4, 5, 6, 7, 8, 9, 10, 11])]))
        }
        let replies = try harness.exchange(harness.client.submit(1, .in(3), length: 28, packets: gapped))
        #expect(
            replies == [
                .submit(
                    SubmitReply(
                        1, actualLength: 11, errorCount: 1, data: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
                        packets: [
                            PacketDescriptor(offset: 0, length: 8, actualLength: 3),
                            PacketDescriptor(offset: 10, length: 8, actualLength: 0, status: -18),
                            PacketDescriptor(offset: 20, length: 8, actualLength: 8),
                        ]))
            ])
    }

    @Test("IN: a packet never has more than its length")
    func packetIsCut() throws {
        device.react = { _ in .answer(.packets([.init([UInt8](0..<20)), .init([1]), .init([], .protocolError)])) }
        let reply = try harness.exchange(harness.client.submit(1, .in(3), length: 28, packets: gapped)).first?.submit
        #expect(reply?.data == [0, 1, 2, 3, 4, 5, 6, 7, 1])
        #expect(reply?.packets.map(\.actualLength) == [8, 1, 0])
        #expect(reply?.packets.map(\.status) == [0, 0, -71])
        #expect(reply?.status == 0 && reply?.errorCount == 1)
    }

    @Test("OUT: the device finds each packet at its offset, gaps are not data, and the answer has none")
    func outGaps() throws {
        device.react = { _ in .answer(.acceptPackets) }
        let payload = [UInt8](0..<28)
        let replies = try harness.exchange(harness.client.submit(1, .out(3), payload: payload, packets: gapped))
        #expect(
            device.submissions.first?.packetBytes
                == [Array(payload[0..<8]), Array(payload[10..<18]), Array(payload[20..<28])])
        #expect(
            replies == [
                .submit(
                    SubmitReply(
                        1, actualLength: 24,
                        packets: gapped.map { PacketDescriptor(offset: $0.offset, length: 8, actualLength: 8) }))
            ])
        #expect(harness.output.bytes.count == 48 + 3 * 16)
    }

    @Test("packets may come in any order and overlap", arguments: [EndpointAddress.in(3), .out(3)])
    func overlap(endpoint: EndpointAddress) throws {
        let packets = [(8, 8), (0, 8), (4, 8), (4, 8)].map { PacketDescriptor(offset: $0.0, length: $0.1) }
        let full = Answer.Packet([UInt8](0..<8))
        device.react = {
            $0.endpoint == .out(3) ? .answer(.acceptPackets) : .answer(.packets([full, full, full, full]))
        }
        let payload = endpoint == .out(3) ? [UInt8](0..<16) : []
        let reply = try harness.exchange(
            harness.client.submit(1, endpoint, length: 16, payload: payload, packets: packets)
        ).first?.submit
        // The client model has checked that the sum is the header's; to a client of 16 bytes no more may be sent.
        #expect(reply?.packets.count == 4)
        #expect(reply?.actualLength == (endpoint == .out(3) ? 32 : 16))
    }

    @Test(
        "a packet beyond the buffer is refused with all of them given back",
        arguments: [(21, 8), (28, 1), (.max, 8), (0, 29), (0, .max), (.max, .max)] as [(UInt32, UInt32)],
        [EndpointAddress.in(3), .out(3)])
    func beyondBuffer(packet: (offset: UInt32, length: UInt32), endpoint: EndpointAddress) throws {
        var packets = gapped
        packets[2] = PacketDescriptor(offset: packet.offset, length: packet.length)
        let payload = endpoint == .out(3) ? [UInt8](0..<28) : []
        let reply = try harness.exchange(
            harness.client.submit(1, endpoint, length: 28, payload: payload, packets: packets)
        ).first?.submit
        #expect(reply?.status == -22 && reply?.actualLength == 0)
        #expect(device.submissions == [])
    }

    @Test(
        "a refused or failed transfer keeps its number of packets, since a driver submits it again with that number",
        arguments: [EndpointAddress.in(3), .out(3)])
    func refusals(endpoint: EndpointAddress) throws {
        var limits = SessionLimits()
        limits.keptTransfers = 1
        let harness = SessionHarness(limits: limits)
        let payload = endpoint == .out(3) ? [UInt8](0..<28) : []
        func submit(_ sequence: UInt32) throws -> [Reply] {
            try harness.exchange(
                harness.client.submit(sequence, endpoint, length: 28, payload: payload, packets: gapped))
        }
        #expect(try submit(1) == [])
        #expect(try submit(2).first?.submit?.status == -12)
        harness.session.drain()
        #expect(try harness.news().first?.submit?.status == -108)
        let last = try submit(3).first?.submit
        #expect(last?.status == -108 && last?.packets.map(\.actualLength) == [0, 0, 0])
    }

    @Test(
        "a device that answers as if there were no packets moves nothing, and the lengths add up",
        arguments: [
            Answer.accept(), .bytes([1, 2, 3]), .lent([1, 2, 3]), .inPlace([1, 2]), .status(.stalled), .acceptPackets,
        ])
    func notByPackets(answer: Answer) throws {
        device.react = { _ in .answer(answer) }
        let bytes =
            harness.client.submit(1, .in(3), length: 28, packets: gapped)
            + harness.client.submit(2, .out(3), payload: [UInt8](0..<28), packets: gapped)
        let replies = try harness.exchange(bytes).compactMap(\.submit)
        #expect(replies.count == 2 && replies[0].data == [])
    }

    @Test("a transfer of no packets and one of 1024 are answered in kind", arguments: [0, 1, 1023, 1024])
    func counts(count: Int) throws {
        device.react = {
            .answer($0.endpoint == .out(3) ? .acceptPackets : .packets($0.packets.map { _ in .init([1, 2]) }))
        }
        let packets = (0..<count).map { PacketDescriptor(offset: UInt32($0 * 4), length: 3) }
        let bytes =
            harness.client.submit(1, .in(3), length: count * 4, packets: packets)
            + harness.client.submit(2, .out(3), payload: [UInt8](repeating: 1, count: count * 4), packets: packets)
        let replies = try harness.exchange(bytes).compactMap(\.submit)
        #expect(replies.map { Int($0.actualLength) } == [count * 2, count * 3])
        #expect(replies.map(\.packets.count) == [count, count])
    }

    @Test("an isochronous transfer waits and is taken back like any other")
    func unlink() throws {
        try harness.arrive(harness.client.submit(1, .in(3), length: 28, packets: gapped))
        try harness.arrive(harness.client.submit(2, .out(3), payload: [UInt8](0..<28), packets: gapped))
        #expect(try harness.exchange(harness.client.unlink(3, victim: 1)) == [.unlink(sequence: 3, status: -104)])
        device.complete(2, .acceptPackets)
        #expect(try harness.news().first?.submit?.actualLength == 24)
    }

    @Test("an unlink that overtakes an isochronous submit takes the packets off the stream", arguments: [3, 1024])
    func overtaken(count: Int) throws {
        let packets = (0..<count).map { PacketDescriptor(offset: UInt32($0), length: 1) }
        let bytes =
            harness.client.unlink(2, victim: 1)
            + harness.client.submit(1, .out(3), payload: [UInt8](repeating: 1, count: count), packets: packets)
            + harness.client.submit(3, .in(1), length: 4)
        #expect(try harness.exchange(bytes) == [.unlink(sequence: 2, status: -104)])
        #expect(device.submissions.map(\.id) == [3])
    }
}
