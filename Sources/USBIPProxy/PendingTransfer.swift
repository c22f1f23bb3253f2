import USBCapture
import USBCore

/// What is remembered of a transfer until it ends.
struct PendingTransfer {
    private let endpoint: EndpointAddress
    private let type: TransferType
    /// The isochronous packets, as they were asked for.
    private let packets: [CapturedPacket]

    /// Remembers a submission.
    init(_ submission: CapturedEvent) {
        endpoint = submission.endpoint
        type = submission.type
        packets = submission.packets
    }

    /// The end of the transfer where no answer says it.
    func end(_ name: UInt64, _ status: TransferStatus) -> CapturedEvent {
        CapturedEvent(
            .completion, number: 0, offset: 0, time: 0, bus: 0, device: 0, urb: name, endpoint: endpoint, type: type,
            status: status)
    }

    /// The most bytes of a buffer that is recorded with its gaps: a few bytes may stand far apart in it.
    private static let maximumExtent = 4 << 20

    /// The answer of isochronous packets as it is in the host's buffer: each packet's bytes where they were asked for.
    ///
    /// On the wire they are one behind the other.
    ///
    /// - Returns: nil where the event is to be recorded as it is.
    func spread(_ event: CapturedEvent, _ data: RawSpan) -> (CapturedEvent, [UInt8])? {
        guard type == .isochronous, endpoint.direction == .in, !packets.isEmpty,
            event.packets.count == packets.count, !event.isCut
        else { return nil }
        var event = event
        var extent = 0
        var moved = 0
        for index in packets.indices {
            let count = event.packets[index].length
            guard count <= packets[index].length else { return nil }
            let offset = packets[index].offset
            event.packets[index].offset = offset
            moved += Int(count)
            if count > 0 { extent = max(extent, Int(offset) + Int(count)) }
        }
        guard moved <= data.byteCount, extent <= Self.maximumExtent else { return nil }
        var memory = [UInt8](repeating: 0, count: extent)
        var done = 0
        unsafe data.withUnsafeBytes { bytes in
            unsafe memory.withUnsafeMutableBytes { memory in
                for packet in event.packets where packet.length > 0 {
                    let (start, count) = (Int(packet.offset), Int(packet.length))
                    let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<done + count])
                    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + count]).copyMemory(from: part)
                    done += count
                }
            }
        }
        event.dataCount = extent
        return (event, memory)
    }
}
