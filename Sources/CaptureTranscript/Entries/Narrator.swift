import CaptureTraces
import HIDReports
import USBCapture
import USBCore

/// Tells the transfers of one device: they must come in the order of their entries, since what one means depends on
/// those before it.
final class Narrator {
    /// Of longer transfers not all is read for being put into words; no report and no control transfer is longer.
    static let readingLimit = 64 << 10

    let trace: Trace
    /// The time from which entries count.
    let origin: Int64
    let limit: DataLimit
    private(set) var functions: FunctionMap
    private var reports: [UInt8: ReportWords?] = [:]
    private let storage: StorageCommands
    private let hasSerialData: Bool

    init(_ trace: Trace, origin: Int64, limit: DataLimit) throws(CaptureError) {
        self.trace = trace
        self.origin = origin
        self.limit = limit
        functions = FunctionMap(trace.device.descriptors)
        storage = try StorageCommands(trace)
        let settings = trace.device.descriptors.configurations.values.flatMap { FunctionMap.settings(of: $0) }
        let controls = settings.filter { $0.code == .cdc }
        // Network functions have data interfaces, too: theirs are no text.
        hasSerialData = !controls.isEmpty && controls.allSatisfy { $0.subclass == 2 }
    }

    /// The packet at which a transfer is told: see ``TranscriptEntry/packet``.
    static func packet(of transfer: TracedTransfer) -> UInt32 {
        let isIn = transfer.type != .control && transfer.endpoint.direction == .in
        if isIn, transfer.completionNumber != 0 { return transfer.completionNumber }
        return transfer.submissionNumber != 0 ? transfer.submissionNumber : transfer.completionNumber
    }

    /// Tells a transfer; nil for one that was told as a part of a command.
    func entry(at index: Int) throws(CaptureError) -> TranscriptEntry? {
        let transfer = trace.transfers[index]
        switch storage.role(of: index) {
        case .part: return nil
        case .command(let number): return try command(number, transfer)
        case .none: break
        }
        var entry = start(transfer)
        switch transfer.type {
        case .control: try tellControl(transfer, &entry)
        case .isochronous: try tellIsochronous(transfer, &entry)
        case .bulk, .interrupt: try tellData(transfer, &entry)
        }
        if transfer.marks.contains(.isInjected) { entry.words += " (told by the capturing system)" }
        if transfer.marks.contains(.isCut) {
            entry.words += " (cut: the capture has \(entry.dataCount) of \(counted(transfer.actual, "byte")))"
        }
        return entry
    }

    /// What is known of an entry without looking at the data.
    func start(_ transfer: TracedTransfer) -> TranscriptEntry {
        let first = Int(transfer.submissionNumber != 0 ? transfer.submissionNumber : transfer.completionNumber)
        let last = Int(max(transfer.completionNumber, transfer.submissionNumber))
        let packet = Int(Self.packet(of: transfer))
        let hasBoth = transfer.marks.isDisjoint(with: [.noSubmission, .noCompletion])
        let time = packet == Int(transfer.completionNumber) ? transfer.completed : transfer.submitted
        var entry = TranscriptEntry(
            device: trace.device.number, packet: packet, packets: min(first, last)...max(first, last),
            time: CaptureTime.difference(time, origin), endpoint: transfer.endpoint, type: transfer.type,
            status: transfer.marks.contains(.noCompletion) ? nil : transfer.status)
        entry.duration = hasBoth ? CaptureTime.difference(transfer.completed, transfer.submitted) : nil
        entry.marks = transfer.marks
        entry.requested = Int(transfer.requested)
        entry.length = Int(transfer.actual)
        return entry
    }

    /// Reads the first of a transfer's data.
    func read(_ reference: PayloadReference, upTo limit: Int) throws(CaptureError) -> [UInt8] {
        let count = min(Int(reference.count), max(0, limit))
        guard count > 0 else { return [] }
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: CaptureError?
        unsafe bytes.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                unsafe try trace.copy(reference, from: 0, into: memory)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    // MARK: Control transfers

    private func tellControl(_ transfer: TracedTransfer, _ entry: inout TranscriptEntry) throws(CaptureError) {
        guard let setup = transfer.setup else {
            let reference = transfer.input.count > 0 ? transfer.input : transfer.output
            entry.words =
                "the end of a request whose beginning is not in the capture, \(counted(transfer.actual, "byte"))"
            try show(reference, &entry)
            Self.addStatus(&entry)
            return
        }
        let isIn = setup.direction == .in
        let reference = isIn ? transfer.input : transfer.output
        let data = try read(reference, upTo: Self.readingLimit)
        let hasAnswer = entry.status == .success && (!isIn || setup.length == 0 || !data.isEmpty)
        let context = RequestContext(
            deviceClass: functions.deviceClass, function: function(of: setup), isStorage: !storage.isEmpty
        ) { [self] interface, kind, bytes in
            ReportKind(rawValue: kind).flatMap { report(interface, $0, bytes) }
        }
        let words = ControlWords(setup, data, hasAnswer: hasAnswer, context)
        if entry.status == .success { follow(setup) }
        entry.setup = setup
        entry.request = words.request
        entry.words = words.question
        entry.data = Array(data.prefix(limit.count))
        entry.dataCount = Int(reference.count)
        entry.tellsData = words.tellsData
        if !words.answer.isEmpty {
            entry.words += (isIn ? " → " : ": ") + words.answer
        } else if !data.isEmpty, !words.tellsData {
            entry.words += (isIn ? " → " : ", ") + counted(transfer.actual, "byte")
        }
        Self.addStatus(&entry)
    }

    /// The interface that a request addresses, itself or by one of its endpoints.
    private func function(of setup: SetupPacket) -> FunctionSetting? {
        let number = UInt8(truncatingIfNeeded: setup.index)
        switch setup.recipient {
        case .interface: return functions.function(interface: number)
        case .endpoint: return functions.function(of: EndpointAddress(rawValue: number & 0x8f))
        default: return nil
        }
    }

    /// Remembers what the host selects.
    private func follow(_ setup: SetupPacket) {
        guard setup.kind == .standard else { return }
        switch StandardRequest(rawValue: setup.request) {
        case .setConfiguration: functions.select(configuration: UInt8(truncatingIfNeeded: setup.value))
        case .setInterface:
            functions.select(
                interface: UInt8(truncatingIfNeeded: setup.index), alternate: UInt8(truncatingIfNeeded: setup.value))
        default: break
        }
    }

    // MARK: Other transfers

    private func tellIsochronous(_ transfer: TracedTransfer, _ entry: inout TranscriptEntry) throws(CaptureError) {
        let first = min(Int(transfer.firstPacket), trace.packets.count)
        let packets = trace.packets[first...].prefix(Int(transfer.packetCount))
        let failed = packets.count { $0.status != .success }
        entry.words = "\(counted(transfer.packetCount, "packet")), \(counted(transfer.actual, "byte"))"
        if failed > 0 { entry.words += ", \(failed) failed" }
        try show(transfer.endpoint.direction == .in ? transfer.input : transfer.output, &entry)
        Self.addStatus(&entry)
    }

    private func tellData(_ transfer: TracedTransfer, _ entry: inout TranscriptEntry) throws(CaptureError) {
        let isIn = transfer.endpoint.direction == .in
        let reference = isIn ? transfer.input : transfer.output
        let function = functions.function(of: transfer.endpoint)
        entry.words = counted(isIn ? transfer.actual : max(transfer.actual, reference.count), "byte")
        if reference.count > 0 {
            switch function?.code {
            case .hid: try tellReport(reference, function?.number ?? 0, isIn ? .input : .output, &entry)
            case .cdcData where hasSerialData && transfer.type == .bulk: try tellText(reference, &entry)
            case .cdc where isIn: try tell(reference, &entry, NotificationWords.communications)
            case .hub where isIn: try tell(reference, &entry, NotificationWords.hub)
            default: try show(reference, &entry)
            }
        }
        if entry.status == .success || reference.count > 0 {
            Self.addStatus(&entry)
        } else {
            entry.words = Self.ending(entry.status) ?? entry.words
        }
    }

    private func tellReport(
        _ reference: PayloadReference, _ interface: UInt8, _ kind: ReportKind, _ entry: inout TranscriptEntry
    ) throws(CaptureError) {
        let bytes = try read(reference, upTo: Self.readingLimit)
        try show(reference, &entry)
        guard let words = report(interface, kind, bytes) else { return }
        entry.words = words
        entry.tellsData = true
    }

    private func tellText(_ reference: PayloadReference, _ entry: inout TranscriptEntry) throws(CaptureError) {
        let bytes = try read(reference, upTo: limit.textCount)
        try show(reference, &entry)
        let more = Int(reference.count) - bytes.count
        entry.words = quoted(bytes) + (more > 0 ? " +\(more)" : "")
        entry.tellsData = true
    }

    private func tell(
        _ reference: PayloadReference, _ entry: inout TranscriptEntry, _ describe: ([UInt8]) -> String?
    ) throws(CaptureError) {
        try show(reference, &entry)
        guard let words = describe(try read(reference, upTo: 64)) else { return }
        entry.words = words
        entry.tellsData = true
    }

    /// Puts the first of the data into an entry.
    private func show(_ reference: PayloadReference, _ entry: inout TranscriptEntry) throws(CaptureError) {
        entry.data = try read(reference, upTo: limit.count)
        entry.dataCount = Int(reference.count)
    }

    private func report(_ interface: UInt8, _ kind: ReportKind, _ bytes: [UInt8]) -> String? {
        if reports[interface] == nil {
            let descriptor = trace.device.descriptors.reports[interface]
            reports[interface] = .some(descriptor.flatMap { ReportWords($0) })
        }
        return reports[interface]??.describe(kind, bytes)
    }

    // MARK: Ends

    /// How a transfer ended that is no success, in words.
    private static func ending(_ status: TransferStatus?) -> String? {
        guard let status else { return "no end in the capture" }
        return status.words
    }

    static func addStatus(_ entry: inout TranscriptEntry) {
        if let ending = ending(entry.status) { entry.words += " → \(ending)" }
    }

    // MARK: SCSI commands

    private func command(_ number: Int, _ transfer: TracedTransfer) throws(CaptureError) -> TranscriptEntry {
        var entry = start(transfer)
        try storage.tell(number, &entry, self)
        return entry
    }
}
