public import USBCore

/// One record of a capture, whatever its format: a transfer was submitted, or it ended.
public struct CapturedEvent: Hashable, Sendable {
    /// What is recorded.
    public enum Kind: UInt8, Sendable {
        /// The host handed the transfer to its controller (usbmon `S`).
        case submission
        /// The transfer ended (usbmon `C`).
        case completion
        /// The controller refused the submission (usbmon `E`); ends the transfer.
        case refusal
    }

    /// Where the record comes from.
    public enum Origin: UInt8, Sendable {
        /// It was seen on the way.
        case observed
        /// The capturing program made it up from what the system knew, as USBPcap does with descriptors.
        case injected
    }

    /// What is recorded.
    public var kind: Kind
    /// Where the record comes from.
    public var origin: Origin = .observed
    /// The packet's number in the file, from 1, as Wireshark counts.
    public var number: Int
    /// Where the packet begins in the file, in bytes; of a compressed file, in what it expands to.
    public var offset: Int64
    /// Nanoseconds since 1970 UTC, or since anything where the format knows no date; can run backwards.
    public var time: Int64
    /// What keeps equal bus numbers apart: the interface of a pcapng file; of USB/IP over TCP,
    /// the connection (``USBIPChannel``).
    public var channel: Int
    /// The bus, as numbered by the system that captured.
    public var bus: UInt16
    /// The device's address on the bus; 0 before it has one.
    public var device: UInt16
    /// Names the transfer until it ends; used again later.
    public var urb: UInt64
    /// The endpoint; bit 7 of a control transfer is the direction of its data stage.
    public var endpoint: EndpointAddress
    /// How the endpoint moves data.
    public var type: TransferType
    /// The setup stage, in submissions of control transfers that have it.
    public var setup: SetupPacket?
    /// How the transfer ended, as Linux says it; success in submissions.
    public var status: TransferStatus
    /// Bytes asked for (submission) or moved (completion).
    public var length: Int
    /// Bytes of data that the record has: of an OUT in its submission, of an IN in its completion.
    public var dataCount: Int
    /// Where the data begin in the file; nil when they are not there in one piece.
    public var dataOffset: Int64?
    /// Whether data were left out: the capture has fewer bytes than the bus moved.
    public var isCut: Bool
    /// The packets of an isochronous transfer; their offsets count from the first byte of the data.
    public var packets: [CapturedPacket]
    /// The endpoint's interval as the host numbered it; 0 where the format has none.
    public var interval: Int32 = 0
    /// The frame in which an isochronous transfer starts.
    public var startFrame: Int32 = 0
    /// Linux's transfer flags; 0 where the format has none.
    public var flags: UInt32 = 0

    /// Makes an event; what is not given is as in a record without data.
    public init(
        _ kind: Kind, number: Int, offset: Int64, time: Int64, channel: Int = 0, bus: UInt16, device: UInt16,
        urb: UInt64, endpoint: EndpointAddress, type: TransferType, setup: SetupPacket? = nil,
        status: TransferStatus = .success, length: Int = 0, dataCount: Int = 0, dataOffset: Int64? = nil,
        isCut: Bool = false, packets: [CapturedPacket] = []
    ) {
        self.kind = kind
        self.number = number
        self.offset = offset
        self.time = time
        self.channel = channel
        self.bus = bus
        self.device = device
        self.urb = urb
        self.endpoint = endpoint
        self.type = type
        self.setup = setup
        self.status = status
        self.length = length
        self.dataCount = dataCount
        self.dataOffset = dataOffset
        self.isCut = isCut
        self.packets = packets
    }
}

/// One packet of an isochronous transfer.
public struct CapturedPacket: Hashable, Sendable {
    /// How it ended.
    public var status: TransferStatus
    /// Where its data begin, counted from the transfer's first byte of data.
    public var offset: UInt32
    /// Bytes asked for (submission) or moved (completion).
    public var length: UInt32

    /// Makes a packet.
    public init(status: TransferStatus, offset: UInt32, length: UInt32) {
        self.status = status
        self.offset = offset
        self.length = length
    }
}
