import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("While a call takes long, and what it ends")
struct SlowCallTests {
    @Test("calls are made by a thread of their own: the host's threads never wait for a device")
    func blocking() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setConfiguration)
        let id = bench.on { $0.submitControl(.setConfiguration(2)) }
        #expect(bench.fake.isReached(hold))
        // This would not come back if the executor were taken.
        #expect(bench.on { $0.waiting } == [id])
        bench.fake.letGo(hold)
        #expect(bench.outcome(id)?.status == .success)
        let call = bench.fake.journal.first { $0.function == .setConfiguration }
        #expect(call?.isOnEventThread == false && call?.isInCallback == false)
        bench.finish()
    }

    @Test("what is submitted while a call runs waits, and goes on in order afterwards")
    func order() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setConfiguration)
        let ids = bench.on { host in
            [host.submitControl(.setConfiguration(2)), host.submitIn(.in(5), 1), host.submitIn(.in(5), 2)]
                + [host.submitControl(.setConfiguration(1)), host.submitIn(.in(1), 3)]
        }
        #expect(bench.fake.isReached(hold))
        #expect(bench.fake.inFlight.isEmpty && bench.on { $0.waiting } == ids)
        bench.fake.letGo(hold)
        // The second selection takes the endpoint away from what waits there, as the kernel does.
        #expect(bench.fake.arrivals(on: .in(1)).map(\.length) == [3])
        let submitted = bench.fake.journal.filter { $0.function == .submit }.map(\.arguments)
        #expect(submitted == ["EP 5 IN", "EP 5 IN", "EP 1 IN"])
        let calls = bench.fake.journal.filter { $0.function == .setConfiguration || $0.function == .submit }
        #expect(calls.map(\.function) == [.setConfiguration, .submit, .submit, .setConfiguration, .submit])
        bench.finish()
        #expect(ids.prefix(1).allSatisfy { bench.outcome($0)?.status == .success })
    }

    @Test("what waits for a call can be taken back, as can the request itself, whose call goes on")
    func cancelling() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setConfiguration)
        let (request, first, second) = bench.on { host in
            (host.submitControl(.setConfiguration(2)), host.submitIn(.in(5), 8), host.submitIn(.in(5), 8))
        }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.cancel(first) }
        #expect(bench.outcome(first)?.status == .cancelled)
        bench.on { $0.cancel(request) }
        #expect(bench.outcome(request)?.status == .cancelled)
        bench.fake.letGo(hold)
        #expect(bench.fake.arrivals(on: .in(5)).count == 1)
        bench.fake.finish(.in(5), .completed([5]))
        #expect(bench.outcome(second)?.data == [5])
        bench.finish()
    }

    @Test("what was in flight before a call goes on while it runs")
    func inFlightGoesOn() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(2), 8) }
        let hold = bench.fake.hold(.clearHalt)
        let request = bench.on { $0.submitControl(.clearHalt(.in(1))) }
        #expect(bench.fake.isReached(hold))
        bench.fake.finish(.in(2), .completed([3]))
        #expect(bench.outcome(id)?.data == [3])
        bench.fake.letGo(hold)
        #expect(bench.outcome(request)?.status == .success)
        bench.finish()
    }

    @Test("a host that goes while a call runs: the call ends, then the device is given back")
    func goneHost() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setConfiguration)
        let ids = bench.on { [$0.submitControl(.setConfiguration(2)), $0.submitIn(.in(5), 8)] }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.device.disconnect() }
        #expect(ids.allSatisfy { bench.outcome($0)?.status == .cancelled })
        bench.fake.letGo(hold)
        bench.finish()
        #expect(bench.fake.device(bench.path)?.configuration == 1)
        #expect(bench.fake.device(bench.path)?.bound == [0, 1])
    }

    @Test("the next host is not kept waiting by a call of the last one")
    func nextHost() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.clearHalt)
        let id = bench.on { $0.submitControl(.clearHalt(.in(1))) }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.device.disconnect() }
        #expect(bench.outcome(id)?.status == .cancelled)
        bench.fake.letGo(hold)
        bench.detach()
        try bench.importDevice()
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        #expect(bench.control(.clearHalt(.in(1)))?.status == .success)
        bench.finish()
    }

    // MARK: Transfers that a call ends

    @Test("what the system takes back for a call without a word ends with ESHUTDOWN, not as empty success")
    func doomed() throws {
        let bench = try Bench()
        let (input, output, other) = bench.on { host in
            (host.submitIn(.in(1), 8), host.submitOut(.out(1), [1, 2]), host.submitIn(.in(2), 8))
        }
        #expect(bench.control(.setInterface(1, alternate: 0))?.status == .success)
        for id in [input, output, other] {
            let answer = bench.outcome(id)
            #expect(answer?.status == .shutdown && answer?.actualLength == 0)
        }
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("transfers of an interface that a call does not touch go on")
    func untouched() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(1), 8) }
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        bench.fake.finish(.in(1), .completed([]))
        let answer = bench.outcome(id)
        #expect(answer?.status == .success && answer?.actualLength == 0, "an empty packet is an answer")
        bench.finish()
    }

    @Test(
        "taking a transfer back waits for a call that runs: the system would let it wait, and the host's thread with it"
    )
    func recalled() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(1), 8) }
        let hold = bench.fake.hold(.clearHalt)
        let request = bench.on { $0.submitControl(.clearHalt(.in(2))) }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.cancel(id) }
        #expect(bench.fake.count(.cancel) == 0)
        bench.fake.letGo(hold)
        #expect(bench.outcome(request)?.status == .success)
        #expect(bench.outcome(id)?.status == .cancelled)
        bench.finish()
    }

    @Test("when the interfaces of a new configuration cannot be had, the host is told, and the device can be had again")
    func unclaimed() throws {
        let bench = try Bench()
        bench.fake.fail(.claim, .io)
        #expect(bench.control(.setConfiguration(2))?.status == .stalled)
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
        #expect(bench.fake.device(bench.path)?.bound == [0, 1])
    }
}
