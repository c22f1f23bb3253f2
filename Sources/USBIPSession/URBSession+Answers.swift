import USBCore
public import USBDeviceKit
import USBIPWire

extension URBSession {
    // MARK: Completions

    /// Room for an answer, right behind its header when the output buffer has it.
    ///
    /// - Parameter count: 1 to the transfer's requested length.
    public func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        // A device may complete one transfer while it writes the answer to another.
        guard unsafe reserved == nil else { return unsafe nested.reserve(count) }
        let frame = URBWire.headerSize + count
        let memory: UnsafeMutableRawPointer
        if frame > Self.outputCapacity {
            unsafe memory = scratch.bytes(count)
        } else {
            if outputUsed + frame > Self.outputCapacity { flush() }
            unsafe memory = outputBuffer + outputUsed + URBWire.headerSize
        }
        unsafe reserved = memory
        return unsafe memory
    }

    /// Takes back memory whose answer will be given from elsewhere, and later.
    public func unreserve(_ memory: UnsafeRawPointer) {
        guard let written = unsafe reserved, unsafe UnsafeRawPointer(written) == memory else { return }
        unsafe reserved = nil
        if !nested.isEmpty { sendNested() }
    }

    /// Takes a transfer back from the device and answers it.
    public func completed(_ urb: consuming URB) {
        let slot = unsafe urb.release()
        // The answer that was being written is complete; those given meanwhile follow it.
        if let written = unsafe reserved, unsafe slot.pointee.answer == UnsafeRawPointer(written) {
            unsafe reserved = nil
        }
        defer { if !nested.isEmpty, unsafe reserved == nil { sendNested() } }
        unsafe slot.pointee.isLive = false
        let id = unsafe slot.pointee.id
        var unlinkers: [UInt32] = []
        if unsafe slot.pointee.isKept {
            unsafe kept[id] = nil
            waitingCount -= 1
            keptBytes -= unsafe heldBytes(slot)
            unlinkers = unlinks.returned(id)
        }
        guard !isClosed else {
            unsafe traffic?.cancelled(slot)
            unsafe recycle(slot)
            releaseIfEmpty()
            return
        }
        if unsafe slot.pointee.status == .abandoned {
            onEvent(.abandoned(endpoint: unsafe slot.pointee.endpoint.rawValue))
        }
        if unlinkers.isEmpty {
            // Nobody asked for it back, so "cancelled" is the device's way of saying that it is going.
            if unsafe slot.pointee.status == .cancelled { unsafe slot.pointee.status = .shutdown }
            unsafe answer(slot)
            unsafe note(slot)
        } else if unsafe slot.pointee.status == .cancelled {
            unsafe traffic?.cancelled(slot)
            answerUnlinks(unlinkers)
        } else {
            // The transfer won: its answer goes first, and every unlink is told that it came too late.
            unsafe answer(slot)
            unsafe note(slot)
            for late in unlinkers { answerUnlink(late, .success) }
        }
        unsafe recycle(slot)
    }

    /// Counts an answered transfer, and tells of control requests that change or lack something.
    @inline(__always)
    private func note(_ slot: UnsafeMutablePointer<URBSlot>) {
        unsafe traffic?.answered(slot)
        // What succeeded and moved data to the host has changed nothing: the top bit of its type is the direction.
        guard unsafe slot.pointee.type == .control,
            unsafe slot.pointee.status.rawValue != 0 || slot.pointee.setup.requestType & 0x80 == 0
        else { return }
        unsafe noteRequest(slot)
    }

    @inline(never)
    private func noteRequest(_ slot: UnsafeMutablePointer<URBSlot>) {
        let setup = unsafe slot.pointee.setup
        let status = unsafe slot.pointee.status
        guard status != .success || (setup.kind == .standard && setup.direction == .out) else { return }
        onEvent(.request(setup, status))
    }

    func unlink(_ command: UnlinkMessage) throws(ProtocolViolation) {
        let victim = command.argument
        let isKept = unsafe kept[victim] != nil
        switch unlinks.unlink(command.sequence, victim: victim, isKept: isKept, limit: limits.heldUnlinks) {
        case .tooLate: answerUnlink(command.sequence, .success)
        case .cancel: device.cancel(victim)
        case .wait: break
        case .excess:
            throw ProtocolViolation("more than \(limits.heldUnlinks) unlinks of transfer \(victim)")
        }
    }

    // MARK: Out

    /// Sends what has been answered.
    public func flush() {
        guard outputUsed > 0 else { return }
        unsafe send(upTo: outputUsed, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Answers the unlinks of a transfer that has been taken back: the first did it, the others came too late.
    func answerUnlinks(_ sequences: [UInt32]) {
        for (index, sequence) in sequences.enumerated() { answerUnlink(sequence, index == 0 ? .cancelled : .success) }
    }

    func answerUnlink(_ sequence: UInt32, _ status: TransferStatus) {
        let header = unsafe room(URBWire.headerSize)
        let message = UnlinkMessage(sequence: sequence, argument: UInt32(bitPattern: status.rawValue))
        unsafe message.encode(to: header, as: .returnUnlink)
    }

    /// Answers a transfer: header, an IN transfer's bytes, an isochronous one's packets.
    func answer(_ slot: UnsafeMutablePointer<URBSlot>) {
        let isIn = unsafe slot.pointee.endpoint.direction == .in
        let actual = unsafe settledLength(slot)
        let data = unsafe UnsafeRawBufferPointer(start: slot.pointee.answer, count: isIn ? actual : 0)
        let packets = unsafe UnsafeBufferPointer(slot.pointee.packets)
        let message = unsafe SubmitReturn(
            sequence: slot.pointee.id, status: slot.pointee.status.rawValue,
            actualLength: Int32(truncatingIfNeeded: actual),
            startFrame: packets.isEmpty ? 0 : Int32(bitPattern: slot.pointee.startFrame),
            packetCount: Int32(truncatingIfNeeded: packets.count),
            errorCount: Int32(truncatingIfNeeded: packets.lazy.filter { $0.status != .success }.count))

        // An answer written by `reserve` already stands behind its header.
        let header = unsafe outputBuffer + outputUsed
        if data.count > 0, unsafe data.baseAddress == UnsafeRawPointer(header + URBWire.headerSize) {
            unsafe message.encode(to: header)
            outputUsed += URBWire.headerSize + data.count
        } else if data.count >= Self.gatherThreshold, unsafe reserved == nil {
            let header = unsafe room(URBWire.headerSize)
            unsafe message.encode(to: header)
            unsafe send(upTo: outputUsed, data)
        } else {
            let header = unsafe room(URBWire.headerSize + data.count)
            unsafe message.encode(to: header)
            if let start = data.baseAddress {
                unsafe (header + URBWire.headerSize).copyMemory(from: start, byteCount: data.count)
            }
        }
        for index in 0..<packets.count {
            let packet = unsafe packets[index]
            let descriptor = PacketDescriptor(
                offset: packet.offset, length: packet.length, actualLength: packet.actualLength,
                status: packet.status.rawValue)
            unsafe descriptor.encode(to: room(URBWire.packetSize))
        }
    }

    /// What the header says has moved: never more than there is, and as much as the packets say together.
    ///
    /// A client drops the connection when packets and header disagree, and packets may overlap in its buffer.
    private func settledLength(_ slot: UnsafeMutablePointer<URBSlot>) -> Int {
        let actual = unsafe min(max(slot.pointee.actualLength, 0), slot.pointee.requestedLength)
        let isIn = unsafe slot.pointee.endpoint.direction == .in
        let hasData = unsafe !isIn || slot.pointee.answer != nil
        let packets = unsafe slot.pointee.packets
        guard packets.count > 0 else { return hasData ? actual : 0 }
        var sum = 0
        for index in packets.indices { sum += unsafe Int(packets[index].actualLength) }
        guard isIn else { return sum }
        if hasData, sum == actual { return actual }
        // Answered as if it were not isochronous: nobody knows which byte belongs to which packet.
        for index in packets.indices { unsafe packets[index].actualLength = 0 }
        return 0
    }

    /// The next `count` bytes of the output, which the caller fills in.
    private func room(_ count: Int) -> UnsafeMutableRawPointer {
        guard unsafe reserved == nil else { return unsafe nested.room(count) }
        if outputUsed + count > Self.outputCapacity { flush() }
        defer { outputUsed += count }
        return unsafe outputBuffer + outputUsed
    }

    private func sendNested() {
        flush()
        unsafe nested.drain { bytes in
            if !isClosed { unsafe output.send(bytes, UnsafeRawBufferPointer(start: nil, count: 0)) }
        }
    }

    private func send(upTo end: Int, _ tail: UnsafeRawBufferPointer) {
        outputUsed = 0
        unsafe output.send(UnsafeRawBufferPointer(start: outputBuffer, count: end), tail)
    }
}
