import USBIPWire

/// One direction of a USB/IP connection, as it is being read.
final class USBIPLane {
    /// What the next bytes are.
    enum Expectation {
        /// The eight bytes of an op-phase header, or the first of a transfer's.
        case beginning
        /// The 48 bytes of a transfer's header.
        case header
        /// What a header announced.
        case body(Body)
        /// Anything: the place in the conversation is lost, and a header is looked for.
        case anything
    }

    /// What follows a header.
    struct Body {
        /// How many bytes.
        var length: Int
        /// How many of these are a transfer's data; descriptors of packets follow.
        var dataLength: Int
        /// What they are.
        var content: Content
        /// The packet in which the header was complete.
        var frame: CapturedFrame
        /// How many bytes came before the first that was not captured.
        var intact = Int.max
    }

    /// What the bytes after a header are.
    enum Content {
        /// The bus id that a client asks for.
        case importRequest
        /// The device that was imported.
        case importReply
        /// How many devices a list has.
        case listCount
        /// A device of a list, and how many follow it.
        case listedDevice(UInt32)
        /// The interfaces of a device of a list, and how many devices follow.
        case listedInterfaces(UInt32)
        /// What belongs to a submission.
        case submission(SubmitCommand)
        /// What belongs to the end of a transfer.
        case completion(SubmitReturn, USBIPConversation.Pending)
    }

    /// Whether it is the client that speaks.
    let isClient: Bool
    /// What comes next.
    var expectation = Expectation.beginning
    /// The beginning of it, where it came in pieces.
    var buffer: [UInt8] = []
    /// Whether bytes were lost in it, or came before the capture began.
    var isIncomplete = false

    /// Begins with an op-phase message.
    init(isClient: Bool) { self.isClient = isClient }

    /// How many bytes are needed to go on; 0 when it is not known.
    var needed: Int {
        switch expectation {
        case .beginning: OpHeader.size
        case .header: URBWire.headerSize
        case .body(let body): body.length
        case .anything: 0
        }
    }
}

/// Bytes that are complete.
struct USBIPPart {
    /// The bytes.
    var bytes: ByteView
    /// Where they are, when they were captured in one piece.
    var chunk: TCPChunk?
    /// The packet that completed them.
    var frame: CapturedFrame
}
