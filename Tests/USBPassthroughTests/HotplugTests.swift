import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Devices that come and go")
struct HotplugTests {
    @Test("a device that is pulled out: everything in flight ends with ESHUTDOWN, and the host sees it unplugged")
    func pulledOut() throws {
        let bench = try Bench()
        let ids = bench.on { host in (0..<10).map { _ in host.submitIn(.in(1), 64) } + [host.submitOut(.out(1), [1])] }
        #expect(bench.fake.arrivals(on: .in(1), 10).count == 10)
        bench.unplug()
        #expect(ids.allSatisfy { bench.outcome($0)?.status == .shutdown })
        #expect(bench.tap.port?.waits { $0.unplugs > 0 } == true)
        #expect(bench.tap.port?.waits { $0.presented.last == .some(nil) } == true)
        bench.finish()
        #expect(bench.notes.all.contains { $0.contains("\(bench.path) was unplugged") })
    }

    @Test("what is submitted to a device that has gone is refused, and ends the connection")
    func submitting() throws {
        let bench = try Bench()
        bench.unplug()
        #expect(bench.outcome(bench.on { $0.submitIn(.in(1), 64) })?.status == .noDevice)
        #expect(bench.control(.vendorIn(8))?.status == .noDevice)
        #expect(bench.tap.port?.waits { $0.unplugs > 0 } == true)
        bench.finish()
    }

    @Test(
        "requests that are calls find out as well",
        arguments: [SetupPacket.setConfiguration(2), .setInterface(0, alternate: 1), .clearHalt(.in(1))])
    func calling(setup: SetupPacket) throws {
        let bench = try Bench()
        bench.unplug()
        #expect(bench.control(setup)?.status == .noDevice)
        #expect(bench.tap.port?.waits { $0.unplugs > 0 } == true)
        bench.finish()
    }

    @Test("a device that goes while a call runs, with transfers that wait for it")
    func duringCall() throws {
        let bench = try Bench()
        let hold = bench.fake.hold(.setConfiguration)
        let ids = bench.on { host in
            [host.submitControl(.setConfiguration(2)), host.submitIn(.in(5), 8), host.submitIn(.in(5), 8)]
        }
        #expect(bench.fake.isReached(hold))
        bench.unplug()
        bench.fake.letGo(hold)
        #expect(bench.outcome(ids[0])?.status == .noDevice)
        #expect(ids.dropFirst().allSatisfy { bench.outcome($0)?.status == .shutdown })
        bench.finish()
    }

    @Test("a device that goes while a transfer is being taken back")
    func duringCancel() throws {
        let bench = try Bench()
        bench.fake.cancelling = .never
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.on { $0.cancel(id) }
        bench.unplug()
        #expect(bench.outcome(id)?.status == .shutdown)
        bench.finish()
    }

    @Test("a device that goes while others wait for room")
    func duringWait() throws {
        let bench = try Bench()
        bench.fake.memoryLimit = 100
        let ids = bench.on { host in (0..<4).map { _ in host.submitIn(.in(1), 80) } }
        bench.unplug()
        #expect(ids.allSatisfy { [.shutdown, .noDevice].contains(bench.outcome($0)?.status) })
        bench.finish()
    }

    @Test("a device that goes before its host does, while nothing is in flight")
    func idle() throws {
        let bench = try Bench()
        bench.unplug()
        bench.finish()
        #expect(!bench.notes.all.contains { $0.hasPrefix("error:") }, "there is nothing to give back")
    }

    @Test("while the device is not there, imports are refused as absent")
    func absent() throws {
        let bench = try Bench()
        bench.unplug()
        bench.detach()
        let refusal = #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        #expect(refusal?.answer == .absent)
        bench.finish()
    }

    @Test(
        "a device that is used by nobody, or does nothing just now, is noticed to have gone", arguments: [true, false])
    func noticed(isImported: Bool) throws {
        let bench = try Bench(imports: isImported)
        bench.unplug()
        #expect(bench.watch.look() == true)
        #expect(bench.tap.port?.notes.presented == [nil] && bench.tap.port?.notes.unplugs == 1)
        // It stays away, which is no news.
        bench.watch.look()
        #expect(bench.tap.port?.notes.presented == [nil])
        bench.finish()
    }

    @Test("a device that comes back at its place is offered again, and can be imported")
    func back() throws {
        let bench = try Bench()
        for address in 20..<23 as Range<UInt8> {
            bench.unplug()
            bench.watch.look()
            bench.detach()
            bench.replug(address: address)
            bench.watch.look()
            #expect(bench.tap.port?.notes.presented.last??.productID == 0x0001)
            try bench.importDevice()
            #expect(bench.fake.history.contains("open \(bench.address)"))
            #expect(bench.read(.in(1), 8, .completed([address]))?.data == [address])
        }
        bench.finish()
    }

    @Test("a list of devices that could not be had once hides no device that is there at the next look")
    func listFails() throws {
        let bench = try Bench()
        bench.unplug()
        bench.watch.look()
        bench.detach()
        bench.replug(address: 20)
        bench.fake.fail(.list, .io)
        bench.watch.look()
        #expect(bench.tap.port?.notes.presented.last == .some(nil))
        bench.watch.look()
        #expect(bench.tap.port?.notes.presented.last??.productID == 0x0001)
        bench.finish()
    }

    @Test("a device is offered when the kernel has configured it, which takes a moment")
    func unready() throws {
        let bench = try Bench()
        bench.unplug()
        bench.watch.look()
        bench.detach()
        bench.replug(address: 20) { $0.configuration = 0 }
        #expect(bench.watch.look() == false, "worth another look soon")
        #expect(bench.tap.port?.notes.presented.last == .some(nil))
        bench.unplug()
        bench.replug(address: 20)
        #expect(bench.watch.look() == true)
        #expect(bench.tap.port?.notes.presented.last??.configurationValue == 1)
        bench.finish()
    }

    @Test("a device that was pulled out and plugged in again before anybody looked is another one")
    func unnoticed() throws {
        let bench = try Bench()
        bench.detach()
        bench.unplug()
        bench.replug(address: 30)
        let refusal = #expect(throws: ImportRefusal.self) { try bench.importDevice() }
        #expect(refusal?.answer == .absent)
        bench.watch.look()
        try bench.importDevice()
        #expect(bench.fake.history.contains("open \(bench.address)"))
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("a host that still has the old device when the new one is there already does not get its transfers")
    func replaced() throws {
        let bench = try Bench()
        let id = bench.on { $0.submitIn(.in(1), 64) }
        bench.unplug()
        bench.replug(address: 31)
        #expect(bench.outcome(id)?.status == .shutdown)
        #expect(bench.outcome(bench.on { $0.submitIn(.in(1), 64) })?.status == .noDevice)
        bench.watch.look()
        bench.detach()
        try bench.importDevice()
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("drivers that came while nobody had the device are given back as well")
    func newDrivers() throws {
        let bench = try Bench(driven: [])
        bench.detach()
        bench.fake.change(bench.path) {
            $0.driven = [1]
            $0.bound = [1]
        }
        try bench.importDevice()
        bench.finish()
        #expect(bench.fake.device(bench.path)?.bound == [1])
    }

    @Test("two of the same place cannot be offered")
    func twice() throws {
        let bench = try Bench(imports: false)
        #expect(throws: RealDevice.Failure.self) {
            _ = try RealDevice(
                try DeviceSelector(parsing: bench.path), Inventory(bench.fake.table, root: bench.files.root),
                bench.fake.table, watch: bench.watch, options: RealDevice.Options(), logger: bench.notes.logger)
        }
        bench.finish()
    }
}
