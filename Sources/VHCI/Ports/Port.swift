public import USBCore

extension VHCI {
    /// Which of a controller's two root hubs a port belongs to.
    public enum Half: String, Hashable, Sendable {
        /// Low, full and high speed.
        case high = "hs"
        /// SuperSpeed and above.
        case `super` = "ss"

        /// The half that a device of this speed is attached to.
        public init(for speed: Speed) { self = speed.isSuperSpeed ? .super : .high }
    }

    /// What a port is doing: Linux's `enum usbip_device_status`, the controller's part of it.
    public enum PortState: UInt32, Hashable, Sendable {
        /// Nothing is attached.
        case free = 4
        /// A device is attached and has no address yet.
        case enumerating = 5
        /// A device is attached and has an address.
        case used = 6
        /// The connection broke and could not be cleared away; detaching frees the port.
        case failed = 7
    }

    /// A port as `status` shows it.
    public struct Port: Hashable, Sendable {
        /// The number.
        public var number: PortNumber
        /// The controller, from 0.
        public var controller: Int
        /// Which half of the controller.
        public var half: Half
        /// What it is doing.
        public var state: PortState
        /// The speed of its device; nil where none is known.
        ///
        /// Above SuperSpeed the bus itself runs at 5 Gb/s.
        public var speed: Speed?
        /// The device's identifier at its server, which is in each request's header; 0 while there is none.
        ///
        /// Bus number and device number, sixteen bits each.
        public var deviceID: UInt32
        /// The descriptor of the process that attached it; 0 while there is none.
        public var descriptor: UInt32
        /// What this machine calls the device, such as `1-1`; nil until it has an address.
        public var busID: String?
    }
}
