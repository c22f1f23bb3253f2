import TestSupport
import Testing
import USBCore
import USBIPSession
import USBIPWire

@Suite("Random conversations")
struct ModelTests {
    @Test(
        "are answered as the reference model says: once each, in order, and memory comes back",
        arguments: 1...20 as ClosedRange<UInt64>)
    func conversation(seed: UInt64) throws {
        var run = Conversation(seed: seed)
        for step in 0..<2_000 {
            try run.step()
            guard run.agrees() else {
                Issue.record("seed \(seed), step \(step): \(run.difference)")
                return
            }
        }
        try run.end()
        let agrees = run.agrees()
        #expect(agrees, "seed \(seed), end: \(run.difference)")
        #expect(run.harness.client.unanswered == [], "seed \(seed)")
        #expect(run.harness.session.keptCount == 0 && run.harness.device.waiting == [], "seed \(seed)")
        #expect(run.harness.events == [], "seed \(seed)")
    }
}

/// Plays host and device at random against a session, and the same against the reference model.
private struct Conversation {
    let harness = SessionHarness()
    private var model = ReferenceModel()
    private var random: SplitMix64
    private var nextSequence: UInt32
    /// A submit that an unlink has overtaken and that comes next, or never.
    private var overtaken: UInt32?
    private var cancelled: [UInt32] = []
    private var cancelsLater = false
    private var used: [UInt32] = []
    private var compared = 0
    private let script = Script()

    private final class Script {
        var next: ScriptedDevice.Reaction = .keep
    }

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        // Every other conversation wraps around.
        nextSequence = seed % 2 == 0 ? UInt32.max - 1500 : random.any()
        harness.device.react = { [script] _ in script.next }
    }

    /// Whether the answers since the last time are the expected ones.
    mutating func agrees() -> Bool {
        let replies = harness.client.replies
        guard replies.count == model.expected.count, replies[compared...] == model.expected[compared...] else {
            return false
        }
        compared = replies.count
        return true
    }

    var difference: String {
        let pairs = zip(harness.client.replies, model.expected)
        let same = pairs.prefix { $0 == $1 }.count
        return "answer \(same): \(harness.client.replies.dropFirst(same).prefix(1)), expected "
            + "\(model.expected.dropFirst(same).prefix(1))"
    }

    mutating func step() throws {
        switch random.below(20) {
        case 0..<9: try submit()
        case 9..<14: completeOne()
        case 14..<17: try unlink()
        case 17: try overtake()
        case 18:
            cancelsLater.toggle()
            harness.device.cancelling = cancelsLater ? .later : .atOnce
        default:
            if random.oneIn(8) { try reset() } else { finishCancels() }
        }
        _ = try harness.news()
    }

    private mutating func sequence() -> UInt32 {
        nextSequence &+= UInt32(1 + random.below(3))
        return nextSequence
    }

    private mutating func arrive(_ bytes: [UInt8]) throws {
        let cuts = random.oneIn(3) ? (0..<random.below(6)).map { _ in random.below(bytes.count) } : []
        try harness.arrive(bytes, cutAt: cuts)
    }

    // MARK: The host

    private mutating func submit() throws {
        var sequence = overtaken ?? sequence()
        if overtaken != nil, random.oneIn(4) { sequence = self.sequence() }
        overtaken = nil
        let transfer = transfer()
        let answer = random.oneIn(2) ? answer(transfer) : nil
        script.next = answer.map { .answer($0) } ?? .keep
        harness.device.landsTransfers = random.oneIn(2) && answer != nil
        let isOut = transfer.endpoint.direction == .out
        let payload = isOut ? random.bytes(transfer.length) : []
        let bytes = harness.client.submit(
            sequence, transfer.endpoint, length: transfer.length, payload: payload, packets: transfer.packets)
        let isSeen = model.submit(sequence, transfer, answer)
        try arrive(bytes)
        used.append(sequence)
        if isSeen {
            #expect(harness.device.submissions.last?.id == sequence)
            #expect(harness.device.submissions.last?.payload == payload)
        }
    }

    private mutating func unlink() throws {
        guard
            let victim = random.oneIn(3)
                ? used.randomElement(using: &random) : model.kept.randomElement(using: &random)?.sequence
        else { return }
        try unlink(victim, isFuture: false)
    }

    private mutating func overtake() throws {
        // One at a time, but that one more than once.
        let victim = overtaken ?? sequence()
        overtaken = victim
        try unlink(victim, isFuture: true)
    }

    private mutating func unlink(_ victim: UInt32, isFuture: Bool) throws {
        let sequence = sequence()
        let isAsked = model.unlink(sequence, victim: victim, isFuture: isFuture)
        if isAsked {
            if cancelsLater { cancelled.append(victim) } else { model.complete(victim, nil) }
        }
        try arrive(harness.client.unlink(sequence, victim: victim))
        used.append(sequence)
    }

    /// The read that Linux begins an enumeration with; the device ends everything.
    private mutating func reset() throws {
        let sequence = sequence()
        overtaken = nil
        let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64)
        let transfer = ReferenceModel.Transfer(endpoint: .in(0), type: .control, length: 64, packets: [])
        script.next = .answer(.bytes([1, 2, 3]))
        harness.device.completeAll(.shutdown)
        for kept in model.kept { model.complete(kept.sequence, .status(.shutdown)) }
        cancelled = []
        _ = model.submit(sequence, transfer, .bytes([1, 2, 3]))
        let resets = harness.device.resets.count
        try arrive(harness.client.control(sequence, setup))
        #expect(harness.device.resets.count == resets + 1)
    }

    // MARK: The device

    /// Completes the oldest transfer of some endpoint.
    private mutating func completeOne() {
        guard let endpoint = model.kept.randomElement(using: &random)?.transfer.endpoint,
            let oldest = model.kept.first(where: { $0.transfer.endpoint == endpoint })
        else { return }
        let answer = answer(oldest.transfer)
        model.complete(oldest.sequence, answer)
        harness.device.complete(oldest.sequence, answer)
        cancelled.removeAll { $0 == oldest.sequence }
    }

    private mutating func finishCancels() {
        for victim in cancelled { model.complete(victim, nil) }
        cancelled = []
        harness.device.finishCancels()
    }

    mutating func end() throws {
        finishCancels()
        harness.device.cancelling = .atOnce
        cancelsLater = false
        if overtaken != nil { try submit() }
        _ = try harness.news()
        harness.session.drain()
        // In whatever order: the session need not remember which came first.
        let replies = try harness.news()
        #expect(Set(replies.map(\.sequence)) == Set(model.kept.map(\.sequence)))
        for reply in replies { model.complete(reply.sequence, nil) }
        harness.session.close()
    }

    // MARK: Chance

    private mutating func transfer() -> ReferenceModel.Transfer {
        let endpoints: [(EndpointAddress, TransferType)] = [
            (.in(0), .control), (.out(0), .control), (.in(1), .bulk), (.out(1), .bulk), (.in(2), .interrupt),
            (.out(2), .interrupt), (.in(3), .isochronous), (.out(3), .isochronous),
        ]
        let (endpoint, type) = endpoints[random.below(endpoints.count)]
        guard type == .isochronous else {
            let sizes = [0, 1, random.below(64), random.below(2_000), random.oneIn(6) ? random.below(90_000) : 512]
            return .init(endpoint: endpoint, type: type, length: sizes[random.below(sizes.count)], packets: [])
        }
        var packets: [PacketDescriptor] = []
        var end: UInt32 = 0
        for _ in 0..<1 + random.below(10) {
            let length = UInt32(1 + random.below(200))
            packets.append(PacketDescriptor(offset: end, length: length, status: -18))
            end += length + UInt32(random.below(4))
        }
        return .init(endpoint: endpoint, type: type, length: Int(end), packets: packets)
    }

    private mutating func answer(_ transfer: ReferenceModel.Transfer) -> Answer {
        let status = random.oneIn(5) ? [TransferStatus.stalled, .protocolError][random.below(2)] : .success
        guard transfer.endpoint.direction == .in else {
            if transfer.type == .isochronous { return .acceptPackets }
            return random.oneIn(4) ? .accept(random.below(transfer.length + 10), status) : .accept()
        }
        if transfer.type == .isochronous {
            return .packets(
                transfer.packets.map { packet in
                    random.oneIn(5)
                        ? .init([], .missed) : .init(random.bytes(random.below(Int(packet.length) + 3)))
                })
        }
        let bytes = random.bytes(random.oneIn(3) ? random.below(transfer.length + 20) : transfer.length)
        let ways: [Answer] = [.bytes(bytes, status), .inPlace(bytes, status), .lent(bytes, status), .status(status)]
        return ways[random.below(ways.count)]
    }
}
