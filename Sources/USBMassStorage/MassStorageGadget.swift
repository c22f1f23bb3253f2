public import SCSITarget
public import USBCore
public import USBDeviceKit

/// A USB disk: SCSI over the Bulk-Only Transport (USB Mass Storage Class, Bulk-Only Transport 1.0).
public final class MassStorageGadget: Gadget {
    /// How the disk presents itself on the bus.
    public struct Configuration: Sendable {
        /// The connection's speed: full, high or SuperSpeed.
        public var speed = Speed.high
        /// `idVendor`.
        public var vendorID: UInt16 = 0x1209
        /// `idProduct`.
        public var productID: UInt16 = 0x6d73
        /// The maker's name.
        public var manufacturer = "Ghostplug"
        /// The product's name.
        public var product = "Virtual Drive"
        /// The serial number; hosts expect at least twelve hexadecimal digits (Bulk-Only Transport 1.0 §4.1.1).
        public var serialNumber = "000000000001"
        /// End data that are shorter than the host asked for with STALL rather than with a short packet alone.
        public var stallsShortData = true

        /// Makes the default configuration.
        public init() {}
    }

    private enum ClassRequest {
        static let reset: UInt8 = 0xff
        static let getMaxLUN: UInt8 = 0xfe
    }

    /// See ``Gadget/description``.
    public let description: DeviceDescription
    /// The disk's logical units.
    public let target: SCSITarget
    private let transport: BulkOnlyTransport

    /// Makes a disk.
    ///
    /// - Parameters:
    ///   - target: one to sixteen logical units.
    ///   - configuration: how it presents itself.
    public init(_ target: SCSITarget, _ configuration: Configuration = Configuration()) {
        self.target = target
        let input = EndpointAddress.in(1)
        let output = EndpointAddress.out(2)
        description = DeviceDescription(
            speed: configuration.speed, vendorID: configuration.vendorID, productID: configuration.productID,
            manufacturer: configuration.manufacturer, product: configuration.product,
            serialNumber: configuration.serialNumber
        ) {
            USBCore.Configuration(maxPowerMilliamps: 200) {
                // SCSI transparent command set, Bulk-Only Transport.
                Interface(0, class: .massStorage, subclass: 0x06, protocol: 0x50) {
                    Endpoint(input, .bulk, maxBurst: configuration.speed.isSuperSpeed ? 15 : 0)
                    Endpoint(output, .bulk, maxBurst: configuration.speed.isSuperSpeed ? 15 : 0)
                }
            }
        }
        let packetSize = configuration.speed.isSuperSpeed ? 1024 : configuration.speed == .high ? 512 : 64
        transport = BulkOnlyTransport(
            target: target, input: input, output: output, maxPacketSize: packetSize,
            stallsShortData: configuration.stallsShortData)
    }

    /// See ``Gadget/endpoints``.
    public var endpoints: [any EndpointHandler] { [transport.input, transport.output] }

    /// See ``Gadget/attached(to:)``.
    public func attached(to link: GadgetLink) {
        transport.halt = { [weak link] in link?.halt($0) }
    }

    /// See ``Gadget/control(_:)``.
    public func control(_ urb: consuming URB) {
        let setup = urb.setup
        switch (setup.requestType, setup.request) {
        case (0x21, ClassRequest.reset) where setup.value == 0 && setup.index == 0 && setup.length == 0:
            transport.reset()
            urb.accept()
            transport.advance()
        case (0xa1, ClassRequest.getMaxLUN) where setup.value == 0 && setup.index == 0 && setup.length == 1:
            urb.complete(copying: [UInt8(clamping: target.units.count - 1)])
        default:
            urb.stall()
        }
    }

    /// See ``Gadget/configured(_:)``.
    public func configured(_ value: UInt8) { transport.reset() }

    /// See ``Gadget/selected(interface:alternate:)``.
    public func selected(interface: UInt8, alternate: UInt8) { transport.reset() }

    /// See ``Gadget/reset()``.
    public func reset() {
        transport.reset()
        target.busReset()
    }

    /// See ``Gadget/clearsHalt(of:)``.
    public func clearsHalt(of endpoint: EndpointAddress) -> Bool { !transport.isWedged }

    /// Plugged in again, an ejected medium is back in the drive: see ``Gadget/connected()``.
    public func connected() { target.units.forEach { $0.powerCycle() } }

    /// See ``Gadget/disconnected()``.
    public func disconnected() {
        transport.reset()
        for unit in target.units { unit.hostLeft() }
    }
}
