import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Isochronous transfers")
struct IsochronousTests {
    private func streamingBench() throws -> Bench {
        let bench = try Bench()
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        return bench
    }

    @Test("packets go out as they are, and each says what became of it")
    func out() throws {
        let bench = try streamingBench()
        let bytes = (0..<40).map { UInt8($0) }
        let id = bench.on { $0.submitIsochronous(.out(4), packets: 4, of: 10, bytes) }
        let transfer = try #require(bench.fake.arrivals(on: .out(4)).first)
        #expect(transfer.type == .isochronous && transfer.packets == [10, 10, 10, 10] && transfer.sent == bytes)
        bench.fake.finish(.out(4), .completed())
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.actualLength == 40)
        #expect(answer?.packets.map(\.actualLength) == [10, 10, 10, 10])
        #expect(answer?.packets.allSatisfy { $0.status == .success } == true)
        bench.finish()
    }

    @Test("packets that come in are compact, in their order, the lost ones empty")
    func incoming() throws {
        let bench = try streamingBench()
        let id = bench.on { $0.submitIsochronous(.in(3), packets: 5, of: 100) }
        #expect(bench.fake.arrivals(on: .in(3)).first?.packets == [100, 100, 100, 100, 100])
        bench.fake.finish(
            .in(3),
            .packets([
                .init(bytes: [1, 2, 3]), .init(bytes: [], status: .error), .init(bytes: [4]),
                .init(bytes: [UInt8](repeating: 9, count: 100)), .init(bytes: [5, 6], status: .overflow),
            ]))
        let answer = bench.outcome(id)
        #expect(answer?.status == .success)
        #expect(answer?.packets.map(\.actualLength) == [3, 0, 1, 100, 2])
        #expect(answer?.packets.map(\.status.rawValue) == [0, -18, 0, 0, -75])
        #expect(answer?.data == [1, 2, 3, 4] + [UInt8](repeating: 9, count: 100) + [5, 6])
        #expect(answer?.packets.map(\.offset) == [0, 100, 200, 300, 400], "the host's own places")
        bench.finish()
    }

    @Test("a packet's status does not become the transfer's")
    func failedPackets() throws {
        let bench = try streamingBench()
        let id = bench.on { $0.submitIsochronous(.out(4), packets: 3, of: 10) }
        bench.fake.finish(
            .out(4),
            .packets([.init(bytes: [], status: .error), .init(bytes: [], status: .error), .init(bytes: [0, 0])]))
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.actualLength == 2)
        #expect(answer?.packets.map(\.status.rawValue) == [-18, -18, 0])
        bench.finish()
    }

    @Test("a transfer with gone device or taken back says so as a whole")
    func whole() throws {
        let bench = try streamingBench()
        let (first, second) = bench.on { host in
            (host.submitIsochronous(.in(3), packets: 2, of: 10), host.submitIsochronous(.in(3), packets: 2, of: 10))
        }
        bench.on { $0.cancel(first) }
        #expect(bench.outcome(first)?.status == .cancelled)
        bench.fake.finish(.in(3), .failed(.noDevice))
        #expect(bench.outcome(second)?.status == .shutdown)
        bench.finish()
    }

    @Test("a stream with many transfers in flight, of different lengths")
    func stream() throws {
        let bench = try streamingBench()
        var sizes: [Int] = []
        let ids = bench.on { host in
            (1...40).map { index in
                sizes.append(index % 7 + 1)
                return host.submitIsochronous(.in(3), packets: index % 7 + 1, of: 32)
            }
        }
        for (index, id) in ids.enumerated() {
            let bytes = [UInt8](repeating: UInt8(index), count: 32)
            bench.fake.finish(
                .in(3), .packets([FakeOutcome.Packet](repeating: .init(bytes: bytes), count: sizes[index])))
            #expect(bench.outcome(id)?.data == [UInt8](repeating: UInt8(index), count: 32 * sizes[index]))
        }
        bench.finish()
        #expect(bench.fake.count(.allocateTransfer) <= 42)
    }

    @Test("packets larger than any that Linux takes are refused before memory is spent on them")
    func huge() throws {
        let bench = try streamingBench()
        // A small buffer, and packets that all lie in it: half a gigabyte one behind the other.
        let id = bench.on { $0.submitIsochronous(.in(3), packets: 512, of: 1 << 20, sharing: true) }
        #expect(bench.outcome(id)?.status == .invalid)
        #expect(bench.fake.count(.allocateTransfer) <= 1)
        bench.finish()
    }

    @Test("a transfer without packets does not fit the endpoint")
    func empty() throws {
        let bench = try streamingBench()
        #expect(bench.outcome(bench.on { $0.submitIsochronous(.in(3), packets: 0, of: 10) })?.status == .invalid)
        bench.finish()
    }
}
