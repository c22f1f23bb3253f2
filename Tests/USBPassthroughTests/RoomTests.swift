import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("What the system sets apart for transfers")
struct RoomTests {
    @Test("a transfer for which there is no room waits for others to end, then goes")
    func waits() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in (0..<3).map { _ in host.submitIn(.in(1), 400) } }
        #expect(bench.fake.arrivals(on: .in(1), 2).count == 2)
        #expect(bench.fake.inFlight.count == 2)
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(ids[0])?.data == [1])
        #expect(bench.fake.arrivals(on: .in(1), 2).count == 2)
        bench.fake.finish(.in(1), .completed([2]))
        bench.fake.finish(.in(1), .completed([3]))
        #expect(ids.map { bench.outcome($0)?.data } == [[1], [2], [3]])
        bench.finish()
    }

    @Test("room that is not enough yet is no reason to stop waiting, nor to stop everything else")
    func notEnough() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let (small, large, next) = bench.on {
            ($0.submitIn(.in(2), 10), $0.submitIn(.in(1), 900), $0.submitIn(.in(1), 950))
        }
        #expect(bench.fake.arrivals(on: .in(1)).count == 1)
        bench.fake.finish(.in(2), .completed([1]))
        #expect(bench.outcome(small)?.data == [1])
        #expect(bench.fake.inFlight.map(\.length) == [900])
        bench.fake.finish(.in(1), .completed([2]))
        #expect(bench.outcome(large)?.data == [2])
        #expect(bench.fake.arrivals(on: .in(1)).map(\.length) == [950])
        bench.fake.finish(.in(1), .completed([3]))
        #expect(bench.outcome(next)?.data == [3])
        bench.finish()
    }

    @Test("nothing overtakes what waits for room on its endpoint; other endpoints go on")
    func order() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in
            [
                host.submitIn(.in(1), 600), host.submitIn(.in(1), 600), host.submitIn(.in(1), 10),
                host.submitIn(.in(2), 10),
            ]
        }
        #expect(bench.fake.inFlight.map(\.length) == [600, 10])
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.fake.arrivals(on: .in(1), 2).map(\.length) == [600, 10])
        bench.finish()
        #expect(bench.outcome(ids[0])?.data == [1])
    }

    @Test("with nothing in flight nobody makes room: ENOMEM", arguments: [EndpointAddress.in(1), .in(2)])
    func alone(endpoint: EndpointAddress) throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        #expect(bench.outcome(bench.on { $0.submitIn(endpoint, 2000) })?.status == .outOfMemory)
        #expect(bench.read(endpoint, 900, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("a transfer that is larger than all room is refused once it has waited for all others")
    func neverFits() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let (first, second) = bench.on { ($0.submitIn(.in(1), 100), $0.submitIn(.in(1), 2000)) }
        let third = bench.on { $0.submitIn(.in(1), 100) }
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(first)?.data == [1])
        #expect(bench.outcome(second)?.status == .outOfMemory)
        bench.fake.finish(.in(1), .completed([3]))
        #expect(bench.outcome(third)?.data == [3])
        bench.finish()
    }

    @Test("what waits for room can be taken back, and what is behind it goes on", arguments: [1, 2])
    func cancelled(victim: Int) throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in [600, 600, 600].map { host.submitIn(.in(1), $0) } }
        bench.on { $0.cancel(ids[victim]) }
        #expect(bench.outcome(ids[victim])?.status == .cancelled)
        bench.fake.finish(.in(1), .completed([1]))
        bench.fake.finish(.in(1), .completed([2]))
        #expect(bench.outcome(ids[victim == 1 ? 2 : 1])?.data == [2])
        bench.finish()
    }

    @Test("taking back what waits for room lets go at once what fits and was behind it")
    func cancelledAhead() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in [600, 900, 10].map { host.submitIn(.in(1), $0) } }
        bench.on { $0.cancel(ids[1]) }
        #expect(bench.fake.arrivals(on: .in(1), 2).map(\.length) == [600, 10])
        bench.finish()
    }

    @Test("bytes to be sent are kept while they wait, wherever they were received", arguments: [false, true])
    func payloads(landing: Bool) throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 100_000
        bench.on { $0.usesLanding = landing }
        let chunks = (1...4 as ClosedRange<UInt8>).map { [UInt8](repeating: $0, count: 60_000) }
        let ids = bench.on { host in chunks.map { host.submitOut(.out(1), $0) } }
        for chunk in chunks {
            #expect(bench.fake.arrivals(on: .out(1)).first?.sent == chunk)
            bench.fake.finish(.out(1), .completed())
        }
        #expect(ids.allSatisfy { bench.outcome($0)?.actualLength == 60_000 })
        bench.finish()
    }

    @Test("requests wait for room as well")
    func requests() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let first = bench.on { $0.submitIn(.in(1), 990) }
        let second = bench.on { $0.submitControl(.init(requestType: 0x80, request: 6, value: 0x0100, length: 18)) }
        #expect(bench.fake.inFlight.count == 1)
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(first)?.data == [1])
        #expect(bench.outcome(second)?.data.count == 18)
        bench.finish()
    }

    @Test("a host that goes takes along what waits for room")
    func goneHost() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in (0..<5).map { _ in host.submitIn(.in(1), 600) } }
        bench.finish()
        #expect(ids.allSatisfy { bench.outcome($0)?.status == .cancelled })
        #expect(bench.fake.journal.filter { $0.function == .submit && $0.error == nil }.count == 1)
    }

    @Test("room that others do not give back in two seconds: ENOMEM, for one after the other")
    func patience() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let ids = bench.on { host in
            [host.submitIn(.in(2), 600), host.submitIn(.in(1), 600), host.submitIn(.in(1), 10)]
        }
        bench.clock.advance(by: 1_900_000_000)
        #expect(bench.on { $0.outcome(ids[1]) } == nil)
        bench.clock.advance(by: 200_000_000)
        #expect(bench.outcome(ids[1])?.status == .outOfMemory)
        #expect(bench.fake.arrivals(on: .in(1)).map(\.length) == [10], "what was behind it has its turn")
        bench.finish()
        #expect(bench.outcome(ids[0])?.status == .cancelled)
    }

    @Test("room that somebody else gives back is found")
    func others() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 1000
        let (first, second) = bench.on { ($0.submitIn(.in(2), 600), $0.submitIn(.in(1), 600)) }
        #expect(bench.fake.inFlight.map(\.length) == [600])
        bench.fake.memoryLimit = 2000
        #expect(bench.fake.arrivals(on: .in(1)).count == 1)
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(second)?.data == [1])
        bench.finish()
        #expect(bench.outcome(first)?.status == .cancelled)
    }
}
