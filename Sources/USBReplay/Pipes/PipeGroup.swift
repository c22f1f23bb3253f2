import CaptureTraces
import USBCore

/// Bulk and interrupt endpoints that talk to each other: what the host sends on one is answered on another.
///
/// What the recording has before the first transfer to the device can be fetched at once; each transfer to the device
/// that matches makes available what followed it, up to the next one.
final class PipeGroup {
    /// How far ahead a transfer to the device is searched for, in transfers to the device.
    static let window = 256

    /// How far ahead an endpoint's next transfer is looked for, where several endpoints belong together.
    private static let reach = 65_536

    private let ledger: Ledger
    /// The recorded transfers to the device in the order in which they ended, as places in ``Trace/transfers``.
    private var outputs: [UInt32] = []
    /// By place in ``outputs``, its packet: what ends later followed it.
    private var times: [UInt32] = []
    private var inputs: [ScriptedInput] = []
    /// The next of ``outputs``.
    private var next = 0

    init(_ ledger: Ledger) { self.ledger = ledger }

    /// Takes the recorded transfers of the group's endpoints.
    ///
    /// - Parameter transfers: places in ``Trace/transfers``, ascending.
    func load(outputs all: [UInt32], inputs: [ScriptedInput]) {
        let transfers = ledger.trace.transfers
        let ordered = all.sorted { transfers[Int($0)].end < transfers[Int($1)].end }
        outputs = ordered
        times = ordered.map { transfers[Int($0)].end }
        self.inputs = inputs
        for index in all { ledger.expect(1, on: transfers[Int(index)].endpoint, transfers[Int(index)].type) }
        rewind()
    }

    /// Begins the recording again.
    func rewind() {
        next = 0
        for input in inputs {
            input.rewind()
            input.release(after: nil, before: times.first)
        }
    }

    /// How long the next transfer on an endpoint took in the recording, in nanoseconds; 0 when there is none.
    ///
    /// - Parameter pending: how many transfers are to be taken before it.
    func latency(on endpoint: EndpointAddress, after pending: Int) -> Int64 {
        var pending = pending
        for place in next..<min(next + Self.reach, outputs.count) where isOn(endpoint, place) {
            let transfer = ledger.trace.transfers[Int(outputs[place])]
            if pending == 0 { return transfer.completed &- transfer.submitted }
            pending -= 1
        }
        return 0
    }

    /// Takes what the host sent, and says how that ends.
    ///
    /// ``deliver()`` afterwards hands out what was made available.
    func take(_ data: [UInt8], on endpoint: EndpointAddress, _ type: TransferType) -> Outcome {
        if next >= outputs.count, ledger.settings.loops, !outputs.isEmpty { rewind() }
        let subject = "\(endpoint)"
        let ahead = next..<min(next + Self.reach, outputs.count)
        guard let expected = ahead.first(where: { isOn(endpoint, $0) }) else {
            return unexpected(data, endpoint, type)
        }
        let match = compare(data, expected)
        if match == .same, !ledger.settings.isStrict || expected == next { return play(expected) }
        let index = Int(outputs[expected])
        if match == .unreadable { return .taken(.protocolError) }
        if ledger.settings.isStrict {
            if match == .same {
                ledger.diverge(
                    .otherOrder, endpoint, type, subject: subject, transfer: index, actual: data,
                    detail: "\(ledger.trace.transfers[Int(outputs[next])].endpoint) is next")
            } else {
                ledger.diverge(match.kind, endpoint, type, subject: subject, transfer: index, actual: data)
            }
            return .taken(.stalled)
        }
        if let found = search(data, endpoint, after: expected) {
            let skipped =
                found > expected ? "\(counted(found - expected, "recorded transfer")) left out" : "it began again"
            ledger.diverge(
                .otherOrder, endpoint, type, subject: subject, transfer: Int(outputs[found]), actual: data,
                detail: skipped)
            return play(found, isDiverged: true)
        }
        ledger.diverge(match.kind, endpoint, type, subject: subject, transfer: index, actual: data)
        return play(expected, isDiverged: true)
    }

    /// Hands out what is available to transfers that wait.
    func deliver() {
        for input in inputs { input.serve() }
    }

    private func isOn(_ endpoint: EndpointAddress, _ place: Int) -> Bool {
        ledger.trace.transfers[Int(outputs[place])].endpoint == endpoint
    }

    private func compare(_ data: [UInt8], _ place: Int) -> DataMatch {
        ledger.compare(data, with: Int(outputs[place]))
    }

    private func search(_ data: [UInt8], _ endpoint: EndpointAddress, after place: Int) -> Int? {
        let ahead = place + 1..<min(place + 1 + Self.window, max(outputs.count, place + 1))
        let behind = max(0, place - Self.window)..<place
        let isSame = { (place: Int) in self.isOn(endpoint, place) && self.compare(data, place) == .same }
        return ahead.first(where: isSame) ?? behind.first(where: isSame)
    }

    private func unexpected(
        _ data: [UInt8], _ endpoint: EndpointAddress, _ type: TransferType
    ) -> Outcome {
        if !ledger.settings.isStrict, let found = search(data, endpoint, after: outputs.count) {
            ledger.diverge(
                .otherOrder, endpoint, type, subject: "\(endpoint)", transfer: Int(outputs[found]), actual: data,
                detail: "the recording has ended; it began again")
            return play(found, isDiverged: true)
        }
        ledger.diverge(
            .unexpectedRequest, endpoint, type, subject: "transfer on \(endpoint)", actual: data,
            detail: outputs.isEmpty ? "the recording has none there" : "the recording has ended")
        return .taken(ledger.settings.isStrict ? .stalled : .success)
    }

    private func play(_ place: Int, isDiverged: Bool = false) -> Outcome {
        let index = Int(outputs[place])
        let transfer = ledger.trace.transfers[index]
        if isDiverged { ledger.reach(index) } else { ledger.match(index) }
        next = place + 1
        for input in inputs {
            input.release(after: times[place], before: next < times.count ? times[next] : nil)
            input.anchor(at: transfer.completed)
        }
        return .taken(transfer.outcome)
    }
}

extension DataMatch {
    var kind: Divergence.Kind {
        switch self {
        case .same, .other: .otherData
        case .otherLength: .otherLength
        case .unreadable: .unreadable
        }
    }
}

extension TracedTransfer {
    /// The packet by which it is in order among what ended before and after it.
    var end: UInt32 { completionNumber != 0 ? completionNumber : submissionNumber }
}
