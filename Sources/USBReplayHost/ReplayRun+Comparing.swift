import CaptureTraces
import USBCapture
import USBCore
import USBIPClient
import USBReplay

extension ReplayRun {
    /// Nanoseconds since the replay began.
    var elapsed: UInt64 { target.now &- startTime }

    /// Compares an answer with the recorded one.
    func compare(_ transfer: TracedTransfer, _ answer: RequestAnswer) {
        var rules: [IgnoreRule] = []
        for (index, rule) in settings.ignored.enumerated()
        where rule.matches(
            endpoint: transfer.endpoint, setup: transfer.setup,
            packets: [Int(transfer.submissionNumber), Int(transfer.completionNumber)],
            serialNumberIndex: facts.serialNumberIndex)
        {
            rules.append(rule)
            unusedRules.remove(index)
        }
        let recorded: AnswerComparison.Recorded
        do {
            recorded = try maker.recorded(transfer)
        } catch {
            return diverge(.unreadable, transfer, detail: error.description)
        }
        switch AnswerComparison(rules: rules).difference(recorded, answer) {
        case .data where unsettled.contains(Int32(truncatingIfNeeded: answer.tag)), nil:
            report.count(transfer.endpoint, transfer.type) { $0.matched += 1 }
        case .status(let words): diverge(.otherStatus, transfer, detail: words)
        case .data(let expected, let actual): diverge(.wrongAnswer, transfer, expected, actual)
        case .count(let words): diverge(.otherLength, transfer, detail: words)
        case .length(let expected, let actual): diverge(.otherLength, transfer, expected, actual)
        }
    }

    /// Counts a difference, and keeps what shows it.
    func diverge(
        _ kind: Divergence.Kind, _ transfer: TracedTransfer, _ expected: [UInt8] = [], _ actual: [UInt8] = [],
        detail: String = ""
    ) {
        let packet = transfer.completionNumber == 0 ? transfer.submissionNumber : transfer.completionNumber
        report.count(transfer.endpoint, transfer.type) { $0.diverged += 1 }
        report.add(
            Divergence(
                kind, by: .device, packet: Int(packet), endpoint: transfer.endpoint, subject: subject(transfer),
                time: elapsed, expected: expected, actual: actual, detail: detail))
    }

    private func subject(_ transfer: TracedTransfer) -> String {
        guard let setup = transfer.setup else { return "\(transfer.endpoint)" }
        let interface = setup.recipient == .interface ? UInt8(truncatingIfNeeded: setup.index) : nil
        return RequestName.words(setup, interfaceClass: interface.flatMap { facts.interfaceClass($0) })
    }

    /// Selects what the recorded host had selected before the capture began.
    func prepare() {
        guard let configuration = plan.configuration else { return }
        var remark = "the capture begins after SET_CONFIGURATION; configuration \(configuration) was selected first"
        select(
            SetupPacket(
                requestType: 0, request: StandardRequest.setConfiguration.rawValue, value: UInt16(configuration)))
        for (interface, alternate) in plan.alternates {
            remark += ", and setting \(alternate) of interface \(interface)"
            select(
                SetupPacket(
                    requestType: 1, request: StandardRequest.setInterface.rawValue, value: UInt16(alternate),
                    index: UInt16(interface)))
        }
        report.note(remark)
    }

    /// Makes a request of our own; what comes of it shows later where it goes wrong.
    private func select(_ setup: SetupPacket) {
        guard !isStopped else { return }
        let tag = -1
        do {
            try target.submit(.control(setup, timeout: nil), tag: tag)
        } catch {
            return fail(error)
        }
        let deadline = target.now &+ settings.patience
        var answer = target.next(until: deadline)
        if answer == nil {
            target.cancel(tag)
            answer = target.next(until: deadline &+ max(settings.patience, 1_000_000_000))
        }
        guard let answer else { return fail(.unresponsive("an unlink of \(RequestName.words(setup))")) }
        if let error = answer.connectionError { return fail(error) }
        guard answer.status != .success else { return }
        report.add(
            Divergence(
                .otherStatus, by: .device, packet: nil, endpoint: .out(0), subject: RequestName.words(setup),
                time: elapsed, detail: "status \(answer.status.rawValue); it was made to prepare the device"))
    }
}

extension CapturedDevice {
    /// The ids and the product, as far as they are known: `1209:db42 BluePill`.
    var words: String {
        let bytes = descriptors.device
        let ids: (vendor: UInt16, product: UInt16)?
        if bytes.count >= 12 {
            ids = (UInt16(bytes[8]) | UInt16(bytes[9]) << 8, UInt16(bytes[10]) | UInt16(bytes[11]) << 8)
        } else if let vendor = announcement?.vendorID, let product = announcement?.productID {
            ids = (vendor, product)
        } else {
            ids = nil
        }
        guard let ids else { return "device \(number)" }
        let index = bytes.count > 15 ? bytes[15] : 0
        let names = descriptors.strings.filter { $0.key.index == index && index != 0 }
        let name = names.min { $0.key.language < $1.key.language }?.value
        let text = name.flatMap { try? StringDescriptor(parsing: $0) }
        return "\(hexadecimal(ids.vendor)):\(hexadecimal(ids.product))" + (text.map { " \($0.text)" } ?? "")
    }

    private func hexadecimal(_ value: UInt16) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }
}
