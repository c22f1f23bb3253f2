public import USBCore

/// One packet of an isochronous transfer.
@frozen public struct IsochronousPacket: Hashable, Sendable {
    /// Where the packet's bytes begin in the host's buffer.
    public var offset: UInt32
    /// The bytes sent (OUT) or the room there is (IN).
    public var length: UInt32
    /// The bytes moved.
    public var actualLength: UInt32
    /// How the packet fared; a failed one does not fail the transfer.
    public var status: TransferStatus

    /// Makes a packet that has not moved yet.
    @inlinable
    public init(offset: UInt32, length: UInt32, actualLength: UInt32 = 0, status: TransferStatus = .success) {
        self.offset = offset
        self.length = length
        self.actualLength = actualLength
        self.status = status
    }
}

extension URB {
    /// The number of packets of an isochronous transfer; 0 for the other types.
    public var packetCount: Int { unsafe slot.pointee.packets.count }

    /// One packet of an isochronous transfer; nil outside 0 up to ``packetCount``.
    public borrowing func packet(_ index: Int) -> IsochronousPacket? {
        let packets = unsafe slot.pointee.packets
        return unsafe packets.indices.contains(index) ? packets[index] : nil
    }

    /// Lends the bytes of one packet of an OUT transfer.
    ///
    /// - Parameter index: 0 up to the number of packets; a packet that does not exist is empty.
    public borrowing func withPacket<R>(_ index: Int, _ body: (RawSpan) -> R) -> R {
        let packets = unsafe slot.pointee.packets
        guard packets.indices.contains(index), let payload = unsafe slot.pointee.payload else { return body(RawSpan()) }
        // The session has checked that every packet lies within the buffer.
        let packet = unsafe packets[index]
        let bytes = unsafe UnsafeRawBufferPointer(start: payload + Int(packet.offset), count: Int(packet.length))
        return body(unsafe RawSpan(_unsafeBytes: bytes))
    }

    /// Takes every packet of an isochronous OUT transfer.
    public consuming func acceptPackets() {
        let packets = unsafe slot.pointee.packets
        var total = 0
        for index in packets.indices {
            unsafe packets[index].actualLength = packets[index].length
            unsafe packets[index].status = .success
            total += unsafe Int(packets[index].length)
        }
        unsafe slot.pointee.actualLength = total
        complete(.success)
    }

    /// Ends an isochronous transfer of either direction whose packets somebody else has moved.
    ///
    /// - Parameters:
    ///   - status: the whole transfer's; a failed packet does not fail it.
    ///   - bytes: for IN, the packets' bytes one behind the other; must stay valid until this call returns.
    ///   - outcome: how the packet of the given index fared, and the bytes moved; more than its length is cut.
    @unsafe
    public consuming func completePackets(
        _ status: TransferStatus, borrowing bytes: UnsafeRawBufferPointer,
        _ outcome: (Int) -> (actualLength: Int, status: TransferStatus)
    ) {
        let packets = unsafe slot.pointee.packets
        var total = 0
        for index in packets.indices {
            let (count, status) = outcome(index)
            let moved = unsafe max(0, min(count, Int(packets[index].length)))
            unsafe packets[index].actualLength = UInt32(truncatingIfNeeded: moved)
            unsafe packets[index].status = status
            total += moved
        }
        if endpoint.direction == .in, total <= bytes.count { unsafe slot.pointee.answer = bytes.baseAddress }
        unsafe slot.pointee.actualLength = total
        complete(status)
    }

    /// Answers an isochronous IN transfer packet by packet, in order.
    ///
    /// - Parameter body: writes the packet of the given index, at most its length, and says how it fared.
    public consuming func completePackets(_ body: (Int, inout OutputRawSpan) -> TransferStatus) {
        let packets = unsafe slot.pointee.packets
        var total = 0
        if requestedLength == 0 {
            for index in packets.indices {
                var output = OutputRawSpan()
                unsafe packets[index].status = body(index, &output)
                unsafe packets[index].actualLength = 0
            }
        } else {
            // Packets may overlap in the host's buffer, so their lengths may add up to more than it; the answer is
            // compact and must not.
            let memory = unsafe slot.pointee.host.reserve(requestedLength)
            for index in packets.indices {
                let room = unsafe min(Int(packets[index].length), requestedLength - total)
                let window = unsafe UnsafeMutableRawBufferPointer(start: memory + total, count: room)
                var output = unsafe OutputRawSpan(buffer: window, initializedCount: 0)
                unsafe packets[index].status = body(index, &output)
                let count = unsafe output.finalize(for: window)
                unsafe packets[index].actualLength = UInt32(truncatingIfNeeded: count)
                total += count
            }
            unsafe slot.pointee.answer = UnsafeRawPointer(memory)
        }
        unsafe slot.pointee.actualLength = total
        complete(.success)
    }
}
