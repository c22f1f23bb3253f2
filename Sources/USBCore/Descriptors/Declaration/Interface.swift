/// Declares one alternate setting of an interface.
///
///     Interface(0, class: .vendorSpecific)
///     Interface(0, alternate: 1, class: .vendorSpecific) {
///         Endpoint(.in(1), .isochronous, maxPacketSize: 192)
///     }
public struct Interface: Hashable, Sendable {
    /// `bInterfaceNumber`.
    public var number: UInt8
    /// `bAlternateSetting`.
    public var alternate: UInt8
    /// `bInterfaceClass`.
    public var interfaceClass: USBClass
    /// `bInterfaceSubClass`.
    public var interfaceSubclass: UInt8
    /// `bInterfaceProtocol`.
    public var interfaceProtocol: UInt8
    /// The interface's name, which becomes a string of the device.
    public var name: String?
    /// Endpoints and class descriptors in order.
    public var parts: [InterfacePart]

    /// Declares an alternate setting.
    public init(
        _ number: UInt8, alternate: UInt8 = 0, class interfaceClass: USBClass, subclass interfaceSubclass: UInt8 = 0,
        protocol interfaceProtocol: UInt8 = 0, name: String? = nil,
        @DescriptorBuilder<InterfacePart> parts: () -> [InterfacePart] = { [] }
    ) {
        self.number = number
        self.alternate = alternate
        self.interfaceClass = interfaceClass
        self.interfaceSubclass = interfaceSubclass
        self.interfaceProtocol = interfaceProtocol
        self.name = name
        self.parts = parts()
    }

    /// The setting's descriptors at a speed, with its name in the device's strings.
    func setting(at speed: Speed, names: inout StringIndices) -> AlternateSetting {
        var setting = AlternateSetting(
            number: number, alternate: alternate, interfaceClass: interfaceClass,
            interfaceSubclass: interfaceSubclass, interfaceProtocol: interfaceProtocol,
            nameIndex: names.index(of: name))
        for part in parts {
            switch part {
            case .endpoint(let endpoint):
                setting.endpoints.append(endpoint.descriptor(at: speed))
            case .descriptor(let descriptor):
                setting.attach(descriptor)
            }
        }
        return setting
    }
}

extension AlternateSetting {
    /// Adds a class descriptor at the end: it belongs to the last endpoint, or to the interface if there is none.
    mutating func attach(_ descriptor: ClassDescriptor) {
        if endpoints.isEmpty {
            descriptors.append(descriptor)
        } else {
            endpoints[endpoints.count - 1].descriptors.append(descriptor)
        }
    }
}

/// Declares interfaces that make one function, such as the two of a serial port.
///
/// Their numbers must follow one another; the first number and the count are taken from them.
public struct Association: Hashable, Sendable {
    /// `bFunctionClass`.
    public var functionClass: USBClass
    /// `bFunctionSubClass`.
    public var functionSubclass: UInt8
    /// `bFunctionProtocol`.
    public var functionProtocol: UInt8
    /// The function's name, which becomes a string of the device.
    public var name: String?
    /// Interfaces and class descriptors in order.
    public var parts: [AssociationPart]

    /// Declares an association.
    public init(
        class functionClass: USBClass, subclass functionSubclass: UInt8 = 0, protocol functionProtocol: UInt8 = 0,
        name: String? = nil, @DescriptorBuilder<AssociationPart> parts: () -> [AssociationPart]
    ) {
        self.functionClass = functionClass
        self.functionSubclass = functionSubclass
        self.functionProtocol = functionProtocol
        self.name = name
        self.parts = parts()
    }

    /// The association's own descriptor.
    func descriptor(names: inout StringIndices) -> AssociationDescriptor {
        let numbers = Set(
            parts.compactMap { part -> UInt8? in
                guard case .interface(let interface) = part else { return nil }
                return interface.number
            })
        return AssociationDescriptor(
            firstInterface: numbers.min() ?? 0, interfaceCount: UInt8(clamping: numbers.count),
            functionClass: functionClass, functionSubclass: functionSubclass, functionProtocol: functionProtocol,
            nameIndex: names.index(of: name))
    }
}
