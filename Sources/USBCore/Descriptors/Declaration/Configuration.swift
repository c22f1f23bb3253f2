/// Declares a configuration.
///
///     Configuration(maxPowerMilliamps: 100) {
///         Interface(0, class: .massStorage, subclass: 6, protocol: 0x50) {
///             Endpoint(.in(1), .bulk)
///             Endpoint(.out(2), .bulk)
///         }
///     }
public struct Configuration: Hashable, Sendable {
    /// `bConfigurationValue`, 1 to 255.
    public var value: UInt8
    /// The configuration's name, which becomes a string of the device.
    public var name: String?
    /// Whether the device has power of its own.
    public var selfPowered: Bool
    /// Whether the device can wake its host.
    public var remoteWakeup: Bool
    /// The most the device draws from the bus in milliamperes: to 500, at SuperSpeed to 900.
    public var maxPowerMilliamps: Int
    /// Interfaces, associations and class descriptors in order.
    public var parts: [ConfigurationPart]

    /// Declares a configuration.
    public init(
        _ value: UInt8 = 1, name: String? = nil, selfPowered: Bool = false, remoteWakeup: Bool = false,
        maxPowerMilliamps: Int = 100, @DescriptorBuilder<ConfigurationPart> parts: () -> [ConfigurationPart]
    ) {
        self.value = value
        self.name = name
        self.selfPowered = selfPowered
        self.remoteWakeup = remoteWakeup
        self.maxPowerMilliamps = maxPowerMilliamps
        self.parts = parts()
    }

    /// The configuration's descriptors at a speed, with all names in the device's strings.
    func description(at speed: Speed, names: inout StringIndices) -> ConfigurationDescription {
        var configuration = ConfigurationDescription(
            value: value, nameIndex: names.index(of: name),
            attributes: 0x80 | (selfPowered ? 0x40 : 0) | (remoteWakeup ? 0x20 : 0),
            maxPower: Self.maxPower(milliamps: maxPowerMilliamps, at: speed))
        for part in parts {
            switch part {
            case .interface(let interface):
                configuration.items.append(.interface(interface.setting(at: speed, names: &names)))
            case .descriptor(let descriptor):
                configuration.attach(descriptor)
            case .association(let association):
                configuration.items.append(.association(association.descriptor(names: &names)))
                for part in association.parts {
                    switch part {
                    case .interface(let interface):
                        configuration.items.append(.interface(interface.setting(at: speed, names: &names)))
                    case .descriptor(let descriptor):
                        configuration.attach(descriptor)
                    }
                }
            }
        }
        return configuration
    }

    /// `bMaxPower`, rounded up to its unit.
    ///
    /// SuperSpeed's limit of 900 mA is no multiple of its 8 mA, so there the last step is rounded down to 896 mA.
    static func maxPower(milliamps: Int, at speed: Speed) -> UInt8 {
        let unit = speed.isSuperSpeed ? 8 : 2
        if speed.isSuperSpeed, (897...900).contains(milliamps) { return 112 }
        guard milliamps > 0 else { return 0 }
        return UInt8(clamping: (milliamps - 1) / unit + 1)
    }

    /// Whether interfaces are associated, which a device says in its class.
    var hasAssociation: Bool {
        parts.contains { part in
            if case .association = part { true } else { false }
        }
    }
}

extension ConfigurationDescription {
    /// Adds a class descriptor at the end, where it belongs to what it follows.
    mutating func attach(_ descriptor: ClassDescriptor) {
        switch items.popLast() {
        case nil:
            descriptors.append(descriptor)
        case .interface(var setting):
            setting.attach(descriptor)
            items.append(.interface(setting))
        case .association(var association):
            association.descriptors.append(descriptor)
            items.append(.association(association))
        }
    }
}
