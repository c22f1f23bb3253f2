import DirectHost
import Testing
import USBCore
import USBDeviceKit

@testable import USBPassthrough

@Suite("Requests that the kernel must know of")
struct CallTests {
    @Test("a new configuration: all interfaces are given up, and the new ones taken from the drivers that came")
    func newConfiguration() throws {
        let bench = try Bench()
        let before = bench.fake.history.count
        #expect(bench.control(.setConfiguration(2))?.status == .success)
        #expect(
            bench.fake.history.dropFirst(before)
                == [
                    "release 1", "release 0", "detachDriver 0: not found", "detachDriver 1: not found",
                    "setConfiguration 2", "detachDriver 0", "claim 0",
                ])
        #expect(bench.on { $0.device.transferType(of: .in(5)) } == .bulk)
        #expect(bench.on { $0.device.transferType(of: .in(1)) } == nil)
        #expect(bench.read(.in(5), 8, .completed([5]))?.data == [5])
        bench.finish()
        #expect(bench.fake.device(bench.path)?.configuration == 1, "the configuration that it had")
        #expect(bench.fake.device(bench.path)?.bound == [0, 1])
    }

    @Test("the configuration that is selected already goes through the kernel as well, which resets halts and settings")
    func sameConfiguration() throws {
        let bench = try Bench()
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        #expect(bench.on { $0.device.transferType(of: .in(3)) } == .isochronous)
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        #expect(bench.on { $0.device.transferType(of: .in(3)) } == nil)
        #expect(bench.fake.device(bench.path)?.alternates == [:])
        #expect(bench.fake.history.contains("setConfiguration 1"))
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("configuration 0 is libusb's -1; afterwards there is endpoint zero only")
    func noConfiguration() throws {
        let bench = try Bench()
        #expect(bench.control(.setConfiguration(0))?.status == .success)
        #expect(bench.fake.history.contains("setConfiguration -1"))
        #expect(bench.outcome(bench.on { $0.submitIn(.in(1), 8) })?.status == .stalled)
        #expect(bench.control(.getConfiguration)?.data == [0])
        #expect(bench.control(.setConfiguration(1))?.status == .success)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("a configuration that the device does not have is a STALL, and everything is as it was")
    func unknownConfiguration() throws {
        let bench = try Bench()
        #expect(bench.control(.setConfiguration(9))?.status == .stalled)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test(
        "when a configuration cannot be selected, the host is told, and everything is as it was",
        arguments: [(LibUSBError.busy, -16 as Int32), (.io, -32)])
    func configurationRefused(error: LibUSBError, errno: Int32) throws {
        let bench = try Bench()
        bench.fake.fail(.setConfiguration, error)
        #expect(bench.control(.setConfiguration(2))?.status.rawValue == errno)
        #expect(bench.on { $0.device.transferType(of: .in(1)) } == .bulk)
        #expect(bench.read(.in(1), 8, .completed([1]))?.data == [1])
        bench.finish()
    }

    @Test("from one configuration to the other and back, at the end all drivers have what they had")
    func backAndForth() throws {
        let bench = try Bench()
        for value in [2, 1, 2, 0, 1, 1] as [UInt16] {
            #expect(bench.control(.setConfiguration(value))?.status == .success)
            #expect(bench.control(.getConfiguration)?.data == [UInt8(value)])
        }
        bench.finish()
        #expect(bench.fake.device(bench.path)?.bound == [0, 1])
    }

    @Test("an alternate setting brings its endpoints, and takes them away")
    func alternate() throws {
        let bench = try Bench()
        #expect(bench.control(.setInterface(0, alternate: 1))?.status == .success)
        #expect(bench.fake.history.last == "setAlternate 0 1")
        #expect(bench.on { $0.device.transferType(of: .out(4)) } == .isochronous)
        #expect(bench.control(.setInterface(0, alternate: 0))?.status == .success)
        #expect(bench.on { $0.device.transferType(of: .out(4)) } == nil)
        #expect(bench.on { $0.device.transferType(of: .in(1)) } == .bulk)
        bench.finish()
    }

    @Test("a setting or an interface that the device does not have is a STALL", arguments: [(0, 7), (9, 0)])
    func unknownAlternate(interface: UInt16, alternate: UInt16) throws {
        let bench = try Bench()
        #expect(bench.control(.setInterface(interface, alternate: alternate))?.status == .stalled)
        bench.finish()
    }

    @Test("the end of a halt goes through the kernel, endpoint zero's needs nothing")
    func clearHalt() throws {
        let bench = try Bench()
        #expect(bench.control(.clearHalt(.in(1)))?.status == .success)
        #expect(bench.fake.history.last == "clearHalt EP 1 IN")
        #expect(bench.control(.clearHalt(.in(0)))?.status == .success)
        #expect(bench.control(.clearHalt(.in(9)))?.status == .stalled)
        #expect(bench.fake.count(.submit) == 0)
        bench.finish()
    }

    /// Requests that are answered without anybody else: the kernel's business.
    static let kernelBusiness: [SetupPacket] = [
        .init(requestType: 0x00, request: 5, value: 17),
        .init(requestType: 0x00, request: 0x30, length: 6),
        .init(requestType: 0x00, request: 0x31, value: 40),
        .init(requestType: 0x00, request: 3, value: 48), .init(requestType: 0x00, request: 3, value: 49),
        .init(requestType: 0x00, request: 3, value: 50), .init(requestType: 0x00, request: 1, value: 48),
        .init(requestType: 0x00, request: 1, value: 49), .init(requestType: 0x00, request: 1, value: 50),
    ]

    @Test("requests that are the kernel's business succeed and reach nobody", arguments: kernelBusiness)
    func swallowed(setup: SetupPacket) throws {
        let bench = try Bench()
        let before = bench.fake.history
        let answer = bench.control(setup, [UInt8](repeating: 1, count: Int(setup.length)))
        #expect(answer?.status == .success && answer?.actualLength == Int(setup.length))
        #expect(bench.fake.count(.submit) == 0 && bench.fake.history == before)
        bench.finish()
    }

    @Test("a test mode, which only a power cycle ends, is refused")
    func testMode() throws {
        let bench = try Bench()
        #expect(bench.control(.init(requestType: 0x00, request: 3, value: 2, index: 0x0400))?.status == .stalled)
        #expect(bench.fake.count(.submit) == 0)
        bench.finish()
    }

    /// Requests that look like those above.
    static let lookalikes: [SetupPacket] = [
        // SET_FEATURE(ENDPOINT_HALT), which changes nothing on this side.
        .init(requestType: 0x02, request: 3, value: 0, index: 0x81),
        // DEVICE_REMOTE_WAKEUP, FUNCTION_SUSPEND.
        .init(requestType: 0x00, request: 3, value: 1), .init(requestType: 0x00, request: 1, value: 1),
        .init(requestType: 0x01, request: 3, value: 0),
        // Numbers of standard requests in requests of a class or a maker.
        .init(requestType: 0x20, request: 9, value: 2), .init(requestType: 0x21, request: 11, value: 1),
        .init(requestType: 0x40, request: 5, value: 3), .init(requestType: 0x42, request: 1, index: 0x81),
    ]

    @Test(
        "SET_ADDRESS, SET_CONFIGURATION, SET_INTERFACE to whom they mean nothing are refused: some devices do not look",
        arguments: [
            SetupPacket(requestType: 0x01, request: 5, value: 9), .init(requestType: 0x80, request: 5, value: 9),
            .init(requestType: 0x01, request: 9, value: 2), .init(requestType: 0x00, request: 11, value: 1),
        ])
    func malformed(setup: SetupPacket) throws {
        let bench = try Bench { $0.control = { _ in .completed() } }
        let before = bench.fake.history
        #expect(bench.control(setup)?.status == .stalled)
        #expect(bench.fake.count(.submit) == 0 && bench.fake.history == before)
        bench.finish()
    }

    @Test("all other requests reach the device", arguments: lookalikes)
    func passedOn(setup: SetupPacket) throws {
        let bench = try Bench { $0.control = { _ in .completed() } }
        let before = bench.fake.history
        #expect(bench.control(setup)?.status == .success)
        #expect(bench.fake.count(.submit) == 1 && bench.fake.history == before)
        bench.finish()
    }
}
