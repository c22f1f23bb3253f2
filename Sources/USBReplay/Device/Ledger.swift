import CaptureTraces
import USBCapture
import USBCore

/// What all parts of a replayed device share: the recording, the settings, the books.
///
/// Belongs to the device's executor.
final class Ledger {
    let trace: Trace
    let settings: ReplaySettings
    var report: ReplayReport
    var onDivergence: ((Divergence) -> Void)?
    /// The device's time; 0 before it is attached.
    var now: () -> UInt64 = { 0 }
    /// When the replay began; nil before the first host.
    var start: UInt64?
    /// By interface number, its class, for the names of requests.
    var interfaceClasses: [UInt8: UInt8] = [:]
    /// A bit for each transfer of the recording that was played.
    private var reached: [UInt64]
    /// Whether it was told that the capture cannot be read.
    private var isUnreadable = false
    /// By endpoint, how many transfers there are to play, and how many were.
    private var playable: [UInt8: (type: TransferType, all: Int, reached: Int)] = [:]

    init(_ trace: Trace, _ settings: ReplaySettings, subject: String) {
        self.trace = trace
        self.settings = settings
        report = ReplayReport(subject: subject)
        reached = Array(repeating: 0, count: (trace.transfers.count + 63) / 64)
    }

    /// Counts transfers that can be played.
    func expect(_ count: Int, on endpoint: EndpointAddress, _ type: TransferType) {
        guard count > 0 else { return }
        playable[place(endpoint), default: (type, 0, 0)].all += count
    }

    /// A transfer of the recording was played, for the first time or once more.
    func reach(_ index: Int) {
        guard trace.transfers.indices.contains(index), !isReached(index) else { return }
        reached[index >> 6] |= 1 << UInt64(index & 63)
        playable[place(trace.transfers[index].endpoint)]?.reached += 1
    }

    func isReached(_ index: Int) -> Bool {
        trace.transfers.indices.contains(index) && reached[index >> 6] >> UInt64(index & 63) & 1 == 1
    }

    /// A transfer went as recorded.
    func match(_ index: Int) {
        reach(index)
        let transfer = trace.transfers[index]
        report.count(transfer.endpoint, transfer.type) { $0.matched += 1 }
    }

    /// A transfer was answered by rule.
    func answerByRule(_ endpoint: EndpointAddress, _ type: TransferType, _ note: String? = nil) {
        report.count(endpoint, type) { $0.unrecorded += 1 }
        if let note { report.note(note) }
    }

    /// A transfer was not as recorded.
    ///
    /// - Parameters:
    ///   - transfer: the transfer of the recording that it was compared with.
    ///   - expected: what the recording has; nil for all that was sent in that transfer.
    func diverge(
        _ kind: Divergence.Kind, _ endpoint: EndpointAddress, _ type: TransferType, subject: String,
        transfer: Int? = nil, expected: [UInt8]? = nil, actual: [UInt8] = [], detail: String = ""
    ) {
        let recorded = transfer.map { trace.transfers[$0] }
        // What cannot be read was reported when it was to be compared.
        let expected = expected ?? recorded.flatMap { try? trace.bytes($0.output) } ?? []
        add(
            Divergence(
                kind, by: .host, packet: recorded?.packet, endpoint: endpoint, subject: subject, time: time,
                expected: expected, actual: actual, detail: detail),
            type)
    }

    /// The capture could not be read: told once, and not held against the host.
    ///
    /// - Parameter transfer: the transfer of the recording whose data were wanted.
    func unreadable(_ error: CaptureError, _ transfer: Int) {
        guard !isUnreadable, trace.transfers.indices.contains(transfer) else { return }
        isUnreadable = true
        let recorded = trace.transfers[transfer]
        add(
            Divergence(
                .unreadable, by: .device, packet: recorded.packet, endpoint: recorded.endpoint,
                subject: recorded.setup.map { name($0) } ?? "\(recorded.endpoint)", time: time,
                detail: "the capture cannot be read: \(error)"),
            recorded.type)
    }

    private func add(_ divergence: Divergence, _ type: TransferType) {
        report.count(divergence.endpoint, type) { $0.diverged += 1 }
        report.add(divergence)
        onDivergence?(divergence)
    }

    /// In nanoseconds since the replay began.
    private var time: UInt64 { start.map { now() &- $0 } ?? 0 }

    /// The report as it stands, with what was not reached.
    var snapshot: ReplayReport {
        var report = report
        for (place, counts) in playable {
            report.count(EndpointAddress(rawValue: place), counts.type) { $0.notReached = counts.all - counts.reached }
        }
        guard settings.isStrict else { return report }
        // What the host did not fetch is no request of its.
        for counts in report.endpoints
        where counts.notReached > 0 && counts.type != .isochronous && counts.endpoint.direction == .out {
            let first = trace.transfers.indices.first { index in
                let transfer = trace.transfers[index]
                return place(transfer.endpoint) == place(counts.endpoint) && transfer.isPlayable && !isReached(index)
                    && (transfer.type != .control || transfer.setup?.kind != .standard)
            }
            let missing = first.map { trace.transfers[$0] }
            report.add(
                Divergence(
                    .missingRequest, by: .host, packet: missing?.packet, endpoint: counts.endpoint,
                    subject: missing?.setup.map { name($0) } ?? "a transfer on \(counts.endpoint)",
                    time: time, detail: "\(counted(counts.notReached, "recorded transfer")) not reached"))
            report.count(counts.endpoint, counts.type) { $0.diverged += 1 }
        }
        return report
    }

    // MARK: The recording

    /// Data were asked for of which the capture has only a part.
    func noteCutData() { report.note("the capture has only a part of some data; the rest is zeros") }

    /// What the device answered in a transfer of the recording; nil, which is reported, when it cannot be read.
    func answer(_ index: Int) -> [UInt8]? {
        let transfer = trace.transfers[index]
        do throws(CaptureError) {
            let known = try trace.bytes(transfer.input)
            guard known.count < transfer.inputCount else { return known }
            noteCutData()
            return known + [UInt8](repeating: 0, count: transfer.inputCount - known.count)
        } catch {
            unreadable(error, index)
            return nil
        }
    }

    /// A request in words.
    func name(_ setup: SetupPacket) -> String {
        let interface = setup.recipient == .interface ? UInt8(truncatingIfNeeded: setup.index) : nil
        return RequestName.words(setup, interfaceClass: interface.flatMap { interfaceClasses[$0] })
    }

    private func place(_ endpoint: EndpointAddress) -> UInt8 { endpoint.number == 0 ? 0 : endpoint.rawValue }
}

/// How many of something were: `1 recorded transfer was`, `2 recorded transfers were`.
func counted(_ count: Int, _ noun: String) -> String { count == 1 ? "1 \(noun) was" : "\(count) \(noun)s were" }

extension TracedTransfer {
    /// Whether it says what the device would do: it ended, and not because the host took it back.
    ///
    /// What was sent on a data endpoint counts without its end as well: there are captures without these.
    var isPlayable: Bool {
        guard !marks.contains(.isCancelled), !marks.contains(.isInjected) else { return false }
        if marks.contains(.noCompletion) { return type != .control && endpoint.direction == .out && output.count > 0 }
        return ![TransferStatus.cancelled, .shutdown, .noDevice, TransferStatus(rawValue: -2)].contains(status)
    }

    /// How the device ended it.
    var outcome: TransferStatus {
        // EREMOTEIO is the host's own: it did not want a short answer.
        marks.contains(.noCompletion) || status.rawValue == -121 ? .success : status
    }

    /// The packet that a person looks for: of what the host sent its submission, of an answer its end.
    var packet: Int? {
        let first = endpoint.direction == .in && endpoint.number != 0 ? completionNumber : submissionNumber
        let number = first != 0 ? first : max(submissionNumber, completionNumber)
        return number == 0 ? nil : Int(number)
    }

    /// How many bytes of answer there were, bounded by what a transfer of USB/IP can be.
    var inputCount: Int { marks.contains(.isCut) ? min(Int(actual), 1 << 24) : Int(input.count) }
}
