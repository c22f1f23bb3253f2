/// What a device says of itself as a whole (USB 2.0 §9.6.1, USB 3.2 §9.6.1).
public struct DeviceDescriptor: Hashable, Sendable {
    /// `bcdUSB`: the specification the device follows, such as 0x0200.
    public var usbVersion: UInt16
    /// `bDeviceClass`.
    public var deviceClass: USBClass
    /// `bDeviceSubClass`.
    public var deviceSubclass: UInt8
    /// `bDeviceProtocol`.
    public var deviceProtocol: UInt8
    /// `bMaxPacketSize0` as it stands: bytes up to high speed, the exponent of two at SuperSpeed.
    public var maxPacketSize0: UInt8
    /// `idVendor`.
    public var vendorID: UInt16
    /// `idProduct`.
    public var productID: UInt16
    /// `bcdDevice`: the device's release, such as 0x0100.
    public var deviceVersion: UInt16
    /// `iManufacturer`: the index of a string, or 0 for none.
    public var manufacturerIndex: UInt8
    /// `iProduct`: the index of a string, or 0 for none.
    public var productIndex: UInt8
    /// `iSerialNumber`: the index of a string, or 0 for none.
    public var serialNumberIndex: UInt8
    /// `bNumConfigurations` at this speed.
    public var configurationCount: UInt8
    /// What stands after the 18 bytes of the specification, usually nothing.
    public var extra: [UInt8]

    /// Makes a device descriptor from its fields.
    public init(
        usbVersion: UInt16, deviceClass: USBClass = .perInterface, deviceSubclass: UInt8 = 0, deviceProtocol: UInt8 = 0,
        maxPacketSize0: UInt8, vendorID: UInt16, productID: UInt16, deviceVersion: UInt16 = 0x0100,
        manufacturerIndex: UInt8 = 0, productIndex: UInt8 = 0, serialNumberIndex: UInt8 = 0,
        configurationCount: UInt8 = 1, extra: [UInt8] = []
    ) {
        self.usbVersion = usbVersion
        self.deviceClass = deviceClass
        self.deviceSubclass = deviceSubclass
        self.deviceProtocol = deviceProtocol
        self.maxPacketSize0 = maxPacketSize0
        self.vendorID = vendorID
        self.productID = productID
        self.deviceVersion = deviceVersion
        self.manufacturerIndex = manufacturerIndex
        self.productIndex = productIndex
        self.serialNumberIndex = serialNumberIndex
        self.configurationCount = configurationCount
        self.extra = extra
    }

    /// Reads a device descriptor; bytes after its end are not looked at.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no device descriptor of at least 18
    ///   bytes.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        var reader = DescriptorReader(bytes[...])
        try self.init(reader.first())
    }

    init(_ raw: RawDescriptor) throws(DescriptorError) {
        try raw.requireType(.device)
        try raw.require(18)
        self.init(
            usbVersion: raw.word(2), deviceClass: USBClass(rawValue: raw.byte(4)), deviceSubclass: raw.byte(5),
            deviceProtocol: raw.byte(6), maxPacketSize0: raw.byte(7), vendorID: raw.word(8), productID: raw.word(10),
            deviceVersion: raw.word(12), manufacturerIndex: raw.byte(14), productIndex: raw.byte(15),
            serialNumberIndex: raw.byte(16), configurationCount: raw.byte(17), extra: raw.tail(18))
    }

    /// The descriptor as it goes over the bus: 18 bytes and ``extra``.
    public var bytes: [UInt8] {
        var body: [UInt8] = []
        body.append(littleEndian: usbVersion)
        body += [deviceClass.rawValue, deviceSubclass, deviceProtocol, maxPacketSize0]
        body.append(littleEndian: vendorID)
        body.append(littleEndian: productID)
        body.append(littleEndian: deviceVersion)
        body += [manufacturerIndex, productIndex, serialNumberIndex, configurationCount]
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.device, body + extra)
        return bytes
    }
}
