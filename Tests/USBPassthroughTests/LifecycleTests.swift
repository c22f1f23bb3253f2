import DirectHost
import Synchronization
import TestSupport
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Taking a device from the system and giving it back")
struct LifecycleTests {
    @Test("an import takes every interface, drivers first; a detach gives all back, interfaces last first")
    func roundTrip() throws {
        let bench = try Bench()
        #expect(
            bench.fake.history == ["open \(bench.address)", "detachDriver 0", "claim 0", "detachDriver 1", "claim 1"])
        bench.finish()
        #expect(
            bench.fake.history.dropFirst(5)
                == ["release 1", "release 0", "attachDriver 0", "attachDriver 1", "close"])
    }

    @Test("interfaces without a kernel driver are claimed, and get none afterwards")
    func undriven() throws {
        let bench = try Bench(driven: [1])
        bench.finish()
        #expect(bench.fake.history.contains("detachDriver 0: not found"))
        #expect(!bench.fake.history.contains { $0.hasPrefix("attachDriver 0") })
        #expect(bench.fake.history.contains("attachDriver 1"))
    }

    @Test("after a host that used the device, it is reset before its drivers have it")
    func used() throws {
        let bench = try Bench()
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
        #expect(
            bench.fake.history.dropFirst(5)
                == ["reset", "release 1", "release 0", "attachDriver 0", "attachDriver 1", "close"])
    }

    @Test("after a host that used the device it is not reset, if that is not wanted")
    func unreset() throws {
        let bench = try Bench(resets: false)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
        #expect(bench.fake.count(.reset) == 0)
    }

    @Test("the next host can have the device, any number of times")
    func again() throws {
        let bench = try Bench()
        for round in 0..<5 as Range<UInt8> {
            #expect(bench.read(.in(1), 8, .completed([round]))?.data == [round])
            bench.detach()
            #expect(bench.fake.leftovers == [])
            try bench.importDevice()
        }
        bench.finish()
        #expect(bench.fake.count(.open) == 6 && bench.fake.count(.close) == 6)
    }

    @Test("while nobody has the device it is not touched, and transfers are refused")
    func unimported() throws {
        let bench = try Bench(imports: false)
        #expect(bench.fake.history == [])
        let id = bench.on { $0.submitIn(.in(1), 8) }
        #expect(bench.outcome(id)?.status == .noDevice)
        bench.finish()
    }

    @Test("a device that has no configuration is open, and has endpoint zero only")
    func unconfigured() throws {
        let bench = try Bench(driven: []) { $0.configuration = 0 }
        #expect(bench.fake.history == ["open \(bench.address)"])
        #expect(bench.control(.getConfiguration)?.data == [0])
        #expect(bench.on { $0.read(.in(1), 8) }?.status == .stalled)
        bench.finish()
    }

    // MARK: Failures

    @Test(
        "a device that cannot be opened is refused, with the reason",
        arguments: [(LibUSBError.access, ImportRefusal.Answer.error), (.noDevice, .absent), (.io, .error)])
    func unopened(error: LibUSBError, answer: ImportRefusal.Answer) throws {
        let bench = try Bench(imports: false)
        bench.fake.fail(.open, error)
        let refusal = #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        #expect(refusal?.answer == answer)
        #expect(refusal?.description.contains(bench.path) == true)
        #expect(refusal?.description.contains(error.description) == true)
        bench.finish()
    }

    @Test(
        "an import that fails on the way undoes what it did", arguments: [FakeFunction.detachDriver, .claim], [0, 1])
    func undone(function: FakeFunction, interface: Int) throws {
        let bench = try Bench(imports: false)
        bench.fake.fail(function, .io, at: "\(interface)", times: 100)
        let refusal = #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        #expect(refusal?.answer == .error)
        #expect(refusal?.description.contains("interface \(interface) of \(bench.path)") == true)
        bench.finish()
        #expect(bench.fake.history.last == "close")
    }

    @Test("an interface that another program keeps: the device is busy, and says which interface")
    func busy() throws {
        let bench = try Bench(imports: false)
        bench.fake.fail(.claim, .busy, at: "1", times: 1000)
        let refusal = #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        #expect(refusal?.answer == .busy)
        #expect(refusal?.description.contains("interface 1 of \(bench.path)") == true)
        bench.finish()
        #expect(bench.fake.device(bench.path)?.bound == [0, 1])
    }

    @Test("an interface that is busy for a moment only is waited for, as drivers of sound cards need it")
    func busyForAMoment() throws {
        let bench = try Bench(imports: false)
        bench.fake.fail(.claim, .busy, at: "1", times: 2)
        try bench.importDevice()
        bench.finish()
    }

    @Test("after a refused import the next one can succeed")
    func afterRefusal() throws {
        let bench = try Bench(imports: false)
        bench.fake.fail(.claim, .io, at: "0")
        #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        try bench.importDevice()
        #expect(bench.read(.in(1), 8, .completed([7]))?.data == [7])
        bench.finish()
    }

    @Test("a driver that does not come back is said in the log, and the others are still given back")
    func driverLost() throws {
        let bench = try Bench()
        bench.fake.fail(.attachDriver, .io, at: "0")
        bench.finish(leftovers: ["\(bench.path): no driver on [0]"])
        #expect(
            bench.notes.all.contains { $0.hasPrefix("error: no driver took interface 0 of \(bench.path) again") })
        #expect(bench.fake.device(bench.path)?.bound == [1])
    }

    @Test("a reset that fails at the end is said in the log, and all is given back")
    func resetFails() throws {
        let bench = try Bench()
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.fake.fail(.reset, .io)
        bench.finish()
        #expect(bench.notes.all.contains { $0.hasPrefix("error: \(bench.path) cannot be reset") })
    }

    @Test("what was taken from whom is in the log, for the case that this process is killed")
    func announcement() throws {
        let bench = try Bench()
        #expect(
            bench.notes.all.contains { $0.contains("took \(bench.path)") && $0.contains("usbwidget") })
        bench.finish()
    }

    @Test("a host that goes takes its transfers with it, before anything is given back")
    func transfersFirst() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<5).map { _ in host.submitIn(.in(1), 64) } + [host.submitOut(.out(1), [1, 2])]
        }
        #expect(bench.fake.arrivals(on: .in(1), 5).count == 5)
        bench.finish()
        #expect(ids.allSatisfy { bench.outcome($0)?.status == .cancelled })
        #expect(bench.fake.count(.cancel) == 6)
    }

    @Test("a device that takes its time to give transfers back is waited for")
    func slowTransfers() throws {
        let bench = try Bench()
        bench.fake.cancelling = .never
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.on { $0.device.disconnect() }
        #expect(bench.fake.inFlight(on: .in(1)).map(\.isCancelled) == [true])
        // The bytes are for nobody, and the device must not be closed before them.
        bench.fake.finish(.in(1), .completed([1, 2, 3]))
        bench.finish()
        #expect(bench.outcome(id) != nil)
    }

    @Test("a device that keeps its transfers is not closed under them; it is when they have come back")
    func stuck() throws {
        let bench = try Bench()
        bench.fake.cancelling = .never
        _ = bench.on { $0.submitIn(.in(1), 64) }
        bench.on { $0.device.disconnect() }
        let opened = try #require(bench.real.device.opened.withLock { $0 })
        #expect(opened.close(resets: true, patience: 0) == nil)
        #expect(bench.fake.count(.close) == 0 && bench.fake.count(.release) == 0)
        bench.fake.finish(.in(1), .failed(.cancelled))
        bench.finish()
    }

    @Test("a device that does not answer a request is not closed under it; it is when the answer has come")
    func stuckCall() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setAlternate)
        let id = bench.on { $0.submitControl(.setInterface(0, alternate: 1)) }
        #expect(bench.fake.isReached(hold))
        bench.on { $0.device.disconnect() }
        #expect(bench.outcome(id)?.status == .cancelled)
        let opened = try #require(bench.real.device.opened.withLock { $0 })
        #expect(opened.close(resets: true, patience: 0) == nil)
        #expect(bench.fake.count(.close) == 0)
        bench.fake.letGo(hold)
        bench.finish()
    }

    @Test("nothing of a host's time with the device stays in memory")
    func memory() throws {
        let bench = try Bench()
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        weak let opened = bench.real.device.opened.withLock { $0 }
        #expect(opened != nil)
        bench.finish()
        // Its threads end a moment after they have said so.
        #expect(settles { opened == nil })
    }

    @Test("a device that is offered no longer leaves no context of libusb's behind, and no file")
    func context() throws {
        let fake: FakeLibUSB
        do {
            let bench = try Bench()
            fake = bench.fake
            #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
            bench.finish()
        }
        #expect(settles { fake.count(.freeContext) == 1 })
        #expect(fake.violations == [])
    }
}
