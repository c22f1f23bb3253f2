internal import USBCapture
internal import USBCore

/// The transfers of a capture with their owners, while it is read.
final class TransferIndex {
    /// The transfers in the order of their submissions, in pieces: one list that grows would be copied again and again,
    /// and take twice its memory while it is.
    private var pieces: [ContiguousArray<TracedTransfer>] = []
    /// The slot of each transfer's device, in pieces too.
    private var owners: [ContiguousArray<UInt16>] = []
    /// How many transfers there are.
    private(set) var count = 0
    /// The transfers of a piece: a power of two.
    private static let pieceSize = 1 << 14
    /// The packets of isochronous transfers as they ended.
    private(set) var packets: [CapturedPacket] = []
    /// The packets of isochronous transfers as they were submitted.
    private(set) var submittedPackets: [CapturedPacket] = []
    /// Their data.
    let payloads: CapturePayloads

    /// Makes an empty index.
    init(_ payloads: CapturePayloads) { self.payloads = payloads }

    /// Whether no more transfers or packets can be named.
    var isFull: Bool { count >= Int(UInt32.max) || packets.count >= Int(UInt32.max) - 0x1_0000 }

    /// Adds a transfer that is submitted.
    ///
    /// - Returns: its place.
    func begin(_ event: CapturedEvent, owner: Int, _ source: any EventSource) -> UInt32 {
        var transfer = TracedTransfer(
            submissionNumber: UInt32(clamping: event.number), submitted: event.time, completed: event.time,
            setup: event.setup, requested: UInt32(clamping: event.length), status: .abandoned,
            endpoint: event.endpoint, type: event.type, marks: marks(of: event).union(.noCompletion))
        if event.dataCount > 0 {
            let reference = payloads.reference(event)
            if isIn(event) { transfer.input = reference } else { transfer.output = reference }
        }
        add(event.packets, of: &transfer, isSubmission: true)
        append(transfer, owner: owner)
        return UInt32(truncatingIfNeeded: count - 1)
    }

    /// Adds the data stage of a control transfer that was submitted before.
    func add(_ event: CapturedEvent, to place: UInt32, isIn: Bool, _ source: any EventSource) {
        let place = Int(place)
        guard event.dataCount > 0 else { return }
        let reference = payloads.reference(event)
        if isIn { self[place].input = reference } else { self[place].output = reference }
        self[place].marks.formUnion(marks(of: event))
    }

    /// Ends a transfer.
    func end(_ event: CapturedEvent, at place: UInt32, isIn: Bool, _ source: any EventSource) {
        let place = Int(place)
        var transfer = self[place]
        finish(&transfer, event)
        if event.dataCount > 0 {
            let reference = payloads.reference(event)
            if isIn { transfer.input = reference } else { transfer.output = reference }
        }
        // USBPcap does not say how much an IN asks for.
        transfer.requested = max(transfer.requested, transfer.actual)
        add(event.packets, of: &transfer, isSubmission: false)
        self[place] = transfer
    }

    /// Adds a transfer of which there is the end only.
    func addEnd(_ event: CapturedEvent, owner: Int, _ source: any EventSource) {
        var transfer = TracedTransfer(
            submitted: event.time, setup: event.setup, requested: UInt32(clamping: event.length),
            endpoint: event.endpoint, type: event.type, marks: .noSubmission)
        finish(&transfer, event)
        if event.dataCount > 0 {
            let reference = payloads.reference(event)
            if isIn(event) { transfer.input = reference } else { transfer.output = reference }
        }
        add(event.packets, of: &transfer, isSubmission: false)
        append(transfer, owner: owner)
    }

    /// Gives a transfer to another device.
    func move(_ place: UInt32, to owner: Int) {
        owners[Int(place) / Self.pieceSize][Int(place) % Self.pieceSize] = UInt16(truncatingIfNeeded: owner)
    }

    private subscript(place: Int) -> TracedTransfer {
        get { pieces[place / Self.pieceSize][place % Self.pieceSize] }
        _modify { yield &pieces[place / Self.pieceSize][place % Self.pieceSize] }
    }

    private func append(_ transfer: TracedTransfer, owner: Int) {
        if count % Self.pieceSize == 0 {
            pieces.append([])
            owners.append([])
            // The first piece grows: most captures are small.
            if count > 0 {
                pieces[pieces.count - 1].reserveCapacity(Self.pieceSize)
                owners[owners.count - 1].reserveCapacity(Self.pieceSize)
            }
        }
        pieces[pieces.count - 1].append(transfer)
        owners[owners.count - 1].append(UInt16(truncatingIfNeeded: owner))
        count += 1
    }

    private func finish(_ transfer: inout TracedTransfer, _ event: CapturedEvent) {
        transfer.completionNumber = UInt32(clamping: event.number)
        transfer.completed = event.time
        transfer.status = event.status
        transfer.actual = event.kind == .refusal ? 0 : UInt32(clamping: event.length)
        transfer.marks.remove(.noCompletion)
        transfer.marks.formUnion(marks(of: event))
        // -2 is ENOENT: the driver took it back and waited for it.
        switch event.status {
        case .cancelled, .shutdown, .noDevice, TransferStatus(rawValue: -2): transfer.marks.insert(.isCancelled)
        default: if event.kind == .refusal { transfer.marks.insert(.isCancelled) }
        }
    }

    private func marks(of event: CapturedEvent) -> TracedTransfer.Marks {
        var marks: TracedTransfer.Marks = []
        if event.isCut { marks.insert(.isCut) }
        if event.origin == .injected { marks.insert(.isInjected) }
        return marks
    }

    private func isIn(_ event: CapturedEvent) -> Bool { (event.setup?.direction ?? event.endpoint.direction) == .in }

    /// Keeps isochronous packets; both lists have the same places, so each gets what the other knows until it knows better.
    private func add(_ new: [CapturedPacket], of transfer: inout TracedTransfer, isSubmission: Bool) {
        guard !new.isEmpty, !isFull else { return }
        let count = min(new.count, Int(UInt16.max))
        if count > Int(transfer.packetCount) {
            let begin = packets.count
            let before = Int(transfer.firstPacket)..<Int(transfer.firstPacket) + Int(transfer.packetCount)
            // A slice would share the list's memory, and appending would copy all of it.
            if !before.isEmpty { submittedPackets.append(contentsOf: Array(submittedPackets[before])) }
            submittedPackets.append(contentsOf: new[before.count..<count])
            packets.append(contentsOf: new.prefix(count))
            transfer.firstPacket = UInt32(truncatingIfNeeded: begin)
            transfer.packetCount = UInt16(count)
        } else if !isSubmission {
            packets.replaceSubrange(
                Int(transfer.firstPacket)..<Int(transfer.firstPacket) + count, with: new.prefix(count))
        }
    }

    /// Gives the transfers by device, and forgets them piece by piece, so that they are never there twice.
    ///
    /// - Parameters:
    ///   - wanted: the devices' places.
    ///   - deviceOfSlot: by slot, the device's place.
    func take(_ wanted: [Int], deviceOfSlot: [Int]) -> [[TracedTransfer]] {
        var listOfSlot = [Int](repeating: -1, count: deviceOfSlot.count)
        var counts = [Int](repeating: 0, count: wanted.count)
        var listOfDevice: [Int: Int] = [:]
        for (list, device) in wanted.enumerated() { listOfDevice[device] = list }
        for slot in deviceOfSlot.indices { listOfSlot[slot] = listOfDevice[deviceOfSlot[slot]] ?? -1 }
        for piece in owners {
            for owner in piece where listOfSlot[Int(owner)] >= 0 { counts[listOfSlot[Int(owner)]] += 1 }
        }
        var lists = [[TracedTransfer]](repeating: [], count: wanted.count)
        for list in lists.indices { lists[list].reserveCapacity(counts[list]) }
        for index in pieces.indices {
            let (piece, owner) = (pieces[index], owners[index])
            pieces[index] = []
            owners[index] = []
            for place in piece.indices {
                let list = listOfSlot[Int(owner[place])]
                if list >= 0 { lists[list].append(piece[place]) }
            }
        }
        pieces = []
        owners = []
        count = 0
        return lists
    }
}
