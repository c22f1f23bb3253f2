/// A descriptor that only a class or a maker understands, kept as bytes in its place.
///
/// It also holds whatever a parser does not know. As on the bus, it belongs to what it follows: the configuration, an
/// interface association, an interface or an endpoint.
public struct ClassDescriptor: Hashable, Sendable {
    /// `bDescriptorType`.
    public var type: DescriptorType
    /// What follows `bLength` and `bDescriptorType`: 0 to 253 bytes; more is refused by validation and cut on emission.
    public var body: [UInt8]

    /// Makes a descriptor from its type and the bytes after the type.
    public init(type: DescriptorType, bytes body: [UInt8]) {
        self.type = type
        self.body = body
    }

    /// Makes a descriptor from its type and the bytes after the type, as a specification's table lists them.
    public init(type: DescriptorType, _ body: UInt8...) {
        self.init(type: type, bytes: body)
    }

    init(_ raw: RawDescriptor) {
        self.init(type: raw.type, bytes: raw.tail(2))
    }

    /// The descriptor as it goes over the bus, its length counted.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendDescriptor(type, body)
        return bytes
    }
}
