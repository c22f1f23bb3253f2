import TestSupport
import USBCore
import USBIPWire

/// What a session must answer, in order, said as simply as possible.
struct ReferenceModel {
    struct Transfer {
        var endpoint: EndpointAddress
        var type: TransferType
        var length: Int
        var packets: [PacketDescriptor]
    }

    private(set) var expected: [Reply] = []
    /// Transfers in the device, oldest first.
    private(set) var kept: [(sequence: UInt32, transfer: Transfer)] = []
    private var unlinksOfKept: [UInt32: [UInt32]] = [:]
    private var unlinksOfFuture: [UInt32: [UInt32]] = [:]

    /// A submit arrives; `answer` is what the device does at once, nil when it keeps the transfer.
    ///
    /// - Returns: whether the device sees the transfer.
    mutating func submit(_ sequence: UInt32, _ transfer: Transfer, _ answer: Answer?) -> Bool {
        let overtakers = unlinksOfFuture.removeValue(forKey: sequence)
        // Submits come in order: what is still waited for has been skipped.
        for unlink in unlinksOfFuture.values.joined() { expected.append(.unlink(sequence: unlink, status: 0)) }
        unlinksOfFuture = [:]
        if let overtakers {
            takenBack(overtakers)
            return false
        }
        if let answer {
            expected.append(.submit(Self.reply(sequence, transfer, answer)))
        } else {
            kept.append((sequence, transfer))
        }
        return true
    }

    private mutating func takenBack(_ unlinks: [UInt32]) {
        for (index, unlink) in unlinks.enumerated() {
            expected.append(.unlink(sequence: unlink, status: index == 0 ? -104 : 0))
        }
    }

    /// An unlink arrives.
    ///
    /// - Returns: whether the device is asked for the transfer.
    mutating func unlink(_ sequence: UInt32, victim: UInt32, isFuture: Bool) -> Bool {
        if isFuture {
            unlinksOfFuture[victim, default: []].append(sequence)
        } else if kept.contains(where: { $0.sequence == victim }) {
            unlinksOfKept[victim, default: []].append(sequence)
            return unlinksOfKept[victim]?.count == 1
        } else {
            expected.append(.unlink(sequence: sequence, status: 0))
        }
        return false
    }

    /// The device gives a transfer back; nil when it was cancelled.
    mutating func complete(_ sequence: UInt32, _ answer: Answer?) {
        guard let index = kept.firstIndex(where: { $0.sequence == sequence }) else { return }
        let transfer = kept.remove(at: index).transfer
        let unlinks = unlinksOfKept.removeValue(forKey: sequence) ?? []
        if answer == nil, !unlinks.isEmpty {
            takenBack(unlinks)
        } else {
            expected.append(.submit(Self.reply(sequence, transfer, answer ?? .status(.shutdown))))
            for unlink in unlinks { expected.append(.unlink(sequence: unlink, status: 0)) }
        }
    }

    /// The answer that a client must read when the device completes a transfer so.
    static func reply(_ sequence: UInt32, _ transfer: Transfer, _ answer: Answer) -> SubmitReply {
        let isIn = transfer.endpoint.direction == .in
        var packets = transfer.packets
        for index in packets.indices { (packets[index].status, packets[index].actualLength) = (-18, 0) }
        var reply = SubmitReply(sequence, errorCount: Int32(packets.count), packets: packets)
        switch answer {
        case .bytes(let bytes, let status):
            let babbles = bytes.count > transfer.length && transfer.type != .control
            reply.status = babbles ? -75 : status.rawValue
            reply.data = Array(bytes.prefix(transfer.length))
        case .inPlace(let bytes, let status), .lent(let bytes, let status):
            reply.status = status.rawValue
            reply.data = Array(bytes.prefix(transfer.length))
        case .status(let status): reply.status = status.rawValue
        case .accept(let count, let status):
            reply.status = status.rawValue
            reply.actualLength = Int32(isIn ? 0 : min(count ?? .max, transfer.length))
        case .packets(let answers):
            for (index, answer) in answers.enumerated() {
                let bytes = answer.bytes.prefix(Int(packets[index].length))
                reply.packets[index].status = answer.status.rawValue
                reply.packets[index].actualLength = UInt32(bytes.count)
                reply.data += bytes
            }
        case .acceptPackets:
            for index in packets.indices {
                reply.packets[index].status = 0
                reply.packets[index].actualLength = packets[index].length
                reply.actualLength += Int32(packets[index].length)
            }
        }
        if !reply.data.isEmpty { reply.actualLength = Int32(reply.data.count) }
        reply.errorCount = Int32(reply.packets.filter { $0.status != 0 }.count)
        return reply
    }
}
