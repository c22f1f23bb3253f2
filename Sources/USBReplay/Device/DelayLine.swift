import USBCore
import USBDeviceKit

/// How a transfer is to end.
enum Outcome {
    /// What the host sent is taken, and the transfer ends so.
    case taken(TransferStatus)
    /// These bytes are the answer, and the transfer ends so.
    case answer([UInt8], TransferStatus)

    func complete(_ urb: consuming URB) {
        switch self {
        case .taken(let status):
            let count = status == .success ? urb.requestedLength : 0
            urb.accept(count, status)
        case .answer(let bytes, let status): urb.complete(status, copying: bytes)
        }
    }
}

/// Transfers whose outcome is known and whose time has not come, first in, first out.
final class DelayLine: Waiting {
    private struct Entry {
        var id: URB.ID
        var due: UInt64
        var outcome: Outcome
    }

    private let clock: ReplayClock
    private var transfers = URBQueue()
    private var entries: [Entry] = []
    /// Called just before a transfer ends, with how.
    var beforehand: ((TransferStatus) -> Void)?
    /// Called after a transfer has ended.
    var afterwards: (() -> Void)?

    init(_ clock: ReplayClock) {
        self.clock = clock
        clock.add(self)
    }

    /// Ends a transfer after `delay` nanoseconds, and not before those that were taken earlier.
    func end(_ urb: consuming URB, _ outcome: Outcome, after delay: UInt64) {
        let now = clock.now
        let due = max(now &+ delay, entries.last?.due ?? 0)
        guard due > now || !entries.isEmpty else {
            finish(urb, outcome)
            return
        }
        entries.append(Entry(id: urb.id, due: due, outcome: outcome))
        transfers.append(urb)
        clock.wake(at: entries[0].due)
    }

    func wake() {
        while let first = entries.first, first.due <= clock.now, let urb = transfers.popFirst() {
            entries.removeFirst()
            finish(urb, first.outcome)
        }
        if let first = entries.first { clock.wake(at: first.due) }
    }

    func cancel(_ id: URB.ID) -> Bool {
        guard let index = entries.firstIndex(where: { $0.id == id }), let urb = transfers.remove(id) else {
            return false
        }
        entries.remove(at: index)
        urb.complete(.cancelled)
        return true
    }

    func completeAll(_ status: TransferStatus) {
        var all = URBQueue()
        swap(&all, &transfers)
        entries = []
        all.completeAll(status)
    }

    private func finish(_ urb: consuming URB, _ outcome: Outcome) {
        let status: TransferStatus
        switch outcome {
        case .taken(let result), .answer(_, let result): status = result
        }
        beforehand?(status)
        outcome.complete(urb)
        afterwards?()
    }
}
