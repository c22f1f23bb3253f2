import TestSupport
import Testing
import USBCore
import USBIPClient

@Suite("Transfers against our server", .timeLimit(.minutes(10)))
struct TransferTests {
    @Test("control transfers carry their setup packet and data both ways; one without data is OUT")
    func control() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { .answer($0.endpoint == .in(0) ? .bytes(counting(4)) : .accept()) } }
        let setup = SetupPacket(requestType: 0xc0, request: 7, value: 0x1234, index: 2, length: 16)
        #expect(try device.remote.controlIn(setup) == counting(4))
        try device.remote.controlOut(SetupPacket(requestType: 0x40, request: 8, length: 3), [9, 8, 7])
        try device.remote.controlOut(SetupPacket(requestType: 0xc0, request: 9))
        let seen = device.on { $0.submissions }
        #expect(seen.map(\.endpoint) == [.in(0), .out(0), .out(0)])
        #expect(seen.map(\.setup.request) == [7, 8, 9])
        #expect(seen[0].setup == setup)
        #expect(seen[0].requestedLength == 16)
        #expect(seen[1].payload == [9, 8, 7])
    }

    @Test(
        "bulk and interrupt transfers of any size arrive as they were sent",
        arguments: [0, 1, 64, 511, 512, 40_000, 1 << 20, 3_000_001])
    func data(size: Int) throws {
        let device = try HostedServer().attachScripted()
        let bytes = counting(size, from: size)
        device.on {
            $0.react = { .answer($0.endpoint.direction == .in ? .bytes(bytes) : .accept()) }
        }
        for endpoint: UInt8 in [1, 2] {
            #expect(try device.remote.write(endpoint, bytes) == size)
            #expect(try device.remote.read(endpoint, room: size + 10) == bytes)
        }
        #expect(device.on { $0.submissions.map(\.payload) } == [bytes, [], bytes, []])
        #expect(settles { device.remote.transfersInFlight == 0 })
    }

    @Test("a failed transfer says which endpoint, what happened and what came before")
    func failure() throws {
        let device = try HostedServer().attachScripted()
        device.on {
            $0.react = { $0.endpoint == .in(1) ? .answer(.bytes(counting(20))) : .answer(.status(.stalled)) }
        }
        let babble = HostError.transferFailed(
            TransferFailure(endpoint: .in(1), status: .overflow, actualLength: 8))
        #expect(throws: babble) { try device.remote.read(1, room: 8) }
        #expect("\(babble)" == "EP 1 IN: the device sent more than was asked for (-75) after 8 bytes")
        let result = try device.remote.transfer(.in(1, room: 8))
        #expect(result.data == counting(8), "the bytes that fit are there")
        #expect(throws: HostError.transferFailed(TransferFailure(endpoint: .out(2), status: .stalled))) {
            try device.remote.write(2, [1])
        }
        #expect(device.remote.connectionError == nil, "the connection goes on")
    }

    @Test("a short answer fails where the request says so")
    func shortNotOK() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { _ in .answer(.bytes([1, 2])) } }
        var request = TransferRequest.in(1, room: 3)
        #expect(try device.remote.transfer(request).status == .success)
        request.flags = .shortNotOK
        let result = try device.remote.transfer(request)
        #expect(result.status == .short)
        #expect(result.data == [1, 2])
    }

    @Test("isochronous packets come back each with its bytes, its length and its status")
    func isochronousIn() throws {
        let device = try HostedServer().attachScripted()
        device.on {
            $0.react = { _ in
                .answer(
                    .packets([
                        .init([1, 2, 3]), .init([]), .init([4], .protocolError), .init(counting(8)), .init([5, 6]),
                    ]))
            }
        }
        let result = try device.remote.readIsochronous(3, lengths: [4, 4, 2, 8, 3])
        #expect(result.status == .success)
        #expect(result.errorCount == 1)
        #expect(result.packets.map(\.actualLength) == [3, 0, 1, 8, 2])
        #expect(result.packets.map(\.offset) == [0, 4, 8, 10, 18])
        #expect(result.packets.map(\.status) == [.success, .success, .protocolError, .success, .success])
        #expect(Array(result.bytes(ofPacket: 0)) == [1, 2, 3])
        #expect(result.bytes(ofPacket: 1).isEmpty)
        #expect(Array(result.bytes(ofPacket: 3)) == counting(8))
        #expect(Array(result.bytes(ofPacket: 4)) == [5, 6])
        #expect(result.spread() == [1, 2, 3, 0, 0, 0, 0, 0, 4, 0] + counting(8) + [5, 6, 0])
        #expect(device.on { $0.submissions[0].flags } & 2 == 2, "ISO_ASAP")
    }

    @Test("isochronous packets are sent from where they lie, gaps included")
    func isochronousOut() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { _ in .answer(.acceptPackets) } }
        let request = TransferRequest.isochronousOut(
            3, payload: counting(12), packets: [.init(offset: 2, length: 3), .init(offset: 8, length: 4)])
        let result = try device.remote.transfer(request)
        #expect(result.status == .success)
        #expect(result.actualLength == 7)
        #expect(result.packets.map(\.actualLength) == [3, 4])
        #expect(device.on { $0.submissions[0].packetBytes } == [[2, 3, 4], [8, 9, 10, 11]])
        _ = try device.remote.writeIsochronous(3, packets: [[1], [2, 3], []])
        #expect(device.on { $0.submissions[1].packetBytes } == [[1], [2, 3], []])
    }

    @Test("a large isochronous answer is received in place and its packets are found")
    func largeIsochronous() throws {
        let device = try HostedServer().attachScripted()
        device.on {
            $0.react = { submission in
                .answer(.packets((0..<submission.packets.count).map { .init(counting(1000 - $0, from: $0)) }))
            }
        }
        let result = try device.remote.readIsochronous(3, lengths: [Int](repeating: 1024, count: 128))
        for index in [0, 1, 64, 127] {
            #expect(Array(result.bytes(ofPacket: index)) == counting(1000 - index, from: index))
        }
    }

    @Test("many transfers are in flight on all endpoints, and each gets its own answer once")
    func manyInFlight() throws {
        let device = try HostedServer().attachScripted()
        let inbox = Inbox()
        let count = 600
        for number in 0..<count {
            let request: TransferRequest =
                switch number % 4 {
                case 0: .in(1, room: 600 + number)
                case 1: .in(2, room: 600 + number)
                case 2: .isochronousIn(3, lengths: [300, 300 + number])
                default: .out(1, counting(number))
                }
            try device.remote.submit(request) { inbox.add($0) }
        }
        #expect(device.hasWaiting(count))
        #expect(device.remote.transfersInFlight == count)
        // Youngest first.
        device.on { scripted in
            for waiting in scripted.waiting.reversed() {
                switch waiting.type {
                case .isochronous: scripted.complete(waiting.id, .packets([.init(counting(300)), .init([])]))
                case _ where waiting.endpoint.direction == .out: scripted.complete(waiting.id, .accept())
                default: scripted.complete(waiting.id, .bytes(counting(waiting.requestedLength)))
                }
            }
        }
        let results = try inbox.first(count)
        #expect(results.count == count)
        #expect(
            Set(results.filter { $0.endpoint == .in(1) }.map(\.data.count)) == Set(stride(from: 600, to: 1200, by: 4)))
        #expect(results.filter { $0.endpoint == .in(3) }.allSatisfy { $0.data == counting(300) })
        #expect(settles { device.remote.transfersInFlight == 0 && device.remote.unansweredCommands == 0 })
    }

    @Test("a repeating transfer goes on until its handler says so, with a payload that changes")
    func repeating() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { _ in .answer(.accept()) } }
        let rounds = Tally()
        try device.remote.submitRepeatedly(.out(1, [0, 7])) { completion in
            let round = rounds.add()
            completion.withPayload { $0.storeBytes(of: UInt8(round), as: UInt8.self) }
            return round < 50 ? .resubmit : .done
        }
        #expect(settles { device.remote.transfersInFlight == 0 })
        #expect(rounds.value == 50)
        #expect(device.on { $0.submissions.map(\.payload) } == (0..<50).map { [UInt8($0), 7] })
    }

    @Test("a handler may submit other transfers, but not wait for one")
    func nested() throws {
        let device = try HostedServer().attachScripted()
        device.on { $0.react = { _ in .answer(.bytes([1])) } }
        let inbox = Inbox()
        let refused = Tally()
        let remote = device.remote
        try remote.submit(.in(1, room: 1)) { first in
            inbox.add(first)
            do throws(HostError) {
                _ = try remote.read(1, room: 1)
            } catch {
                if case .invalidRequest = error { refused.add() }
            }
            _ = try? remote.submit(.in(2, room: 1)) { inbox.add($0) }
        }
        #expect(try inbox.first(2).map(\.endpoint) == [.in(1), .in(2)])
        #expect(refused.value == 1)
    }

    @Test("what cannot be sent is refused, and nothing is sent")
    func refusals() throws {
        let device = try HostedServer().attachScripted()
        let setup = SetupPacket(requestType: 0x40, request: 1, length: 4)
        var stray = TransferRequest.in(1, room: 8)
        stray.endpoint = .in(0)
        for request: TransferRequest in [
            .control(setup, payload: [1]), stray, .in(1, room: -1), .in(1, room: TransferRequest.maximumLength + 1),
            .isochronousIn(3, lengths: [Int](repeating: 1, count: 1025)),
            .isochronousOut(3, payload: [1, 2], packets: [.init(offset: 1, length: 2)]),
            .isochronousOut(3, payload: [1, 2], packets: [.init(offset: .max, length: 2)]),
            .isochronousOut(3, payload: [1, 2], packets: [.init(offset: 0, length: 2), .init(offset: 0, length: 2)]),
        ] {
            let error = #expect(throws: HostError.self) { _ = try device.remote.transfer(request) }
            guard case .invalidRequest = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        #expect(device.on { $0.submissions.isEmpty })
        #expect(device.remote.transfersInFlight == 0)
    }
}
