public import USBCore

/// A device on a port, as the kernel has set it up.
public struct PluggedDevice: Hashable, Sendable {
    /// The port.
    public var port: PortNumber
    /// What this machine calls it, such as `1-1`.
    public var busID: String
    /// Its folder in sysfs.
    public var systemPath: String
    /// The bus's number and the device's on it, which make `/dev/bus/usb/BBB/DDD`.
    public var busNumber: Int, deviceNumber: Int
    /// The speed at which its port runs; nil where that is none this library knows.
    public var speed: Speed?
    /// `idVendor`.
    public var vendorID: UInt16
    /// `idProduct`.
    public var productID: UInt16
    /// What the device calls its maker; nil where it does not; any text.
    public var manufacturer: String?
    /// What the device calls itself; nil where it does not; any text.
    public var product: String?
    /// What the device says is its serial number; nil where it has none; any text.
    public var serialNumber: String?
    /// The selected configuration's value; 0 when none is.
    public var configuration: UInt8
    /// The selected configuration's interfaces, by number.
    public var interfaces: [Interface]
    /// What programs can open, and network interfaces.
    public var nodes: [Node]

    /// An interface and who drives it.
    public struct Interface: Hashable, Sendable {
        /// `bInterfaceNumber`.
        public var number: UInt8
        /// `bInterfaceClass`, `bInterfaceSubClass` and `bInterfaceProtocol` of the selected alternate setting.
        public var classCode: UInt8, subclass: UInt8, `protocol`: UInt8
        /// The driver's name; nil when none has it.
        public var driver: String?
    }

    /// Something that a program can use the device by.
    public struct Node: Hashable, Sendable {
        /// The device node's path, such as `/dev/sda`; a network interface's name.
        public var path: String
        /// What it is.
        public var kind: Kind
        /// The kernel's subsystem, such as `block` or `input`.
        public var subsystem: String
        /// The number of the interface that it belongs to; nil for the device's own.
        public var interface: UInt8?
    }

    /// What a node is for.
    ///
    /// New kinds come with new drivers, so this is an open set.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The word for it.
        public let rawValue: String
        /// Makes a kind of a word.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The device itself, for libusb and its like.
        public static let usb = Self(rawValue: "usb")
        /// A whole disk.
        public static let disk = Self(rawValue: "disk")
        /// A part of a disk.
        public static let partition = Self(rawValue: "partition")
        /// A SCSI device, for its commands.
        public static let scsi = Self(rawValue: "scsi")
        /// Input events (evdev).
        public static let event = Self(rawValue: "event")
        /// An older form of input: a mouse or a joystick.
        public static let input = Self(rawValue: "input")
        /// HID reports.
        public static let hidraw = Self(rawValue: "hidraw")
        /// A serial line.
        public static let serial = Self(rawValue: "serial")
        /// A printer.
        public static let printer = Self(rawValue: "printer")
        /// Part of a sound card.
        public static let sound = Self(rawValue: "sound")
        /// A camera or its like.
        public static let video = Self(rawValue: "video")
        /// A network interface, which has no device node.
        public static let network = Self(rawValue: "network")
        /// Something else, which the subsystem tells.
        public static let other = Self(rawValue: "other")
    }
}
