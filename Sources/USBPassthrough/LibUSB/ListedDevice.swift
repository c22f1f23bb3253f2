public import USBCore

/// A device as libusb lists it, without opening it.
public struct ListedDevice: Hashable, Sendable {
    /// The bus's number, 1 to 255.
    public var bus: UInt8
    /// The address on the bus, 1 to 127: another one each time that the device is plugged in.
    public var address: UInt8
    /// The ports from the root hub to the device; none for a root hub itself.
    public var ports: [UInt8]
    /// The connection's speed; nil where the system does not know it.
    public var speed: Speed?
    /// `idVendor`.
    public var vendorID: UInt16
    /// `idProduct`.
    public var productID: UInt16
    /// `bcdDevice`.
    public var release: UInt16
    /// `bDeviceClass`, `bDeviceSubClass` and `bDeviceProtocol`.
    public var deviceClass: [UInt8]
    /// The device's configurations, those that could be read.
    public var configurations: [Configuration]

    /// A configuration (USB 2.0 §9.6.3).
    public struct Configuration: Hashable, Sendable {
        /// `bConfigurationValue`.
        public var value: UInt8
        /// The alternate settings of all interfaces, in the order of their descriptors.
        public var settings: [Setting]

        /// Makes a configuration.
        public init(value: UInt8, settings: [Setting]) {
            self.value = value
            self.settings = settings
        }
    }

    /// An alternate setting of an interface (USB 2.0 §9.6.5).
    public struct Setting: Hashable, Sendable {
        /// `bInterfaceNumber`.
        public var interface: UInt8
        /// `bAlternateSetting`.
        public var alternate: UInt8
        /// `bInterfaceClass`, `bInterfaceSubClass` and `bInterfaceProtocol`.
        public var classTriple: [UInt8]
        /// The endpoints, without endpoint zero.
        public var endpoints: [Endpoint]

        /// Makes a setting.
        public init(interface: UInt8, alternate: UInt8, classTriple: [UInt8], endpoints: [Endpoint]) {
            self.interface = interface
            self.alternate = alternate
            self.classTriple = classTriple
            self.endpoints = endpoints
        }
    }

    /// An endpoint (USB 2.0 §9.6.6).
    public struct Endpoint: Hashable, Sendable {
        /// `bEndpointAddress`.
        public var address: EndpointAddress
        /// How it moves data.
        public var type: TransferType

        /// Makes an endpoint.
        public init(address: EndpointAddress, type: TransferType) {
            self.address = address
            self.type = type
        }
    }

    /// Makes a device.
    public init(
        bus: UInt8, address: UInt8, ports: [UInt8], speed: Speed?, vendorID: UInt16, productID: UInt16,
        release: UInt16, deviceClass: [UInt8], configurations: [Configuration]
    ) {
        self.bus = bus
        self.address = address
        self.ports = ports
        self.speed = speed
        self.vendorID = vendorID
        self.productID = productID
        self.release = release
        self.deviceClass = deviceClass
        self.configurations = configurations
    }

    /// The place as Linux and `usbip bind` name it: `3-1.2`, or `usb3` for a root hub.
    public var path: String {
        guard !ports.isEmpty else { return "usb\(bus)" }
        return "\(bus)-" + ports.map(String.init).joined(separator: ".")
    }
}
