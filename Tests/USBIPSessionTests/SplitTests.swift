import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession
import USBIPWire

/// A whole conversation, and what must come of it however its bytes are cut.
private struct Dialogue {
    private(set) var bytes: [UInt8] = []
    /// Where commands begin.
    private(set) var boundaries: [Int] = []
    private(set) var commands = ClientModel()

    /// - Parameter scale: multiplies the payloads' sizes.
    init(scale: Int) {
        var random = SplitMix64(seed: 99)
        let packets = (0..<3).map { PacketDescriptor(offset: UInt32($0 * 10), length: 7, status: -18) }
        var client = ClientModel()
        func out(_ size: Int) -> [UInt8] { random.bytes(size * scale) }
        add(client.control(1, SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64)))
        add(client.submit(2, .in(2), length: 8))
        add(client.submit(3, .out(1), payload: out(31)))
        add(client.submit(4, .in(1), length: 100 * scale))
        add(client.control(5, SetupPacket(requestType: 0x21, request: 9, length: 5), payload: [1, 2, 3, 4, 5]))
        add(client.submit(6, .out(2), payload: out(40)))
        add(client.unlink(7, victim: 6))
        add(client.unlink(9, victim: 8))
        add(client.submit(8, .out(1), payload: out(50)))
        add(client.submit(10, .in(3), length: 30, packets: packets))
        add(client.submit(11, .out(3), payload: random.bytes(30), packets: packets))
        add(client.submit(12, .out(9), payload: out(20)))
        add(client.unlink(13, victim: 2))
        add(client.submit(14, .out(1), payload: []))
        add(client.submit(15, .out(1), payload: out(60)))
        add(client.unlink(16, victim: 15))
        commands = client
    }

    private mutating func add(_ command: [UInt8]) {
        boundaries.append(bytes.count)
        bytes += command
    }

    /// What comes out, and what the device saw, when the bytes come in these pieces.
    func outcome(_ places: [Int], lands: Bool) throws -> Outcome {
        let harness = SessionHarness()
        let device = harness.device
        device.landsTransfers = lands
        device.react = { transfer in
            switch transfer.endpoint {
            case .in(2), .out(2): .keep
            case .in(3): .answer(.packets([.init([1, 2]), .init([3], .missed), .init([4, 5, 6])]))
            case .out(3): .answer(.acceptPackets)
            case .in(1), .in(0): .answer(.bytes([UInt8](repeating: 0xab, count: transfer.requestedLength)))
            default: .answer(.accept())
            }
        }
        try harness.arrive(bytes, cutAt: places)
        harness.client = commands
        let replies = try harness.news()
        #expect(harness.client.unanswered == [] && harness.session.keptCount == 0)
        return Outcome(output: harness.output.bytes, replies: replies.count, submissions: device.submissions)
    }

    struct Outcome: Equatable {
        var output: [UInt8]
        var replies: Int
        var submissions: [ScriptedDevice.Submission]
    }
}

@Suite("Any partition of the stream means the same")
struct SplitTests {
    private static let small = Dialogue(scale: 1)
    private static let large = Dialogue(scale: 1000)

    @Test("in one piece: everything is answered", arguments: [1, 1000], [true, false])
    func whole(scale: Int, lands: Bool) throws {
        let dialogue = scale == 1 ? Self.small : Self.large
        let outcome = try dialogue.outcome([], lands: lands)
        #expect(outcome.replies == 16 - 3, "three transfers were taken back")
        #expect(outcome.submissions.map(\.id) == [1, 2, 3, 4, 5, 6, 10, 11, 12, 14, 15])
    }

    @Test("cut once, at every byte")
    func everyCut() throws {
        let whole = try Self.small.outcome([], lands: false)
        for place in 1..<Self.small.bytes.count {
            let outcome = try Self.small.outcome([place], lands: false)
            if outcome != whole { Issue.record("cut at \(place)") }
        }
    }

    @Test("cut around every command's beginning and its header's end, with large transfers", arguments: [true, false])
    func cutsAtBoundaries(lands: Bool) throws {
        let whole = try Self.large.outcome([], lands: lands)
        for boundary in Self.large.boundaries {
            for place in [boundary - 1, boundary, boundary + 1, boundary + 47, boundary + 48, boundary + 49] {
                let outcome = try Self.large.outcome([max(0, place)], lands: lands)
                if outcome != whole { Issue.record("cut at \(place)") }
            }
        }
    }

    @Test("byte by byte", arguments: [1, 1000], [true, false])
    func drip(scale: Int, lands: Bool) throws {
        let dialogue = scale == 1 ? Self.small : Self.large
        let outcome = try dialogue.outcome(Array(1..<dialogue.bytes.count), lands: lands)
        #expect(try outcome == dialogue.outcome([], lands: lands))
    }

    @Test("landing changes nothing but where the bytes lie")
    func landingOrNot() throws {
        #expect(try Self.large.outcome([], lands: true) == Self.large.outcome([], lands: false))
    }

    @Test("cut at random", arguments: 1...40 as ClosedRange<UInt64>)
    func randomCuts(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let dialogue = seed % 2 == 0 ? Self.small : Self.large
        let places = (0..<1 + random.below(seed % 3 == 0 ? 200 : 10)).map { _ in random.below(dialogue.bytes.count) }
        let lands = seed % 4 < 2
        #expect(
            try dialogue.outcome(places, lands: lands) == dialogue.outcome([], lands: lands), "seed \(seed)")
    }

    @Test("a stream that ends anywhere leaves nothing behind")
    func cutShort() throws {
        for end in stride(from: 0, to: Self.large.bytes.count, by: 1_117) {
            let harness = SessionHarness()
            harness.device.landsTransfers = true
            try harness.arrive(Array(Self.large.bytes[..<end]))
            harness.session.close()
            #expect(harness.session.keptCount == 0)
        }
    }
}
