import DirectHost
import SocketIO
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Threads, and what wakes them")
struct WakeUpTests {
    @Test("transfers that end together cost one wake-up")
    func batch() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<20).map { _ in host.submitIn(.in(1), 64) } }
        let before = try #require(bench.tap.port).notes.posts
        bench.fake.holdEvents()
        for index in ids.indices { #expect(bench.fake.finish(.in(1), .completed([UInt8(index)]))) }
        bench.fake.letEventsGo()
        for (index, id) in ids.enumerated() { #expect(bench.outcome(id)?.data == [UInt8(index)]) }
        #expect(bench.tap.port?.notes.posts == before + 1)
        bench.finish()
    }

    @Test("transfers are answered in the order in which they ended")
    func order() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<10).map { _ in host.submitIn(.in(1), 64) } }
        bench.fake.holdEvents()
        for transfer in bench.fake.inFlight.reversed() { bench.fake.finish(transfer.number, .completed([1])) }
        bench.fake.letEventsGo()
        #expect(bench.settle { $0.completions.count == 10 })
        #expect(bench.on { $0.completions.map(\.id) } == ids.reversed())
        bench.finish()
    }

    @Test("nothing is called from within libusb's callbacks, nothing that takes long where events are handled")
    func callbacks() throws {
        let bench = try Bench { device in device.answer = { .completed([UInt8](repeating: 1, count: $0.length)) } }
        var left = 50
        bench.onCompletion { host, completion in
            guard left > 0, completion.endpoint == .in(1) else { return }
            left -= 1
            host.submitIn(.in(1), 64)
            if left % 10 == 0 { host.submitControl(.clearHalt(.in(1))) }
        }
        bench.on { _ = $0.submitIn(.in(1), 64) }
        #expect(bench.settle { $0.waiting.isEmpty })
        bench.finish()
        let calls = bench.fake.journal
        #expect(calls.allSatisfy { !$0.isInCallback })
        #expect(calls.allSatisfy { !($0.function.changesDevice && $0.isOnEventThread) })
        #expect(calls.filter { $0.function == .handleEvents }.allSatisfy { $0.isOnEventThread })
        #expect(left == 0)
    }

    @Test("one transfer after the other, each in answer to the one before, for a long time")
    func pingPong() throws {
        let bench = try Bench { device in
            device.answer = { $0.endpoint.direction == .in ? .completed([7]) : .completed() }
        }
        bench.onCompletion { host, completion in
            guard completion.id < 20_000 else { return }
            if completion.endpoint == .in(1) {
                host.submitOut(.out(1), completion.data)
            } else {
                host.submitIn(.in(1), 64)
            }
        }
        bench.on { _ = $0.submitIn(.in(1), 64) }
        #expect(bench.settle { $0.completions.count == 20_000 })
        bench.finish()
    }

    @Test("events that cannot be handled for a while are handled later", arguments: [LibUSBError.interrupted, .io])
    func eventsFail(error: LibUSBError) throws {
        let bench = try Bench()
        bench.fake.fail(.handleEvents, error, times: 3)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("a transfer that libusb is slow to take keeps no other thread of the device's")
    func slowSubmit() throws {
        let bench = try Bench()
        let first = bench.on { $0.submitIn(.in(2), 8) }
        let hold = bench.fake.hold(.submit, "EP 1 IN")
        // A thread of its own, as a connection has.
        let other = try bench.onAnotherThread { $0.submitIn(.in(1), 8) }
        #expect(bench.fake.isReached(hold))
        bench.fake.finish(.in(2), .completed([2]))
        bench.fake.letGo(hold)
        #expect(bench.outcome(first)?.data == [2])
        other.wait()
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.settle { $0.waiting.isEmpty })
        bench.finish()
    }
}
