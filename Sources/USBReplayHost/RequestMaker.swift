import CaptureTraces
import USBCapture
import USBCore
import USBIPClient

/// Makes requests of recorded transfers, and reads what they were answered with.
struct RequestMaker {
    let trace: Trace
    let facts: EndpointFacts
    let speed: Speed

    /// The request as it was made; nil where the capture does not have what it takes.
    ///
    /// - Throws: ``USBCapture/CaptureError`` when the file has been changed since.
    func request(for transfer: TracedTransfer) throws(CaptureError) -> TransferRequest? {
        if let setup = transfer.setup {
            let isOut = setup.direction == .out || setup.length == 0
            let payload = isOut ? try trace.bytes(transfer.output) : []
            guard !isOut || payload.count >= Int(setup.length) else { return nil }
            return .control(setup, payload: Array(payload.prefix(Int(setup.length))), timeout: nil)
        }
        let endpoint = transfer.endpoint
        var request: TransferRequest
        if transfer.type == .isochronous {
            guard let isochronous = try isochronousRequest(for: transfer) else { return nil }
            request = isochronous
        } else if endpoint.direction == .in {
            request = .in(endpoint.number, room: room(of: transfer))
            // Only who forbids a short transfer is told of it so.
            if transfer.status == .short { request.flags.insert(.shortNotOK) }
        } else {
            request = .out(endpoint.number, try trace.bytes(transfer.output))
        }
        request.interval = facts.interval(of: endpoint, transfer.type, at: speed)
        return request
    }

    /// The bytes asked for; where the capture does not say, as USBPcap's, the packets that hold what came.
    private func room(of transfer: TracedTransfer) -> Int {
        let (requested, actual) = (Int(transfer.requested), Int(transfer.actual))
        guard requested == 0 || requested < actual else { return requested }
        let size = facts.packetSize(of: transfer.endpoint, transfer.type, at: speed)
        return min(max(1, (actual + size - 1) / size) * size, TransferRequest.maximumLength)
    }

    private func isochronousRequest(for transfer: TracedTransfer) throws(CaptureError) -> TransferRequest? {
        guard let submitted = packets(of: transfer, in: trace.submittedPackets), !submitted.isEmpty else { return nil }
        let number = transfer.endpoint.number
        if transfer.endpoint.direction == .in {
            return .isochronousIn(number, lengths: submitted.map { Int($0.length) })
        }
        let payload = try trace.bytes(transfer.output)
        let packets = submitted.map { TransferRequest.Packet(offset: Int($0.offset), length: Int($0.length)) }
        guard packets.allSatisfy({ $0.offset <= payload.count && $0.length <= payload.count - $0.offset }) else {
            return nil
        }
        return .isochronousOut(number, payload: payload, packets: packets)
    }

    private func packets(of transfer: TracedTransfer, in all: [CapturedPacket]) -> ArraySlice<CapturedPacket>? {
        let (first, count) = (Int(transfer.firstPacket), Int(transfer.packetCount))
        guard first <= all.count, count <= all.count - first else { return nil }
        return all[first..<first + count]
    }

    /// What the transfer was answered with.
    ///
    /// - Throws: ``USBCapture/CaptureError`` when the file has been changed since.
    func recorded(_ transfer: TracedTransfer) throws(CaptureError) -> AnswerComparison.Recorded {
        let isIn = transfer.setup.map { $0.direction == .in } ?? (transfer.endpoint.direction == .in)
        var recorded = AnswerComparison.Recorded(
            status: transfer.status, actualLength: Int(transfer.actual), data: [], hasData: isIn)
        let data = isIn ? try trace.bytes(transfer.input) : []
        guard transfer.type == .isochronous, let packets = packets(of: transfer, in: trace.packets) else {
            recorded.data = data
            return recorded
        }
        // The capture has the host's buffer, with gaps between the packets; answers come without.
        for packet in packets {
            recorded.packets.append(.init(status: packet.status, length: Int(packet.length)))
            let start = min(Int(packet.offset), data.count)
            if isIn { recorded.data += data[start..<min(start + Int(packet.length), data.count)] }
        }
        if !packets.isEmpty { recorded.actualLength = recorded.packets.reduce(0) { $0 &+ $1.length } }
        return recorded
    }
}
