/// What a device that can run at full and at high speed would say at the speed it does not run at (USB 2.0 §9.6.2).
public struct DeviceQualifierDescriptor: Hashable, Sendable {
    /// `bcdUSB`.
    public var usbVersion: UInt16
    /// `bDeviceClass`.
    public var deviceClass: USBClass
    /// `bDeviceSubClass`.
    public var deviceSubclass: UInt8
    /// `bDeviceProtocol`.
    public var deviceProtocol: UInt8
    /// `bMaxPacketSize0` at the other speed.
    public var maxPacketSize0: UInt8
    /// `bNumConfigurations` at the other speed.
    public var configurationCount: UInt8
    /// What stands after the 9 bytes before the reserved byte: that byte, 0, and usually nothing else.
    public var extra: [UInt8]

    /// Makes a qualifier from its fields.
    public init(
        usbVersion: UInt16, deviceClass: USBClass = .perInterface, deviceSubclass: UInt8 = 0, deviceProtocol: UInt8 = 0,
        maxPacketSize0: UInt8, configurationCount: UInt8 = 1, extra: [UInt8] = [0]
    ) {
        self.usbVersion = usbVersion
        self.deviceClass = deviceClass
        self.deviceSubclass = deviceSubclass
        self.deviceProtocol = deviceProtocol
        self.maxPacketSize0 = maxPacketSize0
        self.configurationCount = configurationCount
        self.extra = extra
    }

    /// Reads a qualifier; bytes after its end are not looked at.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no qualifier of at least 10 bytes.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        var reader = DescriptorReader(bytes[...])
        let raw = try reader.first()
        try raw.requireType(.deviceQualifier)
        try raw.require(10)
        self.init(
            usbVersion: raw.word(2), deviceClass: USBClass(rawValue: raw.byte(4)), deviceSubclass: raw.byte(5),
            deviceProtocol: raw.byte(6), maxPacketSize0: raw.byte(7), configurationCount: raw.byte(8),
            extra: raw.tail(9))
    }

    /// The descriptor as it goes over the bus, 10 bytes where ``extra`` is the reserved byte alone.
    public var bytes: [UInt8] {
        var body: [UInt8] = []
        body.append(littleEndian: usbVersion)
        body += [deviceClass.rawValue, deviceSubclass, deviceProtocol, maxPacketSize0, configurationCount]
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.deviceQualifier, body + extra)
        return bytes
    }
}
