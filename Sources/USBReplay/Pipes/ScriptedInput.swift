import CaptureTraces
import USBCapture
import USBCore
import USBDeviceKit

/// An IN endpoint that answers what the recording has, as far as it is available.
///
/// What the host asks for beyond that waits, which is how a device says NAK. The host may ask for other lengths than the
/// recorded one did: an answer is cut into as many transfers as it takes, and answers that filled the recorded host's
/// transfers are joined with what followed them. A short packet ends a transfer as it did.
final class ScriptedInput: EndpointHandler, Waiting {
    /// How many separate parts of the recording are kept for a host that does not fetch them.
    private static let rangeLimit = 4096
    /// A host that asks later than this after an answer was due is taken to have been away: the gaps go on from there.
    private static let patience: UInt64 = 50_000_000

    let address: EndpointAddress
    private let ledger: Ledger
    private let clock: ReplayClock
    private let packetSize: Int
    private let isPeriodic: Bool
    /// Recorded answers in the order in which they ended, as places in ``Trace/transfers``.
    private let answers: [UInt32]
    /// By place in ``answers``, its packet.
    private let times: [UInt32]
    /// Parts of ``answers`` that the host can have.
    private var available: [Range<Int>] = []
    /// How much of the first available answer has gone.
    private var offset = 0
    /// The answer before filled the host's transfer to the last byte, and its end has to be told.
    private var owesEmptyPacket = false
    /// A moment of the replay, and when that was in the recording.
    private var anchor: (now: UInt64, recorded: Int64)?
    private var waiting = URBQueue()
    private var isServing = false
    /// Halts the endpoint.
    var halt: (EndpointAddress) -> Void = { _ in }
    /// Whether the answers begin again at their end, since nobody makes more available.
    var loopsAlone = false

    init(
        _ address: EndpointAddress, _ ledger: Ledger, _ clock: ReplayClock, packetSize: Int, type: TransferType,
        answers all: [UInt32]
    ) {
        self.address = address
        self.ledger = ledger
        self.clock = clock
        self.packetSize = max(packetSize, 1)
        isPeriodic = type == .interrupt
        let transfers = ledger.trace.transfers
        answers = all.sorted { transfers[Int($0)].end < transfers[Int($1)].end }
        times = answers.map { transfers[Int($0)].end }
        ledger.expect(all.count, on: address, type)
        clock.add(self)
    }

    // MARK: What is available

    /// Begins the recording again; nothing is available until ``release(after:before:)``.
    func rewind() {
        available = []
        offset = 0
        owesEmptyPacket = false
        anchor = nil
    }

    /// Makes the answers available that ended between two packets of the recording.
    func release(after first: UInt32?, before end: UInt32?) {
        let lower = first.map { bound in times.partition { $0 > bound } } ?? 0
        let upper = end.map { bound in times.partition { $0 >= bound } } ?? times.count
        guard lower < upper else { return }
        if let last = available.last, last.upperBound == lower {
            available[available.count - 1] = last.lowerBound..<upper
        } else {
            if available.count == Self.rangeLimit { available.removeFirst() }
            available.append(lower..<upper)
        }
    }

    /// Something happened now that happened then: gaps are measured from it, unless older answers are still to come.
    func anchor(at recorded: Int64) {
        guard let next, transfer(next).completed >= recorded else { return }
        anchor = (clock.now, recorded)
    }

    /// The bus was reset: what had gone of an answer is forgotten, and it begins anew.
    ///
    /// The place in the recording stays, since recorded hosts reset devices in the middle of what they do.
    func forgetPart() {
        offset = 0
        owesEmptyPacket = false
    }

    /// The host has selected the endpoint afresh: the next poll begins the clock.
    func restartClock() { anchor = nil }

    private var next: Int? { available.first?.lowerBound }

    private func transfer(_ place: Int) -> TracedTransfer { ledger.trace.transfers[Int(answers[place])] }

    private func consume() {
        guard let first = available.first else { return }
        offset = 0
        let rest = first.lowerBound + 1..<first.upperBound
        if rest.isEmpty { available.removeFirst() } else { available[0] = rest }
        if available.isEmpty, loopsAlone, ledger.settings.loops, !answers.isEmpty { available = [0..<answers.count] }
    }

    /// When an answer is due.
    private func due(_ place: Int) -> UInt64 {
        let transfer = transfer(place)
        let base = anchor ?? (clock.now, transfer.submitted)
        if anchor == nil { anchor = base }
        // Where the recording begins again, or its clock was set back, there is no gap to keep.
        return base.now &+ ledger.settings.delay(transfer.completed &- base.recorded, isPeriodic: isPeriodic)
    }

    // MARK: EndpointHandler

    func submit(_ urb: consuming URB) {
        waiting.append(urb)
        serve()
    }

    func cancel(_ id: URB.ID) -> Bool {
        guard let urb = waiting.remove(id) else { return false }
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) {
        var all = URBQueue()
        swap(&all, &waiting)
        all.completeAll(status)
    }

    func wake() { serve() }

    /// Answers transfers that wait with what is available and due.
    func serve() {
        // Whoever gets a transfer back may submit the next at once; the loop below finds it.
        guard !isServing else { return }
        isServing = true
        defer { isServing = false }
        while let room = waiting.firstRequestedLength {
            if owesEmptyPacket, let urb = waiting.popFirst() {
                owesEmptyPacket = false
                urb.complete(.success)
                continue
            }
            guard let place = next else { return }
            let time = due(place)
            let now = clock.now
            guard time <= now else {
                clock.wake(at: time)
                return
            }
            let base = now - time < Self.patience ? time : now
            anchor = (base, transfer(place).completed)
            let first = waiting.firstID
            let (bytes, status) = gather(room)
            // Halted before the host knows, since it may clear the halt at once; that also ends what waits.
            if status == .stalled { halt(address) }
            guard waiting.firstID == first, let urb = waiting.popFirst() else { continue }
            urb.complete(status, copying: bytes)
        }
    }

    // MARK: Cutting and joining

    /// The next transfer's worth of bytes, and how it ends.
    private func gather(_ room: Int) -> ([UInt8], TransferStatus) {
        var bytes: [UInt8] = []
        while let place = next {
            let index = Int(answers[place])
            let recorded = transfer(place)
            if recorded.outcome != .success {
                guard bytes.isEmpty else { break }
                consume()
                ledger.match(index)
                guard recorded.outcome != .stalled else { return ([], .stalled) }
                guard let answer = ledger.answer(index) else { return ([], .protocolError) }
                return (answer, recorded.outcome)
            }
            let count = recorded.inputCount
            let part = min(room - bytes.count, count - offset)
            guard let piece = read(index, part) else {
                consume()
                return ([], .protocolError)
            }
            bytes += piece
            offset += part
            guard offset >= count else { break }
            consume()
            ledger.match(index)
            let isShort = count < Int(recorded.requested)
            // An empty answer is a packet without data, whatever was asked for, and so ends a transfer.
            if isPeriodic || isShort || count == 0 || count % packetSize != 0 {
                owesEmptyPacket = isShort && !isPeriodic && bytes.count == room && count > 0 && count % packetSize == 0
                break
            }
            // The recorded host's transfer was full: whether the device had more to say only the next one shows.
            guard bytes.count < room, let next, due(next) <= clock.now else { break }
            anchor = (clock.now, transfer(next).completed)
        }
        return (bytes, .success)
    }

    /// The next bytes of an answer; nil when the capture cannot be read.
    private func read(_ index: Int, _ count: Int) -> [UInt8]? {
        guard count > 0 else { return [] }
        let transfer = ledger.trace.transfers[index]
        var bytes = [UInt8](repeating: 0, count: count)
        let available = min(count, Int(transfer.input.count) - offset)
        if available < count { ledger.noteCutData() }
        guard available > 0 else { return bytes }
        var failure: CaptureError?
        unsafe bytes.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<available])
                unsafe try ledger.trace.copy(transfer.input, from: offset, into: part)
            } catch {
                failure = error
            }
        }
        if let failure {
            ledger.unreadable(failure, index)
            return nil
        }
        return bytes
    }
}
