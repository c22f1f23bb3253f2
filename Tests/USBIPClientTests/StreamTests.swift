import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPClient
import USBIPWire

@Suite("What the host sends and reads, byte for byte", .timeLimit(.minutes(10)))
struct StreamTests {
    /// An answer of each kind, and what it answers.
    private static let exchanges: [(TransferRequest, [UInt8])] = [
        (.in(1, room: 20), answer(SubmitReturn(sequence: 1, actualLength: 11), counting(11))),
        (
            .isochronousIn(3, lengths: [8, 8]),
            answer(
                SubmitReturn(sequence: 1, actualLength: 5, packetCount: 2), counting(5),
                [
                    PacketDescriptor(offset: 0, length: 8, actualLength: 3),
                    PacketDescriptor(offset: 8, length: 8, actualLength: 2),
                ])
        ),
        (.out(1, [1, 2]), answer(SubmitReturn(sequence: 1, actualLength: 2))),
    ]

    @Test("an answer that breaks off at any byte ends the transfer as a server that has gone", arguments: 0..<3)
    func truncated(_ which: Int) throws {
        let (request, whole) = Self.exchanges[which]
        for count in 0..<whole.count {
            let peer = try HostilePeer()
            let inbox = Inbox()
            try peer.device.submit(request) { inbox.add($0) }
            try peer.send(Array(whole.prefix(count)))
            peer.hangUp()
            #expect(try inbox.first(1).map(\.connectionError) == [.disconnected], "\(count) bytes")
        }
    }

    @Test("a large answer that breaks off ends the transfer", arguments: [48, 49, 4096, 32_768, 99_000, 100_047])
    func truncatedLarge(_ count: Int) throws {
        let peer = try HostilePeer()
        let inbox = Inbox()
        try peer.device.submit(.in(1, room: 100_000)) { inbox.add($0) }
        try peer.send(Array(answer(SubmitReturn(sequence: 1, actualLength: 100_000), counting(100_000)).prefix(count)))
        peer.hangUp()
        #expect(try inbox.first(1).map(\.connectionError) == [.disconnected])
    }

    @Test("answers that come in two pieces, cut anywhere, are the same", arguments: 0..<3)
    func split(_ which: Int) throws {
        let (request, whole) = Self.exchanges[which]
        for cut in 1..<whole.count {
            let peer = try HostilePeer()
            let inbox = Inbox()
            try peer.device.submit(request) { inbox.add($0) }
            _ = try peer.submit()
            try peer.send(Array(whole.prefix(cut)))
            try peer.send(Array(whole.dropFirst(cut)))
            let result = try inbox.first(1)[0]
            #expect(result.error == nil)
            #expect(result.data == (request.endpoint == .out(1) ? [] : counting(which == 0 ? 11 : 5)))
        }
    }

    @Test("commands are what Linux's client sends: sequence numbers from 1, unlinks included")
    func commands() throws {
        let peer = try HostilePeer()
        let device = peer.device
        let setup = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 18)
        let id = try device.submit(.control(setup)) { _ in }
        device.cancel(id)
        try device.submit(.control(SetupPacket(requestType: 0x80, request: 9))) { _ in }
        try device.submit(.out(2, [1, 2, 3])) { _ in }
        try device.submit(
            .isochronousOut(
                3, payload: counting(9), packets: [.init(offset: 1, length: 2), .init(offset: 5, length: 4)])
        ) { _ in }
        try device.submit(.in(1, room: 64)) { _ in }

        let deviceID: UInt32 = 3 << 16 | 7
        #expect(
            try peer.submit()
                == SubmitCommand(sequence: 1, deviceID: deviceID, direction: 1, endpoint: 0, length: 18, setup: setup))
        #expect(try peer.unlink() == UnlinkMessage(sequence: 2, deviceID: deviceID, argument: 1))
        #expect(
            try peer.submit()
                == SubmitCommand(
                    sequence: 3, deviceID: deviceID, direction: 0, endpoint: 0,
                    setup: SetupPacket(requestType: 0x80, request: 9)), "without data the direction is OUT")
        #expect(
            try peer.submit() == SubmitCommand(sequence: 4, deviceID: deviceID, direction: 0, endpoint: 2, length: 3))
        #expect(try peer.receive(3) == [1, 2, 3])
        #expect(
            try peer.submit()
                == SubmitCommand(
                    sequence: 5, deviceID: deviceID, direction: 0, endpoint: 3, flags: 2, length: 9, packetCount: 2))
        #expect(try peer.receive(9) == counting(9), "gaps are sent")
        #expect(
            try peer.receive(32)
                == bytes(of: PacketDescriptor(offset: 1, length: 2, status: -18))
                + bytes(of: PacketDescriptor(offset: 5, length: 4, status: -18)))
        #expect(
            try peer.submit() == SubmitCommand(sequence: 6, deviceID: deviceID, direction: 1, endpoint: 1, length: 64))
    }

    @Test("large payloads are sent in place among small ones, in order, to a server that reads late")
    func order() throws {
        let peer = try HostilePeer()
        let device = peer.device
        let sizes = [3, 200_000, 0, 16_384, 16_383, 1_000_000, 7]
        let sending = Tally()
        try startThread("sender") {
            for size in sizes {
                _ = try? device.submit(.out(1, counting(size, from: size))) { _ in sending.add() }
            }
        }
        for (index, size) in sizes.enumerated() {
            let command = try peer.submit()
            #expect(command.sequence == UInt32(index + 1))
            #expect(command.length == Int32(size))
            #expect(try peer.receive(size) == counting(size, from: size))
            try peer.send(answer(SubmitReturn(sequence: command.sequence, actualLength: Int32(size))))
        }
        #expect(settles { sending.value == sizes.count && device.transfersInFlight == 0 })
    }

    @Test("an answer that comes before its payload was sent is taken, and the memory stays until it was")
    func early() throws {
        let peer = try HostilePeer()
        let device = peer.device
        let inbox = Inbox()
        let size = 4 << 20
        try startThread("sender") { _ = try? device.submit(.out(1, counting(size))) { inbox.add($0) } }
        let command = try peer.submit()
        try peer.send(answer(SubmitReturn(sequence: command.sequence, status: -32)))
        #expect(try inbox.first(1).map(\.status) == [.stalled])
        #expect(settles { device.transfersInFlight == 0 })
        // Its payload is still on its way, and must not become the next one's.
        let next = counting(size, from: 1)
        try startThread("next") { _ = try? device.submit(.out(1, next)) { inbox.add($0) } }
        #expect(settles { device.transfersInFlight == 1 })
        #expect(try peer.receive(size) == counting(size))
        let second = try peer.submit()
        #expect(try peer.receive(size) == next)
        try peer.send(answer(SubmitReturn(sequence: second.sequence, actualLength: Int32(size))))
        #expect(try inbox.first(2).map(\.status) == [.stalled, .success])
    }

    @Test("completions that send more than the socket takes do not keep the reader from reading")
    func fullBothWays() throws {
        let peer = try HostilePeer()
        let device = peer.device
        let written = Tally()
        let size = 300_000
        let depth = 8
        for _ in 0..<depth {
            try device.submit(.in(2, room: size)) { _ in
                _ = try? device.submit(.out(1, counting(size))) { _ in written.add() }
            }
        }
        let commands = try (0..<depth).map { _ in try peer.submit() }
        // All of it without reading once: a host that waited for room now would wait for ever.
        for command in commands {
            try peer.send(
                answer(SubmitReturn(sequence: command.sequence, actualLength: Int32(size)), counting(size)))
        }
        for _ in 0..<depth {
            let command = try peer.submit()
            #expect(try peer.receive(size) == counting(size))
            try peer.send(answer(SubmitReturn(sequence: command.sequence, actualLength: Int32(size))))
        }
        #expect(settles { written.value == depth })
        #expect(device.connectionError == nil)
    }

    @Test("garbage of any kind ends every transfer once and nothing else", arguments: 1...60)
    func garbage(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let peer = try HostilePeer()
        let inbox = Inbox()
        let count = 1 + random.below(20)
        for _ in 0..<count {
            switch random.below(4) {
            case 0: try peer.device.submit(.in(1, room: random.below(70_000))) { inbox.add($0) }
            case 1: try peer.device.submit(.out(1, random.bytes(random.below(100)))) { inbox.add($0) }
            case 2:
                try peer.device.submit(.isochronousIn(3, lengths: (0..<random.below(40)).map { _ in 64 } + [1])) {
                    inbox.add($0)
                }
            default:
                let id = try peer.device.submit(.in(2, room: 8)) { inbox.add($0) }
                peer.device.cancel(id)
            }
        }
        for _ in 0..<random.below(40) {
            // Mostly plausible: a known command, a sequence number in use, small fields; else anything.
            var words = (0..<12).map { _ in random.oneIn(4) ? UInt32(random.below(100)) : 0 }
            words[0] = random.oneIn(40) ? random.any() : 3 + UInt32(random.below(2))
            words[1] = random.oneIn(30) ? random.any() : UInt32(1 + random.below(count + 3))
            if random.oneIn(10) {
                words[5] = random.any()
            } else {
                words[5] = UInt32(bitPattern: -Int32(random.below(120)))
            }
            if random.oneIn(20) { words[6] = random.any() }
            let bytes = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } }
            // The host may have hung up already.
            guard (try? peer.send(bytes + random.bytes(random.below(50)))) != nil else { break }
        }
        peer.hangUp()
        #expect(try inbox.first(count).count == count, "seed \(seed)")
        #expect(settles { peer.device.connectionError != nil }, "seed \(seed)")
        #expect(inbox.all.count == count, "seed \(seed)")
    }
}
