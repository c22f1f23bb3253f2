extension Capability {
    /// `bDevCapabilityType`, or nil for a descriptor that is no capability.
    public var type: UInt8? {
        switch self {
        case .usb2Extension: Self.usb2ExtensionType
        case .superSpeed: Self.superSpeedType
        case .containerID: Self.containerIDType
        case .platform: Self.platformType
        case .superSpeedPlus: Self.superSpeedPlusType
        case .other(let type, _): type
        case .foreign: nil
        }
    }

    static let usb2ExtensionType: UInt8 = 0x02
    static let superSpeedType: UInt8 = 0x03
    static let containerIDType: UInt8 = 0x04
    static let platformType: UInt8 = 0x05
    static let superSpeedPlusType: UInt8 = 0x0a

    /// The capability as it goes over the bus; what exceeds 255 bytes is left out, and validation refuses it.
    public var bytes: [UInt8] {
        if case .foreign(let descriptor) = self { return descriptor.bytes }
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.deviceCapability, [type ?? 0] + data)
        return bytes
    }

    /// What follows `bDevCapabilityType`.
    var data: [UInt8] {
        var data: [UInt8] = []
        switch self {
        case .usb2Extension(let attributes):
            data.append(littleEndian: attributes)
        case .superSpeed(let capability):
            data.append(capability.attributes)
            data.append(littleEndian: capability.speedsSupported)
            data += [capability.functionalitySupport, capability.u1ExitLatency]
            data.append(littleEndian: capability.u2ExitLatency)
        case .superSpeedPlus(let capability):
            data.append(0)
            data.append(littleEndian: capability.attributes)
            data.append(littleEndian: capability.functionalitySupport)
            data += [0, 0]
            for speed in capability.sublinkSpeeds { data.append(littleEndian: speed) }
        case .containerID(let uuid):
            data = [0] + uuid.bytes
        case .platform(let uuid, let payload):
            data = [0] + uuid.bytes + payload
        case .other(_, let payload):
            data = payload
        case .foreign(let descriptor):
            data = descriptor.body
        }
        return data
    }

    /// Reads a capability.
    ///
    /// A known one whose length or reserved bytes are not the specification's becomes ``other(type:data:)``: nothing of
    /// it is lost, and validation can say that the shape is wrong.
    init(_ raw: RawDescriptor) throws(DescriptorError) {
        guard raw.type == .deviceCapability else {
            self = .foreign(ClassDescriptor(raw))
            return
        }
        try raw.require(3)
        let data = raw.tail(3)
        self = Self.known(raw, data) ?? .other(type: raw.byte(2), data: data)
    }

    private static func known(_ raw: RawDescriptor, _ data: [UInt8]) -> Capability? {
        switch (raw.byte(2), data.count) {
        case (usb2ExtensionType, 4):
            return .usb2Extension(attributes: raw.long(3))
        case (superSpeedType, 7):
            return .superSpeed(
                SuperSpeedCapability(
                    attributes: raw.byte(3), speedsSupported: raw.word(4), functionalitySupport: raw.byte(6),
                    u1ExitLatency: raw.byte(7), u2ExitLatency: raw.word(8)))
        case (containerIDType, 17) where raw.byte(3) == 0:
            return USBUUID(bytes: raw.tail(4)).map { .containerID($0) }
        case (platformType, 17...) where raw.byte(3) == 0:
            let payload = raw.tail(20)
            return USBUUID(bytes: [UInt8](data[1..<17])).map { .platform($0, data: payload) }
        case (superSpeedPlusType, 9...) where (data.count - 9).isMultiple(of: 4):
            guard raw.byte(3) == 0, raw.word(10) == 0 else { return nil }
            return .superSpeedPlus(
                SuperSpeedPlusCapability(
                    attributes: raw.long(4), functionalitySupport: raw.word(8),
                    sublinkSpeeds: stride(from: 12, to: raw.bytes.count, by: 4).map { raw.long($0) }))
        default:
            return nil
        }
    }
}
