public import USBCore

/// A transfer of a capture: its submission and its end, together.
///
/// 88 bytes, without references, since there are millions.
public struct TracedTransfer: Hashable, Sendable {
    /// The packet that submitted it, counted from 1; 0 when the capture has only its end.
    public var submissionNumber: UInt32
    /// The packet that ended it; 0 when it never ended in the capture.
    public var completionNumber: UInt32
    /// When it was submitted, in nanoseconds of the capture; when it ended where there is no submission.
    public var submitted: Int64
    /// When it ended; when it was submitted where there is no end.
    public var completed: Int64
    /// The setup stage as it travels (``SetupPacket/littleEndian``); meaningful for control transfers with a submission.
    public var rawSetup: UInt64
    /// What the host sent.
    public var output: PayloadReference
    /// What the device answered.
    public var input: PayloadReference
    /// Bytes asked for; of a transfer without a submission, those moved.
    public var requested: UInt32
    /// Bytes moved; 0 for one that did not end.
    public var actual: UInt32
    /// How it ended; ``TransferStatus/abandoned`` for one that did not.
    public var status: TransferStatus
    /// The first of its isochronous packets in ``Trace/packets``.
    public var firstPacket: UInt32
    /// How many isochronous packets it has.
    public var packetCount: UInt16
    /// The endpoint.
    public var endpoint: EndpointAddress
    /// How the endpoint moves data.
    public var type: TransferType
    /// What is particular about it.
    public var marks: Marks

    /// What is particular about a transfer.
    public struct Marks: OptionSet, Hashable, Sendable {
        /// The bits.
        public let rawValue: UInt8
        /// Makes a set.
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// The capture has its end only.
        public static let noSubmission = Self(rawValue: 1)
        /// The capture does not have its end.
        public static let noCompletion = Self(rawValue: 2)
        /// The capture has fewer bytes than were moved.
        public static let isCut = Self(rawValue: 4)
        /// The capturing program made it up from what the system knew.
        public static let isInjected = Self(rawValue: 8)
        /// It has a setup stage that the capture contains.
        public static let hasSetup = Self(rawValue: 16)
        /// The device's hub refused or the host's driver took it back: it says nothing of what the device would answer.
        public static let isCancelled = Self(rawValue: 32)
    }

    /// The setup stage, where the capture has it.
    public var setup: SetupPacket? { marks.contains(.hasSetup) ? SetupPacket(littleEndian: rawSetup) : nil }

    /// Makes a transfer; what is not given is as in one without data.
    public init(
        submissionNumber: UInt32 = 0, completionNumber: UInt32 = 0, submitted: Int64 = 0, completed: Int64 = 0,
        setup: SetupPacket? = nil, output: PayloadReference = .none, input: PayloadReference = .none,
        requested: UInt32 = 0, actual: UInt32 = 0, status: TransferStatus = .success, firstPacket: UInt32 = 0,
        packetCount: UInt16 = 0, endpoint: EndpointAddress, type: TransferType, marks: Marks = []
    ) {
        self.submissionNumber = submissionNumber
        self.completionNumber = completionNumber
        self.submitted = submitted
        self.completed = completed
        rawSetup = setup?.littleEndian ?? 0
        self.output = output
        self.input = input
        self.requested = requested
        self.actual = actual
        self.status = status
        self.firstPacket = firstPacket
        self.packetCount = packetCount
        self.endpoint = endpoint
        self.type = type
        self.marks = setup == nil ? marks : marks.union(.hasSetup)
    }
}

/// Where a transfer's data are: in the capture's file, or in what was set aside while it was read.
public struct PayloadReference: Hashable, Sendable {
    /// An offset in the file; with the sign bit set, in what was set aside.
    package var place: Int64
    /// How many bytes there are.
    public var count: UInt32

    /// Makes a reference.
    package init(place: Int64, count: UInt32) {
        self.place = place
        self.count = count
    }

    /// No data.
    public static let none = Self(place: 0, count: 0)
}
