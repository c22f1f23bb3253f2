import USBCore
public import USBDeviceKit
import USBIPWire

/// Takes what a session has to send.
public protocol SessionOutput: AnyObject {
    /// Sends `head`, then `tail`, after everything before.
    ///
    /// When it returns, every byte has been sent or copied.
    func send(_ head: UnsafeRawBufferPointer, _ tail: UnsafeRawBufferPointer)
}

/// The server's side of one import: bytes in, calls to the device, bytes out.
///
/// No sockets, no threads, no clock.
///
/// Lives on the device's executor. The transport calls ``receive(_:)`` with what it has read, or reads straight into
/// ``landing`` when that is not empty and calls ``landed(_:)``; then ``flush()``; at the end ``close()``.
///
/// Order: every answer goes through one queue, and whether a transfer was completed or unlinked is decided when its
/// answer enters it. That rules out the two ways in which servers lose Linux clients: answering an unlinked transfer,
/// and answering an unlink before the transfer it lost to.
@safe public final class URBSession: URBHost {
    let device: any USBDevice
    let deviceID: UInt32
    let limits: SessionLimits
    let output: any SessionOutput
    let onEvent: (SessionEvent) -> Void
    let traffic: Traffic?
    let isSuperSpeed: Bool

    /// Transfers the device has kept, by sequence number.
    ///
    /// Those answered at once never get here.
    var kept: [UInt32: UnsafeMutablePointer<URBSlot>] = unsafe [:]
    // Not public themselves: the compiler guards a public property of a class at every access.
    private var bulkTransferCount = 0
    var waitingCount = 0
    /// How many transfers of bulk endpoints there have been.
    public var bulkTransfers: Int { bulkTransferCount }
    /// How many transfers wait in the device.
    public var keptCount: Int { waitingCount }
    var keptBytes = 0
    let unlinks = UnlinkTable()
    var isClosed = false
    var isDraining = false
    private var hasSeenForeignID = false
    /// Idle slots, threaded through themselves: an array would cost each transfer two checks for exclusive access.
    private var freeSlots: UnsafeMutablePointer<URBSlot>?
    /// Keeps a closed session alive until a slow device has given its last transfer back.
    var selfUntilEmpty: URBSession?

    // Answers on their way out.
    let outputBuffer: UnsafeMutableRawPointer
    var outputUsed = 0
    static let outputCapacity = 64 << 10
    /// Answers of this size and more go to the transport from where they are.
    static let gatherThreshold = 8 << 10
    var scratch = GrowingBuffer()
    /// Where an answer is being written at this moment; nil between answers.
    var reserved: UnsafeMutableRawPointer?
    /// Answers that were given while another was being written: they follow it.
    let nested = NestedAnswers()

    /// A large transfer from the host that is still arriving.
    var arriving: ArrivingTransfer?
    var staging = GrowingBuffer()
    /// The longest command that is parsed from the transport's buffer; longer ones are received in place.
    public static let inlineLength = 16 << 10

    /// Makes the session of one connection.
    ///
    /// - Parameters:
    ///   - device: connected by the caller, who calls ``USBDevice/disconnect()`` through ``close()``.
    ///   - deviceID: the id that the client was given.
    ///   - traffic: counts what moves, if anything does.
    public init(
        device: any USBDevice, deviceID: UInt32, limits: SessionLimits = SessionLimits(),
        output: any SessionOutput, traffic: Traffic? = nil, onEvent: @escaping (SessionEvent) -> Void = { _ in }
    ) {
        self.device = device
        self.deviceID = deviceID
        self.limits = limits
        self.output = output
        self.onEvent = onEvent
        self.traffic = traffic
        isSuperSpeed = device.identity.speed.isSuperSpeed
        unsafe outputBuffer = .allocate(byteCount: Self.outputCapacity, alignment: 16)
    }

    deinit {
        // The device would give its transfers back to memory that is gone.
        precondition(waitingCount == 0, "a session must be closed before it is let go")
        unsafe outputBuffer.deallocate()
        while let slot = unsafe freeSlots {
            unsafe freeSlots = slot.pointee.next
            unsafe slot.pointee.freeAll()
            unsafe slot.deinitialize(count: 1)
            unsafe slot.deallocate()
        }
    }

    // MARK: In

    /// Takes whole commands off the front of `bytes`, and the beginning of one that is to be received in place.
    ///
    /// - Returns: the bytes taken; the rest must come again, with more behind it.
    /// - Throws: ``ProtocolViolation`` when the connection must be closed.
    public func receive(_ bytes: UnsafeRawBufferPointer) throws(ProtocolViolation) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        var used = 0
        while bytes.count - used >= URBWire.headerSize {
            let header = unsafe base + used
            switch unsafe URBCommand(rawValue: header.word(0)) {
            case .submit:
                let command = unsafe SubmitCommand(header: header)
                let shape = try shape(of: command)
                let available = bytes.count - used - URBWire.headerSize
                if available >= shape.tail {
                    try unsafe submit(command, shape, tail: header + URBWire.headerSize)
                    used += URBWire.headerSize + shape.tail
                } else if URBWire.headerSize + shape.tail <= Self.inlineLength {
                    return used
                } else {
                    let tail = unsafe UnsafeRawBufferPointer(start: header + URBWire.headerSize, count: available)
                    unsafe beginArrival(command, shape, tail)
                    return bytes.count
                }
            case .unlink:
                let command = unsafe UnlinkMessage(header: header)
                check(command.deviceID)
                try unlink(command)
                used += URBWire.headerSize
            case let command:
                let name = unsafe command.map { "\($0)" } ?? "0x\(String(header.word(0), radix: 16))"
                throw ProtocolViolation("command \(name) in place of a submit or an unlink")
            }
        }
        return used
    }

    /// Whether the device may take long over the commands in `bytes`.
    ///
    /// Periodic transfers and standard requests never do; bulk transfers can have to do with a disk, class and vendor
    /// requests with anything. What cannot be told counts as one of these.
    public func mayBlock(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return false }
        var offset = 0
        while bytes.count - offset >= URBWire.headerSize {
            let header = unsafe base + offset
            offset += URBWire.headerSize
            guard unsafe URBCommand(rawValue: header.word(0)) != .unlink else { continue }
            let command = unsafe SubmitCommand(header: header)
            guard let shape = try? shape(of: command), let type = shape.type, type != .bulk else { return true }
            guard type != .control || command.setup.kind == .standard else { return true }
            offset += shape.tail
        }
        return false
    }

    /// What a command says about the bytes after its header, checked.
    struct Shape {
        var endpoint: EndpointAddress
        var type: TransferType?
        var payload: Int
        var packets: Int
        /// The bytes after the header.
        var tail: Int { payload + packets * URBWire.packetSize }
    }

    private func shape(of command: SubmitCommand) throws(ProtocolViolation) -> Shape {
        guard command.direction <= 1 else {
            throw ProtocolViolation("direction \(command.direction), which is neither OUT (0) nor IN (1)")
        }
        guard command.endpoint <= 15 else {
            throw ProtocolViolation("endpoint \(command.endpoint), where 0 to 15 are possible")
        }
        guard command.length >= 0, Int(command.length) <= limits.transferLength else {
            throw ProtocolViolation(
                "a transfer of \(UInt32(bitPattern: command.length)) bytes; the limit is \(limits.transferLength)")
        }
        let number = UInt8(command.endpoint)
        let endpoint = command.direction == 1 ? EndpointAddress.in(number) : .out(number)
        let type = device.transferType(of: endpoint)
        var packets = 0
        // The count is noise for the other types: 0 from Linux, -1 from usbip-win2. An endpoint that does not exist has
        // no type; a plausible count then tells what follows the header.
        if type == .isochronous {
            guard command.packetCount >= 0, command.packetCount <= URBWire.maximumPackets else {
                throw ProtocolViolation(
                    "\(command.packetCount) isochronous packets; the limit is \(URBWire.maximumPackets)")
            }
            packets = Int(command.packetCount)
        } else if type == nil, (1...Int32(URBWire.maximumPackets)).contains(command.packetCount) {
            packets = Int(command.packetCount)
        }
        check(command.deviceID)
        return Shape(
            endpoint: endpoint, type: type, payload: command.direction == 0 ? Int(command.length) : 0,
            packets: packets)
    }

    private func check(_ id: UInt32) {
        guard id != deviceID, !hasSeenForeignID else { return }
        hasSeenForeignID = true
        onEvent(.foreignDeviceID(id))
    }

    // MARK: Submitting

    /// Submits a transfer whose bytes are all there.
    ///
    /// - Parameters:
    ///   - tail: payload and packet descriptors.
    ///   - isLanded: whether the payload is in the device's own memory, where it may stay.
    func submit(
        _ command: SubmitCommand, _ shape: Shape, tail: UnsafeRawPointer, isLanded: Bool = false
    ) throws(ProtocolViolation) {
        var verdict = try admit(command, shape)
        if case .overtaken = verdict { return }
        if shape.type == .bulk { bulkTransferCount &+= 1 }
        let slot = unsafe takeSlot()
        unsafe slot.pointee.id = command.sequence
        unsafe slot.pointee.endpoint = shape.endpoint
        unsafe slot.pointee.type = shape.type ?? .bulk
        unsafe slot.pointee.flags = URB.Flags(rawValue: command.flags)
        unsafe slot.pointee.setup = command.setup
        unsafe slot.pointee.requestedLength = Int(command.length)
        unsafe slot.pointee.startFrame = UInt32(bitPattern: command.startFrame)
        if shape.payload > 0 { unsafe slot.pointee.payload = tail }
        if shape.packets > 0 {
            let isValid = unsafe readPackets(slot, command, tail + shape.payload, shape.packets)
            if !isValid, case .admitted = verdict { verdict = .refused(.invalid) }
        }
        if case .refused(let status) = verdict {
            // Through the slot, since an isochronous client wants its packets back even so.
            unsafe slot.pointee.isLive = false
            unsafe slot.pointee.status = status
            unsafe answer(slot)
            unsafe recycle(slot)
            return
        }
        if shape.type == nil { onEvent(.unknownEndpoint(shape.endpoint)) }
        if unsafe resets(slot) { return }
        unsafe device.submit(URB(slot))
        if unsafe slot.pointee.isLive { unsafe keep(slot, isLanded: isLanded) }
    }

    private enum Admission {
        case admitted
        /// Its unlink came first and has been answered for it.
        case overtaken
        case refused(TransferStatus)
    }

    /// Whether a transfer may go to the device.
    private func admit(_ command: SubmitCommand, _ shape: Shape) throws(ProtocolViolation) -> Admission {
        if waitingCount > 0, isKept(command.sequence) {
            throw ProtocolViolation("sequence number \(command.sequence) for a second transfer while the first waits")
        }
        if unlinks.submitted(command.sequence), answerOvertakers(of: command.sequence) { return .overtaken }
        if isDraining { return .refused(.shutdown) }
        guard isOverLimit(adding: shape.tail) else { return .admitted }
        onEvent(
            .overLimit(
                "\(waitingCount) transfers with \(keptBytes) bytes wait in the device; the limits are "
                    + "\(limits.keptTransfers) and \(limits.keptBytes)"))
        return .refused(.outOfMemory)
    }

    // Apart from `admit`, which must not pay for what hardly ever happens.
    @inline(never)
    private func isKept(_ sequence: UInt32) -> Bool { unsafe kept[sequence] != nil }

    /// Answers the unlinks that came before their submit; false when there are none.
    @inline(never)
    private func answerOvertakers(of sequence: UInt32) -> Bool {
        let overtakers = unlinks.overtakers(of: sequence) { answerUnlink($0, .success) }
        answerUnlinks(overtakers)
        return !overtakers.isEmpty
    }

    /// Whether the device keeps too much to be given another transfer.
    func isOverLimit(adding payload: Int) -> Bool {
        waitingCount >= limits.keptTransfers || keptBytes + payload > limits.keptBytes
    }

    private func readPackets(
        _ slot: UnsafeMutablePointer<URBSlot>, _ command: SubmitCommand, _ bytes: UnsafeRawPointer, _ count: Int
    ) -> Bool {
        let packets = unsafe slot.pointee.makePackets(count)
        var isValid = true
        for index in 0..<count {
            let descriptor = unsafe PacketDescriptor(bytes: bytes + index * URBWire.packetSize)
            let packet = IsochronousPacket(
                offset: descriptor.offset, length: descriptor.length, status: .missed)
            unsafe packets.initializeElement(at: index, to: packet)
            if UInt64(descriptor.offset) + UInt64(descriptor.length) > UInt64(command.length) { isValid = false }
        }
        return isValid
    }

    /// Finds the resets that USB/IP does not carry as such.
    ///
    /// - Returns: whether the transfer has been answered.
    private func resets(_ slot: UnsafeMutablePointer<URBSlot>) -> Bool {
        guard unsafe slot.pointee.type == .control else { return false }
        let setup = unsafe slot.pointee.setup
        switch (setup.requestType, setup.request) {
        case (0x80, StandardRequest.getDescriptor.rawValue)
        where setup.value == 0x0100 && setup.length == (isSuperSpeed ? 8 : 64):
            // Linux begins enumeration, and so the aftermath of a port reset, with this read and no other.
            onEvent(.reset(.inferred))
            device.reset(.inferred)
            return false
        case (0x23, StandardRequest.setFeature.rawValue) where setup.value == 4:
            // usbip-win2 forwards the hub request PORT_RESET (USB 2.0 §11.24.2.13).
            onEvent(.reset(.port))
            device.reset(.port)
            unsafe URB(slot).accept()
            return true
        default:
            return false
        }
    }

    /// Files a transfer that the device did not answer at once, and moves its bytes to memory of its own.
    private func keep(_ slot: UnsafeMutablePointer<URBSlot>, isLanded: Bool) {
        let id = unsafe slot.pointee.id
        unsafe slot.pointee.isKept = true
        keptBytes += unsafe heldBytes(slot)
        if unsafe slot.pointee.endpoint.direction == .out {
            let count = unsafe slot.pointee.requestedLength
            if !isLanded, let payload = unsafe slot.pointee.payload {
                if let owned = unsafe staging.detach(holding: payload, count) {
                    unsafe slot.pointee.owned = owned
                } else {
                    let copy = unsafe allocateBytes(count)
                    unsafe copy.copyMemory(from: payload, byteCount: count)
                    unsafe slot.pointee.owned = copy
                }
                unsafe slot.pointee.payload = unsafe UnsafeRawPointer(slot.pointee.owned)
            }
        }
        unsafe kept[id] = slot
        waitingCount += 1
        unsafe traffic?.kept(slot)
    }

    /// The bytes that a kept transfer takes: the host's, and the packets' descriptors.
    func heldBytes(_ slot: UnsafeMutablePointer<URBSlot>) -> Int {
        let isOut = unsafe slot.pointee.endpoint.direction == .out
        return unsafe (isOut ? slot.pointee.requestedLength : 0) + slot.pointee.packets.count * URBWire.packetSize
    }

    // MARK: Slots

    private func takeSlot() -> UnsafeMutablePointer<URBSlot> {
        let slot: UnsafeMutablePointer<URBSlot>
        if let free = unsafe freeSlots {
            unsafe freeSlots = free.pointee.next
            unsafe slot = free
        } else {
            unsafe slot = .allocate(capacity: 1)
            unsafe slot.initialize(to: URBSlot(host: self))
        }
        unsafe slot.pointee.rearm()
        return unsafe slot
    }

    func recycle(_ slot: UnsafeMutablePointer<URBSlot>) {
        unsafe slot.pointee.freeOwned()
        unsafe slot.pointee.next = freeSlots
        unsafe freeSlots = slot
    }
}
