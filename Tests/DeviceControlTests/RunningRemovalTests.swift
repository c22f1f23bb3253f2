import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import TestSupport
import Testing
import USBDeviceKit
import USBIPServer

@Suite("Removing running devices", .timeLimit(.minutes(10)))
struct RunningRemovalTests {
    @Test("until its writes are finished nobody gets the bus id, and the process does not end")
    func leaving() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let devices = bench.devices
        let device = try #require(devices.device("1-1"))
        // Whether `removed` was told, once everything was finished.
        let finished = Monitor<Bool?>(nil)
        let held = device.export.executor.run {
            // Nothing of the device's can be finished in here.
            Result {
                try startThread("remove") { _ = devices.remove(device) }
                #expect(settles { devices.all.isEmpty })
                #expect(throws: ModelError.self) { try devices.add(DeviceSpecification(parsing: "zero:busid=1-1")) }
                #expect(try devices.add(DeviceSpecification(parsing: "zero")).busID == "1-2")
                try startThread("finish") {
                    _ = devices.finish()
                    finished.change { $0 = bench.kinds().contains("removed") }
                }
                #expect(finished.wait(until: .now + .milliseconds(50)) { $0 } == nil)
            }
        }
        try held.get()
        #expect(finished.wait { $0 } == true)
        #expect(try bench.perform("add", ("device", .string("zero:busid=1-1")))["busid"] == .string("1-1"))
    }

    @Test("bus ids that devices will ask for are theirs, and not for devices that ask for none")
    func reserved() throws {
        let bench = try Bench()
        defer { bench.devices.server.stop() }
        bench.devices.reserve(["1-1"])
        #expect(try bench.devices.add(DeviceSpecification(parsing: "zero")).busID == "1-2")
        #expect(try bench.devices.add(DeviceSpecification(parsing: "zero:busid=1-1")).busID == "1-1")
    }

    @Test("ends the wait of whoever waits for something of the device")
    func waiting() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let code = Monitor<ErrorCode?>(nil)
        try startThread("wait") {
            do throws(ControlError) {
                _ = try bench.perform("wait", ("busid", .string("1-1")), ("for", .string("configured")))
            } catch {
                code.change { $0 = error.code }
            }
        }
        _ = try bench.perform("remove", ("busid", .string("1-1")))
        #expect(code.wait { $0 } == .unknownDevice)
    }

    @Test("a device that is held up is listed as busy, without figures")
    func busy() throws {
        let bench = try Bench("zero", "zero")
        defer { bench.devices.server.stop() }
        let device = try #require(bench.devices.device("1-1"))
        let cancellation = Cancellation()
        cancellation.cancel()
        let held = device.export.executor.run { statistics(bench, cancellation) }
        #expect(held["busy"] == .bool(true) && held["urbs"] == nil, "\(held.text)")
        let free = statistics(bench, Cancellation())
        #expect(free["busy"] == nil && free["urbs"] == .number(0), "\(free.text)")
    }

    /// What there is to know of the first device.
    private func statistics(_ bench: Bench, _ cancellation: Cancellation) -> JSON {
        let result = try? bench.devices.perform(ControlRequest("stats", [("busid", .string("1-1"))]), cancellation)
        if case .array(let devices)? = result?.first?.1, let first = devices.first { return first }
        return .null
    }
}

@Suite("Waiting for an action", .timeLimit(.minutes(10)))
struct ActionCallTests {
    @Test("ends with its answer, also when it drops the reply without one")
    func outcome() {
        let done = ActionCall.outcome(Cancellation()) { reply in
            reply.succeed([("keys", .number(3))])
            return true
        }
        #expect((try? done?.get())?.first?.1 == .number(3))
        let dropped = ActionCall.outcome(Cancellation()) { _ in true }
        #expect(throws: ModelError.self) { try dropped?.get() }
        #expect(ActionCall.outcome(Cancellation()) { _ in false } == nil)
    }

    @Test("tells the action when nobody waits any more")
    func abandoned() throws {
        let cancellation = Cancellation()
        let outcome = ActionCall.outcome(cancellation) { reply in
            cancellation.cancel()
            let thread = Result {
                try startThread("action") {
                    if settles({ !reply.isWanted }) { reply.succeed([("given up", .bool(true))]) }
                }
            }
            return (try? thread.get()) != nil
        }
        #expect((try outcome?.get())?.first?.0 == "given up")
    }
}
