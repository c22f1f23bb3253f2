/// What an endpoint adds at SuperSpeed: bursts, streams, bandwidth (USB 3.2 §9.6.7).
public struct CompanionDescriptor: Hashable, Sendable {
    /// `bMaxBurst`: packets in a burst less one, 0 to 15.
    public var maxBurst: UInt8
    /// `bmAttributes`: of a bulk endpoint the exponent of the streams, of an isochronous one Mult in bits 1:0.
    public var attributes: UInt8
    /// `wBytesPerInterval`: what a periodic endpoint moves in a service interval, in bytes; 0 for bulk.
    public var bytesPerInterval: UInt16
    /// What stands after the 6 bytes of the specification, usually nothing.
    public var extra: [UInt8]

    /// Makes a companion from its fields.
    public init(maxBurst: UInt8 = 0, attributes: UInt8 = 0, bytesPerInterval: UInt16 = 0, extra: [UInt8] = []) {
        self.maxBurst = maxBurst
        self.attributes = attributes
        self.bytesPerInterval = bytesPerInterval
        self.extra = extra
    }

    init(_ raw: RawDescriptor) throws(DescriptorError) {
        try raw.require(6)
        self.init(maxBurst: raw.byte(2), attributes: raw.byte(3), bytesPerInterval: raw.word(4), extra: raw.tail(6))
    }

    /// The streams of a bulk endpoint: 0 for none, else a power of two to 65536, and 0 for a reserved exponent.
    public var maxStreams: Int {
        let exponent = attributes & 0x1f
        return (1...16).contains(exponent) ? 1 << Int(exponent) : 0
    }

    /// `Mult` of an isochronous endpoint: bursts in a service interval less one, 0 to 3, of which 3 is reserved.
    public var mult: UInt8 { attributes & 0x03 }

    /// Whether a SuperSpeedPlus isochronous companion follows: bit 7 of an isochronous endpoint's attributes.
    public var hasIsochronousCompanion: Bool { attributes & 0x80 != 0 }

    /// The descriptor as it goes over the bus: 6 bytes and ``extra``.
    public var bytes: [UInt8] {
        var body = [maxBurst, attributes]
        body.append(littleEndian: bytesPerInterval)
        var bytes: [UInt8] = []
        bytes.appendDescriptor(.endpointCompanion, body + extra)
        return bytes
    }
}
