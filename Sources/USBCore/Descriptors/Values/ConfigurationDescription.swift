/// A configuration with its interfaces: everything GET_DESCRIPTOR(configuration) answers (USB 2.0 §9.6.3).
public struct ConfigurationDescription: Hashable, Sendable {
    /// `bConfigurationValue`: what SET_CONFIGURATION selects it with, 1 to 255.
    public var value: UInt8
    /// `iConfiguration`: the index of a string, or 0 for none.
    public var nameIndex: UInt8
    /// `bmAttributes`: bit 7 is 1, bit 6 self-powered, bit 5 remote wakeup.
    public var attributes: UInt8
    /// `bMaxPower` as it stands, in units of 2 mA up to high speed and of 8 mA at SuperSpeed.
    public var maxPower: UInt8
    /// What stands after the 9 bytes of the specification, usually nothing.
    public var extra: [UInt8]
    /// The class descriptors before the first interface or association.
    public var descriptors: [ClassDescriptor]
    /// Interfaces and associations in the order of their descriptors.
    public var items: [ConfigurationItem]
    /// What `bNumInterfaces` says instead of the number of interfaces; nil where it tells the truth.
    public var declaredInterfaceCount: UInt8?
    /// What `wTotalLength` says instead of the number of bytes; nil where it tells the truth.
    public var declaredTotalLength: UInt16?

    /// Makes a configuration from its fields.
    public init(
        value: UInt8 = 1, nameIndex: UInt8 = 0, attributes: UInt8 = 0x80, maxPower: UInt8 = 50, extra: [UInt8] = [],
        descriptors: [ClassDescriptor] = [], items: [ConfigurationItem] = [], declaredInterfaceCount: UInt8? = nil,
        declaredTotalLength: UInt16? = nil
    ) {
        self.value = value
        self.nameIndex = nameIndex
        self.attributes = attributes
        self.maxPower = maxPower
        self.extra = extra
        self.descriptors = descriptors
        self.items = items
        self.declaredInterfaceCount = declaredInterfaceCount
        self.declaredTotalLength = declaredTotalLength
    }

    /// Whether the device has power of its own in this configuration.
    public var isSelfPowered: Bool { attributes & 0x40 != 0 }

    /// Whether the device can wake its host.
    public var supportsRemoteWakeup: Bool { attributes & 0x20 != 0 }

    /// The most the device draws from the bus, in milliamperes.
    public func maxPowerMilliamps(at speed: Speed) -> Int {
        Int(maxPower) * (speed.isSuperSpeed ? 8 : 2)
    }

    /// The length of everything in bytes, before `wTotalLength` cuts it to 65535.
    public var totalLength: Int { untrimmedBytes(type: .configuration).count }
}

/// What a configuration lists: interfaces, and the associations between them.
public enum ConfigurationItem: Hashable, Sendable {
    /// One alternate setting of an interface.
    case interface(AlternateSetting)
    /// An association, which stands before the interfaces it names.
    case association(AssociationDescriptor)
}

// MARK: - Finding things

extension ConfigurationDescription {
    /// Every alternate setting in the order of the descriptors.
    public var settings: [AlternateSetting] {
        items.compactMap { item in
            guard case .interface(let setting) = item else { return nil }
            return setting
        }
    }

    /// Every association in the order of the descriptors.
    public var associations: [AssociationDescriptor] {
        items.compactMap { item in
            guard case .association(let association) = item else { return nil }
            return association
        }
    }

    /// The numbers of the interfaces, each once, ascending.
    public var interfaceNumbers: [UInt8] { Set(settings.map(\.number)).sorted() }

    /// `bNumInterfaces` as it is sent.
    public var interfaceCount: UInt8 { declaredInterfaceCount ?? UInt8(clamping: interfaceNumbers.count) }

    /// An interface's alternate setting, the first where several claim the numbers, or nil.
    public func interface(_ number: UInt8, alternate: UInt8 = 0) -> AlternateSetting? {
        settings.first { $0.number == number && $0.alternate == alternate }
    }

    /// An interface's alternate settings in the order of their descriptors.
    public func alternates(of number: UInt8) -> [AlternateSetting] {
        settings.filter { $0.number == number }
    }
}
