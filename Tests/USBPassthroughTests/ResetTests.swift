import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Resets")
struct ResetTests {
    @Test("a reset of the port resets the hardware, on a thread that may wait")
    func port() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.reset)
        bench.on { $0.device.reset(.port) }
        #expect(bench.fake.isReached(hold))
        let id = bench.on { $0.submitIn(.in(1), 8) }
        #expect(bench.fake.inFlight.isEmpty, "what comes after the reset waits for it")
        bench.fake.letGo(hold)
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(id)?.data == [1])
        bench.finish()
    }

    @Test("what looks like a reset is none before the host has selected a configuration, and one afterwards")
    func inferred() throws {
        let bench = try Bench()
        bench.on { $0.device.reset(.inferred) }
        #expect(bench.control(.getConfiguration)?.data == [1])
        #expect(bench.fake.count(.reset) == 0)
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        bench.on { $0.device.reset(.inferred) }
        #expect(bench.fake.waits { bench.fake.count(.reset) == 1 })
        // The look that follows is again the first.
        bench.on { $0.device.reset(.inferred) }
        #expect(bench.control(.getConfiguration)?.data == [1])
        #expect(bench.fake.count(.reset) == 1)
        bench.finish()
    }

    @Test("resets that are not wanted do nothing", arguments: [ResetCause.port, .inferred])
    func unwanted(cause: ResetCause) throws {
        let bench = try Bench(resets: false)
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        bench.on { $0.device.reset(cause) }
        #expect(bench.control(.getConfiguration)?.data == [1])
        bench.finish()
        #expect(bench.fake.count(.reset) == 0)
    }

    @Test("each new host's first look resets nothing")
    func nextHost() throws {
        let bench = try Bench()
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        bench.detach()
        let before = bench.fake.count(.reset)
        try bench.importDevice()
        bench.on { $0.device.reset(.inferred) }
        #expect(bench.control(.getConfiguration)?.data == [1])
        #expect(bench.fake.count(.reset) == before)
        bench.finish()
    }

    @Test("a reset during a call is made after it")
    func duringCall() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.clearHalt)
        let id = bench.on { $0.submitControl(.clearHalt(.in(1))) }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.device.reset(.port) }
        bench.fake.letGo(hold)
        #expect(bench.outcome(id)?.status == .success)
        #expect(bench.fake.waits { bench.fake.count(.reset) == 1 })
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("transfers that the reset takes back reach the host once each")
    func inFlight() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<5).map { _ in host.submitIn(.in(1), 8) } }
        #expect(bench.fake.arrivals(on: .in(1), 5).count == 5)
        bench.on { $0.device.reset(.port) }
        for id in ids { #expect(bench.outcome(id)?.actualLength == 0) }
        bench.finish()
    }

    @Test("a request that the reset takes back was not taken back by the host, and does not say so")
    func requestInFlight() throws {
        let bench = try Bench { $0.control = { _ in nil } }
        let id = bench.on { $0.submitControl(.vendorIn(8)) }
        #expect(bench.fake.arrivals(on: .in(0)).count == 1)
        bench.on { $0.device.reset(.port) }
        let answer = bench.outcome(id)
        #expect(answer?.status != .success && answer?.status != .cancelled)
        bench.finish()
    }

    @Test("a device that comes back as another one ends the connection")
    func reenumerated() throws {
        let bench = try Bench()
        bench.fake.fail(.reset, .notFound)
        bench.files.remove(bench.path)
        bench.on { $0.device.reset(.port) }
        #expect(bench.tap.port?.waits { $0.unplugs > 0 } == true)
        bench.finish()
    }

    @Test("a reset that fails leaves the device to its host")
    func failed() throws {
        let bench = try Bench()
        bench.fake.fail(.reset, .io)
        bench.on { $0.device.reset(.port) }
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        #expect(bench.tap.port?.notes.unplugs == 0)
        bench.finish()
    }

    @Test(
        "a reset after which somebody else had an interface for a moment takes it again, and the host keeps the device")
    func interfaceTaken() throws {
        let bench = try Bench()
        bench.fake.fail(.reset, .notFound)
        bench.on { $0.device.reset(.port) }
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        #expect(bench.tap.port?.notes.unplugs == 0)
        #expect(
            bench.fake.history.suffix(7) == [
                "reset: not found", "release 1", "release 0", "detachDriver 0: not found", "claim 0",
                "detachDriver 1: not found", "claim 1",
            ])
        bench.finish()
    }

    @Test("what looks like a reset while transfers are in flight is some program's look")
    func lookInBetween() throws {
        let bench = try Bench()
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        let id = bench.on { $0.submitIn(.in(1), 8) }
        bench.on { $0.device.reset(.inferred) }
        bench.fake.finish(.in(1), .completed([1]))
        #expect(bench.outcome(id)?.data == [1])
        #expect(bench.fake.count(.reset) == 0)
        bench.finish()
    }

    @Test("settings are those of a device that was reset")
    func settings() throws {
        let bench = try Bench()
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        bench.on { $0.device.reset(.port) }
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        #expect(bench.on { $0.device.transferType(of: .in(3)) } == nil)
        bench.finish()
    }
}
