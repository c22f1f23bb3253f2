internal import USBCapture
internal import USBCore

/// Makes transfers of events, and devices of transfers, one event after another.
///
/// Submissions and ends belong together by channel, bus and name. A name that is used again shows that the end of its
/// transfer is lost.
struct EventFollower {
    private let source: any EventSource
    /// Where transfers are kept; nil to count only.
    private let index: TransferIndex?
    private var outstanding = OutstandingTable()
    private var devices = DeviceFollower()
    private var events = 0
    private var firstTime: Int64 = 0
    private var lastTime: Int64 = 0

    /// Begins a capture.
    init(_ source: any EventSource, index: TransferIndex?) {
        self.source = source
        self.index = index
    }

    /// Reads to the end, or to where reading must end.
    ///
    /// - Parameter progress: told the number of events every 65,536 events and at the end.
    /// - Returns: where reading ended early.
    mutating func run(progress: ((Int) -> Void)?) -> CaptureError? {
        do throws(CaptureError) {
            while let event = try source.next() {
                take(event)
                if events & 0xffff == 0 { progress?(events) }
                if index?.isFull == true {
                    return CaptureError(.excessive, "there are too many transfers", packet: event.number)
                }
            }
        } catch {
            progress?(events)
            return error
        }
        progress?(events)
        return nil
    }

    private mutating func take(_ event: CapturedEvent) {
        if events == 0 {
            firstTime = event.time
            lastTime = event.time
        }
        events += 1
        if event.time > lastTime { lastTime = event.time }
        if event.time < firstTime { firstTime = event.time }
        switch event.kind {
        case .submission: submit(event)
        case .completion, .refusal: end(event)
        }
    }

    // MARK: - Submissions

    private mutating func submit(_ event: CapturedEvent) {
        if var waiting = outstanding.remove(channel: event.channel, bus: event.bus, urb: event.urb) {
            if waiting.type == .control, event.type == .control, waiting.hasSetup, event.setup == nil {
                takeDataStage(event, of: &waiting)
                _ = outstanding.insert(waiting)
                return
            }
            giveUp(waiting)
        }
        let slot = devices.slot(
            channel: event.channel, bus: event.bus, address: event.device, time: event.time)
        if let setup = event.setup { devices.noteRequest(setup, slot: slot) }
        devices.slots[slot].note(time: event.time)
        devices.slots[slot].device.submissions += 1
        let place = index?.begin(event, owner: slot, source) ?? 0
        let transfer = OutstandingTransfer(
            channel: event.channel, urb: event.urb, setup: event.setup?.littleEndian ?? 0, place: place,
            requested: UInt32(clamping: event.length), slot: Int32(truncatingIfNeeded: slot), bus: event.bus,
            endpoint: event.endpoint.rawValue, type: event.type, hasSetup: event.setup != nil, isCut: event.isCut)
        if let oldest = outstanding.insert(transfer) { giveUp(oldest) }
    }

    /// Takes the data stage of a control transfer that a capture has as a submission of its own.
    private mutating func takeDataStage(_ event: CapturedEvent, of transfer: inout OutstandingTransfer) {
        index?.add(event, to: transfer.place, isIn: transfer.isIn, source)
        transfer.isCut = transfer.isCut || event.isCut
        if transfer.isIn, event.dataCount > 0 { learn(event, &transfer) }
    }

    private mutating func giveUp(_ transfer: OutstandingTransfer) {
        let slot = devices.resolve(Int(transfer.slot))
        devices.slots[slot].device.unanswered += 1
        if transfer.isCut { devices.slots[slot].device.cut += 1 }
        devices.slots[slot].count(
            endpoint: transfer.endpoint, type: transfer.type, isIn: transfer.isIn, moved: 0, interval: 0)
    }

    // MARK: - Ends

    private mutating func end(_ event: CapturedEvent) {
        guard var transfer = outstanding.remove(channel: event.channel, bus: event.bus, urb: event.urb) else {
            endUnasked(event)
            return
        }
        transfer.slot = Int32(truncatingIfNeeded: devices.resolve(Int(transfer.slot)))
        if event.dataCount > 0, transfer.hasSetup { learn(event, &transfer) }
        if transfer.hasSetup, event.status == .success, event.kind == .completion { noteAddress(transfer) }
        let slot = Int(transfer.slot)
        index?.end(event, at: transfer.place, isIn: transfer.isIn, source)
        devices.slots[slot].note(time: event.time)
        devices.slots[slot].device.completions += 1
        if transfer.isCut || event.isCut { devices.slots[slot].device.cut += 1 }
        devices.slots[slot].count(
            endpoint: transfer.endpoint, type: transfer.type, isIn: transfer.isIn, moved: event.length,
            interval: transfer.type == .interrupt ? event.interval : 0)
    }

    private mutating func endUnasked(_ event: CapturedEvent) {
        let slot = devices.slot(
            channel: event.channel, bus: event.bus, address: event.device, time: event.time)
        devices.slots[slot].note(time: event.time)
        devices.slots[slot].device.completions += 1
        devices.slots[slot].device.unasked += 1
        if event.isCut { devices.slots[slot].device.cut += 1 }
        devices.slots[slot].count(
            endpoint: event.endpoint.rawValue, type: event.type, isIn: event.endpoint.direction == .in,
            moved: event.length, interval: event.type == .interrupt ? event.interval : 0)
        index?.addEnd(event, owner: slot, source)
    }

    private mutating func noteAddress(_ transfer: OutstandingTransfer) {
        let setup = SetupPacket(littleEndian: transfer.setup)
        guard setup.requestType == 0, setup.request == StandardRequest.setAddress.rawValue else { return }
        devices.noteAddress(setup.value, slot: Int(transfer.slot))
    }

    /// Looks at the answer to a request for a descriptor.
    private mutating func learn(_ event: CapturedEvent, _ transfer: inout OutstandingTransfer) {
        let setup = SetupPacket(littleEndian: transfer.setup)
        // EREMOTEIO: an answer that was shorter than a driver would have liked is an answer.
        guard setup.request == StandardRequest.getDescriptor.rawValue, setup.requestType & 0xfe == 0x80,
            event.status == .success || event.status.rawValue == -121
        else { return }
        let answer = source.withData { data in
            unsafe data.withUnsafeBytes { bytes in
                unsafe [UInt8](UnsafeRawBufferPointer(rebasing: bytes.prefix(0xffff)))
            }
        }
        let before = Int(transfer.slot)
        let slot = devices.noteAnswer(setup, answer, slot: before, time: event.time)
        guard slot != before else { return }
        transfer.slot = Int32(truncatingIfNeeded: slot)
        // A slot that has been merged has taken its counts along.
        guard devices.resolve(before) != slot else { return }
        index?.move(transfer.place, to: slot)
        devices.slots[before].device.submissions -= 1
        devices.slots[slot].device.submissions += 1
        devices.slots[slot].note(time: event.time)
    }

    // MARK: - The result

    /// What the capture has, when it has been read.
    struct Result {
        /// The devices.
        var devices: [CapturedDevice]
        /// By slot, the place of its device among `devices`.
        var deviceOfSlot: [Int]
        /// Events that were read.
        var events: Int
        /// The earliest time.
        var firstTime: Int64
        /// The latest time.
        var lastTime: Int64
        /// What is to be said of it in words.
        var notes: [String]
    }

    /// Settles what waited for more, and gives the devices.
    mutating func finish() -> Result {
        while let transfer = outstanding.removeOldest() { giveUp(transfer) }
        devices.finish()
        var found: [CapturedDevice] = []
        var deviceOfSlot = [Int](repeating: 0, count: devices.slots.count)
        for slot in devices.slots.indices where devices.slots[slot].mergedInto == nil {
            var device = devices.slots[slot].device
            device.number = found.count + 1
            deviceOfSlot[slot] = found.count
            found.append(device)
        }
        for slot in devices.slots.indices { deviceOfSlot[slot] = deviceOfSlot[devices.resolve(slot)] }
        var notes: [String] = []
        if let rest = devices.rest {
            notes.append(
                "there are more than \(DeviceFollower.limit) devices; "
                    + "device \(found[deviceOfSlot[rest]].number) is all the others together")
        }
        if devices.hasLeftOutDescriptors { notes.append("there are too many descriptors; some were left out") }
        found.take(source.announcements)
        // Once for each, whatever was said: it looks at all descriptors.
        for index in found.indices { found[index].settle() }
        return Result(
            devices: found, deviceOfSlot: deviceOfSlot, events: events, firstTime: firstTime, lastTime: lastTime,
            notes: notes)
    }
}
