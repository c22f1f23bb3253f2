public import USBCore

/// An IN endpoint that sends what the device has to say.
///
/// The host's transfers wait until there is something; what is sent before the host asks waits for the host. On an
/// isochronous endpoint, where nothing waits, each packet takes what was sent with one ``send(_:)``, or is empty.
public final class InPipe: EndpointHandler {
    /// See ``EndpointHandler/address``.
    public let address: EndpointAddress
    /// The most bytes kept for a host that does not ask.
    public let capacity: Int
    private var waiting = URBQueue()
    /// What waits for the host; the first `fetched` are gone already.
    private var queue: [[UInt8]] = []
    private var fetched = 0
    private var queuedBytes = 0
    private var source: ((_ room: Int, inout OutputRawSpan) -> Void)?

    /// Makes a pipe for IN endpoint `number`.
    ///
    /// - Parameters:
    ///   - number: 1 to 15.
    ///   - capacity: the most bytes to keep for a host that does not ask.
    public init(_ number: UInt8, capacity: Int = 1 << 20) {
        address = .in(number)
        self.capacity = capacity
    }

    /// Sends one transfer's worth of bytes; none are an empty packet.
    ///
    /// - Returns: false when the host has not fetched what was sent before and the capacity is used up.
    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        if let urb = waiting.popFirst() {
            urb.complete(copying: bytes)
            return true
        }
        guard queuedBytes + bytes.count <= capacity, queue.count - fetched < Self.maximumCount else { return false }
        queue.append(bytes)
        queuedBytes += bytes.count
        return true
    }

    /// The most transfers' worth kept: empty packets need no room, but are not free, either.
    public static let maximumCount = 4096

    private func next() -> [UInt8]? {
        guard fetched < queue.count else { return nil }
        let bytes = queue[fetched]
        queue[fetched] = []
        fetched += 1
        queuedBytes -= bytes.count
        // Moving the rest up now and then costs less than doing so each time.
        if fetched == queue.count || fetched >= 1024 {
            queue.removeFirst(fetched)
            fetched = 0
        }
        return bytes
    }

    /// Answers every transfer at once by filling it, instead of with what is sent.
    ///
    /// - Parameter body: is given the room there is and writes any part of it.
    public func onRequest(_ body: @escaping (_ room: Int, inout OutputRawSpan) -> Void) { source = body }

    /// See ``EndpointHandler/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        let room = urb.requestedLength
        if urb.type == .isochronous {
            submitPackets(urb)
        } else if let source {
            urb.complete(reserving: room) { output in
                source(room, &output)
                return .success
            }
        } else if let bytes = next() {
            urb.complete(copying: bytes)
        } else {
            waiting.append(urb)
        }
    }

    /// Fills the packets of an isochronous transfer, which does not wait: a packet for which there is nothing is empty.
    private func submitPackets(_ urb: consuming URB) {
        urb.completePackets { _, output in
            // Less than the packet's length where packets overlap in the host's buffer.
            let room = output.freeCapacity
            if let source {
                source(room, &output)
                return .success
            }
            guard let bytes = next() else { return .success }
            for byte in bytes.prefix(room) { output.append(byte) }
            return bytes.count > room ? .overflow : .success
        }
    }

    /// See ``EndpointHandler/cancel(_:)``.
    public func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    /// See ``EndpointHandler/completeAll(_:)``.
    public func completeAll(_ status: TransferStatus) {
        // Taken out first: whoever gets a transfer back may submit the next at once.
        var all = URBQueue()
        swap(&all, &waiting)
        queue = []
        fetched = 0
        queuedBytes = 0
        all.completeAll(status)
    }
}

/// An OUT endpoint that hands on what the host sends: transfer by transfer, or packet by packet if isochronous.
public final class OutPipe: EndpointHandler {
    /// See ``EndpointHandler/address``.
    public let address: EndpointAddress
    private var handler: (RawSpan) -> Void

    /// Makes a pipe for OUT endpoint `number`.
    ///
    /// - Parameters:
    ///   - number: 1 to 15.
    ///   - onReceive: is lent the bytes of each transfer or packet.
    public init(_ number: UInt8, onReceive: @escaping (RawSpan) -> Void = { _ in }) {
        address = .out(number)
        handler = onReceive
    }

    /// Sets what is done with the bytes of each transfer.
    public func onReceive(_ body: @escaping (RawSpan) -> Void) { handler = body }

    /// See ``EndpointHandler/submit(_:)``.
    public func submit(_ urb: consuming URB) {
        if urb.type == .isochronous {
            for index in 0..<urb.packetCount { urb.withPacket(index, handler) }
            urb.acceptPackets()
        } else {
            urb.withBytes(handler)
            urb.accept()
        }
    }

    /// See ``EndpointHandler/cancel(_:)``.
    public func cancel(_ id: URB.ID) -> Bool { false }

    /// See ``EndpointHandler/completeAll(_:)``.
    public func completeAll(_ status: TransferStatus) {}
}

extension [UInt8] {
    /// A copy of bytes that were lent, such as those of ``OutPipe/onReceive(_:)``, to be kept.
    public init(copying bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
