public import USBCore

/// What a capture says of a device beside its transfers: a USB/IP import, a comment of ours, a `.umockdev` file.
public struct DeviceAnnouncement: Hashable, Sendable {
    /// See ``CapturedEvent/channel``; nil for every channel.
    public var channel: Int?
    /// The bus; nil where it is not said.
    public var bus: UInt16?
    /// The address; nil where it is not said: then it is meant for the device of these ids.
    public var device: UInt16?
    /// The connection's speed, where it is said.
    public var speed: Speed?
    /// `idVendor`, where it is said.
    public var vendorID: UInt16?
    /// `idProduct`, where it is said.
    public var productID: UInt16?
    /// The device descriptor and every configuration's descriptors one after another, as Linux's sysfs has them; empty
    /// where they are not said.
    public var descriptors: [UInt8]
    /// The manufacturer, product and serial number strings, where they are said.
    public var manufacturer: String?
    /// The product string.
    public var product: String?
    /// The serial number string.
    public var serialNumber: String?
    /// The specification of the model that was captured, where it was one of ours.
    public var model: String?
    /// The bus id by which it was attached, where it is said.
    public var busID: String?

    /// Makes an announcement that says nothing yet.
    public init(channel: Int? = nil, bus: UInt16? = nil, device: UInt16? = nil, speed: Speed? = nil) {
        self.channel = channel
        self.bus = bus
        self.device = device
        self.speed = speed
        descriptors = []
    }
}
