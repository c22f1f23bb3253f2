import CaptureTraces
import DirectHost
import USBCapture
import USBCore
import USBDeviceKit

/// Does to a device exactly what the recorded host did, in its order, and compares what comes back.
///
/// A transfer is submitted where the recording submits it, and must have ended where the recording has its end.
/// Transfers that the recorded host took back are left out: they say nothing of what the device would answer.
struct RecordedHost {
    /// What was not as recorded, in words.
    private(set) var differences: [String] = []
    /// How many transfers were compared.
    private(set) var compared = 0
    private let trace: Trace
    private let host: DirectHost
    /// Changes what is sent: is given the place of the transfer in the trace, and its data.
    private let change: (Int, inout [UInt8]) -> Void

    private init(_ trace: Trace, _ host: DirectHost, _ change: @escaping (Int, inout [UInt8]) -> Void) {
        self.trace = trace
        self.host = host
        self.change = change
    }

    /// Runs the whole recording against a device.
    static func run(
        _ trace: Trace, _ device: any USBDevice, changing change: @escaping (Int, inout [UInt8]) -> Void = { _, _ in }
    ) throws -> RecordedHost {
        var host = RecordedHost(trace, DirectHost(device), change)
        try host.run()
        return host
    }

    private enum Step {
        case submit(Int)
        case end(Int)
    }

    private mutating func run() throws {
        var steps: [(number: UInt32, order: Int, step: Step)] = []
        let first = firstSubmissions
        for (index, transfer) in trace.transfers.enumerated() where isReplayed(transfer) {
            let end = transfer.completionNumber == 0 ? transfer.submissionNumber : transfer.completionNumber
            // What the host asked for before the capture began was asked for before anything in it.
            let early = min(first[transfer.endpoint] ?? end, end)
            let start = transfer.submissionNumber == 0 ? early : transfer.submissionNumber
            steps.append((start, transfer.submissionNumber == 0 ? 0 : 1, .submit(index)))
            steps.append((end, 2, .end(index)))
        }
        // Stable, so that what waits from the beginning on is in the order in which it ended.
        steps = steps.enumerated().sorted {
            ($0.element.number, $0.element.order, $0.offset) < ($1.element.number, $1.element.order, $1.offset)
        }.map(\.element)
        configureIfNeeded(steps.map(\.step))
        var names: [Int: URB.ID] = [:]
        for (_, _, step) in steps {
            switch step {
            case .submit(let index): names[index] = try submit(index)
            case .end(let index):
                guard let name = names.removeValue(forKey: index) else { continue }
                try check(index, name)
            }
        }
    }

    /// By IN endpoint, the first packet that submits anything there.
    private var firstSubmissions: [EndpointAddress: UInt32] {
        var first: [EndpointAddress: UInt32] = [:]
        for transfer in trace.transfers where transfer.type != .control && transfer.endpoint.direction == .in {
            guard transfer.submissionNumber != 0 else { continue }
            first[transfer.endpoint] = min(first[transfer.endpoint] ?? .max, transfer.submissionNumber)
        }
        return first
    }

    private func isReplayed(_ transfer: TracedTransfer) -> Bool {
        guard !transfer.marks.contains(.isCancelled), !transfer.marks.contains(.isInjected) else { return false }
        if transfer.marks.contains(.noCompletion) {
            return transfer.type != .control && transfer.endpoint.direction == .out
        }
        guard transfer.type == .control else { return true }
        // Host controllers keep SET_ADDRESS to themselves.
        return transfer.setup.map { $0.requestType != 0 || $0.request != 5 } ?? false
    }

    /// A capture that begins in the middle of a session has a device that is configured already.
    private func configureIfNeeded(_ steps: [Step]) {
        for case .submit(let index) in steps {
            let transfer = trace.transfers[index]
            if transfer.type != .control { break }
            if let setup = transfer.setup, setup.requestType == 0, setup.request == 9 { return }
        }
        let value = host.device.identity.configurationValue
        host.device.configure(value == 0 ? 1 : value)
    }

    private func submit(_ index: Int) throws -> URB.ID {
        let transfer = trace.transfers[index]
        var sent = try output(transfer)
        change(index, &sent)
        if transfer.type == .control, let setup = transfer.setup {
            return host.submitControl(setup, setup.direction == .out ? sent : [])
        }
        guard transfer.type != .isochronous else {
            let size = trace.submittedPackets[Int(transfer.firstPacket)].length
            return host.submitIsochronous(
                transfer.endpoint, packets: Int(transfer.packetCount), of: Int(size), sent)
        }
        return transfer.endpoint.direction == .in
            ? host.submitIn(transfer.endpoint, Int(transfer.requested))
            : host.submitOut(transfer.endpoint, sent)
    }

    private func output(_ transfer: TracedTransfer) throws -> [UInt8] {
        let bytes = try trace.bytes(transfer.output)
        let count = transfer.marks.contains(.isCut) ? Int(transfer.requested) : bytes.count
        return bytes + [UInt8](repeating: 0, count: max(0, count - bytes.count))
    }

    private mutating func check(_ index: Int, _ name: URB.ID) throws {
        let transfer = trace.transfers[index]
        // A device that keeps recorded gaps needs its time.
        var patience = 1000
        while host.outcome(name) == nil, patience > 0, let alarm = host.clock.nextAlarm {
            host.clock.advance(to: alarm)
            patience -= 1
        }
        let place = "packet \(transfer.completionNumber), \(transfer.endpoint)"
        guard let outcome = host.outcome(name) else {
            differences.append("\(place): not answered")
            host.cancel(name)
            return
        }
        compared += 1
        // EREMOTEIO is made by the host's own core, of a short answer that it did not want.
        let isTheHosts = transfer.status.rawValue == -121 || transfer.marks.contains(.noCompletion)
        if outcome.status != (isTheHosts ? .success : transfer.status) {
            differences.append("\(place): ended with \(outcome.status.rawValue), recorded \(transfer.status.rawValue)")
        }
        let isIn = transfer.type == .control ? transfer.setup?.direction == .in : transfer.endpoint.direction == .in
        guard isIn else { return }
        let expected = try trace.bytes(transfer.input)
        let isEqual = transfer.marks.contains(.isCut) ? outcome.data.starts(with: expected) : outcome.data == expected
        if !isEqual || outcome.actualLength != Int(transfer.actual) {
            differences.append("\(place): answered \(hex(outcome.data)), recorded \(hex(expected))")
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.prefix(48).map { String($0, radix: 16) }.joined(separator: " ") + " (\(bytes.count))"
    }
}
