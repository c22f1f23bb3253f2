package import USBCore
package import USBIPWire

/// What a session answered that a client cannot accept.
package struct ClientError: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// One answer as a client understands it.
package enum Reply: Hashable, Sendable {
    case submit(SubmitReply)
    case unlink(sequence: UInt32, status: Int32)

    /// The sequence number of the command that is answered.
    package var sequence: UInt32 {
        switch self {
        case .submit(let reply): reply.sequence
        case .unlink(let sequence, _): sequence
        }
    }

    /// The transfer's answer, where it is one.
    package var submit: SubmitReply? {
        if case .submit(let reply) = self { reply } else { nil }
    }
}

/// The answer to one transfer.
package struct SubmitReply: Hashable, Sendable {
    package var sequence: UInt32
    package var status: Int32
    package var actualLength: Int32
    package var errorCount: Int32 = 0
    package var data: [UInt8] = []
    package var packets: [PacketDescriptor] = []

    package init(
        _ sequence: UInt32, status: Int32 = 0, actualLength: Int32 = 0, errorCount: Int32 = 0, data: [UInt8] = [],
        packets: [PacketDescriptor] = []
    ) {
        self.sequence = sequence
        self.status = status
        self.actualLength = actualLength
        self.errorCount = errorCount
        self.data = data
        self.packets = packets
    }
}

/// A client as strict as Linux's and usbip-win2's together: it makes commands, remembers them, and reads answers.
///
/// Reading throws where one of them would drop the connection or lose a transfer: an answer to nothing, a second
/// answer, more bytes than there is room for, isochronous packets that do not add up, an unlink answered as too late
/// before its victim's own answer.
package struct ClientModel {
    private struct Pending {
        var isIn: Bool
        var length: Int
        var packets: [PacketDescriptor]
    }

    private var pending: [UInt32: Pending] = [:]
    private var unlinks: [UInt32: UInt32] = [:]
    private var unread: [UInt8] = []
    /// The device id that commands carry.
    package var deviceID: UInt32 = 0x0001_0002
    /// Every answer so far.
    package private(set) var replies: [Reply] = []

    package init() {}

    /// The transfers and unlinks without an answer, in order.
    package var unanswered: [UInt32] { (Array(pending.keys) + Array(unlinks.keys)).sorted() }
    /// Whether the answers so far end with a whole one.
    package var isInStep: Bool { unread.isEmpty }

    // MARK: Commands

    /// The bytes of a submit, remembered.
    ///
    /// - Parameters:
    ///   - length: the room for an answer; for OUT the payload's length is taken.
    ///   - packets: makes the transfer isochronous.
    package mutating func submit(
        _ sequence: UInt32, _ endpoint: EndpointAddress, length: Int = 0, payload: [UInt8] = [],
        setup: SetupPacket = SetupPacket(littleEndian: 0), flags: UInt32 = 0, packets: [PacketDescriptor] = [],
        packetCount: Int32? = nil
    ) -> [UInt8] {
        let isIn = endpoint.direction == .in
        let length = isIn ? length : payload.count
        pending[sequence] = Pending(isIn: isIn, length: length, packets: packets)
        let command = SubmitCommand(
            sequence: sequence, deviceID: deviceID, direction: isIn ? 1 : 0, endpoint: UInt32(endpoint.number),
            flags: flags, length: Int32(truncatingIfNeeded: length),
            packetCount: packetCount ?? Int32(truncatingIfNeeded: packets.count), setup: setup)
        return bytes(of: command) + payload + packets.flatMap(bytes(of:))
    }

    /// The bytes of a control transfer: its direction is OUT when it has no data, whatever the setup packet says.
    package mutating func control(_ sequence: UInt32, _ setup: SetupPacket, payload: [UInt8] = []) -> [UInt8] {
        let isIn = setup.direction == .in && setup.length > 0
        return submit(sequence, isIn ? .in(0) : .out(0), length: Int(setup.length), payload: payload, setup: setup)
    }

    /// The bytes of an unlink, remembered.
    package mutating func unlink(_ sequence: UInt32, victim: UInt32) -> [UInt8] {
        unlinks[sequence] = victim
        let message = UnlinkMessage(sequence: sequence, deviceID: deviceID, argument: victim)
        return unsafe written(URBWire.headerSize) { unsafe message.encode(to: $0, as: .unlink) }
    }

    // MARK: Answers

    /// Reads what the server sent next, which may end anywhere.
    ///
    /// - Returns: the answers that are now whole.
    /// - Throws: ``ClientError`` when the server broke the protocol.
    @discardableResult
    package mutating func read(_ bytes: [UInt8]) throws(ClientError) -> [Reply] {
        unread += bytes
        var news: [Reply] = []
        var used = 0
        while let (reply, size) = try next(unread[used...]) {
            news.append(reply)
            used += size
        }
        unread.removeFirst(used)
        replies += news
        return news
    }

    private mutating func next(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> (Reply, Int)? {
        guard bytes.count >= URBWire.headerSize else { return nil }
        return switch word(bytes, 0) {
        case URBCommand.returnSubmit.rawValue: try submitReply(bytes)
        case URBCommand.returnUnlink.rawValue: (try unlinkReply(bytes), URBWire.headerSize)
        case let command: throw ClientError(description: "unknown pdu \(command)")
        }
    }

    private mutating func submitReply(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> (Reply, Int)? {
        let sequence = word(bytes, 1)
        guard let command = pending[sequence] else {
            throw ClientError(description: "cannot find a urb of seqnum \(sequence)")
        }
        let actual = Int32(bitPattern: word(bytes, 6))
        guard actual >= 0, Int(actual) <= command.length || !command.isIn else {
            throw ClientError(description: "\(sequence): \(actual) bytes where \(command.length) fit")
        }
        let count = Int(Int32(bitPattern: word(bytes, 8)))
        guard count == command.packets.count else {
            throw ClientError(description: "\(sequence): \(count) packets of \(command.packets.count)")
        }
        let dataSize = command.isIn ? Int(actual) : 0
        let size = URBWire.headerSize + dataSize + count * URBWire.packetSize
        guard bytes.count >= size else { return nil }
        let data = bytes.dropFirst(URBWire.headerSize).prefix(dataSize)
        var packets: [PacketDescriptor] = []
        for index in 0..<count {
            let place = bytes.dropFirst(URBWire.headerSize + dataSize + index * URBWire.packetSize)
            packets.append(
                PacketDescriptor(
                    offset: word(place, 0), length: word(place, 1), actualLength: word(place, 2),
                    status: Int32(bitPattern: word(place, 3))))
        }
        try check(sequence, packets, against: command.packets, actual)
        pending[sequence] = nil
        let reply = SubmitReply(
            sequence, status: Int32(bitPattern: word(bytes, 5)), actualLength: actual,
            errorCount: Int32(bitPattern: word(bytes, 9)), data: Array(data), packets: packets)
        return (.submit(reply), size)
    }

    private func check(
        _ sequence: UInt32, _ packets: [PacketDescriptor], against asked: [PacketDescriptor], _ actual: Int32
    ) throws(ClientError) {
        guard !packets.isEmpty else { return }
        let sum = packets.reduce(0) { $0 + Int($1.actualLength) }
        guard sum == Int(actual) else {
            throw ClientError(description: "\(sequence): packets of \(sum) bytes in an answer of \(actual)")
        }
        for (packet, command) in zip(packets, asked) {
            guard packet.offset == command.offset, packet.length == command.length,
                packet.actualLength <= packet.length
            else { throw ClientError(description: "\(sequence): \(packet) answers \(command)") }
        }
    }

    private mutating func unlinkReply(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Reply {
        let sequence = word(bytes, 1)
        let status = Int32(bitPattern: word(bytes, 5))
        guard let victim = unlinks.removeValue(forKey: sequence) else {
            throw ClientError(description: "an answer to unlink \(sequence), which is not waiting")
        }
        // Linux gives the victim back now, whatever the status, and drops the connection at a later answer to it.
        if pending.removeValue(forKey: victim) != nil, status == 0 {
            throw ClientError(description: "unlink \(sequence) is too late for \(victim), which has no answer")
        }
        return .unlink(sequence: sequence, status: status)
    }

    private func word(_ bytes: ArraySlice<UInt8>, _ index: Int) -> UInt32 {
        bytes.dropFirst(index * 4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// The 48 bytes of a command.
package func bytes(of command: SubmitCommand) -> [UInt8] {
    unsafe written(URBWire.headerSize) { unsafe command.encode(to: $0) }
}

/// The 16 bytes of a packet descriptor.
package func bytes(of packet: PacketDescriptor) -> [UInt8] {
    unsafe written(URBWire.packetSize) { unsafe packet.encode(to: $0) }
}
