import DirectHost
import Testing
import USBCore

@testable import USBDeviceKit

/// A device with something of everything, which notes what it is told.
///
/// Configuration 1 has its own power and can wake the host. Its interface 0 has bulk endpoints 1, and isochronous ones
/// in setting 1; its interface 1 has an interrupt endpoint, and endpoint 4 that nobody handles. Configuration 2 has
/// just endpoint 1 IN.
final class SampleGadget: Gadget {
    let description: DeviceDescription
    let input = InPipe(1)
    let output = OutPipe(1)
    let stream = SilentPipe(.in(2))
    let sink = OutPipe(2)
    let events = InPipe(3, capacity: 100)
    private(set) var log: [String] = []
    var link: GadgetLink?
    var parked = URBQueue()
    var endpointsThatStayHalted: Set<EndpointAddress> = []

    init(_ speed: Speed = .high, hasStrings: Bool = true, offersOtherSpeed: Bool? = nil, bos: [Capability]? = nil) {
        description = DeviceDescription(
            speed: speed, vendorID: 0x1209, productID: 0x0001, manufacturer: hasStrings ? "Ghostplug" : nil,
            product: hasStrings ? "Sample" : nil, bos: bos, offersOtherSpeed: offersOtherSpeed
        ) {
            Configuration(1, selfPowered: true, remoteWakeup: true) {
                Interface(0, class: .vendorSpecific) {
                    Endpoint(.in(1), .bulk)
                    Endpoint(.out(1), .bulk)
                }
                Interface(0, alternate: 1, class: .vendorSpecific) {
                    Endpoint(.in(1), .bulk)
                    Endpoint(.out(1), .bulk)
                    Endpoint(.in(2), .isochronous)
                    Endpoint(.out(2), .isochronous)
                }
                Interface(1, class: .vendorSpecific) {
                    Endpoint(.in(3), .interrupt)
                    Endpoint(.out(4), .bulk)
                }
            }
            Configuration(2) {
                Interface(0, class: .vendorSpecific) { Endpoint(.in(1), .bulk) }
            }
        }
    }

    var endpoints: [any EndpointHandler] { [input, output, stream, sink, events] }

    func attached(to link: GadgetLink) { self.link = link }

    /// Vendor request 1 echoes wValue, 2 is kept; class descriptor 0x22 is 100 bytes.
    func control(_ urb: consuming URB) {
        let setup = urb.setup
        switch (setup.requestType, setup.request) {
        case (0xc0, 1): urb.complete(copying: [UInt8(setup.value & 0xff), UInt8(setup.value >> 8)])
        case (0xc0, 2), (0x40, 2): parked.append(urb)
        case (0x40, 1): urb.accept()
        case (0x80, 6), (0x81, 6):
            if setup.value == 0x2200 { urb.complete(copying: [UInt8](0..<100)) } else { urb.stall() }
        default: urb.stall()
        }
    }

    func cancelControl(_ id: URB.ID) -> Bool {
        guard let urb = parked.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func configured(_ value: UInt8) { log.append("configured \(value)") }
    func selected(interface: UInt8, alternate: UInt8) { log.append("interface \(interface) alternate \(alternate)") }

    func reset() {
        log.append("reset")
        parked.completeAll(.shutdown)
    }

    func clearsHalt(of endpoint: EndpointAddress) -> Bool { !endpointsThatStayHalted.contains(endpoint) }
    func connected() { log.append("connected") }
    func disconnected() { log.append("disconnected") }
    func forgetLog() { log = [] }
}

/// A sample device with its host.
struct Bench {
    let gadget: SampleGadget
    let device: GadgetDevice
    let host: DirectHost

    init(_ gadget: SampleGadget = SampleGadget(), configuration: UInt16? = nil) throws {
        self.gadget = gadget
        device = try GadgetDevice(gadget)
        host = DirectHost(device)
        if let configuration { #expect(host.accepts(.setConfiguration(configuration))) }
    }

    /// The device at a speed in one of the states of USB 2.0 §9.1.1.
    init(_ speed: Speed, in state: DeviceState) throws {
        try self.init(SampleGadget(speed))
        if state != .default { #expect(host.accepts(.init(requestType: 0x00, request: 5, value: 7))) }
        if state == .configured { #expect(host.accepts(.setConfiguration(1))) }
    }
}

/// USB 2.0 §9.1.1, as far as requests tell the states apart.
enum DeviceState: CaseIterable {
    case `default`
    case address
    case configured
}

/// An endpoint that never answers, as an isochronous one does that keeps time by itself.
final class SilentPipe: EndpointHandler {
    let address: EndpointAddress
    private var waiting = URBQueue()

    init(_ address: EndpointAddress) { self.address = address }

    func submit(_ urb: consuming URB) { waiting.append(urb) }

    func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) { waiting.completeAll(status) }
}
