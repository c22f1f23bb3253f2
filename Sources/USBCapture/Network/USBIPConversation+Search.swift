import USBCore
import USBIPWire

/// Finding the place in a conversation of which the beginning, or something in between, was not captured.
extension USBIPConversation {
    /// Looks for a header.
    ///
    /// - Returns: where in the chunk to go on; nil when there is none. What may be the beginning of one is kept.
    func search(
        _ chunk: TCPChunk, from position: Int, _ lane: USBIPLane
    ) -> Int? {
        let kept = lane.buffer
        lane.buffer = []
        let isClient = lane.isClient
        let rest = chunk.bytes[position..<chunk.bytes.count]
        guard !kept.isEmpty else {
            if let found = find(rest, isClient) {
                lostBytes += Int64(found.position)
                lane.expectation = found.expectation
                return position + found.position
            }
            let keep = min(rest.count, URBWire.headerSize - 1)
            lostBytes += Int64(rest.count - keep)
            lane.buffer = rest.copy(rest.count - keep..<rest.count)
            return nil
        }
        // The header may have begun in the segment before.
        let joined = kept + rest.copy(0..<min(rest.count, URBWire.headerSize - 1))
        let found = unsafe joined.withUnsafeBytes { find(unsafe ByteView($0), isClient) }
        guard let found else {
            if joined.count - kept.count == rest.count {
                let keep = min(joined.count, URBWire.headerSize - 1)
                lostBytes += Int64(joined.count - keep)
                lane.buffer = Array(joined.suffix(keep))
                return nil
            }
            lostBytes += Int64(kept.count)
            return search(chunk, from: position, lane)
        }
        lostBytes += Int64(found.position)
        lane.expectation = found.expectation
        guard found.position < kept.count else { return position + found.position - kept.count }
        lane.buffer = Array(kept.dropFirst(found.position))
        return position
    }

    private func find(
        _ bytes: ByteView, _ isClient: Bool
    ) -> (position: Int, expectation: USBIPLane.Expectation)? {
        if Self.isOpHeader(bytes, at: 0), deviceID == nil { return (0, .beginning) }
        guard bytes.count >= URBWire.headerSize else { return nil }
        for position in 0...bytes.count - URBWire.headerSize {
            guard bytes[position + 3] != 0, bytes.big32(position) <= 4 else { continue }
            let header = bytes[position..<position + URBWire.headerSize]
            if isClient ? isLikelyCommand(header) : isLikelyReturn(header) { return (position, .header) }
        }
        return nil
    }

    /// Whether a header goes on with what the client said before; of one whose beginning is missing, whether it makes
    /// sense in itself.
    private func isLikelyCommand(_ header: ByteView) -> Bool {
        if let deviceID, header.big32(8) != deviceID { return false }
        if let lastSequence {
            let step = header.big32(4) &- lastSequence
            guard step >= 1, step <= 1 << 20 else { return false }
        }
        return Self.isLikelyCommand(header)
    }

    /// Whether 48 bytes make sense as a header of the client's.
    static func isLikelyCommand(_ header: ByteView) -> Bool {
        guard header.big32(4) != 0, header.big32(8) >> 16 != 0, header.big32(8) & 0xffff != 0,
            header.big32(12) <= 1, header.big32(16) <= 15
        else { return false }
        switch URBCommand(rawValue: header.big32(0)) {
        case .submit:
            let length = Int32(bitPattern: header.big32(24))
            let interval = Int32(bitPattern: header.big32(36))
            guard length >= 0, length <= maximumBody, packetCount(Int32(bitPattern: header.big32(32))) != nil,
                interval >= 0, interval <= 1 << 16
            else { return false }
            // A control transfer says its length twice.
            return header.big32(16) != 0 || Int32(header.little16(46)) == length
        case .unlink: return (6..<12).allSatisfy { header.big32($0 * 4) == 0 } && header.big32(20) != 0
        default: return false
        }
    }

    /// Whether a header answers a question that is open.
    private func isLikelyReturn(_ header: ByteView) -> Bool {
        let status = Int32(bitPattern: header.big32(20))
        guard status <= 0, status > -4096 else { return false }
        switch URBCommand(rawValue: header.big32(0)) {
        case .returnSubmit:
            guard let transfer = pending[header.big32(4)] else { return false }
            return header.big32(24) <= UInt32(clamping: transfer.length)
        case .returnUnlink: return unlinks[header.big32(4)] != nil
        default: return false
        }
    }
}
