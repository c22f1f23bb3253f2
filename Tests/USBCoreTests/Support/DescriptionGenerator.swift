import USBCore

/// Makes descriptions of any shape from a seed: nested, lawless, and in the one form that parsing gives back.
struct DescriptionGenerator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func byte(_ range: ClosedRange<UInt8> = 0...255) -> UInt8 {
        UInt8.random(in: range, using: &generator)
    }

    private mutating func word() -> UInt16 { UInt16.random(in: 0...0xffff, using: &generator) }

    private mutating func bytes(upTo count: Int) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &generator)).map { _ in byte() }
    }

    /// Usually nothing, as in most devices; else a few bytes.
    private mutating func extra() -> [UInt8] { byte() < 48 ? bytes(upTo: 6) : [] }

    private mutating func list<Element>(
        upTo count: Int, _ make: (inout DescriptionGenerator) -> Element
    ) -> [Element] {
        (0..<Int.random(in: 0...count, using: &generator)).map { _ in make(&self) }
    }

    /// A type that no descriptor with a value of its own has; endpoints would take a companion for theirs.
    private mutating func classDescriptor() -> ClassDescriptor {
        let types: [UInt8] = [0x00, 0x08, 0x09, 0x0a, 0x21, 0x22, 0x24, 0x25, 0x29, 0x31, 0x41, 0xff]
        let type = types[Int.random(in: 0..<types.count, using: &generator)]
        return ClassDescriptor(
            type: DescriptorType(rawValue: type), bytes: byte() < 8 ? bytes(upTo: 253) : bytes(upTo: 12))
    }

    private mutating func classDescriptors() -> [ClassDescriptor] { list(upTo: 2) { $0.classDescriptor() } }

    mutating func endpoint() -> EndpointDescriptor {
        EndpointDescriptor(
            address: EndpointAddress(rawValue: byte()), attributes: byte(), maxPacketSize: word(), interval: byte(),
            extra: extra(),
            companion: byte() < 128
                ? CompanionDescriptor(
                    maxBurst: byte(), attributes: byte(), bytesPerInterval: word(), extra: extra()) : nil,
            descriptors: classDescriptors())
    }

    mutating func setting() -> AlternateSetting {
        let endpoints = list(upTo: 4) { $0.endpoint() }
        let lie = byte()
        return AlternateSetting(
            number: byte(0...3), alternate: byte(0...2), interfaceClass: USBClass(rawValue: byte()),
            interfaceSubclass: byte(), interfaceProtocol: byte(), nameIndex: byte(), extra: extra(),
            descriptors: classDescriptors(), endpoints: endpoints,
            declaredEndpointCount: lie < 16 && Int(lie) != endpoints.count ? lie : nil)
    }

    mutating func association() -> AssociationDescriptor {
        AssociationDescriptor(
            firstInterface: byte(), interfaceCount: byte(), functionClass: USBClass(rawValue: byte()),
            functionSubclass: byte(), functionProtocol: byte(), nameIndex: byte(), extra: extra(),
            descriptors: classDescriptors())
    }

    mutating func configuration() -> ConfigurationDescription {
        let items = list(upTo: 6) { generator -> ConfigurationItem in
            generator.byte() < 64 ? .association(generator.association()) : .interface(generator.setting())
        }
        var configuration = ConfigurationDescription(
            value: byte(), nameIndex: byte(), attributes: byte(), maxPower: byte(), extra: extra(),
            descriptors: classDescriptors(), items: items)
        let lie = byte()
        if lie < 16, lie != configuration.interfaceCount { configuration.declaredInterfaceCount = lie }
        if byte() < 16 { configuration.declaredTotalLength = UInt16(clamping: configuration.totalLength + 1) }
        return configuration
    }

    mutating func device() -> DeviceDescriptor {
        DeviceDescriptor(
            usbVersion: word(), deviceClass: USBClass(rawValue: byte()), deviceSubclass: byte(),
            deviceProtocol: byte(), maxPacketSize0: byte(), vendorID: word(), productID: word(),
            deviceVersion: word(), manufacturerIndex: byte(), productIndex: byte(), serialNumberIndex: byte(),
            configurationCount: byte(), extra: extra())
    }

    private mutating func capability() -> Capability {
        let uuid = USBUUID(high: generator.next(), low: generator.next())
        switch byte(0...6) {
        case 0: return .usb2Extension(attributes: UInt32.random(in: 0...(.max), using: &generator))
        case 1:
            return .superSpeed(
                SuperSpeedCapability(
                    attributes: byte(), speedsSupported: word(), functionalitySupport: byte(), u1ExitLatency: byte(),
                    u2ExitLatency: word()))
        case 2:
            return .superSpeedPlus(
                SuperSpeedPlusCapability(
                    attributes: UInt32.random(in: 0...(.max), using: &generator), functionalitySupport: word(),
                    sublinkSpeeds: list(upTo: 4) { UInt32.random(in: 0...(.max), using: &$0.generator) }))
        case 3: return .containerID(uuid)
        case 4: return .platform(uuid, data: bytes(upTo: 235))
        case 5: return .other(type: byte(0x0b...0xff), data: bytes(upTo: 252))
        default: return .foreign(classDescriptor())
        }
    }

    mutating func store() -> BOSDescriptor {
        BOSDescriptor(list(upTo: 6) { $0.capability() }, extra: extra())
    }
}
