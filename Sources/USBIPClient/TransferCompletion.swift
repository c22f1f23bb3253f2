public import USBCore

/// What happens to a transfer after its completion.
public enum TransferStep: Sendable {
    /// It is submitted again, as it is.
    case resubmit
    /// It has ended.
    case done
}

/// Called with each completion of a transfer, on the device's reading thread.
///
/// It must not wait for another transfer of the same device. What it submits is sent together with what the other
/// completions of the same read submit.
public typealias TransferHandler = @Sendable (borrowing TransferCompletion) -> TransferStep

/// A transfer that has completed, lent to its handler: nothing is copied.
@safe public struct TransferCompletion: ~Copyable {
    private let slot: UnsafeMutablePointer<TransferSlot>

    init(_ slot: UnsafeMutablePointer<TransferSlot>) { unsafe self.slot = slot }

    /// The transfer's name, the same after each resubmit.
    public var id: TransferID { unsafe slot.pointee.id }

    /// The endpoint.
    public var endpoint: EndpointAddress { unsafe slot.pointee.endpoint }

    /// How the transfer ended.
    public var status: TransferStatus { unsafe slot.pointee.status }

    /// The bytes moved.
    public var actualLength: Int { unsafe slot.pointee.actualLength }

    /// Isochronous: the frame that the transfer started in.
    public var startFrame: Int32 { unsafe slot.pointee.startFrame }

    /// Isochronous: how many packets failed, by the server's count.
    public var errorCount: Int32 { unsafe slot.pointee.errorCount }

    /// Why the connection ended before the transfer did; nil where the server answered.
    ///
    /// Where it is not nil, or the transfer was cancelled, this is the last completion whatever the handler returns.
    public var connectionError: HostError? { unsafe slot.pointee.error }

    /// How many isochronous packets there are.
    public var packetCount: Int { unsafe slot.pointee.results.count }

    /// An isochronous packet's result; nil beyond the last.
    public func packet(_ index: Int) -> IsochronousResult? {
        unsafe slot.pointee.results.indices.contains(index) ? slot.pointee.results[index] : nil
    }

    /// Lends what the device sent (IN): of an isochronous transfer the packets' bytes without the gaps between them.
    public func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        let bytes = unsafe UnsafeRawBufferPointer(
            start: slot.pointee.data, count: slot.pointee.data == nil ? 0 : slot.pointee.actualLength)
        return try body(unsafe RawSpan(_unsafeBytes: bytes))
    }

    /// Lends the bytes that an isochronous packet brought (IN); none beyond the last packet.
    public func withPacket<R, E: Error>(_ index: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
        guard let packet = packet(index), let data = unsafe slot.pointee.data else { return try body(RawSpan()) }
        let bytes = unsafe UnsafeRawBufferPointer(start: data + packet.dataOffset, count: packet.actualLength)
        return try body(unsafe RawSpan(_unsafeBytes: bytes))
    }

    /// Lends the payload (OUT), to be changed before it is submitted again.
    public func withPayload<R, E: Error>(_ body: (inout MutableRawSpan) throws(E) -> R) throws(E) -> R {
        let isOut = unsafe !slot.pointee.isIn && slot.pointee.memory != nil
        let memory = unsafe UnsafeMutableRawBufferPointer(
            start: isOut ? slot.pointee.memory : nil, count: isOut ? slot.pointee.length : 0)
        var span = unsafe MutableRawSpan(_unsafeBytes: memory)
        return try body(&span)
    }

    /// The result with copies of everything.
    public func result() -> TransferResult {
        unsafe TransferResult(
            endpoint: slot.pointee.endpoint, status: slot.pointee.status, actualLength: slot.pointee.actualLength,
            data: withBytes { span in unsafe span.withUnsafeBytes { unsafe [UInt8]($0) } },
            packets: slot.pointee.results, startFrame: slot.pointee.startFrame, errorCount: slot.pointee.errorCount,
            connectionError: slot.pointee.error)
    }
}
