public import USBCore
public import USBDeviceKit

/// A HID device: one interface for each of its functions (Device Class Definition for HID 1.11).
///
///     let gadget = HIDGadget(HIDGadget.Configuration(), functions: [keyboard, mouse])
///     let device = try GadgetDevice(gadget)
public final class HIDGadget: Gadget {
    /// How the device presents itself on the bus.
    public struct Configuration: Sendable {
        /// The connection's speed.
        public var speed = Speed.full
        /// `idVendor`.
        public var vendorID: UInt16 = 0x1209
        /// `idProduct`.
        public var productID: UInt16 = 0x6869
        /// `bcdDevice`.
        public var deviceVersion: UInt16 = 0x0100
        /// The maker's name.
        public var manufacturer: String? = "Ghostplug"
        /// The product's name.
        public var product: String? = "HID Device"
        /// The serial number; nil for none.
        public var serialNumber: String?
        /// The most the device draws from the bus in milliamperes, to 500.
        public var maxPowerMilliamps = 100
        /// Whether the device says that it can wake its host (HID 1.11 §F.3 recommends it of keyboards).
        ///
        /// Linux suspends an idle keyboard that can wake it; over USB/IP no wake-up is carried, so that nobody would
        /// hear the suspended one.
        public var remoteWakeup = false

        /// Makes the default configuration.
        public init() {}
    }

    /// The most functions that a device has endpoints for.
    public static let maximumFunctions = 15

    /// See ``Gadget/description``.
    public let description: DeviceDescription
    /// The functions, by interface number.
    public let functions: [any HIDFunction]
    let links: [HIDLink]

    /// Makes a device.
    ///
    /// - Parameters:
    ///   - configuration: how it presents itself.
    ///   - functions: 1 to ``maximumFunctions``; there are no endpoints for more, and they are left out.
    public init(_ configuration: Configuration, functions: [any HIDFunction]) {
        self.functions = Array(functions.prefix(Self.maximumFunctions))
        let links = self.functions.enumerated().map { HIDLink(UInt8(truncatingIfNeeded: $0.offset), $0.element) }
        self.links = links
        description = DeviceDescription(
            speed: configuration.speed, vendorID: configuration.vendorID, productID: configuration.productID,
            deviceVersion: configuration.deviceVersion, manufacturer: configuration.manufacturer,
            product: configuration.product, serialNumber: configuration.serialNumber
        ) { (speed: Speed) in
            [
                USBCore.Configuration(
                    remoteWakeup: configuration.remoteWakeup, maxPowerMilliamps: configuration.maxPowerMilliamps
                ) {
                    for link in links { link.declaration(at: speed) }
                }
            ]
        }
    }

    /// See ``Gadget/endpoints``.
    public var endpoints: [any EndpointHandler] {
        links.flatMap { link -> [any EndpointHandler] in [link.pipe] + (link.output.map { [$0] } ?? []) }
    }

    /// See ``Gadget/attached(to:)``.
    public func attached(to link: GadgetLink) {
        for part in links {
            part.gadgetLink = link
            // A script may wait for the reports of several functions.
            part.onFetched = { [unowned self, unowned part] in
                for link in links { link.continueScripts(part) }
            }
            part.function?.attached(to: part)
        }
    }

    /// See ``Gadget/configured(_:)``.
    public func configured(_ value: UInt8) {
        for link in links { link.configured(value != 0) }
    }

    /// See ``Gadget/reset()``.
    public func reset() {
        for link in links { link.reset() }
    }

    /// See ``Gadget/connected()``.
    public func connected() {
        for link in links { link.connected() }
    }

    /// See ``Gadget/disconnected()``.
    public func disconnected() {
        for link in links { link.disconnected() }
    }
}
