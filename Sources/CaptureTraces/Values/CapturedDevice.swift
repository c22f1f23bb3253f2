public import USBCapture
public import USBCore

/// A device of a capture, followed through its changes of address.
public struct CapturedDevice: Hashable, Sendable {
    /// Its place among the capture's devices, from 1, in the order in which they appear.
    public var number: Int
    /// See ``CapturedEvent/channel``.
    public var channel: Int
    /// The bus.
    public var bus: UInt16
    /// The addresses it had, in order: 0 first when the capture has its enumeration.
    public var addresses: [UInt16]
    /// The connection's speed.
    public var speed: Speed
    /// Whether the capture says the speed; if not, it is inferred from the descriptors.
    public var isSpeedKnown: Bool
    /// What is known of its descriptors.
    public var descriptors: KnownDescriptors
    /// What the capture says of it beside its transfers.
    public var announcement: DeviceAnnouncement?
    /// Submissions of transfers.
    public var submissions: Int
    /// Ends of transfers.
    public var completions: Int
    /// Submissions that never ended.
    public var unanswered: Int
    /// Ends without a submission.
    public var unasked: Int
    /// Transfers of which data are missing.
    public var cut: Int
    /// Bytes moved to the device.
    public var bytesOut: Int64
    /// Bytes moved from the device.
    public var bytesIn: Int64
    /// When it appears first, in nanoseconds of the capture.
    public var firstTime: Int64
    /// When it appears last.
    public var lastTime: Int64
    /// How much each endpoint was used.
    public var endpoints: [EndpointUse]
    /// Whether it is a hub, a root hub included: its descriptors say so, or it is asked what only hubs are.
    public var isHub = false

    /// How much an endpoint was used.
    public struct EndpointUse: Hashable, Sendable {
        /// The endpoint; both directions of endpoint 0 are one, with bit 7 clear.
        public var endpoint: EndpointAddress
        /// How it moves data.
        public var type: TransferType
        /// Transfers.
        public var transfers: Int
        /// Bytes moved.
        public var bytes: Int64
        /// The most bytes that one transfer moved.
        public var largest: Int64 = 0
        /// The interval as the host numbered it last; 0 where the capture has none.
        public var interval: Int32 = 0

        /// Makes a count.
        public init(endpoint: EndpointAddress, type: TransferType, transfers: Int = 0, bytes: Int64 = 0) {
            self.endpoint = endpoint
            self.type = type
            self.transfers = transfers
            self.bytes = bytes
        }
    }

    /// Makes a device of which nothing is known but where it is.
    public init(number: Int, channel: Int, bus: UInt16, address: UInt16, time: Int64) {
        self.number = number
        self.channel = channel
        self.bus = bus
        addresses = [address]
        speed = .full
        isSpeedKnown = false
        descriptors = KnownDescriptors()
        submissions = 0
        completions = 0
        unanswered = 0
        unasked = 0
        cut = 0
        bytesOut = 0
        bytesIn = 0
        firstTime = time
        lastTime = time
        endpoints = []
    }
}

/// What a capture knows of a device's descriptors: the longest answer to each request.
public struct KnownDescriptors: Hashable, Sendable {
    /// The device descriptor (USB 2.0 §9.6.1), 18 bytes when whole; 8 when only its beginning was asked for.
    public var device: [UInt8] = []
    /// By index, each configuration with all that belongs to it, as far as it is known.
    public var configurations: [UInt8: [UInt8]] = [:]
    /// The string descriptors; `language` 0 with `index` 0 is the list of languages (USB 2.0 §9.6.7).
    public var strings: [StringKey: [UInt8]] = [:]
    /// The binary object store (USB 3.2 §9.6.2).
    public var objectStore: [UInt8] = []
    /// The device qualifier (USB 2.0 §9.6.2).
    public var qualifier: [UInt8] = []
    /// By index, the configurations of the other speed (USB 2.0 §9.6.4).
    public var otherSpeed: [UInt8: [UInt8]] = [:]
    /// By interface, the report descriptors (HID 1.11 §7.1.1).
    public var reports: [UInt8: [UInt8]] = [:]

    /// Names a string descriptor.
    public struct StringKey: Hashable, Sendable {
        /// Its index.
        public var index: UInt8
        /// Its language's identifier.
        public var language: UInt16

        /// Makes a name.
        public init(index: UInt8, language: UInt16) {
            self.index = index
            self.language = language
        }
    }

    /// Makes a set in which nothing is known.
    public init() {}
}
