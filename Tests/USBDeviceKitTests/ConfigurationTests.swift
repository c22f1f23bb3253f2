import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Configurations and alternate settings (USB 2.0 §9.4.2, §9.4.4, §9.4.7, §9.4.10)")
struct ConfigurationTests {
    @Test("SET_CONFIGURATION selects, GET_CONFIGURATION tells, and 0 deselects")
    func select() throws {
        let bench = try Bench()
        #expect(bench.host.configuration == [0])
        #expect(bench.host.accepts(.setConfiguration(2)) && bench.host.configuration == [2])
        #expect(bench.host.accepts(.setConfiguration(1)) && bench.host.configuration == [1])
        #expect(bench.device.identity.configurationValue == 1)
        #expect(bench.host.accepts(.setConfiguration(0)) && bench.host.configuration == [0])
        #expect(bench.gadget.log.suffix(3) == ["configured 2", "configured 1", "configured 0"])
    }

    @Test("an unknown configuration is refused and changes nothing", arguments: [3, 255, 256, 0x101, 0xffff])
    func unknownConfiguration(value: Int) throws {
        let bench = try Bench(configuration: 1)
        bench.gadget.forgetLog()
        #expect(bench.host.refuses(.setConfiguration(UInt16(value))))
        #expect(bench.host.configuration == [1] && bench.gadget.log.isEmpty)
    }

    @Test("a request whose direction bit contradicts it is refused and changes nothing")
    func wrongDirection() throws {
        let bench = try Bench(configuration: 1)
        bench.gadget.forgetLog()
        for length: UInt16 in [0, 1, 64] {
            #expect(bench.host.refuses(.init(requestType: 0x80, request: 9, value: 2, length: length)))
            #expect(bench.host.refuses(.init(requestType: 0x81, request: 11, value: 1, length: length)))
            #expect(bench.host.refuses(.init(requestType: 0x82, request: 3, index: 0x81, length: length)))
            let bytes = [UInt8](repeating: 0, count: Int(length))
            #expect(bench.host.refuses(.init(requestType: 0x00, request: 8, length: length), bytes))
        }
        #expect(bench.host.configuration == [1] && bench.host.isHalted(.in(1)) == false && bench.gadget.log.isEmpty)
        #expect(bench.host.violations.isEmpty)
    }

    @Test("a client whose own direction contradicts the request gets a STALL and no bytes")
    func contradictingClient() throws {
        let bench = try Bench(configuration: 1)
        for (setup, room, direction) in [
            (SetupPacket.setConfiguration(1), 64, Direction.in),
            (.getDescriptor(.device, length: 18), 18, .out),
            (.init(requestType: 0x40, request: 1, length: 8), 8, .in),
            (.init(requestType: 0x21, request: 0xff), 4096, .in),
        ] {
            let id = bench.host.submitControl(setup, room: room, direction: direction)
            #expect(bench.host.outcome(id)?.status == .stalled, "\(setup)")
            #expect(bench.host.outcome(id)?.actualLength == 0)
        }
        // Where there are no bytes there is no contradiction: Linux calls these OUT.
        #expect(bench.host.accepts(.init(requestType: 0xc0, request: 1, value: 1)))
        #expect(bench.host.violations.isEmpty)
    }

    @Test("a client that sends more than wLength has only wLength taken")
    func excessData() throws {
        let bench = try Bench()
        let id = bench.host.submitControl(.init(requestType: 0x40, request: 1, length: 3), room: 500)
        #expect(bench.host.outcome(id)?.status == .success && bench.host.outcome(id)?.actualLength == 3)
    }

    @Test("SET_ADDRESS is taken before configuration, in range")
    func setAddress() throws {
        let bench = try Bench()
        #expect(bench.host.accepts(.init(requestType: 0x00, request: 5, value: 127)))
        #expect(bench.device.address == 127)
        #expect(bench.host.refuses(.init(requestType: 0x00, request: 5, value: 128)))
        #expect(bench.host.refuses(.init(requestType: 0x00, request: 5, value: 1, index: 1)))
        #expect(bench.host.accepts(.setConfiguration(1)))
        #expect(bench.host.refuses(.init(requestType: 0x00, request: 5, value: 3)))
        #expect(bench.device.address == 127)
    }

    @Test("SET_INTERFACE selects, GET_INTERFACE tells, each interface for itself")
    func alternates() throws {
        let bench = try Bench(configuration: 1)
        #expect(bench.host.answer(.getInterface(0)) == [0])
        #expect(bench.host.accepts(.setInterface(0, alternate: 1)))
        #expect(bench.host.answer(.getInterface(0)) == [1] && bench.host.answer(.getInterface(1)) == [0])
        #expect(bench.gadget.log.last == "interface 0 alternate 1")
        #expect(bench.host.accepts(.setInterface(1, alternate: 0)))
        #expect(bench.host.answer(.getInterface(0)) == [1])
        #expect(bench.host.accepts(.setConfiguration(1)))
        #expect(bench.host.answer(.getInterface(0)) == [0], "SET_CONFIGURATION returns every interface to setting 0")
    }

    @Test(
        "interfaces and settings that do not exist are refused and change nothing",
        arguments: [(0, 2), (1, 1), (2, 0), (0x100, 0), (0, 0x100), (0xffff, 0xffff)] as [(UInt16, UInt16)])
    func unknownAlternate(interface: UInt16, alternate: UInt16) throws {
        let bench = try Bench(configuration: 1)
        #expect(bench.host.accepts(.setInterface(0, alternate: 1)))
        #expect(bench.host.refuses(.setInterface(interface, alternate: alternate)))
        #expect(bench.host.answer(.getInterface(0)) == [1])
    }

    @Test("there are no interfaces before configuration", arguments: [DeviceState.default, .address])
    func unconfigured(state: DeviceState) throws {
        let host = try Bench(.high, in: state).host
        #expect(host.refuses(.getInterface(0)))
        #expect(host.refuses(.setInterface(0, alternate: 0)))
        #expect(host.refuses(.getStatus(.interface)))
        #expect(host.configuration == [0])
    }

    @Test("GET_INTERFACE of an interface that does not exist is refused", arguments: [2, 0x100, 0xffff] as [UInt16])
    func getUnknownInterface(number: UInt16) throws {
        #expect(try Bench(configuration: 1).host.refuses(.getInterface(number)))
    }

    @Test("GET_CONFIGURATION and GET_INTERFACE with a wValue are refused")
    func wrongValue() throws {
        let host = try Bench(configuration: 1).host
        #expect(host.refuses(.init(requestType: 0x80, request: 8, value: 1, length: 1)))
        #expect(host.refuses(.init(requestType: 0x80, request: 8, index: 1, length: 1)))
        #expect(host.refuses(.init(requestType: 0x81, request: 10, value: 1, length: 1)))
    }

    @Test("endpoints exist as the settings have them; transfers to others are refused")
    func selection() throws {
        let bench = try Bench()
        let host = bench.host
        func exists(_ endpoint: EndpointAddress) -> Bool {
            let status = host.read(endpoint, 64)?.status
            return status != .stalled
        }
        #expect(!exists(.in(1)) && host.write(.out(1), [1])?.status == .stalled)
        #expect(bench.device.transferType(of: .in(1)) == nil && bench.device.transferType(of: .in(0)) == .control)

        #expect(host.accepts(.setConfiguration(1)))
        #expect(exists(.in(1)) && exists(.in(3)) && !exists(.in(2)) && !exists(.in(5)))
        #expect(host.write(.out(1), [1])?.status == .success && host.write(.out(2), [1])?.status == .stalled)
        #expect(bench.device.transferType(of: .in(1)) == .bulk && bench.device.transferType(of: .in(3)) == .interrupt)
        #expect(bench.device.transferType(of: .in(2)) == nil)
        #expect(host.write(.out(4), [1])?.status == .stalled, "an endpoint that nobody handles")

        #expect(host.accepts(.setInterface(0, alternate: 1)))
        #expect(exists(.in(2)) && bench.device.transferType(of: .in(2)) == .isochronous)
        #expect(host.accepts(.setInterface(0, alternate: 0)))
        #expect(!exists(.in(2)))

        #expect(host.accepts(.setConfiguration(2)))
        #expect(exists(.in(1)) && !exists(.in(3)) && host.write(.out(1), [1])?.status == .stalled)
    }

    @Test("a setting that goes takes its transfers with it; others stay")
    func transfersGo() throws {
        let bench = try Bench(configuration: 1)
        #expect(bench.host.accepts(.setInterface(0, alternate: 1)))
        let stream = bench.host.submitIn(.in(2), 64)
        let event = bench.host.submitIn(.in(3), 64)
        #expect(bench.host.accepts(.setInterface(0, alternate: 0)))
        #expect(bench.host.outcome(stream)?.status == .shutdown && bench.host.waiting == [event])
        #expect(bench.host.accepts(.setConfiguration(0)))
        #expect(bench.host.outcome(event)?.status == .shutdown && bench.host.waiting.isEmpty)
    }

    @Test("the identity's interfaces are those of the selected configuration")
    func identity() throws {
        let bench = try Bench()
        #expect(bench.device.identity.interfaces.count == 2 && bench.device.identity.configurationValue == 0)
        #expect(bench.host.accepts(.setConfiguration(2)))
        #expect(bench.device.identity.interfaces == [.init(0xff, 0, 0)])
        #expect(bench.device.identity.name == "Ghostplug Sample" && bench.device.identity.configurationCount == 2)
    }
}
