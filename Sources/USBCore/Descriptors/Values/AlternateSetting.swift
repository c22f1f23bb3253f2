/// One alternate setting of an interface and all that belongs to it (USB 2.0 §9.6.5).
public struct AlternateSetting: Hashable, Sendable {
    /// `bInterfaceNumber`.
    public var number: UInt8
    /// `bAlternateSetting`: 0 is the one a configuration begins with.
    public var alternate: UInt8
    /// `bInterfaceClass`.
    public var interfaceClass: USBClass
    /// `bInterfaceSubClass`.
    public var interfaceSubclass: UInt8
    /// `bInterfaceProtocol`.
    public var interfaceProtocol: UInt8
    /// `iInterface`: the index of a string, or 0 for none.
    public var nameIndex: UInt8
    /// What stands after the 9 bytes of the specification, usually nothing.
    public var extra: [UInt8]
    /// The class descriptors between the interface descriptor and the first endpoint.
    public var descriptors: [ClassDescriptor]
    /// The endpoints in the order of their descriptors.
    public var endpoints: [EndpointDescriptor]
    /// What `bNumEndpoints` says instead of the number of endpoints; nil where it tells the truth.
    public var declaredEndpointCount: UInt8?

    /// Makes an alternate setting from its fields.
    public init(
        number: UInt8, alternate: UInt8 = 0, interfaceClass: USBClass, interfaceSubclass: UInt8 = 0,
        interfaceProtocol: UInt8 = 0, nameIndex: UInt8 = 0, extra: [UInt8] = [], descriptors: [ClassDescriptor] = [],
        endpoints: [EndpointDescriptor] = [], declaredEndpointCount: UInt8? = nil
    ) {
        self.number = number
        self.alternate = alternate
        self.interfaceClass = interfaceClass
        self.interfaceSubclass = interfaceSubclass
        self.interfaceProtocol = interfaceProtocol
        self.nameIndex = nameIndex
        self.extra = extra
        self.descriptors = descriptors
        self.endpoints = endpoints
        self.declaredEndpointCount = declaredEndpointCount
    }

    /// Reads the interface descriptor alone; `bNumEndpoints` is settled when the endpoints are known.
    init(_ raw: RawDescriptor) throws(DescriptorError) {
        try raw.require(9)
        self.init(
            number: raw.byte(2), alternate: raw.byte(3), interfaceClass: USBClass(rawValue: raw.byte(5)),
            interfaceSubclass: raw.byte(6), interfaceProtocol: raw.byte(7), nameIndex: raw.byte(8), extra: raw.tail(9),
            declaredEndpointCount: raw.byte(4))
    }

    /// `bNumEndpoints` as it is sent.
    public var endpointCount: UInt8 { declaredEndpointCount ?? UInt8(clamping: endpoints.count) }

    /// The endpoint at an address, or nil where this setting has none.
    public func endpoint(_ address: EndpointAddress) -> EndpointDescriptor? {
        endpoints.first { $0.address == address }
    }

    /// The interface descriptor and all that belongs to it.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendDescriptor(
            .interface,
            [
                number, alternate, endpointCount, interfaceClass.rawValue, interfaceSubclass, interfaceProtocol,
                nameIndex,
            ] + extra)
        for descriptor in descriptors { bytes += descriptor.bytes }
        for endpoint in endpoints { bytes += endpoint.bytes }
        return bytes
    }

    /// Drops a declared count that says no more than the truth, so that equal settings compare equal.
    mutating func settleEndpointCount() {
        if declaredEndpointCount.map(Int.init) == endpoints.count { declaredEndpointCount = nil }
    }
}
