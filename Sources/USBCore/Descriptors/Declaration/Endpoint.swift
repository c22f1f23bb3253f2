/// Declares an endpoint; what is left out takes the usual value of the type at the device's speed.
///
///     Endpoint(.in(1), .bulk)
///     Endpoint(.in(2), .interrupt, maxPacketSize: 8, every: .milliseconds(10))
///     Endpoint(.out(3), .bulk, maxBurst: 15, maxStreamsExponent: 5)
///
/// At SuperSpeed the companion is made from ``maxBurst``, ``maxStreamsExponent``, ``mult`` and ``bytesPerInterval``,
/// which mean nothing at other speeds.
public struct Endpoint: Hashable, Sendable {
    /// The address.
    public var address: EndpointAddress
    /// How the endpoint moves data.
    public var type: TransferType
    /// The bytes of a packet, bits 10:0 of `wMaxPacketSize`; nil for the usual, see ``usualPacketSize(at:)``.
    public var maxPacketSize: UInt16?
    /// Transactions in a microframe beyond the first, 0 to 2; used at high speed by periodic endpoints only.
    public var additionalTransactions: UInt8
    /// `bInterval` as it stands whatever the speed; nil to take it from ``every``.
    public var interval: UInt8?
    /// How often a periodic endpoint is served; nil for 1 ms if isochronous and 8 ms if interrupt.
    public var every: Duration?
    /// How an isochronous endpoint keeps time.
    public var synchronization: IsochronousSynchronization
    /// What an isochronous endpoint is for.
    public var usage: EndpointUsage
    /// `bMaxBurst` at SuperSpeed: packets in a burst less one, 0 to 15.
    public var maxBurst: UInt8
    /// The exponent of a bulk endpoint's streams at SuperSpeed: 0 for none, 1 to 16 for 2 to 65536.
    public var maxStreamsExponent: UInt8
    /// `Mult` of an isochronous endpoint at SuperSpeed: bursts in an interval less one, 0 to 2.
    public var mult: UInt8
    /// `wBytesPerInterval` of a periodic endpoint at SuperSpeed; nil for as much as packets and bursts carry.
    public var bytesPerInterval: UInt16?
    /// Bytes after the 7 of the specification, such as the two more of audio 1.0.
    public var extra: [UInt8]
    /// The class descriptors that follow.
    public var descriptors: [ClassDescriptor]

    /// Declares an endpoint.
    public init(
        _ address: EndpointAddress, _ type: TransferType, maxPacketSize: UInt16? = nil,
        additionalTransactions: UInt8 = 0, interval: UInt8? = nil, every: Duration? = nil,
        synchronization: IsochronousSynchronization = .none, usage: EndpointUsage = .data, maxBurst: UInt8 = 0,
        maxStreamsExponent: UInt8 = 0, mult: UInt8 = 0, bytesPerInterval: UInt16? = nil, extra: [UInt8] = [],
        @DescriptorBuilder<ClassDescriptor> descriptors: () -> [ClassDescriptor] = { [] }
    ) {
        self.address = address
        self.type = type
        self.maxPacketSize = maxPacketSize
        self.additionalTransactions = additionalTransactions
        self.interval = interval
        self.every = every
        self.synchronization = synchronization
        self.usage = usage
        self.maxBurst = maxBurst
        self.maxStreamsExponent = maxStreamsExponent
        self.mult = mult
        self.bytesPerInterval = bytesPerInterval
        self.extra = extra
        self.descriptors = descriptors()
    }

    /// The packet size where none is declared, in bytes: the largest of the type, for interrupt at most 64.
    ///
    /// A SuperSpeed interrupt endpoint with bursts has 1024, the only size that may burst (USB 3.2 §9.6.6). Types
    /// that a speed does not have get a size too; validation refuses them by name.
    public func usualPacketSize(at speed: Speed) -> UInt16 {
        switch (type, speed) {
        case (_, .low): 8
        case (.control, .full), (.control, .high), (.bulk, .full): 64
        case (.control, _), (.bulk, .high): 512
        case (.bulk, _): 1024
        case (.isochronous, .full): 1023
        case (.isochronous, _): 1024
        case (.interrupt, .super), (.interrupt, .superPlus): maxBurst > 0 ? 1024 : 64
        case (.interrupt, _): 64
        }
    }

    /// The endpoint's descriptors at a speed.
    public func descriptor(at speed: Speed) -> EndpointDescriptor {
        var attributes = type.rawValue
        if type == .isochronous { attributes |= synchronization.rawValue << 2 | usage.rawValue << 4 }
        let usualPeriod: Duration = type == .isochronous ? .milliseconds(1) : .milliseconds(8)
        var descriptor = EndpointDescriptor(
            address: address, attributes: attributes, maxPacketSize: maxPacketSize ?? usualPacketSize(at: speed),
            interval: interval ?? EndpointDescriptor.interval(for: every ?? usualPeriod, type, at: speed),
            extra: extra, descriptors: descriptors)
        if speed == .high, descriptor.isPeriodic, additionalTransactions > 0 {
            descriptor.additionalTransactions = additionalTransactions
        }
        if speed.isSuperSpeed { descriptor.companion = companion(of: descriptor, at: speed) }
        return descriptor
    }

    private func companion(of descriptor: EndpointDescriptor, at speed: Speed) -> CompanionDescriptor {
        var companion = CompanionDescriptor(maxBurst: maxBurst)
        switch type {
        case .bulk: companion.attributes = maxStreamsExponent
        case .isochronous: companion.attributes = mult
        case .control, .interrupt: break
        }
        if descriptor.isPeriodic {
            var whole = descriptor
            whole.companion = companion
            companion.bytesPerInterval =
                bytesPerInterval ?? UInt16(clamping: whole.bytesPerServiceInterval(at: speed))
        }
        return companion
    }
}
