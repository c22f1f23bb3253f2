/// An endpoint of an alternate setting, with its companion and the class descriptors that follow (USB 2.0 §9.6.6).
public struct EndpointDescriptor: Hashable, Sendable {
    /// `bEndpointAddress`.
    public var address: EndpointAddress
    /// `bmAttributes`: the type in bits 1:0; of isochronous endpoints, synchronization in 3:2 and usage in 5:4.
    public var attributes: UInt8
    /// `wMaxPacketSize` as it stands; see ``packetSize`` and ``additionalTransactions``.
    public var maxPacketSize: UInt16
    /// `bInterval` as it stands, in units that depend on type and speed; see ``period(at:)``.
    public var interval: UInt8
    /// What stands after the 7 bytes of the specification, such as the two more that audio devices have.
    public var extra: [UInt8]
    /// The SuperSpeed companion that directly follows, nil where there is none.
    public var companion: CompanionDescriptor?
    /// The class descriptors that follow, after the companion.
    public var descriptors: [ClassDescriptor]

    /// Makes an endpoint from its fields.
    public init(
        address: EndpointAddress, attributes: UInt8, maxPacketSize: UInt16, interval: UInt8 = 0, extra: [UInt8] = [],
        companion: CompanionDescriptor? = nil, descriptors: [ClassDescriptor] = []
    ) {
        self.address = address
        self.attributes = attributes
        self.maxPacketSize = maxPacketSize
        self.interval = interval
        self.extra = extra
        self.companion = companion
        self.descriptors = descriptors
    }

    init(_ raw: RawDescriptor) throws(DescriptorError) {
        try raw.require(7)
        self.init(
            address: EndpointAddress(rawValue: raw.byte(2)), attributes: raw.byte(3), maxPacketSize: raw.word(4),
            interval: raw.byte(6), extra: raw.tail(7))
    }

    /// How the endpoint moves data.
    public var type: TransferType { TransferType(rawValue: attributes & 0x03) ?? .control }

    /// The bytes of a packet: bits 10:0 of `wMaxPacketSize`, 0 to 2047.
    public var packetSize: Int { Int(maxPacketSize & 0x07ff) }

    /// Transactions of a high-speed periodic endpoint in a microframe beyond the first: bits 12:11, 0 to 3.
    ///
    /// 3 is reserved, and everything but 0 is at other speeds and types.
    public var additionalTransactions: UInt8 {
        get { UInt8(maxPacketSize >> 11 & 0x03) }
        set { maxPacketSize = maxPacketSize & ~0x1800 | UInt16(newValue & 0x03) << 11 }
    }

    /// Transactions in a microframe of a high-speed periodic endpoint, 1 to 4; 4 is reserved.
    public var transactionsPerMicroframe: Int { Int(additionalTransactions) + 1 }

    /// The descriptor, its companion and the class descriptors that follow.
    public var bytes: [UInt8] {
        var body = [address.rawValue, attributes]
        body.append(littleEndian: maxPacketSize)
        body.append(interval)
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.endpoint, body + extra)
        if let companion { bytes += companion.bytes }
        for descriptor in descriptors { bytes += descriptor.bytes }
        return bytes
    }
}

/// How an isochronous endpoint keeps time: bits 3:2 of `bmAttributes` (USB 2.0 §5.12.4).
public enum IsochronousSynchronization: UInt8, Sendable, CaseIterable {
    /// None.
    case none = 0
    /// The endpoint keeps its own time and says how fast it is.
    case asynchronous = 1
    /// The endpoint follows the data.
    case adaptive = 2
    /// The endpoint follows the start of frames.
    case synchronous = 3
}

/// What an isochronous endpoint is for: bits 5:4 of `bmAttributes` (USB 2.0 §9.6.6).
public enum EndpointUsage: UInt8, Sendable, CaseIterable {
    /// Data.
    case data = 0
    /// How fast the data of another endpoint should come; of a SuperSpeed interrupt endpoint, a notification.
    case feedback = 1
    /// Data whose amount is feedback for another endpoint.
    case implicitFeedback = 2
}

extension EndpointDescriptor {
    /// How an isochronous endpoint keeps time.
    public var synchronization: IsochronousSynchronization {
        IsochronousSynchronization(rawValue: attributes >> 2 & 0x03) ?? .none
    }

    /// What an isochronous endpoint is for, nil for the reserved value 3.
    public var usage: EndpointUsage? { EndpointUsage(rawValue: attributes >> 4 & 0x03) }
}
