import USBCore

/// The packets of a gadget's bulk endpoints.
public struct BulkShape: Hashable, Sendable {
    /// The bytes of a packet: 8, 16, 32 or 64 at full speed, 512 at high speed, 1024 at SuperSpeed; nil for the largest.
    public var packetSize: UInt16?
    /// `bMaxBurst` at SuperSpeed: packets in a burst less one, 0 to 15.
    public var burst: UInt8 = 0

    /// Makes the usual shape.
    public init() {}

    /// The endpoint at `speed`, which may be the other one than the device's own.
    func endpoint(_ address: EndpointAddress, at speed: Speed, of device: Speed) -> Endpoint {
        Endpoint(address, .bulk, maxPacketSize: speed == device ? packetSize : nil, maxBurst: burst)
    }
}

/// The packets of a gadget's interrupt endpoints.
public struct InterruptShape: Hashable, Sendable {
    /// The bytes of a packet: to 64 at full speed, to 1024 above.
    public var packetSize: UInt16 = 64
    /// `bInterval`: 1 to 255 ms at full speed; above, 1 to 16 for 2^(bInterval-1) microframes; nil for 1 ms.
    public var interval: UInt8?

    /// Makes the usual shape.
    public init() {}

    func endpoint(_ address: EndpointAddress, at speed: Speed) -> Endpoint {
        Endpoint(
            address, .interrupt, maxPacketSize: speed == .full ? min(packetSize, 64) : packetSize, interval: interval,
            every: .milliseconds(1))
    }
}

/// The packets of a gadget's isochronous endpoints.
public struct IsochronousShape: Hashable, Sendable {
    /// The bytes of a packet: to 1023 at full speed, to 1024 above; nil for the largest.
    public var packetSize: UInt16?
    /// Transactions in a microframe at high speed, 1 to 3; 2 need packets of 513 bytes or more, 3 of 683 or more.
    public var transactions: UInt8 = 1
    /// `bInterval`, 1 to 16: the period is 2^(bInterval-1) frames at full speed, as many microframes above.
    public var interval: UInt8 = 4
    /// `bMaxBurst` at SuperSpeed: packets in a burst less one, 0 to 15; more than 0 needs packets of 1024 bytes.
    public var burst: UInt8 = 0
    /// `Mult` at SuperSpeed: bursts in an interval less one, 0 to 2; more than 0 needs a ``burst``.
    public var mult: UInt8 = 0

    /// Makes the usual shape: Linux's gadget zero's.
    public init() {}

    func endpoint(_ address: EndpointAddress, at speed: Speed) -> Endpoint {
        let largest: UInt16 = speed == .full ? 1_023 : 1_024
        return Endpoint(
            address, .isochronous, maxPacketSize: speed == .full ? min(packetSize ?? largest, largest) : packetSize,
            additionalTransactions: max(transactions, 1) - 1, interval: interval, maxBurst: burst, mult: mult)
    }
}
