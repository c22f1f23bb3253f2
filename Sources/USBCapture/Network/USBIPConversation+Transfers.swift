import USBCore
import USBIPWire

/// The URB phase: what headers say, and the events that are made of them.
extension USBIPConversation {
    /// Takes a header of the client's.
    func takeCommand(_ part: USBIPPart, into output: DecodedEvents) -> Bool {
        switch URBCommand(rawValue: part.bytes.big32(0)) {
        case .submit:
            guard let command = unsafe part.bytes.lend(URBWire.headerSize, { unsafe SubmitCommand(header: $0) }) else {
                return true
            }
            takeSubmit(command, part, into: output)
        case .unlink:
            guard let message = unsafe part.bytes.lend(URBWire.headerSize, { unsafe UnlinkMessage(header: $0) }) else {
                return true
            }
            guard unlinks.count < Self.maximumPending else {
                giveUp("more than \(Self.maximumPending) unlinks are not answered")
                return true
            }
            lastSequence = message.sequence
            unlinks[message.sequence] = message.argument
        default: giveUp("the client sends command \(hex(part.bytes.big32(0)))")
        }
        return true
    }

    private func takeSubmit(_ command: SubmitCommand, _ part: USBIPPart, into output: DecodedEvents) {
        guard let packets = Self.packetCount(command.packetCount), command.length >= 0,
            command.length <= Self.maximumBody, command.direction <= 1, command.endpoint <= 15
        else {
            return giveUp(
                "transfer \(command.sequence) has \(command.length) bytes and \(command.packetCount) packets for "
                    + "endpoint \(command.endpoint), direction \(command.direction)")
        }
        guard pending[command.sequence] == nil else {
            return giveUp("transfer \(command.sequence) is submitted twice")
        }
        guard pending.count < Self.maximumPending else {
            return giveUp("more than \(Self.maximumPending) transfers have not ended")
        }
        deviceID = command.deviceID
        lastSequence = command.sequence
        let data = command.direction == 0 ? Int(command.length) : 0
        expect(
            .submission(command), data + packets * URBWire.packetSize, dataLength: data, after: part, client,
            into: output)
    }

    /// Takes a header of the server's; false when it answers what may still come.
    func takeReturn(_ part: USBIPPart, mayWait: Bool, into output: DecodedEvents) -> Bool {
        let command = URBCommand(rawValue: part.bytes.big32(0))
        let sequence = part.bytes.big32(4)
        switch command {
        case .returnSubmit:
            guard let transfer = pending[sequence] else {
                return unknown(sequence, mayWait: mayWait)
            }
            guard let result = unsafe part.bytes.lend(URBWire.headerSize, { unsafe SubmitReturn(header: $0) }) else {
                return true
            }
            guard result.status <= 0, result.status > -4096, result.actualLength >= 0,
                Int(result.actualLength) <= transfer.length,
                transfer.packetCount == 0 || Int(result.packetCount) == transfer.packetCount
            else {
                giveUp(
                    "transfer \(sequence) of \(transfer.length) bytes and \(transfer.packetCount) packets ends with "
                        + "status \(result.status), \(result.actualLength) bytes and \(result.packetCount) packets")
                return true
            }
            pending[sequence] = nil
            let data = transfer.endpoint.direction == .in ? Int(result.actualLength) : 0
            expect(
                .completion(result, transfer), data + transfer.packetCount * URBWire.packetSize, dataLength: data,
                after: part, server, into: output)
        case .returnUnlink:
            guard let victim = unlinks[sequence] else {
                return unknown(sequence, mayWait: mayWait)
            }
            unlinks[sequence] = nil
            let status = Int32(bitPattern: part.bytes.big32(20))
            // Zero: the transfer had ended, and its end was said before.
            guard status != 0, let transfer = pending.removeValue(forKey: victim) else { return true }
            var event = event(.completion, UInt64(victim), transfer.endpoint, transfer.type, part.frame)
            event.status = TransferStatus(rawValue: status)
            output.emit(event)
        default: giveUp("the server sends command \(hex(part.bytes.big32(0)))")
        }
        return true
    }

    /// An answer to what was not asked.
    private func unknown(_ sequence: UInt32, mayWait: Bool) -> Bool {
        if client.isIncomplete {
            // The question may be among what was not captured, and the answer's size is unknown with it.
            server.isIncomplete = true
            server.expectation = .anything
            return true
        }
        if mayWait { return false }
        giveUp("transfer \(sequence) ends that was not submitted")
        return true
    }

    /// The number of isochronous packets that a header means; nil for one that cannot be.
    ///
    /// Clients that are not isochronous say 0 or -1.
    static func packetCount(_ raw: Int32) -> Int? {
        switch raw {
        case -1, 0: 0
        case 1...Int32(URBWire.maximumPackets): Int(raw)
        default: nil
        }
    }

    // MARK: - Events

    private func event(
        _ kind: CapturedEvent.Kind, _ sequence: UInt64, _ endpoint: EndpointAddress, _ type: TransferType,
        _ frame: CapturedFrame
    ) -> CapturedEvent {
        let device = deviceID ?? 0
        return CapturedEvent(
            kind, number: frame.number, offset: frame.offset, time: frame.time, channel: channel,
            bus: UInt16(truncatingIfNeeded: device >> 16), device: UInt16(truncatingIfNeeded: device), urb: sequence,
            endpoint: endpoint, type: type)
    }

    func emitSubmission(
        _ command: SubmitCommand, _ body: USBIPLane.Body, _ part: USBIPPart, into output: DecodedEvents
    ) {
        let number = UInt8(truncatingIfNeeded: command.endpoint)
        let endpoint: EndpointAddress = command.direction == 1 ? .in(number) : .out(number)
        let count = (body.length - body.dataLength) / URBWire.packetSize
        let type = endpoints.type(of: endpoint, hasPackets: count > 0, interval: command.interval)
        var event = event(.submission, UInt64(command.sequence), endpoint, type, body.frame)
        event.length = Int(command.length)
        event.flags = command.flags
        event.interval = command.interval
        if count > 0 { event.startFrame = command.startFrame }
        let setup = command.setup
        if type == .control { event.setup = setup }
        for index in 0..<count {
            let place = body.dataLength + index * URBWire.packetSize
            let offset = part.bytes.big32(place)
            let length = part.bytes.big32(place + 4)
            guard UInt64(offset) + UInt64(length) <= UInt64(command.length) else {
                return giveUp("packet \(index) of transfer \(command.sequence) is outside of its data")
            }
            event.packets.append(CapturedPacket(status: .success, offset: offset, length: length))
        }
        pending[command.sequence] = Pending(
            length: event.length, packetCount: count, endpoint: endpoint, type: type,
            isConfigurationRequest: type == .control && setup.requestType == 0x80 && setup.request == 6
                && setup.value >> 8 == 2)
        emit(event, body, part, into: output)
    }

    func emitCompletion(
        _ result: SubmitReturn, _ transfer: Pending, _ body: USBIPLane.Body, _ part: USBIPPart,
        into output: DecodedEvents
    ) {
        var event = event(.completion, UInt64(result.sequence), transfer.endpoint, transfer.type, body.frame)
        event.status = TransferStatus(rawValue: result.status)
        event.length = Int(result.actualLength)
        var moved: UInt64 = 0
        for index in 0..<transfer.packetCount {
            let place = body.dataLength + index * URBWire.packetSize
            let actual = part.bytes.big32(place + 8)
            // The data of an IN travel without the gaps between packets.
            let isIn = transfer.endpoint.direction == .in
            event.packets.append(
                CapturedPacket(
                    status: TransferStatus(rawValue: Int32(bitPattern: part.bytes.big32(place + 12))),
                    offset: isIn ? UInt32(truncatingIfNeeded: moved) : part.bytes.big32(place), length: actual))
            moved += UInt64(actual)
            guard !isIn || moved <= UInt64(body.dataLength) else {
                return giveUp("the packets of transfer \(result.sequence) have more than its data")
            }
        }
        if transfer.packetCount > 0 { event.startFrame = result.startFrame }
        if transfer.isConfigurationRequest, body.intact == .max {
            endpoints.learn(part.bytes[0..<body.dataLength])
        }
        emit(event, body, part, into: output)
    }

    private func emit(
        _ event: CapturedEvent, _ body: USBIPLane.Body, _ part: USBIPPart, into output: DecodedEvents
    ) {
        var event = event
        let count = min(body.dataLength, body.intact)
        event.dataCount = count
        event.isCut = count < body.dataLength
        guard count > 0 else { return output.emit(event) }
        event.dataOffset = part.chunk?.fileOffset
        if let chunk = part.chunk, chunk.isInPacket {
            output.emit(event, inPacket: chunk.place..<chunk.place + count)
        } else {
            output.emit(event, owning: part.bytes.copy(0..<count))
        }
    }
}
