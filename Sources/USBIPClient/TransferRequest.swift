public import USBCore

/// What a host asks of one endpoint: one USB request block.
public struct TransferRequest: Sendable {
    /// Linux's transfer flags that mean something on the wire.
    public struct Flags: OptionSet, Sendable {
        /// The bits of `transfer_flags`.
        public let rawValue: UInt32
        /// Makes flags from the bits of `transfer_flags`.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// A short IN transfer fails with ``USBCore/TransferStatus/short``.
        public static let shortNotOK = Self(rawValue: 0x01)
        /// Isochronous: start as soon as possible; else in ``TransferRequest/startFrame``.
        public static let isochronousASAP = Self(rawValue: 0x02)
        /// Bulk OUT: end with an empty packet where the length is a multiple of the packet size.
        public static let zeroPacket = Self(rawValue: 0x40)
    }

    /// Where a packet of an isochronous transfer lies in the transfer's bytes.
    public struct Packet: Hashable, Sendable {
        /// The packet's first byte.
        public var offset: Int
        /// The packet's bytes; for IN the room for them.
        public var length: Int

        /// Makes a packet.
        public init(offset: Int, length: Int) {
            self.offset = offset
            self.length = length
        }
    }

    /// The most bytes of one transfer: 64 MiB, more than any driver asks for.
    public static let maximumLength = 64 << 20
    /// The most isochronous packets of one transfer, as Linux has it.
    public static let maximumPackets = 1024

    /// The endpoint; for a control transfer its direction is that of the setup packet's data stage.
    public var endpoint: EndpointAddress
    /// The setup bytes; nil but for control transfers.
    public var setup: SetupPacket?
    /// The bytes to send (OUT), gaps between isochronous packets included.
    public var payload: [UInt8]
    /// The room for an answer in bytes (IN).
    public var room: Int
    /// The packets of an isochronous transfer, 1 to ``maximumPackets``; empty for the other types.
    public var packets: [Packet]
    /// The transfer's flags.
    public var flags: Flags
    /// The frame to start in, where ``Flags/isochronousASAP`` is not set.
    public var startFrame: Int32
    /// The polling interval in the units of Linux's `urb->interval`; nil computes it from the endpoint's descriptor.
    public var interval: Int32?
    /// How long the blocking and the asynchronous `transfer(_:)` wait before they take the transfer back.
    ///
    /// Nil waits for ever. ``RemoteDevice/submit(_:onComplete:)`` does not look at it.
    public var timeout: Duration?

    private init(_ endpoint: EndpointAddress, timeout: Duration?) {
        self.endpoint = endpoint
        payload = []
        room = 0
        packets = []
        flags = []
        startFrame = 0
        self.timeout = timeout
    }

    /// A control transfer on endpoint zero (USB 2.0 §9.3).
    ///
    /// - Parameter payload: `setup.length` bytes where the data stage is OUT; else none.
    public static func control(
        _ setup: SetupPacket, payload: [UInt8] = [], timeout: Duration? = .seconds(5)
    ) -> TransferRequest {
        let isIn = setup.direction == .in && setup.length > 0
        var request = TransferRequest(isIn ? .in(0) : .out(0), timeout: timeout)
        request.setup = setup
        request.payload = payload
        request.room = isIn ? Int(setup.length) : 0
        return request
    }

    /// A bulk or interrupt transfer from the device.
    ///
    /// - Parameter room: the most bytes wanted, 0 to ``maximumLength``.
    public static func `in`(_ endpoint: UInt8, room: Int, timeout: Duration? = nil) -> TransferRequest {
        var request = TransferRequest(.in(endpoint), timeout: timeout)
        request.room = room
        return request
    }

    /// A bulk or interrupt transfer to the device.
    public static func out(_ endpoint: UInt8, _ payload: [UInt8], timeout: Duration? = nil) -> TransferRequest {
        var request = TransferRequest(.out(endpoint), timeout: timeout)
        request.payload = payload
        return request
    }

    /// An isochronous transfer from the device, its packets back to back.
    ///
    /// - Parameter lengths: the room for each packet.
    public static func isochronousIn(
        _ endpoint: UInt8, lengths: [Int], timeout: Duration? = nil
    ) -> TransferRequest {
        var request = TransferRequest(.in(endpoint), timeout: timeout)
        request.packets = packets(lengths)
        request.room = request.packets.last.map { $0.offset &+ $0.length } ?? 0
        request.flags = .isochronousASAP
        return request
    }

    /// An isochronous transfer to the device, its packets back to back.
    public static func isochronousOut(
        _ endpoint: UInt8, packets payloads: [[UInt8]], timeout: Duration? = nil
    ) -> TransferRequest {
        isochronousOut(
            endpoint, payload: Array(payloads.joined()), packets: packets(payloads.map(\.count)), timeout: timeout)
    }

    /// An isochronous transfer to the device, its packets anywhere in `payload`.
    public static func isochronousOut(
        _ endpoint: UInt8, payload: [UInt8], packets: [Packet], timeout: Duration? = nil
    ) -> TransferRequest {
        var request = TransferRequest(.out(endpoint), timeout: timeout)
        request.payload = payload
        request.packets = packets
        request.flags = .isochronousASAP
        return request
    }

    private static func packets(_ lengths: [Int]) -> [Packet] {
        var end = 0
        return lengths.map { length in
            defer { end &+= length }
            return Packet(offset: end, length: length)
        }
    }

    /// The bytes that move at most.
    var length: Int { endpoint.direction == .in ? room : payload.count }
}
