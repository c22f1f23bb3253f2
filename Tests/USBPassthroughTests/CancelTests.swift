import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Taking transfers back")
struct CancelTests {
    @Test("a transfer that is taken back comes back cancelled", arguments: [EndpointAddress.in(1), .in(2), .out(1)])
    func cancelled(endpoint: EndpointAddress) throws {
        let bench = try Bench()
        let id = bench.on { host in
            endpoint.direction == .in ? host.submitIn(endpoint, 64) : host.submitOut(endpoint, [1, 2])
        }
        bench.on { $0.cancel(id) }
        let answer = bench.outcome(id)
        #expect(answer?.status == .cancelled && answer?.actualLength == 0)
        bench.finish()
    }

    @Test(
        "bytes that came before the transfer was taken back are not lost", arguments: [EndpointAddress.in(1), .in(2)])
    func partial(endpoint: EndpointAddress) throws {
        let bench = try Bench()
        bench.fake.cancelling = .partial([1, 2, 3])
        let id = bench.on { $0.submitIn(endpoint, 64) }
        bench.on { $0.cancel(id) }
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.data == [1, 2, 3])
        bench.finish()
    }

    @Test("an OUT transfer that was taken back in part says how much had gone")
    func partialOut() throws {
        let bench = try Bench()
        bench.fake.cancelling = .tooLate(FakeOutcome(status: .cancelled, count: 2), noticed: false)
        let id = bench.on { $0.submitOut(.out(1), [1, 2, 3, 4]) }
        bench.on { $0.cancel(id) }
        let answer = bench.outcome(id)
        #expect(answer?.status == .cancelled && answer?.actualLength == 2)
        bench.finish()
    }

    @Test("too late: the transfer had ended, and says how", arguments: [true, false])
    func tooLate(noticed: Bool) throws {
        let bench = try Bench()
        bench.fake.cancelling = .tooLate(.completed([4, 5]), noticed: noticed)
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.on { $0.cancel(id) }
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.data == [4, 5])
        bench.finish()
    }

    @Test("too late with an error is that error", arguments: [FakeOutcome.Status.stall, .error, .overflow])
    func tooLateFailed(status: FakeOutcome.Status) throws {
        let bench = try Bench()
        bench.fake.cancelling = .tooLate(.failed(status), noticed: false)
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.on { $0.cancel(id) }
        #expect(bench.outcome(id)?.status != .cancelled && bench.outcome(id)?.status != .success)
        bench.finish()
    }

    @Test("what has ended, and whose end nobody has seen yet, cannot be taken back")
    func endedUnseen() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.fake.holdEvents()
        bench.fake.finish(.in(1), .completed([1]))
        bench.on { $0.cancel(id) }
        bench.fake.letEventsGo()
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.data == [1])
        bench.finish()
    }

    @Test("a cancellation that comes late finds others going on meanwhile")
    func slowly() throws {
        let bench = try Bench()
        bench.fake.cancelling = .never
        let (first, second) = bench.on { ($0.submitIn(.in(1), 64), $0.submitIn(.in(2), 8)) }
        bench.on { $0.cancel(first) }
        bench.fake.finish(.in(2), .completed([2]))
        #expect(bench.outcome(second)?.data == [2])
        #expect(bench.on { $0.waiting } == [first])
        bench.fake.finish(.in(1), .failed(.cancelled))
        #expect(bench.outcome(first)?.status == .cancelled)
        bench.finish()
    }

    @Test("only the transfer that is meant is taken back")
    func oneOfMany() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<10).map { _ in host.submitIn(.in(1), 64) } }
        bench.on { $0.cancel(ids[4]) }
        #expect(bench.outcome(ids[4])?.status == .cancelled)
        #expect(bench.fake.inFlight.count == 9 && bench.on { $0.waiting.count } == 9)
        bench.finish()
    }

    @Test("a request that waits for ever can be taken back: a stuck endpoint zero must not be the end")
    func control() throws {
        let bench = try Bench { $0.control = { _ in nil } }
        let id = bench.on { $0.submitControl(.vendorIn(8)) }
        bench.on { $0.cancel(id) }
        #expect(bench.outcome(id)?.status == .cancelled)
        bench.finish()
    }

    @Test("names that mean nothing, and transfers that have ended, are not asked for")
    func meaningless() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(1), 8) }
        bench.fake.finish(.in(1), .completed([1]))
        _ = bench.outcome(id)
        bench.on { host in
            host.cancel(id)
            host.cancel(999)
        }
        #expect(bench.fake.count(.cancel) == 0)
        bench.finish()
    }

    @Test("a transfer can be taken back twice, and comes back once")
    func twice() throws {
        let bench = try Bench()
        bench.fake.cancelling = .never
        let id = bench.on { $0.submitIn(.in(1), 8) }
        bench.on { host in
            host.cancel(id)
            host.cancel(id)
        }
        bench.fake.finish(.in(1), .failed(.cancelled))
        #expect(bench.outcome(id)?.status == .cancelled)
        bench.finish()
    }

    @Test("what the system would not give back just then is asked for again: the device must not be stuck for that")
    func refused() throws {
        let bench = try Bench()
        bench.fake.fail(.cancel, .other)
        let id = bench.on { $0.submitIn(.in(1), 8) }
        bench.on { $0.cancel(id) }
        #expect(bench.fake.inFlight.map(\.isCancelled) == [false])
        bench.finish()
        #expect(bench.outcome(id)?.status == .cancelled)
        #expect(bench.fake.count(.cancel) == 2)
    }
}
