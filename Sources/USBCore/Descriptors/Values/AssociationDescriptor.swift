/// Says that interfaces with neighbouring numbers make one function (USB 3.2 §9.6.4, USB 2.0 IAD ECN).
public struct AssociationDescriptor: Hashable, Sendable {
    /// `bFirstInterface`: the lowest interface number.
    public var firstInterface: UInt8
    /// `bInterfaceCount`.
    public var interfaceCount: UInt8
    /// `bFunctionClass`.
    public var functionClass: USBClass
    /// `bFunctionSubClass`.
    public var functionSubclass: UInt8
    /// `bFunctionProtocol`.
    public var functionProtocol: UInt8
    /// `iFunction`: the index of a string, or 0 for none.
    public var nameIndex: UInt8
    /// What stands after the 8 bytes of the specification, usually nothing.
    public var extra: [UInt8]
    /// The class descriptors between this descriptor and the next interface.
    public var descriptors: [ClassDescriptor]

    /// Makes an association from its fields.
    public init(
        firstInterface: UInt8, interfaceCount: UInt8, functionClass: USBClass, functionSubclass: UInt8 = 0,
        functionProtocol: UInt8 = 0, nameIndex: UInt8 = 0, extra: [UInt8] = [], descriptors: [ClassDescriptor] = []
    ) {
        self.firstInterface = firstInterface
        self.interfaceCount = interfaceCount
        self.functionClass = functionClass
        self.functionSubclass = functionSubclass
        self.functionProtocol = functionProtocol
        self.nameIndex = nameIndex
        self.extra = extra
        self.descriptors = descriptors
    }

    init(_ raw: RawDescriptor) throws(DescriptorError) {
        try raw.require(8)
        self.init(
            firstInterface: raw.byte(2), interfaceCount: raw.byte(3), functionClass: USBClass(rawValue: raw.byte(4)),
            functionSubclass: raw.byte(5), functionProtocol: raw.byte(6), nameIndex: raw.byte(7), extra: raw.tail(8))
    }

    /// The descriptor and the class descriptors that follow it.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendDescriptor(
            .interfaceAssociation,
            [firstInterface, interfaceCount, functionClass.rawValue, functionSubclass, functionProtocol, nameIndex]
                + extra)
        for descriptor in descriptors { bytes += descriptor.bytes }
        return bytes
    }
}
