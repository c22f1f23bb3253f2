import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

@Suite("Resets, hosts that come and go")
struct LifecycleTests {
    private let bench: Bench
    private var host: DirectHost { bench.host }

    init() throws {
        bench = try Bench(configuration: 1)
        #expect(host.accepts(.setInterface(0, alternate: 1)))
        #expect(host.accepts(.setFeature(.device, 1)) && host.accepts(.halt(.out(1))))
    }

    @Test("a port reset returns the device to Default and every transfer to the host")
    func port() {
        let pending = [host.submitIn(.in(1), 64), host.submitIn(.in(1), 64), host.submitIn(.in(3), 8)]
        bench.gadget.forgetLog()
        bench.device.reset(.port)
        #expect(pending.allSatisfy { host.outcome($0)?.status == .shutdown } && host.waiting.isEmpty)
        #expect(bench.gadget.log == ["reset", "configured 0"])
        #expect(host.configuration == [0] && host.answer(.getStatus(.device)) == [1, 0])
        #expect(host.isHalted(.in(1)) == nil && bench.device.transferType(of: .in(1)) == nil)
        #expect(host.accepts(.setConfiguration(1)) && host.isHalted(.out(1)) == false)
    }

    @Test("an inferred reset does the same and keeps the configuration, in its first settings")
    func inferred() {
        let pending = host.submitIn(.in(2), 64)
        bench.gadget.forgetLog()
        bench.device.reset(.inferred)
        #expect(host.outcome(pending)?.status == .shutdown && host.waiting.isEmpty)
        #expect(bench.gadget.log == ["reset"])
        #expect(host.configuration == [1] && host.answer(.getInterface(0)) == [0])
        #expect(host.answer(.getStatus(.device)) == [1, 0] && host.isHalted(.out(1)) == false)
        #expect(bench.device.transferType(of: .in(2)) == nil)
        #expect(host.read(.in(1), 64) == nil, "the configuration works")
    }

    @Test("what a device had to say before a reset is not said after it", arguments: [ResetCause.port, .inferred])
    func staleData(cause: ResetCause) {
        #expect(bench.gadget.input.send([1, 2, 3]))
        bench.device.reset(cause)
        #expect(host.accepts(.setConfiguration(1)))
        #expect(host.read(.in(1), 64) == nil)
    }

    @Test("a host that goes gets everything back, and the next one finds the device as new")
    func disconnect() {
        let pending = [
            host.submitIn(.in(1), 64), host.submitIn(.in(2), 64), host.submitIn(.in(3), 8),
            host.submitControl(.init(requestType: 0xc0, request: 2, length: 4)),
        ]
        #expect(host.waiting == pending)
        bench.gadget.forgetLog()
        bench.device.disconnect()
        #expect(host.waiting.isEmpty && pending.allSatisfy { host.outcome($0)?.status == .shutdown })
        #expect(bench.gadget.log == ["disconnected", "reset", "configured 0"])
        bench.gadget.forgetLog()
        bench.device.connect()
        #expect(bench.gadget.log == ["reset", "configured 0", "connected"])
        #expect(host.configuration == [0] && host.violations.isEmpty)
    }

    @Test("a control transfer that a gadget keeps can be taken back, and only once")
    func cancelControl() {
        let setup = SetupPacket(requestType: 0x40, request: 2, length: 4)
        let first = host.submitControl(setup, [1, 2, 3, 4])
        let second = host.submitControl(setup, [5, 6, 7, 8])
        host.cancel(first)
        host.cancel(first)
        #expect(host.outcome(first)?.status == .cancelled && host.waiting == [second])
        // The bytes have moved to other memory meanwhile, and are still the ones sent.
        var bytes: [UInt8] = []
        if let urb = bench.gadget.parked.popFirst() {
            bytes = urb.withBytes { [UInt8](copying: $0) }
            urb.accept()
        }
        #expect(bytes == [5, 6, 7, 8] && host.outcome(second)?.status == .success && host.violations.isEmpty)
    }

    @Test("names that no transfer has mean nothing to cancel")
    func cancelUnknown() {
        let pending = host.submitIn(.in(1), 64)
        for id: URB.ID in [0, pending + 1, .max] { host.cancel(id) }
        #expect(host.waiting == [pending])
        host.cancel(pending)
        #expect(host.outcome(pending)?.status == .cancelled)
    }

    @Test("a description that breaks the specification makes no device, unless that is meant")
    func refused() throws {
        final class Broken: Gadget {
            let description = DeviceDescription(speed: .high, vendorID: 1, productID: 1) {
                Configuration { Interface(0, class: .vendorSpecific) { Endpoint(.in(1), .bulk, maxPacketSize: 7) } }
            }
            var endpoints: [any EndpointHandler] { [] }
        }
        #expect(throws: DescriptorError.self) { try GadgetDevice(Broken()) }
        let host = DirectHost(try GadgetDevice(Broken(), allowingInvalid: true))
        #expect(host.accepts(.setConfiguration(1)))
    }
}
