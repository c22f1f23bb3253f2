import USBCore

/// The turns of one periodic endpoint: which transfers wait for theirs, and when it comes.
final class PacedPipe {
    /// Transfers that the device has not seen yet.
    private var waiting = URBQueue()
    /// At most one, which the device has answered before its turn was over.
    private var finished = URBQueue()
    private var finishTime: UInt64 = 0
    private(set) var schedule = PeriodicSchedule(period: 1, capacity: 1)
    let endpoint: EndpointAddress
    /// The endpoint's next turn, 0 before the first transfer; turns follow each other by the period.
    private var next: UInt64 = 0
    /// The turn that the transfer which the device has was given.
    private var turn: UInt64 = 0
    private var isPolled = false
    /// Whether the device has just been given a transfer and has not returned.
    var isServing = false

    init(_ endpoint: EndpointAddress) { self.endpoint = endpoint }

    /// When there is something to do; nil when it is the device's or the host's turn.
    var deadline: UInt64? {
        if !finished.isEmpty { return finishTime }
        guard !isPolled else { return nil }
        return waiting.withFirst { urb in
            let due = unsafe urb.slot.pointee.due
            return urb.type == .isochronous ? due : turn(of: urb, arrived: due)
        }
    }

    /// Adds a transfer.
    ///
    /// - Parameter frame: what a stream's first turn is aligned to.
    func take(_ urb: consuming URB, _ schedule: PeriodicSchedule, now: UInt64, frame: UInt64) {
        self.schedule = schedule
        if next == 0 { next = (now / frame + 1) * frame }
        if urb.type == .isochronous {
            // As URB_ISO_ASAP: right behind the one before, or, when the host was too slow for that, in the next turn.
            let start = firstTurn(notBefore: now)
            next = start + UInt64(urb.packetCount) * schedule.period
            urb.plan(due: next, startFrame: start / frame)
        } else {
            urb.plan(due: now, startFrame: 0)
        }
        waiting.append(urb)
    }

    /// The first turn at `time` or later.
    private func firstTurn(notBefore time: UInt64) -> UInt64 {
        guard next < time else { return next }
        return next + (time - next + schedule.period - 1) / schedule.period * schedule.period
    }

    /// When the device is to be given the first waiting interrupt transfer.
    private func turn(of urb: borrowing URB, arrived: UInt64) -> UInt64 {
        // What the host sends has arrived when its last packet has.
        let services = urb.endpoint.direction == .out ? schedule.services(for: urb.requestedLength) : 1
        return firstTurn(notBefore: arrived) + (services - 1) * schedule.period
    }

    /// Takes out the transfer that the device had answered early.
    func popFinished() -> URB? { finished.popFirst() }

    /// Takes out the first transfer, which goes to the device now; its turn has come.
    func popDue() -> URB? {
        turn = deadline ?? 0
        guard let urb = waiting.popFirst() else { return nil }
        isPolled = true
        isServing = true
        return urb
    }

    /// When a transfer that the device has answered is over; nil when the bus has no part in it.
    func finish(of urb: borrowing URB, now: UInt64) -> UInt64? {
        isPolled = false
        if urb.type == .isochronous { return isServing ? turn : nil }
        if !isServing {
            // The device had nothing to say when it was asked; it says it when it is asked again.
            next = turn
            turn = firstTurn(notBefore: now)
        }
        switch urb.status {
        case .cancelled, .shutdown, .abandoned:
            // The turn is free for whoever waited behind.
            next = turn
            return nil
        default: break
        }
        let services = urb.endpoint.direction == .in ? schedule.services(for: urb.actualLength) : 1
        let finish = turn + (services - 1) * schedule.period
        next = finish + schedule.period
        return finish
    }

    /// Keeps an answered transfer until its turn is over.
    func park(_ urb: consuming URB, until time: UInt64) {
        urb.keepAnswer()
        finishTime = time
        finished.append(urb)
    }

    /// Gives a transfer back that is here; false when it is not.
    func cancel(_ id: URB.ID, now: UInt64) -> Bool {
        if let urb = waiting.remove(id) {
            if waiting.isEmpty {
                // A stream that has ended may begin again at once.
                if !isPolled, finished.isEmpty { next = 0 }
            } else if urb.type == .isochronous {
                // The end of a stream that was taken back is free again.
                next = waiting.withLast { unsafe $0.slot.pointee.due } ?? next
            }
            urb.complete(.cancelled)
            return true
        }
        guard let urb = finished.remove(id) else { return false }
        // Too late: the device has done it. The bus need not finish it, though.
        next = turn
        next = firstTurn(notBefore: now)
        urb.giveBack()
        return true
    }

    /// Gives everything back that the device has not.
    func returnTransfers() {
        next = 0
        while let urb = finished.popFirst() { urb.giveBack() }
        waiting.completeAll(.shutdown)
    }
}

extension URB {
    /// Notes when the bus is to serve the transfer.
    fileprivate borrowing func plan(due: UInt64, startFrame: UInt64) {
        unsafe slot.pointee.due = due
        // Linux's frame numbers are positive ints.
        unsafe slot.pointee.startFrame = UInt32(truncatingIfNeeded: startFrame & 0x7fff_ffff)
    }
}
