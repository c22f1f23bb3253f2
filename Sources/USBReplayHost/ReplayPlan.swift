import CaptureTraces
import USBCore
import USBIPClient

/// Which transfers of a trace are made again, and what each must wait for.
struct ReplayPlan {
    /// Transfers in an order of their own.
    struct Lane {
        /// The endpoint.
        var endpoint: EndpointAddress
        /// Places in ``Trace/transfers``, in the order of their submissions.
        var steps: [Int32] = []
        /// Whether the device's interface is also written to, so that what it sends may be an answer to that.
        var isConversation: Bool
    }

    /// What is made one after another, in the recorded order.
    var main: [Int32] = []
    /// Interrupt IN endpoints: what a device sends by itself must not hold up the rest.
    var lanes: [Lane] = []
    /// Places of reads that waited already when the capture began: they are made first.
    var parked: Set<Int32> = []
    /// What is not made, by reason.
    var skipped: [SkipReason: Int] = [:]
    /// The configuration that is selected first, where the capture begins after that.
    var configuration: UInt8?
    /// The alternate settings that are selected first.
    var alternates: [(interface: UInt8, alternate: UInt8)] = []

    /// - Parameter leftOut: places of transfers that are not to be made since they change a disk.
    init(_ trace: Trace, _ facts: EndpointFacts, leftOut: Set<Int32>) {
        var laneOf: [EndpointAddress: Int] = [:]
        let written = Set(
            trace.transfers.lazy.filter { $0.type == .interrupt && $0.endpoint.direction == .out }.map(\.endpoint))
        findParked(trace)
        let begun = parked.sorted { trace.transfers[Int($0)].end < trace.transfers[Int($1)].end }
        let all = (0..<trace.transfers.count).lazy.map { Int32(truncatingIfNeeded: $0) }
        let parked = parked
        for place in begun + all.filter({ !parked.contains($0) }) {
            let transfer = trace.transfers[Int(place)]
            if let reason = leftOut.contains(place) ? .write : Self.reason(against: transfer, facts) {
                skipped[reason, default: 0] += 1
                continue
            }
            guard transfer.type == .interrupt, transfer.endpoint.direction == .in else {
                main.append(place)
                continue
            }
            if let lane = laneOf[transfer.endpoint] {
                lanes[lane].steps.append(place)
            } else {
                laneOf[transfer.endpoint] = lanes.count
                let partners = facts.setting(of: transfer.endpoint)?.endpoints.map(\.address) ?? []
                let isConversation =
                    written.contains(.out(transfer.endpoint.number)) || partners.contains { written.contains($0) }
                lanes.append(Lane(endpoint: transfer.endpoint, steps: [place], isConversation: isConversation))
            }
        }
        prepare(trace, facts)
    }

    /// Where in the recording a transfer was submitted.
    func start(of place: Int32, _ transfer: TracedTransfer) -> UInt32 { parked.contains(place) ? 0 : transfer.start }

    /// Finds the reads that ended before any that was submitted in the capture: transfers of an endpoint end in order.
    private mutating func findParked(_ trace: Trace) {
        var firstEnds: [EndpointAddress: UInt32] = [:]
        for transfer in trace.transfers where !transfer.marks.contains(.noSubmission) {
            firstEnds[transfer.endpoint] = min(firstEnds[transfer.endpoint] ?? .max, transfer.end)
        }
        for (index, transfer) in trace.transfers.enumerated()
        where transfer.marks.contains(.noSubmission) && Self.isAskableData(transfer)
            && transfer.end < firstEnds[transfer.endpoint] ?? .max
        {
            parked.insert(Int32(truncatingIfNeeded: index))
        }
    }

    private static func reason(against transfer: TracedTransfer, _ facts: EndpointFacts) -> SkipReason? {
        let marks = transfer.marks
        if marks.contains(.isInjected) { return .injected }
        if transfer.type == .control, transfer.setup == nil { return .unasked }
        if marks.contains(.noSubmission), !isAskableData(transfer) { return .unasked }
        if marks.contains(.isCancelled) { return .cancelled }
        if marks.contains(.noCompletion) { return .unended }
        if let setup = transfer.setup, setup.kind == .standard,
            setup.request == StandardRequest.setAddress.rawValue, setup.direction == .out
        {
            return .address
        }
        if facts.isHub, transfer.setup.map({ $0.kind == .class }) ?? (transfer.type == .interrupt) { return .hub }
        let isOut = transfer.setup.map { $0.direction == .out } ?? (transfer.endpoint.direction == .out)
        if isOut, transfer.output.count < transfer.setup.map({ UInt32($0.length) }) ?? transfer.requested {
            return .cutOutput
        }
        let limit = UInt32(TransferRequest.maximumLength)
        guard max(transfer.requested, transfer.actual) <= limit,
            Int(transfer.packetCount) <= TransferRequest.maximumPackets
        else { return .tooLarge }
        return nil
    }

    /// Whether a transfer, of which the capture has only the end, brought data: its submission must have been a read.
    private static func isAskableData(_ transfer: TracedTransfer) -> Bool {
        transfer.endpoint.direction == .in && [.bulk, .interrupt].contains(transfer.type)
            && transfer.status == .success && transfer.actual > 0
    }

    /// Finds out what the recorded host had selected before the capture began.
    private mutating func prepare(_ trace: Trace, _ facts: EndpointFacts) {
        var used: Set<EndpointAddress> = []
        var chosen: Set<UInt8> = []
        for transfer in trace.transfers {
            if transfer.endpoint.number != 0 {
                used.insert(transfer.endpoint)
                continue
            }
            guard let setup = transfer.setup, setup.kind == .standard, !transfer.marks.contains(.isInjected) else {
                continue
            }
            if setup.request == StandardRequest.setConfiguration.rawValue, setup.direction == .out {
                // Endpoints that are used later belong to it.
                if used.isEmpty { return }
                break
            }
            if setup.request == StandardRequest.setInterface.rawValue, setup.direction == .out {
                chosen.insert(UInt8(truncatingIfNeeded: setup.index))
            }
        }
        let needsSettings = trace.transfers.contains { transfer in
            transfer.setup.map { $0.recipient == .interface || $0.recipient == .endpoint } ?? !used.isEmpty
        }
        guard needsSettings else { return }
        let fitting = facts.configurations.first { configuration in
            used.isSubset(of: configuration.settings.flatMap(\.endpoints).map(\.address))
        }
        let configuration = fitting ?? facts.configurations.first
        self.configuration = configuration?.value ?? 1
        guard let configuration else { return }
        for number in configuration.interfaceNumbers where !chosen.contains(number) {
            let settings = configuration.alternates(of: number)
            let first = settings.first { $0.alternate == 0 }
            let wanted = settings.flatMap(\.endpoints).map(\.address).filter { used.contains($0) }
            guard !wanted.isEmpty, !wanted.allSatisfy({ first?.endpoint($0) != nil }) else { continue }
            if let setting = settings.first(where: { setting in wanted.allSatisfy { setting.endpoint($0) != nil } }) {
                alternates.append((number, setting.alternate))
            }
        }
    }
}

extension TracedTransfer {
    /// The place in the capture at which it was submitted; of one without a submission, of its end.
    var start: UInt32 { submissionNumber == 0 ? completionNumber : submissionNumber }
    /// The place in the capture at which it ended; behind everything for one that did not.
    var end: UInt32 { completionNumber == 0 ? .max : completionNumber }
}
