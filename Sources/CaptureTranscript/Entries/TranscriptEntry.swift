package import CaptureTraces
package import CommandSupport
package import USBCore

/// A line of a transcript: one transfer, or the transfers of one SCSI command.
package struct TranscriptEntry: Sendable {
    /// The device's number in the capture.
    package var device: Int
    /// The packet that carries what is told: of an IN transfer its end, of all others their submission.
    package var packet: Int
    /// The packets from the first to the last that belong to it.
    package var packets: ClosedRange<Int>
    /// When ``packet`` was captured, in nanoseconds since the capture's earliest event; may run backwards.
    package var time: Int64
    /// Nanoseconds from the submission to the end; nil where the capture has not both.
    package var duration: Int64?
    /// The endpoint; of a SCSI command, that of its data stage, or of the command where it has none.
    package var endpoint: EndpointAddress
    /// How the endpoint moves data.
    package var type: TransferType
    /// How it ended; nil for what never ended in the capture.
    package var status: TransferStatus?
    /// What is particular about it.
    package var marks: TracedTransfer.Marks = []
    /// Bytes asked for.
    package var requested = 0
    /// Bytes moved.
    package var length = 0
    /// The setup stage of a control transfer.
    package var setup: SetupPacket?
    /// The request's name, such as `GET_DESCRIPTOR`.
    package var request: String?
    /// The SCSI command's name, such as `READ(10)`.
    package var scsi: String?
    /// What it says, harmless to terminals.
    package var words = ""
    /// The same for programs, where there is more to say.
    package var details: [(String, JSON)] = []
    /// The first of its data.
    package var data: [UInt8] = []
    /// How many bytes of data the capture has.
    package var dataCount = 0
    /// Whether ``words`` tell what the data say.
    package var tellsData = false

    /// Makes an entry; what is not given is as in one of which nothing is known.
    package init(
        device: Int, packet: Int, packets: ClosedRange<Int>, time: Int64, endpoint: EndpointAddress, type: TransferType,
        status: TransferStatus? = .success
    ) {
        self.device = device
        self.packet = packet
        self.packets = packets
        self.time = time
        self.endpoint = endpoint
        self.type = type
        self.status = status
    }
}

/// How much a transcript shows of data.
package enum DataLimit: Hashable, Sendable {
    /// A line's worth, of data that the words do not tell.
    case usual
    /// So many bytes of all data.
    case bytes(Int)

    /// Bytes to show of data that are no text.
    var count: Int {
        switch self {
        case .usual: 32
        case .bytes(let count): max(0, count)
        }
    }

    /// Bytes to show of serial text.
    var textCount: Int { self == .usual ? 256 : count }
}
