import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Halted endpoints (USB 2.0 §9.4.1, §9.4.5, §9.4.9)")
struct HaltTests {
    private let bench: Bench
    private var host: DirectHost { bench.host }

    init() throws { bench = try Bench(configuration: 1) }

    @Test(
        "a halted endpoint says so and stalls every transfer until the halt is cleared",
        arguments: [EndpointAddress.in(1), .out(1), .in(3)])
    func cycle(endpoint: EndpointAddress) throws {
        #expect(host.isHalted(endpoint) == false)
        #expect(host.accepts(.halt(endpoint)))
        #expect(host.isHalted(endpoint) == true && bench.gadget.link?.isHalted(endpoint) == true)
        for _ in 0..<2 {
            let outcome = endpoint.direction == .in ? host.read(endpoint, 64) : host.write(endpoint, [1, 2])
            #expect(outcome?.status == .stalled && outcome?.actualLength == 0)
        }
        #expect(host.accepts(.clearHalt(endpoint)))
        #expect(host.isHalted(endpoint) == false)
        let outcome = endpoint.direction == .in ? host.read(endpoint, 64) : host.write(endpoint, [1, 2])
        #expect(outcome?.status != .stalled)
    }

    @Test("halting stalls what waits, oldest first, and leaves other endpoints alone")
    func pending() {
        let first = host.submitIn(.in(1), 64)
        let second = host.submitIn(.in(1), 64)
        let other = host.submitIn(.in(3), 8)
        host.forget()
        bench.gadget.link?.halt(.in(1))
        #expect(host.completions.map(\.id) == [first, second])
        #expect(host.completions.allSatisfy { $0.status == .stalled } && host.waiting == [other])
        #expect(host.isHalted(.in(3)) == false && host.isHalted(.out(1)) == false)
    }

    @Test("a host that submits again from its completion handler, as drivers do, gets a STALL and no trap")
    func resubmission() {
        var left = 5
        host.onCompletion = { [unowned host] completion in
            guard left > 0, completion.endpoint == .in(1) else { return }
            left -= 1
            host.submitIn(.in(1), 64)
        }
        host.submitIn(.in(1), 64)
        #expect(host.accepts(.halt(.in(1))))
        #expect(left == 0 && host.waiting.isEmpty && host.violations.isEmpty)
        #expect(host.completions.filter { $0.status == .stalled }.count == 6)
    }

    @Test("a host that submits again while a reset takes its transfers back does not trap either")
    func resubmissionInReset() {
        host.onCompletion = { [unowned host] completion in
            if completion.status == .shutdown, host.completions.count < 20 { host.submitIn(.in(1), 64) }
        }
        host.submitIn(.in(1), 64)
        bench.device.reset(.port)
        #expect(host.violations.isEmpty && host.waiting.isEmpty)
    }

    @Test("what is submitted while a setting is selected anew waits in it")
    func resubmissionInSelection() {
        host.onCompletion = { [unowned host] completion in
            if completion.endpoint == .in(1), completion.status == .shutdown { host.submitIn(.in(1), 64) }
        }
        let first = [host.submitIn(.in(1), 64), host.submitIn(.in(1), 64)]
        #expect(host.accepts(.setInterface(0, alternate: 0)))
        #expect(first.allSatisfy { host.outcome($0)?.status == .shutdown } && host.waiting.count == 2)
        bench.gadget.input.send([1])
        #expect(host.waiting.count == 1 && host.violations.isEmpty)
        host.onCompletion = nil
    }

    @Test("SET_INTERFACE ends the halts of its own interface's endpoints only")
    func setInterface() {
        #expect(host.accepts(.halt(.in(1))) && host.accepts(.halt(.out(1))) && host.accepts(.halt(.in(3))))
        #expect(host.accepts(.setInterface(0, alternate: 0)))
        #expect(host.isHalted(.in(1)) == false && host.isHalted(.out(1)) == false && host.isHalted(.in(3)) == true)
        #expect(host.accepts(.setInterface(1, alternate: 0)))
        #expect(host.isHalted(.in(3)) == false)
    }

    @Test("a halt does not outlive a setting that lacks the endpoint")
    func hiddenHalt() {
        #expect(host.accepts(.setInterface(0, alternate: 1)) && host.accepts(.halt(.in(2))))
        #expect(host.accepts(.setInterface(0, alternate: 0)) && host.isHalted(.in(2)) == nil)
        #expect(host.accepts(.setInterface(0, alternate: 1)) && host.isHalted(.in(2)) == false)
    }

    @Test("SET_CONFIGURATION ends every halt, also of an endpoint that nobody handles")
    func setConfiguration() {
        for endpoint in [EndpointAddress.in(1), .out(1), .in(3), .out(4)] {
            #expect(host.accepts(.halt(endpoint)) && host.isHalted(endpoint) == true)
        }
        #expect(host.accepts(.setConfiguration(1)))
        for endpoint in [EndpointAddress.in(1), .out(1), .in(3), .out(4)] {
            #expect(host.isHalted(endpoint) == false, "\(endpoint)")
        }
    }

    @Test("endpoint zero takes the requests and never halts (USB 2.0 §8.5.3.4)", arguments: DeviceState.allCases)
    func endpointZero(state: DeviceState) throws {
        let host = try Bench(.high, in: state).host
        for endpoint in [EndpointAddress.in(0), .out(0)] {
            #expect(host.accepts(.halt(endpoint)))
            #expect(host.isHalted(endpoint) == false)
            #expect(host.accepts(.clearHalt(endpoint)))
        }
    }

    @Test(
        "endpoints that do not exist have no status and no halt",
        arguments: [0x82, 0x02, 0x85, 0x0f, 0x91, 0x181, 0x8001, 0xffff] as [UInt16])
    func unknownEndpoints(index: UInt16) {
        #expect(host.refuses(.getStatus(.endpoint, index)))
        #expect(host.refuses(.setFeature(.endpoint, 0, index)))
        #expect(host.refuses(.clearFeature(.endpoint, 0, index)))
    }

    @Test("an endpoint has no feature but its halt", arguments: [1, 2, 48, 0xffff] as [UInt16])
    func unknownFeatures(feature: UInt16) {
        #expect(host.refuses(.setFeature(.endpoint, feature, 0x81)))
        #expect(host.refuses(.clearFeature(.endpoint, feature, 0x81)))
        #expect(host.isHalted(.in(1)) == false)
    }

    @Test("data endpoints cannot be halted before configuration", arguments: [DeviceState.default, .address])
    func unconfigured(state: DeviceState) throws {
        let bench = try Bench(.high, in: state)
        #expect(bench.host.refuses(.halt(.in(1))) && bench.host.isHalted(.in(1)) == nil)
        bench.gadget.link?.halt(.in(1))
        #expect(bench.host.accepts(.setConfiguration(1)) && bench.host.isHalted(.in(1)) == false)
    }

    @Test("a gadget may insist on a halt; the request succeeds all the same")
    func stubborn() {
        bench.gadget.endpointsThatStayHalted = [.in(1)]
        #expect(host.accepts(.halt(.in(1))) && host.accepts(.clearHalt(.in(1))))
        #expect(host.isHalted(.in(1)) == true && host.read(.in(1), 8)?.status == .stalled)
        bench.gadget.endpointsThatStayHalted = []
        #expect(host.accepts(.clearHalt(.in(1))) && host.isHalted(.in(1)) == false)
    }

    @Test("SYNCH_FRAME is for isochronous endpoints (USB 2.0 §9.4.11)")
    func synchFrame() {
        func synchFrame(_ index: UInt16, _ value: UInt16 = 0) -> SetupPacket {
            .init(requestType: 0x82, request: 12, value: value, index: index, length: 2)
        }
        #expect(host.refuses(synchFrame(0x82)), "not in setting 0")
        #expect(host.accepts(.setInterface(0, alternate: 1)))
        #expect(host.answer(synchFrame(0x82)) == [0, 0] && host.answer(synchFrame(0x02)) == [0, 0])
        for index: UInt16 in [0x00, 0x81, 0x01, 0x83, 0x85, 0x182, 0x92] { #expect(host.refuses(synchFrame(index))) }
    }
}
