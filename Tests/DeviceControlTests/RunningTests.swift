import CommandSupport
import DeviceControl
import DeviceModels
import DirectHost
import Logging
import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPServer

@Suite("Running devices", .timeLimit(.minutes(10)))
struct RunningTests {
    private func element(_ value: JSON?, _ index: Int = 0) throws -> JSON {
        guard case .array(let values)? = value, values.indices.contains(index) else {
            throw ControlError(.failed, "no element \(index) in \(value?.text ?? "nothing")")
        }
        return values[index]
    }

    @Test("are listed with what they are and how far their host has come")
    func listed() throws {
        let bench = try Bench("drive:size=1M,serial=ONE", "zero:busid=9-9")
        defer { bench.devices.server.stop() }
        let list = try bench.perform("devices")["devices"]
        #expect(try element(list)["busid"] == .string("1-1"))
        #expect(try element(list)["state"] == .string("detached"))
        #expect(try element(list, 1)["busid"] == .string("9-9"))
        #expect(try element(list, 1)["model"] == .string("zero"))
    }

    @Test("can be added and removed; a removed one's host sees it pulled out, and its bus id is free again")
    func hotplug() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let host = try bench.attach("1-1")
        #expect(try bench.perform("add", ("device", .string("drive:size=1M")))["busid"] == .string("1-2"))
        _ = try bench.perform("remove", ("busid", .string("1-1")))
        #expect(throws: HostError.self) { try host.descriptors() }
        #expect(try bench.perform("add", ("device", .string("zero")))["busid"] == .string("1-1"))
        #expect(bench.kinds() == ["added", "attached", "added", "detached", "removed", "added"])
    }

    @Test(
        "what cannot be added is an error that says what is wrong, and leaves nothing behind",
        arguments: ["nothing", "drive:size=0", "zero:busid=1-1", "zero:busid=a b"])
    func refused(_ specification: String) throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let error = #expect(throws: ControlError.self) {
            try bench.perform("add", ("device", .string(specification)))
        }
        #expect(error?.code == .invalid)
        #expect(bench.devices.all.map(\.busID) == ["1-1"])
        #expect(try bench.perform("add", ("device", .string("zero")))["busid"] == .string("1-2"))
    }

    @Test("tell when a host configures, resets and leaves them")
    func events() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let host = try bench.attach("1-1")
        try host.select(configuration: 3)
        #expect(try bench.perform("wait", ("busid", .string("1-1")), ("for", .string("configured")))["state"] != nil)
        host.close()
        _ = try bench.perform("wait", ("busid", .string("1-1")), ("for", .string("detached")))
        #expect(bench.kinds() == ["added", "attached", "configured", "detached"])
    }

    @Test("waiting for what does not happen ends with the time, and says how far it came")
    func timeout() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let error = #expect(throws: ControlError.self) {
            try bench.perform(
                "wait", ("busid", .string("1-1")), ("for", .string("configured")),
                ("timeout", .decimal(0.01, digits: 2)))
        }
        #expect(error?.code == .timeout && error?.message.contains("detached") == true, "\(String(describing: error))")
    }

    @Test("count what moves, by endpoint, with latencies")
    func statistics() throws {
        let bench = try Bench("zero")
        defer { bench.devices.server.stop() }
        let host = try bench.attach("1-1")
        try host.select(configuration: 3)
        _ = try host.read(1, room: 1024)
        let device = try element(try bench.perform("stats")["devices"])
        #expect(device["bytes_in"]?.double ?? 0 >= 1024, "\(device.text)")
        host.close()
    }

    @Test("remember each kind of request that they refused once, with how often and what to do")
    func unhandled() throws {
        let bench = try Bench("zero:speed=high")
        defer { bench.devices.server.stop() }
        let host = try bench.attach("1-1")
        let strange = SetupPacket(requestType: 0xa1, request: 0x33, value: 1, index: 0, length: 4)
        for _ in 0..<3 { _ = try? host.controlIn(strange) }
        let entry = try element(try element(try bench.perform("unhandled")["devices"])["requests"])
        #expect(entry["count"] == .number(3))
        #expect(entry["request"] == .string("class request 0x33 from interface 0, wValue 0x0001, 4 bytes"))
        #expect(bench.kinds().filter { $0 == "unhandled" }.count == 1)
        host.close()
    }

    @Test("typing ends when nobody waits for it any more, and no key stays down")
    func givenUp() throws {
        let bench = try Bench("keyboard")
        defer { bench.devices.server.stop() }
        let host = try bench.attach("1-1")
        defer { host.close() }
        try host.select(configuration: 1)
        let client = Cancellation()
        let seen = Mutex<(count: Int, isDown: Bool)>((0, false))
        _ = try host.submitRepeatedly(.in(0x81, room: 64)) { completion in
            let isDown = completion.withBytes { [UInt8](copying: $0).contains { $0 != 0 } }
            let count = seen.withLock { seen in
                seen = (seen.count + 1, isDown)
                return seen.count
            }
            if count == 3 { client.cancel() }
            return .resubmit
        }
        let request = ControlRequest(
            "type", [("busid", .string("1-1")), ("text", .string(String(repeating: "ab", count: 5000)))])
        let error = #expect(throws: ControlError.self) { try bench.devices.perform(request, client) }
        #expect(error?.message.contains("given up") == true, "\(String(describing: error))")
        #expect(settles { !seen.withLock { $0.isDown } })
        #expect(seen.withLock { $0.count } < 100, "it would have been 20000 reports")
    }

    @Test("an action that a device does not have is an error that lists those that it has")
    func unknownAction() throws {
        let bench = try Bench("zero", "drive:size=1M")
        defer { bench.devices.server.stop() }
        let error = #expect(throws: ControlError.self) { try bench.perform("type", ("busid", .string("1-1"))) }
        #expect(error?.code == .unknownCommand)
        let nobody = #expect(throws: ControlError.self) { try bench.perform("remove", ("busid", .string("7-7"))) }
        #expect(nobody?.code == .unknownDevice && nobody?.message.contains("1-1, 1-2") == true)
    }
}
