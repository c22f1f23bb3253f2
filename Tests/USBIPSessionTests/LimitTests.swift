import TestSupport
import Testing
import USBCore
import USBIPSession
import USBIPWire

@Suite("Limits and hostile headers")
struct LimitTests {
    /// What every hostile header is made from: an IN transfer on a bulk endpoint.
    private static func command(
        direction: UInt32 = 1, endpoint: UInt32 = 1, length: Int32 = 8, packetCount: Int32 = 0
    ) -> [UInt8] {
        bytes(
            of: SubmitCommand(
                sequence: 7, deviceID: 0x0001_0002, direction: direction, endpoint: endpoint, length: length,
                packetCount: packetCount))
    }

    private static let hostile: [(String, [UInt8])] = [
        ("negative length", command(length: -1)), ("most negative length", command(length: .min)),
        ("longest length", command(length: .max)), ("longest OUT", command(direction: 0, length: .max)),
        ("one byte over the limit", command(length: 64 << 20 + 1)), ("direction 2", command(direction: 2)),
        ("direction -1", command(direction: .max)), ("endpoint 16", command(endpoint: 16)),
        ("endpoint 0x81", command(endpoint: 0x81)), ("endpoint -1", command(endpoint: .max)),
        ("1025 packets", command(endpoint: 3, packetCount: 1025)),
        ("-5 packets", command(endpoint: 3, packetCount: -5)),
        ("-1 packets, isochronous", command(endpoint: 3, packetCount: -1)),
        ("packets that overflow", command(endpoint: 3, packetCount: 0x1000_0001)),
        ("command 0", [UInt8](repeating: 0, count: 48)),
        ("command 5", [0, 0, 0, 5] + [UInt8](repeating: 0, count: 44)),
        ("an answer", [0, 0, 0, 3] + [UInt8](repeating: 0, count: 44)),
        ("an unlink's answer", [0, 0, 0, 4] + [UInt8](repeating: 0, count: 44)),
        ("a request of the op phase", OpMessage.importRequest(busID: "1-1") + [UInt8](repeating: 0, count: 8)),
        ("noise", [UInt8](repeating: 0xff, count: 48)),
    ]

    @Test("a header that cannot be ends the connection", arguments: hostile.indices)
    func hostileHeader(index: Int) throws {
        let harness = SessionHarness()
        harness.device.react = { _ in .answer(.bytes([1])) }
        let before = harness.client.submit(1, .in(1), length: 8)
        let error = #expect(throws: ProtocolViolation.self, "\(Self.hostile[index].0)") {
            try harness.arrive(before + Self.hostile[index].1)
        }
        #expect(error?.description.isEmpty == false)
        #expect(harness.device.submissions.map(\.id) == [1])
        #expect(try harness.news().count == 1, "what came before is answered")
    }

    @Test("a length at the limit is served")
    func atTheLimit() throws {
        var limits = SessionLimits()
        limits.transferLength = 1000
        let harness = SessionHarness(limits: limits)
        harness.device.react = { _ in .answer(.bytes([UInt8](repeating: 1, count: 1000))) }
        #expect(
            try harness.exchange(harness.client.submit(1, .in(1), length: 1000)).first?.submit?.data.count == 1000)
        #expect(throws: ProtocolViolation.self) { try harness.arrive(harness.client.submit(2, .in(1), length: 1001)) }
    }

    @Test("transfers that wait are counted; one more is out of memory, and room comes back")
    func keptTransfers() throws {
        var limits = SessionLimits()
        limits.keptTransfers = 3
        let harness = SessionHarness(limits: limits)
        for sequence in 1...3 as ClosedRange<UInt32> {
            #expect(try harness.exchange(harness.client.submit(sequence, .in(1), length: 8)) == [])
        }
        #expect(
            try harness.exchange(harness.client.submit(4, .out(1), payload: [1, 2]))
                == [.submit(SubmitReply(4, status: -12))])
        #expect(harness.events.count == 1)
        #expect(try harness.exchange(harness.client.unlink(5, victim: 2)) == [.unlink(sequence: 5, status: -104)])
        #expect(try harness.exchange(harness.client.submit(6, .in(1), length: 8)) == [])
        #expect(harness.session.keptCount == 3)
    }

    @Test("bytes that wait are counted, OUT only", arguments: [10, 20_000, 100_000])
    func keptBytes(size: Int) throws {
        var limits = SessionLimits()
        limits.keptBytes = 3 * size
        let harness = SessionHarness(limits: limits)
        harness.device.landsTransfers = true
        let payload = [UInt8](repeating: 1, count: size)
        for sequence in 1...3 as ClosedRange<UInt32> {
            #expect(try harness.exchange(harness.client.submit(sequence, .out(1), payload: payload)) == [])
        }
        let landings = harness.device.landings.count
        #expect(
            try harness.exchange(harness.client.submit(4, .out(1), payload: payload))
                == [.submit(SubmitReply(4, status: -12))])
        #expect(harness.device.landings.count == landings, "the bytes of a refused transfer reach no device")
        #expect(try harness.exchange(harness.client.submit(5, .in(1), length: 1 << 20)) == [])
        #expect(try harness.exchange(harness.client.unlink(6, victim: 1)) == [.unlink(sequence: 6, status: -104)])
        harness.device.complete(2, .accept())
        #expect(try harness.news() == [.submit(SubmitReply(2, actualLength: Int32(size)))])
        for sequence in 7...8 as ClosedRange<UInt32> {
            #expect(try harness.exchange(harness.client.submit(sequence, .out(1), payload: payload)) == [])
        }
        #expect(
            try harness.exchange(harness.client.submit(9, .out(1), payload: [1]))
                == [.submit(SubmitReply(9, status: -12))])
    }

    @Test("transfers that are answered at once take no room", arguments: [10, 20_000])
    func answeredAtOnce(size: Int) throws {
        var limits = SessionLimits()
        limits.keptBytes = size
        limits.keptTransfers = 1
        let harness = SessionHarness(limits: limits)
        harness.device.react = { _ in .answer(.accept()) }
        let payload = [UInt8](repeating: 1, count: size)
        for sequence in 1...50 as ClosedRange<UInt32> {
            #expect(
                try harness.exchange(harness.client.submit(sequence, .out(1), payload: payload))
                    == [.submit(SubmitReply(sequence, actualLength: Int32(size)))])
        }
    }

    @Test("ten thousand transfers can wait, and be taken back in any order")
    func tenThousand() throws {
        let harness = SessionHarness()
        var random = SplitMix64(seed: 10)
        var batch: [UInt8] = []
        for sequence in 1...10_000 as ClosedRange<UInt32> {
            batch += harness.client.submit(sequence, .in(1), length: 8)
        }
        try harness.arrive(batch)
        #expect(harness.session.keptCount == 10_000)
        // Newest first: the device of these tests finds them by searching.
        var unlinks: [UInt8] = []
        for index in 0..<200 as Range<UInt32> {
            unlinks += harness.client.unlink(20_000 + index, victim: UInt32(1 + index * 50 + UInt32(random.below(50))))
        }
        #expect(try harness.exchange(unlinks).allSatisfy { if case .unlink(_, -104) = $0 { true } else { false } })
        #expect(harness.session.keptCount == 9_800)
        harness.session.close()
        #expect(harness.session.keptCount == 0)
    }

    @Test("a sequence number names one transfer at a time; afterwards it can be used again")
    func duplicateSequence() throws {
        let harness = SessionHarness()
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        #expect(throws: ProtocolViolation.self) { try harness.arrive(harness.client.submit(1, .in(2), length: 8)) }

        let other = SessionHarness()
        other.device.react = { _ in .answer(.bytes([1])) }
        #expect(try other.exchange(other.client.submit(1, .in(1), length: 8)).count == 1)
        #expect(try other.exchange(other.client.submit(1, .in(1), length: 8)).count == 1)
    }

    @Test("a duplicate whose bytes arrive in place ends the connection as well")
    func duplicateArrival() throws {
        let harness = SessionHarness()
        harness.device.landsTransfers = true
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        let large = harness.client.submit(1, .out(1), payload: [UInt8](repeating: 1, count: 100_000))
        #expect(throws: ProtocolViolation.self) { try harness.arrive(large) }
    }
}
