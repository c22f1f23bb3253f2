import USBCore
import USBDeviceKit

/// How a transfer is to end.
enum Outcome {
    /// What the host sent is taken, and the transfer ends so.
    case taken(TransferStatus)
    /// These bytes are the answer, and the transfer ends so.
    case answer([UInt8], TransferStatus)

    /// How the transfer ends.
    var status: TransferStatus {
        switch self {
        case .taken(let status), .answer(_, let status): status
        }
    }

    func complete(_ urb: consuming URB) {
        switch self {
        case .taken(let status):
            let count = status == .success ? urb.requestedLength : 0
            urb.accept(count, status)
        case .answer(let bytes, let status): urb.complete(status, copying: bytes)
        }
    }
}

/// Transfers whose time has not come, first in, first out.
final class DelayLine: Waiting {
    private struct Entry {
        var id: URB.ID
        var due: UInt64
        var end: (consuming URB) -> Void
    }

    private let clock: ReplayClock
    private var transfers = URBQueue()
    private var entries: [Entry] = []

    init(_ clock: ReplayClock) {
        self.clock = clock
        clock.add(self)
    }

    /// How many transfers wait.
    var count: Int { entries.count }

    /// Has a transfer ended after `delay` nanoseconds, and not before those that were taken earlier.
    ///
    /// - Parameter end: ends it; not called when it is taken back before.
    func add(_ urb: consuming URB, after delay: UInt64, _ end: @escaping (consuming URB) -> Void) {
        let now = clock.now
        let due = max(now &+ delay, entries.last?.due ?? 0)
        guard due > now || !entries.isEmpty else {
            end(urb)
            return
        }
        entries.append(Entry(id: urb.id, due: due, end: end))
        transfers.append(urb)
        clock.wake(at: entries[0].due)
    }

    func wake() {
        while let first = entries.first, first.due <= clock.now, let urb = transfers.popFirst() {
            entries.removeFirst()
            first.end(urb)
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
}
