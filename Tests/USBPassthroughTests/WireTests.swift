import TestSupport
import Testing
import USBCore
import USBIPSession
import USBIPWire

@testable import USBPassthrough

@Suite("A real device behind a USB/IP session")
struct WireTests {
    @Test("an unlink of a transfer in flight is answered when the transfer has come back")
    func unlink() throws {
        let bench = try WireBench()
        bench.fake.cancelling = .never
        try bench.arrive(bench.client.submit(1, .in(1), length: 64))
        try bench.arrive(bench.client.unlink(2, victim: 1))
        #expect(bench.fake.inFlight.map(\.isCancelled) == [true])
        bench.fake.finish(.in(1), .failed(.cancelled))
        #expect(try bench.answers(1) == [.unlink(sequence: 2, status: -104)])
        bench.finish()
    }

    @Test("an unlink that comes too late follows the transfer's own answer", arguments: [true, false])
    func tooLate(noticed: Bool) throws {
        let bench = try WireBench()
        bench.fake.cancelling = .tooLate(.completed([7, 8]), noticed: noticed)
        try bench.arrive(bench.client.submit(1, .in(1), length: 64))
        try bench.arrive(bench.client.unlink(2, victim: 1))
        #expect(
            try bench.answers(2) == [
                .submit(SubmitReply(1, actualLength: 2, data: [7, 8])), .unlink(sequence: 2, status: 0),
            ])
        bench.finish()
    }

    @Test("bytes that came before the unlink are answered as the transfer's, and the unlink came too late")
    func partial() throws {
        let bench = try WireBench()
        bench.fake.cancelling = .partial([1, 2, 3])
        try bench.arrive(bench.client.submit(1, .in(1), length: 64))
        try bench.arrive(bench.client.unlink(2, victim: 1))
        #expect(
            try bench.answers(2) == [
                .submit(SubmitReply(1, actualLength: 3, data: [1, 2, 3])), .unlink(sequence: 2, status: 0),
            ])
        bench.finish()
    }

    @Test("an unlink of a request whose call runs is answered at once")
    func unlinkedCall() throws {
        let bench = try WireBench()
        let hold = bench.fake.hold(.clearHalt)
        try bench.arrive(bench.client.control(1, .clearHalt(.in(1))))
        #expect(bench.fake.isReached(hold))
        #expect(try bench.exchange(bench.client.unlink(2, victim: 1)) == .unlink(sequence: 2, status: -104))
        bench.fake.letGo(hold)
        bench.finish()
    }

    @Test("the packet of no length behind a full one is asked for with libusb's flag, on bulk OUT only")
    func zeroPacket() throws {
        let bench = try WireBench()
        try bench.arrive(bench.client.submit(1, .out(1), payload: [1, 2], flags: 0x40))
        try bench.arrive(bench.client.submit(2, .out(1), payload: [1, 2], flags: 0))
        try bench.arrive(bench.client.submit(3, .in(1), length: 2, flags: 0x40))
        // The client's own core finds short answers.
        try bench.arrive(bench.client.submit(4, .in(1), length: 2, flags: 0x01))
        #expect(bench.fake.inFlight.map(\.flags) == [8, 0, 0, 0])
        bench.finish()
    }

    @Test("large payloads reach the device whole, several at once", arguments: [16 << 10, 120 << 10, 1 << 20])
    func large(size: Int) throws {
        let bench = try WireBench()
        let payloads = (1...3 as ClosedRange<UInt8>).map { start in
            (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) &+ start }
        }
        for (index, payload) in payloads.enumerated() {
            try bench.arrive(bench.client.submit(UInt32(index + 1), .out(1), payload: payload))
        }
        #expect(bench.fake.arrivals(on: .out(1), 3).map(\.sent) == payloads)
        for number in 1...3 as ClosedRange<UInt32> {
            bench.fake.finish(.out(1), .completed())
            #expect(try bench.answers(1) == [.submit(SubmitReply(number, actualLength: Int32(size)))])
        }
        bench.finish()
    }

    @Test("large payloads that have to wait for room are kept whole")
    func largeWaiting() throws {
        let bench = try WireBench()
        bench.fake.memoryLimit = 300_000
        let payloads = (1...4 as ClosedRange<UInt8>).map { [UInt8](repeating: $0, count: 200_000) }
        for (index, payload) in payloads.enumerated() {
            try bench.arrive(bench.client.submit(UInt32(index + 1), .out(1), payload: payload))
        }
        for payload in payloads {
            #expect(bench.fake.arrivals(on: .out(1)).first?.sent == payload)
            bench.fake.finish(.out(1), .completed())
        }
        #expect(try bench.answers(4).count == 4)
        bench.finish()
    }

    // MARK: Isochronous

    private func streamingBench() throws -> WireBench {
        let bench = try WireBench()
        let reply = try bench.exchange(bench.client.control(1, .setInterface(0, alternate: 1)))
        #expect(reply == .submit(SubmitReply(1)))
        return bench
    }

    @Test("packets with gaps and in any order are sent one behind the other")
    func gaps() throws {
        let bench = try streamingBench()
        let packets = [(12, 4), (0, 2), (6, 3)].map { PacketDescriptor(offset: $0.0, length: $0.1) }
        try bench.arrive(bench.client.submit(2, .out(4), payload: [UInt8](0..<16), packets: packets))
        let transfer = bench.fake.arrivals(on: .out(4)).first
        #expect(transfer?.packets == [4, 2, 3] && transfer?.sent == [12, 13, 14, 15, 0, 1, 6, 7, 8])
        bench.fake.finish(
            .out(4),
            .packets([
                .init(bytes: [0, 0, 0, 0]), .init(bytes: [], status: .error), .init(bytes: [0, 0, 0]),
            ]))
        let reply = try bench.answers(1).first?.submit
        #expect(reply?.status == 0 && reply?.actualLength == 7 && reply?.errorCount == 1)
        #expect(reply?.packets.map(\.actualLength) == [4, 0, 3] && reply?.packets.map(\.status) == [0, -18, 0])
        #expect(reply?.packets.map(\.offset) == [12, 0, 6])
        bench.finish()
    }

    @Test("packets that overlap are packets all the same")
    func overlap() throws {
        let bench = try streamingBench()
        let packets = [(0, 4), (2, 4), (0, 4)].map { PacketDescriptor(offset: $0.0, length: $0.1) }
        try bench.arrive(bench.client.submit(2, .out(4), payload: [0, 1, 2, 3, 4, 5], packets: packets))
        #expect(bench.fake.arrivals(on: .out(4)).first?.sent == [0, 1, 2, 3, 2, 3, 4, 5, 0, 1, 2, 3])
        bench.fake.finish(.out(4), .completed())
        #expect(try bench.answers(1).first?.submit?.actualLength == 12)
        // More comes in than the client has room for: the strict client checks what it is told.
        try bench.arrive(bench.client.submit(3, .in(3), length: 6, packets: packets))
        let full = FakeOutcome.Packet(bytes: [1, 2, 3, 4])
        bench.fake.finish(.in(3), .packets([full, full, full]))
        #expect(try bench.answers(1).first?.submit?.packets.count == 3)
        bench.finish()
    }

    @Test("packets that come in are compact behind their header")
    func incoming() throws {
        let bench = try streamingBench()
        let packets = [(0, 8), (8, 8), (16, 8)].map { PacketDescriptor(offset: $0.0, length: $0.1) }
        try bench.arrive(bench.client.submit(2, .in(3), length: 24, packets: packets))
        bench.fake.finish(
            .in(3), .packets([.init(bytes: [1]), .init(bytes: [], status: .error), .init(bytes: [2, 3])]))
        let reply = try bench.answers(1).first?.submit
        #expect(reply?.data == [1, 2, 3] && reply?.packets.map(\.actualLength) == [1, 0, 2])
        bench.finish()
    }

    // MARK: Life

    @Test("a device that is pulled out answers everything and ends the connection")
    func pulledOut() throws {
        let bench = try WireBench()
        for number in 1...5 as ClosedRange<UInt32> { try bench.arrive(bench.client.submit(number, .in(1), length: 8)) }
        #expect(bench.fake.arrivals(on: .in(1), 5).count == 5)
        bench.files.remove(bench.path)
        bench.fake.unplug(bench.path)
        let replies = try bench.answers(5)
        #expect(replies.map { $0.submit?.status } == [-108, -108, -108, -108, -108])
        #expect(bench.isEnded)
        bench.finish()
    }

    @Test("Linux enumerates: its first look resets nothing, its look after a reset resets the port")
    func enumeration() throws {
        let bench = try WireBench()
        let look = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, length: 64)
        #expect(try bench.exchange(bench.client.control(bench.number(), look))?.submit?.data.count == 18)
        #expect(bench.fake.count(.reset) == 0)
        #expect(try bench.exchange(bench.client.control(bench.number(), .setConfiguration(1)))?.submit?.status == 0)
        #expect(try bench.exchange(bench.client.control(bench.number(), look))?.submit?.data.count == 18)
        #expect(bench.fake.count(.reset) == 1)
        let journal = bench.fake.journal
        let reset = try #require(journal.firstIndex { $0.function == .reset })
        let last = try #require(journal.lastIndex { $0.function == .submit })
        #expect(reset < last, "the look goes to a device that has been reset")
        bench.finish()
    }

    @Test("a client that vanishes with transfers in flight leaves nothing behind")
    func vanished() throws {
        let bench = try WireBench()
        for number in 1...20 as ClosedRange<UInt32> { try bench.arrive(bench.client.submit(number, .in(1), length: 8)) }
        #expect(bench.fake.arrivals(on: .in(1), 20).count == 20)
        bench.finish()
        #expect(bench.fake.count(.cancel) == 20)
    }
}
