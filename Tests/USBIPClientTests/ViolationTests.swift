import TestSupport
import Testing
import USBCore
import USBIPClient
import USBIPWire

@Suite("Servers that break the protocol", .timeLimit(.minutes(10)))
struct ViolationTests {
    /// What a server does wrong, and what the host says about it.
    struct Violation: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var words: String
        var bytes: [UInt8]

        init(_ name: String, says words: String, _ bytes: [UInt8]) {
            testDescription = name
            self.words = words
            self.bytes = bytes
        }
    }

    // In flight: 1 reads 64 bytes, 2 reads two isochronous packets of 8, 3 writes two of 4, 4 writes 5 bytes,
    // 6 reads 64 bytes and 7 is its unlink.
    private static func start(_ inbox: Inbox) throws -> HostilePeer {
        let peer = try HostilePeer()
        for request: TransferRequest in [
            .in(1, room: 64), .isochronousIn(3, lengths: [8, 8]),
            .isochronousOut(3, packets: [[1, 2, 3, 4], [5, 6, 7, 8]]),
            .out(2, [1, 2, 3, 4, 5]), .in(4, room: 100_000),
        ] {
            try peer.device.submit(request) { inbox.add($0) }
        }
        let victim = try peer.device.submit(.in(2, room: 64)) { inbox.add($0) }
        peer.device.cancel(victim)
        _ = try peer.receive(7 * 48 + 4 * 16 + 8 + 5)
        return peer
    }

    private static func packets(_ change: (inout [PacketDescriptor]) -> Void) -> [PacketDescriptor] {
        var packets = [
            PacketDescriptor(offset: 0, length: 8, actualLength: 3),
            PacketDescriptor(offset: 8, length: 8, actualLength: 2),
        ]
        change(&packets)
        return packets
    }

    private static func isochronous(_ actualLength: Int32 = 5, _ change: (inout [PacketDescriptor]) -> Void) -> [UInt8]
    {
        answer(
            SubmitReturn(sequence: 2, actualLength: actualLength, packetCount: 2),
            [UInt8](repeating: 7, count: Int(actualLength)), packets(change))
    }

    static let violations: [Violation] = [
        Violation("an unknown sequence number", says: "sequence number 99", answer(SubmitReturn(sequence: 99))),
        Violation("sequence number 0", says: "sequence number 0", answer(SubmitReturn(sequence: 0))),
        Violation(
            "a second answer", says: "sequence number 4",
            answer(SubmitReturn(sequence: 4)) + answer(SubmitReturn(sequence: 4))),
        Violation(
            "an answer to an unlink as if it were a transfer", says: "an unlink's", answer(SubmitReturn(sequence: 7))),
        Violation(
            "an unlink's answer for a transfer", says: "no unlink waits",
            answer(UnlinkMessage(sequence: 1, argument: 0))),
        Violation(
            "an unlink's answer out of nothing", says: "no unlink waits",
            answer(UnlinkMessage(sequence: 55, argument: 0))),
        Violation(
            "an answer to a transfer that was unlinked", says: "sequence number 6",
            answer(UnlinkMessage(sequence: 7, argument: UInt32(bitPattern: -104))) + answer(SubmitReturn(sequence: 6))),
        Violation(
            "an unlink's status that is no errno", says: "no errno", answer(UnlinkMessage(sequence: 7, argument: 1))),
        Violation(
            "more bytes than were asked for", says: "actual_length 65",
            answer(SubmitReturn(sequence: 1, actualLength: 65))),
        Violation(
            "the most bytes there can be", says: "actual_length 2147483647",
            answer(SubmitReturn(sequence: 1, actualLength: .max))),
        Violation("a negative length", says: "actual_length -1", answer(SubmitReturn(sequence: 1, actualLength: -1))),
        Violation(
            "more bytes taken than were sent", says: "actual_length 6",
            answer(SubmitReturn(sequence: 4, actualLength: 6))),
        Violation("a positive status", says: "status 1,", answer(SubmitReturn(sequence: 1, status: 1))),
        Violation("a status below all errnos", says: "status -4096", answer(SubmitReturn(sequence: 1, status: -4096))),
        Violation("the lowest status there is", says: "no errno", answer(SubmitReturn(sequence: 1, status: .min))),
        Violation("a transfer still in progress", says: "EINPROGRESS", answer(SubmitReturn(sequence: 1, status: -115))),
        Violation(
            "packets for a bulk transfer", says: "1 packets where 0", answer(SubmitReturn(sequence: 1, packetCount: 1))),
        Violation("too few packets", says: "1 packets where 2", answer(SubmitReturn(sequence: 2, packetCount: 1))),
        Violation("too many packets", says: "3 packets where 2", answer(SubmitReturn(sequence: 3, packetCount: 3))),
        Violation("minus one packets", says: "-1 packets where 2", answer(SubmitReturn(sequence: 2, packetCount: -1))),
        Violation("packets that do not add up", says: "its packets have 5", isochronous(4) { _ in }),
        Violation("packets that move", says: "packet 1", isochronous { $0[1].offset = 9 }),
        Violation("packets that shrink", says: "packet 0", isochronous { $0[0].length = 7 }),
        Violation("a packet that is too full", says: "actual_length 9", isochronous(11) { $0[0].actualLength = 9 }),
        Violation(
            "a packet as full as can be", says: "actual_length 4294967295", isochronous { $0[0].actualLength = .max }),
        Violation("a packet still in progress", says: "EINPROGRESS", isochronous { $0[0].status = -115 }),
        Violation("a packet's status that is no errno", says: "no errno", isochronous { $0[1].status = 5 }),
        Violation(
            "packets sent that do not add up", says: "its packets have 8",
            answer(
                SubmitReturn(sequence: 3, actualLength: 7, packetCount: 2), [],
                [
                    PacketDescriptor(offset: 0, length: 4, actualLength: 4),
                    PacketDescriptor(offset: 4, length: 4, actualLength: 4),
                ])),
        Violation("a submit", says: "CMD_SUBMIT", [0, 0, 0, 1] + [UInt8](repeating: 0, count: 44)),
        Violation("an unlink", says: "CMD_UNLINK", [0, 0, 0, 2] + [UInt8](repeating: 0, count: 44)),
        Violation("no command at all", says: "0x47455420", Array("GET ".utf8) + [UInt8](repeating: 0, count: 44)),
        Violation(
            "data after an OUT transfer", says: "command 0x1020304",
            answer(SubmitReturn(sequence: 4, actualLength: 5), [1, 2, 3, 4, 5] + [UInt8](repeating: 0, count: 48))),
    ]

    @Test("end the connection, and every transfer once with what they did", arguments: violations)
    func violation(_ violation: Violation) throws {
        let inbox = Inbox()
        let peer = try Self.start(inbox)
        try peer.send(violation.bytes)
        #expect(peer.isAtEnd)
        let results = try inbox.first(6)
        let errors = Set(results.compactMap(\.connectionError))
        #expect(errors.count == 1)
        guard case .violation(let words) = errors.first else {
            Issue.record("\(errors)")
            return
        }
        #expect(words.contains(violation.words), "\(words)")
        #expect(settles { peer.device.transfersInFlight == 0 })
        #expect(inbox.all.count == 6)
        #expect(throws: HostError.self) { try peer.device.submit(.in(1, room: 1)) { _ in } }
    }

    @Test("what came before a violation counts")
    func before() throws {
        let inbox = Inbox()
        let peer = try Self.start(inbox)
        try peer.send(
            answer(SubmitReturn(sequence: 1, actualLength: 3), [1, 2, 3]) + answer(SubmitReturn(sequence: 1)))
        let results = try inbox.first(6)
        #expect(results[0].data == [1, 2, 3])
        #expect(results[0].connectionError == nil)
        #expect(results.dropFirst().allSatisfy { $0.connectionError != nil })
    }

    @Test("the same server doing everything right is believed")
    func right() throws {
        let inbox = Inbox()
        let peer = try Self.start(inbox)
        let sent = [
            PacketDescriptor(offset: 0, length: 4, actualLength: 4),
            PacketDescriptor(offset: 4, length: 4, status: -18),
        ]
        try peer.send(
            answer(UnlinkMessage(sequence: 7, argument: UInt32(bitPattern: -104)))
                + answer(SubmitReturn(sequence: 5, actualLength: 100_000), counting(100_000))
                + answer(SubmitReturn(sequence: 4, actualLength: 5))
                + answer(
                    SubmitReturn(sequence: 3, actualLength: 4, startFrame: 77, packetCount: 2, errorCount: 1), [], sent)
                + Self.isochronous { _ in }
                + answer(SubmitReturn(sequence: 1, status: -32, actualLength: 2, packetCount: -1), [8, 9]))
        let results = try inbox.first(6)
        #expect(results.map(\.status) == [.cancelled, .success, .success, .success, .success, .stalled])
        #expect(results.allSatisfy { $0.connectionError == nil })
        #expect(results[1].data == counting(100_000))
        #expect(results[3].startFrame == 77)
        #expect(results[3].errorCount == 1)
        #expect(results[3].packets.map(\.status) == [.success, .missed])
        #expect(results[5].data == [8, 9])
        #expect(peer.device.connectionError == nil)
        #expect(settles { peer.device.transfersInFlight == 0 && peer.device.unansweredCommands == 0 })
    }

    @Test(
        "an unlink's answer gives a waiting transfer back whatever its status, as Linux's server has it",
        arguments: [0, -32, -2, -104])
    func unlinkStatus(_ status: Int32) throws {
        let inbox = Inbox()
        let peer = try Self.start(inbox)
        try peer.send(answer(UnlinkMessage(sequence: 7, argument: UInt32(bitPattern: status))))
        #expect(try inbox.first(1).map(\.status) == [.cancelled])
        #expect(peer.device.connectionError == nil)
    }
}
