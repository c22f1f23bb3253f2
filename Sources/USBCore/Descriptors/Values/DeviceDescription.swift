/// Everything a device says of itself at one speed (USB 2.0 §9.6, USB 3.2 §9.6).
///
/// A model usually declares one and calls ``validated()``. All fields stay open, so that a test can break one law at a
/// time.
public struct DeviceDescription: Hashable, Sendable {
    /// The speed at which all of this holds.
    public var speed: Speed
    /// The device descriptor.
    public var device: DeviceDescriptor
    /// The configurations by index, which is not their value.
    public var configurations: [ConfigurationDescription]
    /// The strings.
    public var strings: StringTable
    /// The capabilities, nil where the device has no binary device object store.
    public var bos: BOSDescriptor?
    /// What the device would be at its other speed, nil where it has none.
    public var otherSpeed: OtherSpeedDescription?

    /// Makes a description from its parts.
    public init(
        speed: Speed, device: DeviceDescriptor, configurations: [ConfigurationDescription],
        strings: StringTable = StringTable(), bos: BOSDescriptor? = nil, otherSpeed: OtherSpeedDescription? = nil
    ) {
        self.speed = speed
        self.device = device
        self.configurations = configurations
        self.strings = strings
        self.bos = bos
        self.otherSpeed = otherSpeed
    }

    /// The configuration that SET_CONFIGURATION selects with `value`, nil where there is none and for 0.
    public func configuration(value: UInt8) -> ConfigurationDescription? {
        value == 0 ? nil : configurations.first { $0.value == value }
    }

    /// The bytes of a packet of endpoint zero: `bMaxPacketSize0`, at SuperSpeed two to its power, at most 32768.
    public var controlPacketSize: Int {
        speed.isSuperSpeed ? 1 << min(Int(device.maxPacketSize0), 15) : Int(device.maxPacketSize0)
    }
}

/// What a device that runs at full or high speed would be at the other of the two (USB 2.0 §9.6.2 and §9.6.4).
public struct OtherSpeedDescription: Hashable, Sendable {
    /// The other speed.
    public var speed: Speed
    /// What takes the device descriptor's place.
    public var qualifier: DeviceQualifierDescriptor
    /// The configurations by index.
    public var configurations: [ConfigurationDescription]

    /// Makes a description from its parts.
    public init(speed: Speed, qualifier: DeviceQualifierDescriptor, configurations: [ConfigurationDescription]) {
        self.speed = speed
        self.qualifier = qualifier
        self.configurations = configurations
    }
}
