public import USBCore
public import USBDeviceKit

/// A vendor-specific device that sends back what it is sent, for people who test programs that drive USB devices.
///
/// Windows binds WinUSB to it (Microsoft OS 2.0 descriptors), browsers offer it to pages (WebUSB). One interface: bulk
/// OUT 1 comes back by IN 1, interrupt OUT 3 by IN 3. Besides gadget zero's two vendor requests it has request 0x5d,
/// which answers with its own setup packet.
public final class EchoGadget: Gadget {
    /// How the device presents itself on the bus.
    public struct Configuration: Hashable, Sendable {
        /// The connection's speed: full, high or SuperSpeed.
        public var speed = Speed.high
        /// `idVendor`.
        public var vendorID: UInt16 = 0x1209
        /// `idProduct`.
        public var productID: UInt16 = 0x7a65
        /// The maker's name.
        public var manufacturer = "Ghostplug"
        /// The product's name.
        public var product = "Vendor Echo"
        /// The serial number.
        public var serialNumber = "000000000001"
        /// The bulk endpoints.
        public var bulk = BulkShape()
        /// The interrupt endpoints.
        public var interrupt = InterruptShape()
        /// The page that browsers offer to open; nil for none.
        public var landingPage: WebUSBURL?

        /// Makes the default configuration.
        public init() {}
    }

    /// The interface class by which Windows programs find the device: `DeviceInterfaceGUIDs` in its registry.
    public static let interfaceGUID = USBUUID(high: 0xdcd8_46d9_b9dc_4a59, low: 0x903a_4681_2808_dde6)
    /// The most bytes kept of what was written and not read, for the bulk and for the interrupt pair.
    public static let capacity = (bulk: 1 << 20, interrupt: 64 << 10)

    /// See ``Gadget/description``.
    public let description: DeviceDescription
    /// What the device tells Windows and browsers.
    public let platforms: PlatformDescriptors
    private let bulk = EchoPipe(output: .out(1), input: .in(1), capacity: EchoGadget.capacity.bulk)
    private let interrupt = EchoPipe(output: .out(3), input: .in(3), capacity: EchoGadget.capacity.interrupt)
    private var requests = TestRequests()

    private static let echoSetup: UInt8 = 0x5d

    /// Makes a device; what its descriptors would break of the specification, ``GadgetDevice`` refuses.
    public init(_ configuration: Configuration = Configuration()) {
        let platforms = PlatformDescriptors(
            microsoft: MicrosoftOS2DescriptorSet(winUSB: [Self.interfaceGUID]),
            urls: configuration.landingPage.map { [$0] } ?? [])
        self.platforms = platforms
        let speed = configuration.speed
        description = DeviceDescription(
            speed: speed, vendorID: configuration.vendorID, productID: configuration.productID,
            // At USB 2.0 speeds Windows and Chrome ask for capabilities from 2.1 on.
            usbVersion: speed.isSuperSpeed ? 0x0320 : 0x0210, manufacturer: configuration.manufacturer,
            product: configuration.product, serialNumber: configuration.serialNumber,
            bos: (Capability.defaults(at: speed) ?? []) + platforms.capabilities
        ) { speed in
            USBCore.Configuration(name: "Echo") {
                Interface(0, class: .vendorSpecific, name: "Echo") {
                    configuration.bulk.endpoint(.in(1), at: speed, of: configuration.speed)
                    configuration.bulk.endpoint(.out(1), at: speed, of: configuration.speed)
                    configuration.interrupt.endpoint(.in(3), at: speed)
                    configuration.interrupt.endpoint(.out(3), at: speed)
                }
            }
        }
    }

    /// See ``Gadget/endpoints``.
    public var endpoints: [any EndpointHandler] { [bulk.input, bulk.output, interrupt.input, interrupt.output] }

    /// See ``Gadget/control(_:)``.
    public func control(_ urb: consuming URB) {
        let setup = urb.setup
        if let answer = platforms.answer(to: setup) {
            urb.complete(copying: answer)
        } else if setup.kind == .vendor, setup.direction == .in, setup.request == Self.echoSetup {
            let bytes = setup.littleEndian
            urb.complete(copying: (0..<8).map { UInt8(truncatingIfNeeded: bytes >> UInt64(8 * $0)) })
        } else {
            requests.answer(urb)
        }
    }

    /// See ``Gadget/configured(_:)``.
    public func configured(_ value: UInt8) { clear() }

    /// See ``Gadget/selected(interface:alternate:)``.
    public func selected(interface: UInt8, alternate: UInt8) { clear() }

    /// See ``Gadget/reset()``.
    public func reset() {
        clear()
        requests.reset()
    }

    private func clear() {
        bulk.clear()
        interrupt.clear()
    }
}
