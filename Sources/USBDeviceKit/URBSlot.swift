import Glibc
public import USBCore

/// The memory behind a ``URB``: owned and recycled by the host of the transfers, never touched by devices.
///
/// The layers named here are held without a count: a connection outlives the transfers it made, and a device's
/// decorators outlive the device's transfers, so counting on every transfer would buy nothing.
@unsafe public struct URBSlot {
    /// The transfer's name on its connection.
    public var id: URB.ID = 0
    /// The endpoint addressed.
    public var endpoint = EndpointAddress(rawValue: 0)
    /// How the endpoint moves data.
    public var type = TransferType.control
    /// What the host asked for beyond the data.
    public var flags: URB.Flags = []
    /// The setup stage of a control transfer.
    public var setup = SetupPacket(littleEndian: 0)
    /// The bytes the host sends or has room for.
    public var requestedLength = 0
    /// How the transfer ended.
    public var status = TransferStatus.success
    /// The bytes moved.
    public var actualLength = 0
    /// The host's bytes (OUT): borrowed from the transport while the transfer is submitted, then ``owned``.
    public var payload: UnsafeRawPointer?
    /// The device's bytes (IN): set when the transfer completes.
    public var answer: UnsafeRawPointer?
    /// The packets of an isochronous transfer: see ``makePackets(_:)``.
    public private(set) var packets = unsafe UnsafeMutableBufferPointer<IsochronousPacket>(start: nil, count: 0)
    /// The frame that an isochronous transfer is to start in, or did: milliseconds up to full speed, else microframes.
    public var startFrame: UInt32 = 0
    /// When the bus is to serve the transfer, in nanoseconds of its ``BusClock``; belongs to ``PacedDevice``.
    var due: UInt64 = 0
    /// When a transfer that the device keeps has arrived, in nanoseconds; belongs to the host.
    public var arrival: UInt64 = 0
    private var packetMemory = unsafe UnsafeMutableBufferPointer<IsochronousPacket>(start: nil, count: 0)
    /// Memory for more packets than this is not kept: thousands of transfers can be in flight.
    private static var packetsWorthKeeping: Int { 128 }
    /// Memory from `malloc` that belongs to this transfer and is freed with it.
    public var owned: UnsafeMutableRawPointer?
    /// Whether the transfer has been submitted and not yet come back.
    public var isLive = false
    /// Whether the device kept the transfer when it was submitted.
    public var isKept = false
    /// The transfer behind this one: in a ``URBQueue``, or among its host's idle ones.
    public var next: UnsafeMutablePointer<URBSlot>?

    /// The deepest stack of layers: the host and up to seven decorators.
    public static var maximumDepth: Int { 8 }

    @usableFromInline unowned(unsafe) let host: any URBHost
    @usableFromInline var sinks: InlineArray<8, SinkReference>
    @usableFromInline var depth = 1

    /// Makes an idle slot whose transfers return to `host`.
    public init(host: any URBHost) {
        unsafe self.host = host
        unsafe sinks = .init(repeating: SinkReference(host))
    }

    /// Makes the slot ready for a new transfer.
    @inlinable
    public mutating func rearm() {
        unsafe depth = 1
        unsafe status = .success
        unsafe actualLength = 0
        unsafe payload = nil
        unsafe answer = nil
        unsafe isLive = true
        unsafe isKept = false
    }

    /// Frees the memory that belongs to the transfer.
    public mutating func freeOwned() {
        if let memory = unsafe owned { unsafe free(memory) }
        unsafe owned = nil
        unsafe packets = unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
        if unsafe packetMemory.count > Self.packetsWorthKeeping { unsafe freePackets() }
    }

    /// Room for the packets of an isochronous transfer, which the caller initializes.
    ///
    /// The memory stays with the slot, for the next transfer of a stream.
    public mutating func makePackets(_ count: Int) -> UnsafeMutableBufferPointer<IsochronousPacket> {
        if unsafe packetMemory.count < count {
            unsafe freePackets()
            unsafe packetMemory = .allocate(capacity: count)
        }
        unsafe packets = UnsafeMutableBufferPointer(rebasing: packetMemory[..<count])
        return unsafe packets
    }

    /// Frees all memory of a slot that will not be used again.
    public mutating func freeAll() {
        unsafe freeOwned()
        unsafe freePackets()
    }

    private mutating func freePackets() {
        unsafe packetMemory.deallocate()
        unsafe packetMemory = unsafe UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    @inlinable
    mutating func push(_ sink: any URBSink) {
        // A deeper stack is refused where decorators are put together; here it would write past the array.
        precondition(unsafe depth < Self.maximumDepth, "more than seven decorators around one device")
        unsafe sinks[depth] = SinkReference(sink)
        unsafe depth += 1
    }

    @inlinable
    mutating func pop() -> any URBSink {
        unsafe depth -= 1
        return unsafe sinks[depth].sink
    }

    @usableFromInline @unsafe struct SinkReference {
        @usableFromInline unowned(unsafe) let sink: any URBSink
        @usableFromInline init(_ sink: any URBSink) { unsafe self.sink = sink }
    }
}
