import USBCore
import USBDeviceKit

/// The interrupt IN endpoint of a function: reports that wait for the host, and the host's transfers that wait for them.
final class ReportPipe: EndpointHandler {
    let address: EndpointAddress
    /// Called when the host has fetched a report that was sent, not one that an idle rate repeats.
    var onFetched: () -> Void = {}
    /// What an idle rate repeats: a report as it now is.
    var current: (_ id: UInt8) -> [UInt8]? = { _ in nil }
    /// Reads a report's id.
    var id: (_ report: [UInt8]) -> UInt8 = { _ in 0 }
    /// Sets the alarm that calls ``serve()``.
    var wake: (_ time: UInt64) -> Void = { _ in }
    var now: () -> UInt64 = { 0 }
    var idle = IdleRates(ids: [], duration: 0, now: 0)
    /// Reports that were sent and never fetched, because too many waited.
    private(set) var lost: UInt64 = 0
    /// How many reports were sent; wraps around.
    private(set) var sent: UInt64 = 0
    /// What the host was last told, by report id: what it goes on believing when what was to follow is dropped.
    ///
    /// Empty for a report of which it knows something in the form of the other protocol.
    private(set) var told: [UInt8: [UInt8]] = [:]
    private var reports: ArraySlice<[UInt8]> = []
    private var waiting = URBQueue()
    private var isServing = false

    /// The most reports kept for a host that does not ask.
    static let capacity = 1024

    init(_ address: EndpointAddress) { self.address = address }

    /// How many reports wait for the host.
    var count: Int { reports.count }

    /// Queues a report; of too many, the oldest is lost, so that the last state arrives.
    func send(_ report: [UInt8]) {
        if reports.count >= Self.capacity {
            reports.removeFirst()
            lost &+= 1
        }
        reports.append(report)
        sent &+= 1
        serve()
    }

    /// Forgets what was not fetched.
    func clear() { reports = [] }

    /// Whether a report of an id waits for the host.
    func isQueued(_ id: UInt8) -> Bool { reports.contains { self.id($0) == id } }

    /// The host that was told things has gone.
    func forgetTold() { told = [:] }

    /// Reports have another form from now on, with these ids.
    func changeForm(_ ids: [UInt8]) {
        guard !told.isEmpty else { return }
        told = Dictionary(ids.map { ($0, []) }, uniquingKeysWith: { first, _ in first })
    }

    /// Brings reports and transfers together, oldest first.
    ///
    /// Whoever gets a transfer back may submit the next at once, and whoever hears of a report that was fetched may
    /// send another: both find this going on, and leave the rest to it.
    func serve() {
        guard !isServing else { return }
        isServing = true
        defer { isServing = false }
        while !waiting.isEmpty {
            if let report = reports.popFirst() {
                answer(report)
                onFetched()
            } else if let id = idle.due(at: now()) {
                // A report that cannot be had is not asked for again before its next turn.
                idle.reported(id, now: now())
                if let report = current(id) { answer(report) }
            } else {
                break
            }
        }
        if !waiting.isEmpty, let deadline = idle.deadline { wake(deadline) }
    }

    private func answer(_ report: [UInt8]) {
        guard let urb = waiting.popFirst() else { return }
        let id = id(report)
        idle.reported(id, now: now())
        told[id] = report
        urb.complete(copying: report)
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

    /// Gives the transfers back; reports stay for a host that goes on after a halt.
    func completeAll(_ status: TransferStatus) {
        // Whoever gets a transfer back may submit the next at once, which must find the queue at rest.
        var given = URBQueue()
        swap(&given, &waiting)
        given.completeAll(status)
    }
}
