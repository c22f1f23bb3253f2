public import USBCore

/// A command of a mass-storage capture, with its data and how it ended (Bulk-Only Transport 1.0 §5).
public struct MassStorageCommand: Hashable, Sendable {
    /// How a command ended.
    public enum Outcome: Hashable, Sendable {
        /// The status said that it was carried out.
        case passed
        /// The status said that it was not; a REQUEST SENSE tells why.
        case failed
        /// The status said that host and device do not agree on the data.
        case phaseError
        /// The status is not one: another tag, or a value that is not defined.
        case invalidStatus
        /// There is no status: the capture ends, or the host gave up and began another command.
        case missing
    }

    /// The packet that brought the command, counted from 1.
    public var packet: Int
    /// The place of the command's first transfer in ``Trace/transfers``.
    public var firstTransfer: Int
    /// The place of its last transfer, the status where there is one.
    public var lastTransfer: Int
    /// When it was submitted, in nanoseconds of the capture.
    public var time: Int64
    /// When its last transfer ended.
    public var completed: Int64
    /// The bulk endpoint by which it came.
    public var output: EndpointAddress
    /// The logical unit, 0 to 15.
    public var lun: UInt8
    /// The command, 1 to 16 bytes.
    public var cdb: [UInt8]
    /// What names it in its status.
    public var tag: UInt32
    /// Bytes that the host was going to move.
    public var expected: UInt32
    /// Where the data go; means nothing when none are expected.
    public var direction: Direction
    /// The data, one reference for each transfer.
    public internal(set) var data: [PayloadReference] = []
    /// The bytes that each transfer of ``data`` moved, which can be more than the capture has.
    public internal(set) var moves: [Int] = []
    /// The bytes of data that were moved.
    public internal(set) var moved = 0
    /// How it ended.
    public var outcome: Outcome = .missing
    /// The bytes that the status says did not mean anything.
    public var residue: UInt32 = 0
    /// Whether the device answered with STALL before the status.
    public var isStalled = false
    /// The sense data of a REQUEST SENSE that directly follows a failure on the same logical unit, at most 252 bytes
    /// (SPC-4 §4.5.1); empty without one.
    public var sense: [UInt8] = []

    /// The command's first byte.
    public var opcode: UInt8 { cdb.first ?? 0 }

    /// Makes a command of which only the beginning is known.
    init(packet: Int, transfer: Int, traced: TracedTransfer, wrapper: CommandWrapper) {
        self.packet = packet
        firstTransfer = transfer
        lastTransfer = transfer
        time = traced.submitted
        completed = traced.completed
        output = traced.endpoint
        lun = wrapper.lun
        cdb = wrapper.cdb
        tag = wrapper.tag
        expected = wrapper.expected
        direction = wrapper.direction
    }

    /// Adds the data of a transfer.
    mutating func add(_ reference: PayloadReference, moved count: Int) {
        data.append(reference)
        moves.append(count)
        moved &+= count
    }
}

/// The 31 bytes that begin a command (Bulk-Only Transport 1.0 §5.1).
struct CommandWrapper {
    static let size = 31
    var tag: UInt32
    var expected: UInt32
    var direction: Direction
    var lun: UInt8
    var cdb: [UInt8]

    /// Reads a wrapper; nil when the bytes are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes.starts(with: [0x55, 0x53, 0x42, 0x43]) else { return nil }
        let length = Int(bytes[14] & 0x1f)
        guard (1...16).contains(length) else { return nil }
        tag = little32(bytes, 4)
        expected = little32(bytes, 8)
        direction = bytes[12] & 0x80 == 0 ? .out : .in
        lun = bytes[13] & 0x0f
        cdb = [UInt8](bytes[15..<15 + length])
    }
}

/// The 13 bytes that end a command (Bulk-Only Transport 1.0 §5.2).
struct StatusWrapper {
    static let size = 13
    var tag: UInt32
    var residue: UInt32
    var status: UInt8

    /// Reads a wrapper; nil when the bytes are none.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, bytes.starts(with: [0x55, 0x53, 0x42, 0x53]) else { return nil }
        tag = little32(bytes, 4)
        residue = little32(bytes, 8)
        status = bytes[12]
    }
}

/// A field of 32 bits that is known to be there.
private func little32(_ bytes: [UInt8], _ place: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
}
