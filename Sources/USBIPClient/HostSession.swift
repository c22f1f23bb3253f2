import USBCore
import USBIPWire

/// The client's side of one import: requests in, commands out; bytes in, completions out.
///
/// No sockets, no threads, no clock. The transport calls ``receive(_:)`` with what it has read, or reads straight into
/// ``landing`` when that is not empty and calls ``landed(_:)``; then it runs the handlers of ``completed`` and calls
/// ``settle(_:)`` for each. What there is to send is in ``output``.
///
/// Everything but the handlers runs under the owner's lock.
@safe final class HostSession {
    private let deviceID: UInt32
    private let limits: HostLimits
    private var pool = SlotPool()
    /// Transfers by their slots, and unlinks by their victims' slots with ``unlinkMark``.
    private var table = SequenceTable()
    private static let unlinkMark: UInt32 = 0x8000_0000
    private var lastSequence: UInt32 = 0
    private var unlinkCount = 0
    /// Transfers that have ended, and whose bytes have not been sent to the end.
    private var retiringCount = 0
    var output = OutputQueue()

    /// Transfers that were answered, in the order of their answers; their bytes are valid until the next read.
    var completed: [UnsafeMutablePointer<TransferSlot>] = unsafe []
    private var arriving: ArrivingAnswer?
    /// The longest answer that is parsed from the transport's buffer; longer ones are received in place.
    static let inlineLength = 32 << 10
    /// Payloads of this size and more are sent from where they are.
    static let gatherThreshold = 16 << 10

    /// Makes the session of one import.
    ///
    /// - Parameters:
    ///   - deviceID: from the import reply.
    ///   - firstSequence: the sequence number of the first command.
    init(deviceID: UInt32, limits: HostLimits = HostLimits(), firstSequence: UInt32 = 1) {
        self.deviceID = deviceID
        self.limits = limits
        lastSequence = firstSequence &- 1
    }

    /// How many transfers have not ended.
    var usedCount: Int { pool.used - retiringCount }
    /// How many commands have no answer.
    var unansweredCount: Int { table.count }

    // MARK: Submitting

    /// Submits a transfer.
    ///
    /// - Parameters:
    ///   - command: checked; sequence number and device id are set here.
    ///   - request: where payload and packets come from.
    func submit(
        _ command: SubmitCommand, _ request: TransferRequest, _ handler: @escaping TransferHandler
    ) throws(HostError) -> TransferID {
        guard pool.used < limits.transfers else {
            throw .invalidRequest("\(pool.used) transfers are in flight, which is the limit")
        }
        guard output.count <= limits.unsentBytes else {
            throw .invalidRequest("\(output.count) bytes wait to be sent, which is the limit; the server does not read")
        }
        let slot = unsafe pool.take()
        unsafe slot.pointee.command = command
        unsafe slot.pointee.command.deviceID = deviceID
        unsafe slot.pointee.handler = handler
        unsafe slot.pointee.isCancelRequested = false
        unsafe slot.pointee.unlink = 0
        if !request.payload.isEmpty {
            let memory = unsafe slot.pointee.reserve(request.payload.count)
            unsafe request.payload.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress { unsafe memory.copyMemory(from: start, byteCount: bytes.count) }
            }
        }
        for packet in request.packets {
            unsafe slot.pointee.packets.append(
                PacketDescriptor(
                    offset: UInt32(truncatingIfNeeded: packet.offset),
                    length: UInt32(truncatingIfNeeded: packet.length), status: TransferStatus.missed.rawValue))
        }
        unsafe send(slot)
        return unsafe slot.pointee.id
    }

    private func nextSequence() -> UInt32 {
        repeat { lastSequence &+= 1 } while lastSequence == 0 || table[lastSequence] != nil
        return lastSequence
    }

    private func send(_ slot: UnsafeMutablePointer<TransferSlot>) {
        let sequence = nextSequence()
        unsafe slot.pointee.command.sequence = sequence
        unsafe slot.pointee.state = .inFlight
        unsafe table.insert(sequence, slot.pointee.index)
        unsafe slot.pointee.command.encode(to: output.room(URBWire.headerSize))
        if unsafe !slot.pointee.isIn, let payload = unsafe slot.pointee.memory,
            case let count = unsafe slot.pointee.length,
            count > 0
        {
            if count >= Self.gatherThreshold {
                unsafe slot.pointee.pins += 1
                unsafe output.insert(payload, count, of: slot)
            } else {
                unsafe output.room(count).copyMemory(from: payload, byteCount: count)
            }
        }
        let packets = unsafe slot.pointee.packets
        for packet in packets { unsafe packet.encode(to: output.room(URBWire.packetSize)) }
    }

    /// `count` bytes of the output's parts have been sent.
    func sent(_ count: Int) {
        guard let slot = unsafe output.advance(count) else { return }
        unsafe slot.pointee.pins -= 1
        if unsafe slot.pointee.pins == 0 && slot.pointee.state == .retiring {
            retiringCount -= 1
            unsafe pool.give(slot)
        }
    }

    // MARK: Taking back

    /// Asks the server to take a transfer back; nothing happens where it has ended, or was asked for before.
    ///
    /// - Throws: ``HostError/unresponsive(_:)`` when too many such questions have no answer.
    func cancel(_ id: TransferID) throws(HostError) {
        guard let slot = unsafe pool[id.slot], unsafe slot.pointee.generation == id.generation,
            unsafe !slot.pointee.isCancelRequested
        else { return }
        switch unsafe slot.pointee.state {
        case .free, .retiring: return
        // Its handler runs: it is not submitted again.
        case .completed: unsafe slot.pointee.isCancelRequested = true
        case .inFlight:
            guard unlinkCount < limits.transfers else {
                throw .unresponsive("it owes answers to \(unlinkCount) unlinks")
            }
            unsafe slot.pointee.isCancelRequested = true
            let sequence = nextSequence()
            unsafe slot.pointee.unlink = sequence
            unlinkCount += 1
            unsafe table.insert(sequence, slot.pointee.index | Self.unlinkMark)
            let message = unsafe UnlinkMessage(
                sequence: sequence, deviceID: deviceID, argument: slot.pointee.command.sequence)
            unsafe message.encode(to: output.room(URBWire.headerSize), as: .unlink)
        }
    }

    /// Gives every waiting transfer back with an error, into ``completed``.
    func failAll(_ error: HostError) {
        unsafe arriving = nil
        let waiting = unsafe pool.inFlight
        for index in unsafe waiting.indices {
            let slot = unsafe waiting[index]
            unsafe table.remove(slot.pointee.command.sequence)
            unsafe complete(slot, .shutdown, error)
        }
    }

    private func complete(
        _ slot: UnsafeMutablePointer<TransferSlot>, _ status: TransferStatus, _ error: HostError? = nil
    ) {
        unsafe slot.pointee.status = status
        unsafe slot.pointee.error = error
        unsafe slot.pointee.actualLength = 0
        unsafe slot.pointee.data = nil
        unsafe slot.pointee.results.removeAll(keepingCapacity: true)
        unsafe slot.pointee.startFrame = 0
        unsafe slot.pointee.errorCount = 0
        unsafe enqueue(slot, isFinal: true)
    }

    private func enqueue(_ slot: UnsafeMutablePointer<TransferSlot>, isFinal: Bool = false) {
        unsafe slot.pointee.isFinal = isFinal
        unsafe slot.pointee.state = .completed
        unsafe slot.pointee.unlink = 0
        unsafe completed.append(slot)
    }

    /// A handler has returned: submits the transfer again, or lets it go.
    ///
    /// Where a transfer is to be submitted again that was cancelled meanwhile, it is completed once more, so that a
    /// handler which said so always hears of the end.
    func settle(_ slot: UnsafeMutablePointer<TransferSlot>) {
        if unsafe slot.pointee.next == .resubmit {
            if unsafe slot.pointee.isCancelRequested { unsafe complete(slot, .cancelled) } else { unsafe send(slot) }
        } else if unsafe slot.pointee.pins > 0 {
            unsafe slot.pointee.state = .retiring
            retiringCount += 1
        } else {
            unsafe pool.give(slot)
        }
    }

    // MARK: In

    /// Takes whole answers off the front of `bytes`, and the beginning of one that is to be received in place.
    ///
    /// - Returns: the bytes taken; the rest must come again, with more behind it, once ``completed`` is done with.
    /// - Throws: ``HostError/violation(_:)`` when the connection must be closed; what was completed before still counts.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(HostError) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var used = 0
        while bytes.count - used >= URBWire.headerSize {
            let header = unsafe base + used
            switch unsafe URBCommand(rawValue: header.word(0)) {
            case .returnSubmit:
                let answer = unsafe SubmitReturn(header: header)
                let slot = unsafe try victim(of: answer)
                let dataLength = unsafe slot.pointee.isIn ? Int(answer.actualLength) : 0
                let tail = unsafe dataLength + slot.pointee.packets.count * URBWire.packetSize
                let rest = unsafe UnsafeRawBufferPointer(
                    start: header + URBWire.headerSize, count: bytes.count - used - URBWire.headerSize)
                if rest.count >= tail {
                    unsafe try finish(slot, answer, rest.baseAddress, dataLength)
                    used += URBWire.headerSize + tail
                } else if URBWire.headerSize + tail <= Self.inlineLength {
                    return used
                } else {
                    unsafe beginArrival(slot, answer, dataLength, tail, rest)
                    return bytes.count
                }
            case .returnUnlink:
                unsafe try unlinked(UnlinkMessage(header: header))
                used += URBWire.headerSize
            case .submit: throw .violation("it sent CMD_SUBMIT, which only a client sends")
            case .unlink: throw .violation("it sent CMD_UNLINK, which only a client sends")
            case nil: throw unsafe .violation("command 0x\(String(header.word(0), radix: 16)) in place of an answer")
            }
        }
        return used
    }

    private func victim(of answer: SubmitReturn) throws(HostError) -> UnsafeMutablePointer<TransferSlot> {
        guard let value = table[answer.sequence] else {
            throw .violation("RET_SUBMIT for sequence number \(answer.sequence), where no transfer waits")
        }
        guard value & Self.unlinkMark == 0, let slot = unsafe pool[value] else {
            throw .violation("RET_SUBMIT for sequence number \(answer.sequence), which is an unlink's")
        }
        func name() -> String { unsafe "RET_SUBMIT \(answer.sequence) for \(slot.pointee.endpoint)" }
        try AnswerCheck.checkStatus(answer.status, name())
        let packets = unsafe slot.pointee.packets.count
        // Without packets -1 is as good as 0: Windows's client has it so, and there are servers that echo it.
        guard Int(answer.packetCount) == packets || packets == 0 && answer.packetCount == -1 else {
            throw .violation("\(name()) has \(answer.packetCount) packets where \(packets) were submitted")
        }
        guard answer.actualLength >= 0, unsafe answer.actualLength <= slot.pointee.command.length else {
            throw unsafe .violation(
                "\(name()) has actual_length \(answer.actualLength) where \(slot.pointee.command.length) were asked for"
            )
        }
        return unsafe slot
    }

    private func finish(
        _ slot: UnsafeMutablePointer<TransferSlot>, _ answer: SubmitReturn, _ tail: UnsafeRawPointer?, _ dataLength: Int
    ) throws(HostError) {
        if unsafe !slot.pointee.packets.isEmpty, let tail = unsafe tail {
            unsafe try AnswerCheck.readPackets(slot, answer, tail + dataLength)
        }
        table.remove(answer.sequence)
        unsafe slot.pointee.status = TransferStatus(rawValue: answer.status)
        unsafe slot.pointee.actualLength = Int(answer.actualLength)
        unsafe slot.pointee.startFrame = answer.startFrame
        unsafe slot.pointee.errorCount = answer.errorCount
        unsafe slot.pointee.data = dataLength > 0 ? tail : nil
        let mustBeWhole = unsafe slot.pointee.command.flags & TransferRequest.Flags.shortNotOK.rawValue != 0
        if mustBeWhole, answer.status == 0, unsafe slot.pointee.isIn && slot.pointee.actualLength < slot.pointee.length
        {
            unsafe slot.pointee.status = .short
        }
        unsafe enqueue(slot)
    }

    /// The server has dealt with an unlink.
    ///
    /// A victim that still waits is given back whatever the status says, as Linux does: Linux's server puts the status
    /// there with which the transfer ended while it was being unlinked, and sends no other answer.
    private func unlinked(_ message: UnlinkMessage) throws(HostError) {
        guard let value = table[message.sequence], value & Self.unlinkMark != 0,
            let slot = unsafe pool[value & ~Self.unlinkMark]
        else {
            throw .violation("RET_UNLINK for sequence number \(message.sequence), where no unlink waits")
        }
        try AnswerCheck.checkStatus(Int32(bitPattern: message.argument), "RET_UNLINK \(message.sequence)")
        table.remove(message.sequence)
        unlinkCount -= 1
        guard unsafe slot.pointee.state == .inFlight && slot.pointee.unlink == message.sequence else { return }
        unsafe table.remove(slot.pointee.command.sequence)
        unsafe complete(slot, .cancelled)
    }

    // MARK: Receiving in place

    /// Where the transport must put what it reads next; empty when anything may come.
    ///
    /// At most the rest of one answer. Only the reader looks at it.
    var landing: UnsafeMutableRawBufferPointer {
        guard let arriving = unsafe arriving else { return unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeMutableRawBufferPointer(
            start: arriving.memory + arriving.received, count: arriving.tail - arriving.received)
    }

    /// `count` bytes have been read into ``landing``.
    ///
    /// - Throws: ``HostError/violation(_:)`` when the connection must be closed.
    func landed(_ count: Int) throws(HostError) {
        guard var answer = unsafe arriving else { return }
        unsafe answer.received += count
        guard unsafe answer.received >= answer.tail else {
            unsafe arriving = answer
            return
        }
        unsafe arriving = nil
        unsafe try finish(answer.slot, answer.answer, UnsafeRawPointer(answer.memory), answer.dataLength)
    }

    private func beginArrival(
        _ slot: UnsafeMutablePointer<TransferSlot>, _ answer: SubmitReturn, _ dataLength: Int, _ tail: Int,
        _ beginning: UnsafeRawBufferPointer
    ) {
        // As much as the transfer may ever need, so that a repeated one does not need new memory.
        let room = unsafe slot.pointee.length + slot.pointee.packets.count * URBWire.packetSize
        let memory = unsafe slot.pointee.reserve(room)
        if let start = beginning.baseAddress { unsafe memory.copyMemory(from: start, byteCount: beginning.count) }
        unsafe arriving = ArrivingAnswer(
            slot: slot, answer: answer, dataLength: dataLength, tail: tail, memory: memory, received: beginning.count)
    }
}

/// A large answer whose bytes are still arriving.
@unsafe private struct ArrivingAnswer {
    var slot: UnsafeMutablePointer<TransferSlot>
    var answer: SubmitReturn
    var dataLength: Int
    var tail: Int
    var memory: UnsafeMutableRawPointer
    var received: Int
}
