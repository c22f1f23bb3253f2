package import USBCore
package import USBDeviceKit

/// How a ``ScriptedDevice`` completes a transfer: one case for each way that a device has.
package enum Answer {
    /// Copies bytes, of which there may be more than the host asked for.
    case bytes([UInt8], TransferStatus = .success)
    /// Writes bytes into the transport's buffer.
    case inPlace([UInt8], TransferStatus = .success)
    /// Lends bytes to the transport.
    case lent([UInt8], TransferStatus = .success)
    /// Ends the transfer without moving anything.
    case status(TransferStatus)
    /// Takes the first bytes of an OUT transfer, or all.
    case accept(Int? = nil, TransferStatus = .success)
    /// Fills the packets of an isochronous IN transfer.
    case packets([Packet])
    /// Takes every packet of an isochronous OUT transfer.
    case acceptPackets

    /// What one isochronous packet is answered.
    package struct Packet {
        package var bytes: [UInt8]
        package var status: TransferStatus

        package init(_ bytes: [UInt8], _ status: TransferStatus = .success) {
            self.bytes = bytes
            self.status = status
        }
    }

    /// Completes `urb`.
    package func perform(on urb: consuming URB) {
        switch self {
        case .bytes(let bytes, let status): urb.complete(status, copying: bytes)
        case .inPlace(let bytes, let status):
            urb.complete(reserving: bytes.count) { output in
                Self.fill(&output, bytes)
                return status
            }
        case .lent(let bytes, let status): Self.lend(bytes, status, consume urb)
        case .status(let status): urb.complete(status)
        case .accept(let count, let status): urb.accept(count ?? urb.requestedLength, status)
        case .packets(let packets):
            urb.completePackets { index, output in
                guard packets.indices.contains(index) else { return .missed }
                Self.fill(&output, packets[index].bytes)
                return packets[index].status
            }
        case .acceptPackets: urb.acceptPackets()
        }
    }

    private static func fill(_ output: inout OutputRawSpan, _ bytes: [UInt8]) {
        for byte in bytes where output.freeCapacity > 0 { output.append(byte) }
    }

    private static func lend(_ bytes: [UInt8], _ status: TransferStatus, _ urb: consuming URB) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe memory.copyBytes(from: bytes)
        unsafe urb.complete(status, borrowing: UnsafeRawBufferPointer(memory))
        unsafe memory.deallocate()
    }
}
