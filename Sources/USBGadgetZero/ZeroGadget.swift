public import USBCore
public import USBDeviceKit

/// A test device with the configurations, endpoints and vendor requests of Linux's gadget zero.
///
/// Configuration 3 is source and sink: bulk in alternate setting 0, with isochronous endpoints in 1, with interrupt
/// endpoints in 2. Configuration 2 is a loopback. The source answers every transfer at once and fills it, the sink takes
/// every transfer; nothing here keeps time but ``Configuration/reportMilliseconds``.
public final class ZeroGadget: Gadget {
    /// How the device presents itself on the bus, and what it sends.
    public struct Configuration: Hashable, Sendable {
        /// The connection's speed: full, high or SuperSpeed.
        public var speed = Speed.high
        /// Whether the loopback comes first; Linux selects the first configuration.
        public var beginsWithLoopback = false
        /// What the sources send and the sinks expect.
        public var pattern = TestPattern.zeros
        /// `idVendor`.
        public var vendorID: UInt16 = 0x0525
        /// `idProduct`.
        public var productID: UInt16 = 0xa4a0
        /// The maker's name.
        public var manufacturer = "Ghostplug"
        /// The product's name.
        public var product = "Gadget Zero"
        /// The serial number.
        public var serialNumber = "000000000001"
        /// The bulk endpoints of both configurations.
        public var bulk = BulkShape()
        /// The isochronous endpoints of alternate setting 1.
        public var isochronous = IsochronousShape()
        /// The interrupt endpoints of alternate setting 2.
        public var interrupt = InterruptShape()
        /// How often interrupt IN has a report, in milliseconds, 1 or more; nil for one whenever the host asks.
        ///
        /// Reports are made from when the setting is selected on, by the device's clock and whether or not the host
        /// asks. Each is a packet, and begins with its number and the time for which it was planned in the clock's
        /// nanoseconds (``BusClock/now``), 64 bits each, little-endian. Of more than 256 that the host has not
        /// fetched, the oldest is lost.
        public var reportMilliseconds: Int?

        /// Makes the default configuration.
        public init() {}
    }

    /// `bConfigurationValue` of source and sink.
    public static let sourceSinkValue: UInt8 = 3
    /// `bConfigurationValue` of the loopback.
    public static let loopbackValue: UInt8 = 2
    /// The alternate setting of source and sink that has the interrupt endpoints.
    static let interruptAlternate: UInt8 = 2
    /// The most bytes the loopback keeps for a host that writes before it reads.
    public static let loopbackCapacity = 1 << 20

    /// See ``Gadget/description``.
    public let description: DeviceDescription

    private let bulkSource: SourceEndpoint
    private let bulkSink: SinkEndpoint
    private let isochronousSource: IsochronousSource
    private let isochronousSink: IsochronousSink
    private let interruptSource: SourceEndpoint
    private let interruptSink: SinkEndpoint
    /// Instead of the interrupt source.
    private let reportSource: ReportSource?
    private let loopback: EchoPipe
    private var requests = TestRequests()

    /// Makes a device; what its descriptors would break of the specification, ``GadgetDevice`` refuses.
    public init(_ configuration: Configuration = Configuration()) {
        description = Self.describe(configuration)
        let (speed, pattern) = (configuration.speed, configuration.pattern)
        let bulk = configuration.bulk.endpoint(.in(1), at: speed, of: speed).descriptor(at: speed)
        bulkSource = SourceEndpoint(.in(1), pattern, packetField: bulk.maxPacketSize)
        bulkSink = SinkEndpoint(.out(1), pattern, packetField: bulk.maxPacketSize)
        let isochronous = configuration.isochronous.endpoint(.in(2), at: speed).descriptor(at: speed)
        let capacity = isochronous.bytesPerServiceInterval(at: speed)
        isochronousSource = IsochronousSource(
            .in(2), pattern, packetField: isochronous.maxPacketSize, capacity: capacity)
        isochronousSink = IsochronousSink(
            .out(2), pattern, packetField: isochronous.maxPacketSize, capacity: capacity)
        let interrupt = configuration.interrupt.endpoint(.in(3), at: speed).descriptor(at: speed)
        interruptSource = SourceEndpoint(.in(3), pattern, packetField: interrupt.maxPacketSize)
        interruptSink = SinkEndpoint(.out(3), pattern, packetField: interrupt.maxPacketSize)
        reportSource = configuration.reportMilliseconds.map {
            ReportSource(.in(3), pattern, size: interrupt.packetSize, milliseconds: $0)
        }
        loopback = EchoPipe(output: .out(1), input: .in(1), capacity: Self.loopbackCapacity)
    }

    /// What a source or sink has moved since its setting was selected; nil for an endpoint that is none.
    public func counts(of endpoint: EndpointAddress) -> EndpointCounts? {
        switch endpoint {
        case .in(1): bulkSource.counts
        case .out(1): bulkSink.counts
        case .in(2): isochronousSource.counts
        case .out(2): isochronousSink.counts
        case .in(3): reportSource?.counts ?? interruptSource.counts
        case .out(3): interruptSink.counts
        default: nil
        }
    }

    /// See ``Gadget/endpoints``.
    public var endpoints: [any EndpointHandler] {
        let interruptIn: any EndpointHandler = reportSource ?? interruptSource
        return [bulkSource, bulkSink, isochronousSource, isochronousSink, interruptIn, interruptSink]
    }

    /// See ``Gadget/attached(to:)``.
    public func attached(to link: GadgetLink) {
        reportSource?.attached(to: link)
        for sink in [bulkSink, interruptSink] {
            let address = sink.address
            sink.halt = { [weak link] in link?.halt(address) }
        }
    }

    /// See ``Gadget/control(_:)``.
    public func control(_ urb: consuming URB) { requests.answer(urb) }

    /// See ``Gadget/configured(_:)``.
    public func configured(_ value: UInt8) {
        let isLoopback = value == Self.loopbackValue
        bulkSource.substitute = isLoopback ? loopback.input : nil
        bulkSink.substitute = isLoopback ? loopback.output : nil
        restart()
    }

    /// See ``Gadget/selected(interface:alternate:)``.
    public func selected(interface: UInt8, alternate: UInt8) {
        restart()
        if alternate == Self.interruptAlternate { reportSource?.start() }
    }

    /// See ``Gadget/connected()``.
    public func connected() { reportSource?.connect() }

    /// See ``Gadget/disconnected()``.
    public func disconnected() { reportSource?.stop() }

    /// See ``Gadget/reset()``.
    public func reset() {
        restart()
        requests.reset()
    }

    private func restart() {
        reportSource?.stop()
        loopback.clear()
        for source in [bulkSource, interruptSource] { source.restart() }
        for sink in [bulkSink, interruptSink] { sink.restart() }
        isochronousSource.restart()
        isochronousSink.restart()
    }
}
