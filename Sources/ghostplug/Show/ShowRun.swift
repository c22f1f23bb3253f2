import ArgumentParser
import CaptureTraces
import CaptureTranscript
import CommandSupport
import USBCapture

/// Shows one capture.
struct ShowRun {
    /// What of a capture is wanted.
    struct Settings {
        var path: String
        var choice: DeviceChoice?
        /// The path of a file that tells the descriptors; see ``TraceLoader/loadOne(path:choice:descriptors:progress:)``.
        var descriptors: String?
        var isSummary = false
        var isJSON = false
        var filter: TranscriptFilter?
        var limit = DataLimit.usual
        var image: Image?
    }

    /// A disk image to be made.
    struct Image {
        var path: String
        var version = DiskImage.Version.final
        var lun: UInt8 = 0
        var overwrites = false
    }

    /// So much text is gathered before it is written.
    private static let outputSize = 64 << 10

    private let settings: Settings
    private let progress: ShowProgress

    init(_ settings: Settings, progress: ShowProgress = ShowProgress()) {
        self.settings = settings
        self.progress = progress
    }

    /// Shows it.
    ///
    /// - Throws: ``Failure``, at the end also for a capture that is cut or damaged.
    func run() throws(Failure) {
        defer { progress.clear() }
        let reader = try attempt { () throws(CaptureError) in try CaptureReader(path: settings.path) }
        let trouble: CaptureError?
        if settings.isSummary, settings.descriptors == nil {
            trouble = try showSurvey(reader)
        } else {
            trouble = try showTraces(reader)
        }
        if let trouble { throw failure(trouble) }
    }

    private func showSurvey(_ reader: CaptureReader) throws(Failure) -> CaptureError? {
        let summary = CaptureSurvey.run(reader, progress: reading(reader))
        progress.clear()
        let devices = try attempt { () throws(CaptureError) in try chosen(summary) }
        try printReport(CaptureReport(summary, facts(reader), devices: devices), isLast: true)
        return summary.trouble
    }

    private func showTraces(_ reader: CaptureReader) throws(Failure) -> CaptureError? {
        let (traces, summary) = try attempt { () throws(CaptureError) in try load(reader) }
        progress.clear()
        if let image = settings.image {
            try WholeFile.printResult(try attempt { () throws(CaptureError) in try write(image, traces) })
            return summary.trouble
        }
        let report = CaptureReport(summary, facts(reader), devices: traces.map(\.device))
        try printReport(report, isLast: settings.isSummary)
        if !settings.isSummary { try printTranscript(traces, summary) }
        return summary.trouble
    }

    private var name: String { settings.path == "-" ? "standard input" : settings.path }

    /// Carries out what reads the capture.
    private func attempt<Result>(_ body: () throws(CaptureError) -> Result) throws(Failure) -> Result {
        do throws(CaptureError) {
            return try body()
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: CaptureError) -> Failure {
        let words = error.description
        // Errors of opening and of images name their file themselves.
        let namesFile =
            settings.path != "-" && words.contains(settings.path)
            || settings.image.map { words.contains($0.path) } ?? false
        return Failure(namesFile ? words : "\(name): \(words)", .failure)
    }

    // MARK: Reading

    private func load(_ reader: CaptureReader) throws(CaptureError) -> (traces: [Trace], summary: CaptureSummary) {
        guard let descriptors = settings.descriptors else {
            return try TraceLoader.load(reader, choice: settings.choice, progress: reading(reader))
        }
        // The file is read once more for its facts: what tells descriptors tells them of one device.
        _ = CaptureSurvey.run(reader, progress: reading(reader))
        let (trace, summary) = try TraceLoader.loadOne(
            path: settings.path, choice: settings.choice, descriptors: descriptors)
        return ([trace], summary)
    }

    private func reading(_ reader: CaptureReader) -> (Int) -> Void {
        { [progress] _ in progress.show("reading", reader.position, of: reader.size) }
    }

    private func facts(_ reader: CaptureReader) -> CaptureFacts {
        CaptureFacts(
            name: name, format: reader.format, size: reader.size, comments: reader.comments, dropped: reader.dropped,
            skipped: reader.skippedPackets)
    }

    private func chosen(_ summary: CaptureSummary) throws(CaptureError) -> [CapturedDevice]? {
        guard let choice = settings.choice else { return nil }
        let devices = summary.devices.filter { choice.matches($0) }
        guard !devices.isEmpty else {
            let all = summary.devices.prefix(40).map(\.line).joined(separator: "; ")
            throw CaptureError(.unsupported, "the capture has no device \(choice); it has \(all)")
        }
        return devices
    }

    // MARK: Printing

    private func printReport(_ report: CaptureReport, isLast: Bool) throws(Failure) {
        try WholeFile.printResult(
            settings.isJSON ? Devices.harmless(report.json.text) : report.text + (isLast ? "" : "\n"))
    }

    private func printTranscript(_ traces: [Trace], _ summary: CaptureSummary) throws(Failure) {
        let transcript = try attempt { () throws(CaptureError) in
            try Transcript(traces, origin: summary.firstTime, limit: settings.limit, filter: settings.filter)
        }
        let withDevice = traces.count > 1
        var text = settings.isJSON ? "" : TranscriptEntry.heading(withDevice: withDevice)
        while let entry = try attempt({ () throws(CaptureError) in try transcript.entry() }) {
            if !text.isEmpty { text += "\n" }
            // What a device said was made harmless when it was put into words.
            text += settings.isJSON ? entry.json.text : entry.line(withDevice: withDevice, limit: settings.limit)
            guard text.utf8.count >= Self.outputSize else { continue }
            try WholeFile.printResult(text)
            text = ""
            let (told, all) = transcript.progress
            progress.show("telling", Int64(told), of: Int64(all))
        }
        progress.clear()
        if !text.isEmpty { try WholeFile.printResult(text) }
    }

    // MARK: Images

    /// Writes the image, and tells what was written.
    private func write(_ image: Image, _ traces: [Trace]) throws(CaptureError) -> String {
        var disks: [Trace] = []
        for trace in traces {
            let commands = try BulkOnlyReader.commands(of: trace)
            if commands.contains(where: { $0.lun == image.lun }) { disks.append(trace) }
        }
        guard let disk = disks.first else {
            let unit = image.lun == 0 ? "" : " of LUN \(image.lun)"
            throw CaptureError(.unsupported, "there are no mass-storage commands\(unit), from which to make an image")
        }
        guard disks.count == 1 else {
            let list = disks.prefix(40).map(\.device.line).joined(separator: "; ")
            throw CaptureError(.unsupported, "there are several disks; choose one with --device: \(list)")
        }
        let content = try DiskImage(disk, lun: image.lun)
        let words = try content.write(to: image.path, image.version, overwriting: image.overwrites)
        return "\(image.path): \(words.dropLast(words.hasSuffix("\n") ? 1 : 0))"
    }
}
