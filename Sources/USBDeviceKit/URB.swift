import Glibc
public import USBCore

/// Receives a transfer back from the layer below.
public protocol URBSink: AnyObject {
    /// Takes a transfer whose outcome is decided; the sink passes it on with ``URB/giveBack()``.
    ///
    /// The bytes of an IN answer are valid until this returns: a sink that passes the transfer on later copies them.
    func completed(_ urb: consuming URB)
}

/// The top of the stack: whoever made the transfers and sends their answers to the host.
public protocol URBHost: URBSink {
    /// Room for `count` bytes of answer, valid until the transfer that asked is completed, whatever else is meanwhile.
    ///
    /// - Parameter count: 1 to the transfer's requested length.
    func reserve(_ count: Int) -> UnsafeMutableRawPointer

    /// Takes reserved memory back: the answer in it has been copied elsewhere, to be completed later.
    func unreserve(_ memory: UnsafeRawPointer)
}

/// One transfer in flight: a USB request block.
///
/// A URB has exactly one owner, and completing it consumes it, so that it cannot be answered twice. A URB that is
/// dropped is answered with ``TransferStatus/abandoned``, so that it cannot be answered never. Keeping one is how a
/// device says NAK: an IN transfer waits until there is data.
///
/// A URB is eight bytes wide and costs no allocation: it points into a pool that the session owns.
@frozen @safe public struct URB: ~Copyable {
    /// Names a transfer among those in flight on one connection.
    public typealias ID = UInt32

    @usableFromInline let slot: UnsafeMutablePointer<URBSlot>

    /// Wraps a slot that its owner has filled in.
    @inlinable @unsafe public init(_ slot: UnsafeMutablePointer<URBSlot>) { unsafe self.slot = slot }

    /// The transfer's name, for ``USBDevice/cancel(_:)``.
    @inlinable public var id: ID { unsafe slot.pointee.id }
    /// The endpoint addressed; a control transfer's has the direction of the data stage.
    @inlinable public var endpoint: EndpointAddress { unsafe slot.pointee.endpoint }
    /// How the endpoint moves data.
    @inlinable public var type: TransferType { unsafe slot.pointee.type }
    /// What the host asked for beyond the data.
    @inlinable public var flags: Flags { unsafe slot.pointee.flags }
    /// The setup stage; meaningful for control transfers only.
    @inlinable public var setup: SetupPacket { unsafe slot.pointee.setup }
    /// The bytes the host sends (OUT) or has room for (IN).
    @inlinable public var requestedLength: Int { unsafe slot.pointee.requestedLength }
    /// How the transfer ended; meaningful to sinks.
    @inlinable public var status: TransferStatus { unsafe slot.pointee.status }
    /// The frame that an isochronous transfer is to start in, or did: milliseconds up to full speed, else microframes.
    public var startFrame: UInt32 { unsafe slot.pointee.startFrame }
    /// The bytes moved; meaningful to sinks.
    @inlinable public var actualLength: Int { unsafe slot.pointee.actualLength }

    /// What the host asked for beyond the data.
    @frozen public struct Flags: OptionSet, Sendable {
        /// The bits, as Linux numbers them.
        public let rawValue: UInt32
        /// Makes a set from Linux's bits; unknown ones are kept and mean nothing.
        @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// A short IN answer is an error; the host's core applies this by itself.
        public static let shortNotOK = Self(rawValue: 0x0001)
        /// An OUT transfer that fills its last packet is followed by a packet of no length.
        public static let zeroPacket = Self(rawValue: 0x0040)
    }

    // MARK: Reading

    /// Lends the bytes that the host sent (OUT), or that the device has answered so far (IN, for sinks).
    @inlinable
    public borrowing func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        let bytes =
            switch endpoint.direction {
            case .out: unsafe payload
            case .in: unsafe UnsafeRawBufferPointer(start: slot.pointee.answer, count: actualLength)
            }
        return try body(unsafe RawSpan(_unsafeBytes: bytes))
    }

    /// The bytes that the host sent, for code that moves them on without looking at them.
    ///
    /// Valid while the URB is. Null where the transfer has none.
    @inlinable @unsafe public var payload: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(
            start: slot.pointee.payload, count: slot.pointee.payload == nil ? 0 : requestedLength)
    }

    /// Says that the device has copied ``payload``, or reads it where it landed: nobody else needs to keep it.
    ///
    /// Saves a copy when the device keeps the transfer; ``payload`` is empty from now on.
    @inlinable @unsafe public borrowing func releasePayload() { unsafe slot.pointee.payload = nil }

    // MARK: Completing

    /// Ends the transfer without data.
    ///
    /// A successful IN transfer is answered empty; a successful OUT transfer has taken nothing: see ``accept()``.
    @inlinable
    public consuming func complete(_ status: TransferStatus = .success) {
        unsafe slot.pointee.status = status
        giveBack()
    }

    /// Takes an OUT transfer whole.
    @inlinable
    public consuming func accept() {
        accept(requestedLength)
    }

    /// Takes the first `count` bytes of an OUT transfer.
    ///
    /// - Parameter count: what is more than the host sent is cut.
    @inlinable
    public consuming func accept(_ count: Int, _ status: TransferStatus = .success) {
        // An IN transfer moves no byte that nobody has answered.
        unsafe slot.pointee.actualLength = endpoint.direction == .out ? max(0, min(count, requestedLength)) : 0
        complete(status)
    }

    /// Answers STALL.
    @inlinable
    public consuming func stall() { complete(.stalled) }

    /// Answers an IN transfer in place.
    ///
    /// - Parameters:
    ///   - capacity: the most bytes that `body` will write; what the host has no room for is cut.
    ///   - body: writes the answer and says how the transfer ends.
    @inlinable
    public consuming func complete(reserving capacity: Int, _ body: (inout OutputRawSpan) -> TransferStatus) {
        let room = max(0, min(capacity, requestedLength))
        var output = OutputRawSpan()
        guard room > 0 else {
            complete(body(&output))
            return
        }
        let memory = unsafe UnsafeMutableRawBufferPointer(start: slot.pointee.host.reserve(room), count: room)
        output = unsafe OutputRawSpan(buffer: memory, initializedCount: 0)
        let status = body(&output)
        unsafe slot.pointee.actualLength = output.finalize(for: memory)
        unsafe slot.pointee.answer = UnsafeRawPointer(memory.baseAddress)
        complete(status)
    }

    /// Answers an IN transfer with a copy of `bytes`.
    ///
    /// More bytes than the host has room for is babble: it gets what fits, and ``TransferStatus/overflow``. A control
    /// transfer is cut silently, as its wLength asks (USB 2.0 §9.3.5).
    @inlinable
    public consuming func complete(_ status: TransferStatus = .success, copying bytes: RawSpan) {
        let count = min(bytes.byteCount, requestedLength)
        let babble = bytes.byteCount > requestedLength && type != .control
        if count > 0 {
            let memory = unsafe slot.pointee.host.reserve(count)
            unsafe bytes.withUnsafeBytes { source in
                if let start = source.baseAddress { unsafe memory.copyMemory(from: start, byteCount: count) }
            }
            unsafe slot.pointee.actualLength = count
            unsafe slot.pointee.answer = UnsafeRawPointer(memory)
        }
        complete(babble ? .overflow : status)
    }

    /// Answers an IN transfer with a copy of `bytes`: see ``complete(_:copying:)-(_,RawSpan)``.
    public consuming func complete(_ status: TransferStatus = .success, copying bytes: [UInt8]) {
        // A span over whole bytes has no padding to leak, which is what makes `bytes` unsafe in general.
        complete(status, copying: unsafe bytes.span.bytes)
    }

    /// Answers an IN transfer with `bytes`, without a copy where the transport can.
    ///
    /// - Parameter bytes: cut to the host's room; must stay valid until this call returns.
    @inlinable @unsafe
    public consuming func complete(_ status: TransferStatus = .success, borrowing bytes: UnsafeRawBufferPointer) {
        unsafe slot.pointee.actualLength = min(bytes.count, requestedLength)
        unsafe slot.pointee.answer = bytes.baseAddress
        complete(status)
    }

    // MARK: Stacking

    /// Interposes `sink`: it gets this URB back before the layers above do.
    ///
    /// - Parameter sink: must outlive every transfer it interposed; a device's decorators do.
    @inlinable
    public borrowing func intercept(_ sink: any URBSink) { unsafe slot.pointee.push(sink) }

    /// Copies an IN answer, so that a sink can pass the transfer on later.
    public borrowing func keepAnswer() {
        guard endpoint.direction == .in, let answer = unsafe slot.pointee.answer, unsafe slot.pointee.owned == nil
        else {
            return
        }
        let memory = unsafe malloc(max(actualLength, 1))
        if let memory = unsafe memory {
            unsafe memory.copyMemory(from: answer, byteCount: actualLength)
        } else {
            unsafe slot.pointee.actualLength = 0
            unsafe slot.pointee.status = .outOfMemory
        }
        unsafe slot.pointee.owned = memory
        unsafe slot.pointee.answer = UnsafeRawPointer(memory)
        unsafe slot.pointee.host.unreserve(answer)
    }

    /// Passes a decided transfer on to the layer above.
    @inlinable
    public consuming func giveBack() {
        let slot = unsafe slot
        discard self
        unsafe slot.pointee.pop().completed(URB(slot))
    }

    /// Ends the line: only the host, which owns the slot, calls this.
    @inlinable @unsafe
    public consuming func release() -> UnsafeMutablePointer<URBSlot> {
        let slot = unsafe slot
        discard self
        return unsafe slot
    }

    deinit {
        unsafe slot.pointee.status = .abandoned
        unsafe slot.pointee.actualLength = 0
        let slot = unsafe slot
        unsafe slot.pointee.pop().completed(URB(slot))
    }
}
