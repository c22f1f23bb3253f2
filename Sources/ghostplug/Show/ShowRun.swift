import ArgumentParser
import CaptureTraces
import CaptureTranscript
import CommandSupport
import Glibc
import USBCapture

/// Shows one capture.
struct ShowRun {
    /// What of a capture is wanted.
    struct Settings {
        var path: String
        var choice: DeviceChoice?
        /// The path of a file that tells the descriptors; see ``TraceLoader/loadOne(_:choice:descriptors:progress:)``.
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
        let reader = try attempt(about: settings.path) { () throws(CaptureError) in
            try CaptureReader(path: settings.path)
        }
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
        let (traces, summary) = try attempt(about: settings.descriptors) { () throws(CaptureError) in
            try load(reader)
        }
        progress.clear()
        if let image = settings.image {
            try WholeFile.printResult(
                try attempt(about: image.path) { () throws(CaptureError) in try write(image, traces) })
            return summary.trouble
        }
        let report = CaptureReport(summary, facts(reader), devices: traces.map(\.device))
        try printReport(report, isLast: settings.isSummary)
        if !settings.isSummary { try printTranscript(traces, summary) }
        return summary.trouble
    }

    private var name: String { settings.path == "-" ? "standard input" : settings.path }

    /// Carries out what reads the capture.
    ///
    /// - Parameter path: the file that errors may begin with; all others are about the capture.
    private func attempt<Result>(
        about path: String? = nil, _ body: () throws(CaptureError) -> Result
    ) throws(Failure) -> Result {
        do throws(CaptureError) {
            return try body()
        } catch {
            throw failure(error, about: path)
        }
    }

    private func failure(_ error: CaptureError, about path: String? = nil) -> Failure {
        let words = error.description
        let namesFile = path.map { words.hasPrefix("\($0): ") || words.hasPrefix("\($0) cannot be ") } ?? false
        return Failure(namesFile ? words : "\(name): \(words)", .failure)
    }

    // MARK: Reading

    private func load(_ reader: CaptureReader) throws(CaptureError) -> (traces: [Trace], summary: CaptureSummary) {
        guard let descriptors = settings.descriptors else {
            return try TraceLoader.load(reader, choice: settings.choice, progress: reading(reader))
        }
        // What tells descriptors tells them of one device.
        let (trace, summary) = try TraceLoader.loadOne(
            reader, choice: settings.choice, descriptors: descriptors, progress: reading(reader))
        return ([trace], summary)
    }

    private func reading(_ reader: CaptureReader) -> (Int) -> Void {
        { [progress] _ in progress.show("reading", reader.position, of: reader.size) }
    }

    private func facts(_ reader: CaptureReader) -> CaptureFacts {
        CaptureFacts(
            name: name, format: reader.format, size: reader.size, comments: reader.comments, dropped: reader.dropped,
            skipped: reader.skippedPackets, malformed: reader.malformedPackets, warnings: reader.warnings)
    }

    private func chosen(_ summary: CaptureSummary) throws(CaptureError) -> [CapturedDevice]? {
        guard let choice = settings.choice else { return nil }
        let devices = summary.devices.filter { choice.matches($0) }
        guard !devices.isEmpty else { throw summary.lacks(choice) }
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
        var disks: [(trace: Trace, commands: [MassStorageCommand])] = []
        var units: Set<UInt8> = []
        for trace in traces {
            let commands = try BulkOnlyReader.commands(of: trace)
            units.formUnion(commands.lazy.map(\.lun))
            if commands.contains(where: { $0.lun == image.lun }) { disks.append((trace, commands)) }
        }
        guard let disk = disks.first else { throw Self.noCommands(image.lun, units) }
        guard disks.count == 1 else {
            throw CaptureError(
                .unsupported, "there are several disks; choose one with --device: \(disks.map(\.trace.device).list)")
        }
        let content = try DiskImage(disk.trace, commands: disk.commands, lun: image.lun)
        let words: String
        do throws(CaptureError) {
            words = try content.write(
                to: image.path, image.version, overwriting: image.overwrites,
                sparing: [settings.path, settings.descriptors].compactMap(\.self))
        } catch {
            // Nothing of ours is left there.
            var status = stat()
            guard !image.overwrites, unsafe lstat(image.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw error
            }
            throw CaptureError(error.kind, "\(error.reason), or give --force")
        }
        return "\(image.path): \(words.dropLast(words.hasSuffix("\n") ? 1 : 0))"
    }

    private static func noCommands(_ lun: UInt8, _ units: Set<UInt8>) -> CaptureError {
        guard !units.isEmpty else {
            return CaptureError(
                .unsupported, "there are no mass-storage commands, from which to make an image")
        }
        let list = units.sorted().map { "LUN \($0)" }.joined(separator: ", ")
        return CaptureError(.unsupported, "there are no mass-storage commands of LUN \(lun), but of \(list)")
    }
}
