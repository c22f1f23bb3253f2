import CaptureTraces
import CommandSupport
import Logging
import USBCapture
import USBReplay

/// A recorded device that answers again: `replay`.
public enum ReplayModel: DeviceModel {
    /// `replay`.
    public static let name = "replay"
    /// A device of a capture.
    public static let summary = "a device of a capture (Wireshark, usbmon, USBPcap, USB/IP): answers as it did then"
    /// The capture is what it is of.
    public static let subject: String? = "file"

    /// See ``DeviceModel/keys``.
    public static let keys = [
        ModelKey(
            "file", "PATH", default: "none: it has to be named",
            "the capture; 'ghostplug show FILE' lists what is in it. May be written without file="),
        ModelKey(
            "device", "NUMBER|VID:PID|BUS-ADDRESS", default: "the only one that is not a hub",
            "which of the capture's devices"),
        ModelKey(
            "descriptors", "PATH", default: "those of the capture",
            "a .umockdev file, or a copy of the file 'descriptors' of a device in /sys, for what the capture lacks"),
        ModelKey(
            "match", "strict|keyed|fuzzy=PERCENT", default: "keyed",
            "what the host must do as recorded: everything, in order (a disk's commands in any); requests and data in any "
                + "order (what is written to a disk is free); or data but for so many percent of the bytes"),
        ModelKey(
            "timing", "recorded|fast|scale=X", default: "interrupt IN as recorded, the rest at once",
            "when answers come: no sooner than then, at once, or with all times multiplied by X (0.5 is twice as fast)"
        ),
        ModelKey(
            "missing", "stall|zero", default: "stall",
            "what a disk answers for blocks that are not in the capture: a medium error, or zeros"),
        ModelKey("loop", "yes|no", default: "no", "whether keystrokes and other sequences begin again at their end"),
    ]

    /// See ``DeviceModel/examples``.
    public static let examples: [(specification: String, meaning: String)] = [
        ("replay:meter.pcapng", "the device of this capture; what the host does otherwise than then is reported"),
        ("replay:meter.pcapng,device=1209:db42,match=strict", "one of several, and every deviation is refused"),
        ("replay:keys.pcap,descriptors=keys.umockdev,loop", "a keyboard that types the same for ever"),
        ("replay:stick.pcapng,missing=zero", "a disk whose other blocks are zeros"),
    ]

    /// See ``DeviceModel/make(_:_:)``.
    public static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice {
        guard options.string("file")?.isEmpty == false, let path = try options.path("file") else {
            throw ModelError("replay: of which capture? write replay:FILE, such as replay:meter.pcapng", key: "file")
        }
        let settings = try ReplayOptions.settings(options)
        let (trace, trouble) = try load(path, options)
        guard !trace.transfers.isEmpty else {
            throw ModelError("\(path) has no transfers of \(trace.device.line); 'ghostplug show' tells", key: "file")
        }
        let device: ReplayDevice
        do throws(ReplayError) {
            device = try ReplayDevice(trace, settings)
        } catch {
            throw ModelError("\(path): \(error)", key: "file")
        }
        if let trouble {
            context.logger.warning("\(path) could be read up to \(trouble) only; what came before is replayed")
        }
        for note in device.notes { context.logger.notice("\(path): \(note)") }
        let reporter = DivergenceReporter(context)
        device.onDivergence = { reporter.report($0) }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        var made = ModelDevice(
            device: device, backing: backing(file, device, trace),
            close: {
                let report = device.report
                let notReached = report.endpoints.reduce(0) { $0 + $1.notReached }
                let noun = notReached == 1 ? "transfer" : "transfers"
                context.logger.info("replay of \(file): \(report.verdict), \(notReached) \(noun) not reached")
                return nil
            })
        made.verdict = { ReplayVerdict(name: file, report: device.report) }
        made.actions = [
            DeviceAction(ReplayModel.report) { _, reply throws(ModelError) in
                let report = device.report
                reply.succeed([
                    ("passed", .bool(report.passed)), ("divergences", .number(report.divergenceCount)),
                    ("report", .string(report.text())),
                ])
            }
        ]
        return made
    }

    /// Says how a replay has gone.
    static let report = DeviceAction.Summary(
        "report", "say what the host has done otherwise than in the recording, up to now")

    private static func load(
        _ path: String, _ options: ModelOptions
    ) throws(ModelError) -> (trace: Trace, trouble: CaptureError?) {
        var choice: DeviceChoice?
        if let text = options.string("device") {
            choice = DeviceChoice.parse(text)
            guard choice != nil else { throw options.refusal("device", text) }
        }
        let descriptors = try options.path("descriptors")
        do throws(CaptureError) {
            let (trace, summary) = try TraceLoader.loadOne(path: path, choice: choice, descriptors: descriptors)
            return (trace, summary.trouble)
        } catch {
            let text = "\(error)"
            let line = text.contains(path) ? text : "\(path): \(text)"
            throw error.kind == .unreadable ? ModelError(unavailable: line) : ModelError(line, key: "file")
        }
    }

    private static func backing(_ file: String, _ device: ReplayDevice, _ trace: Trace) -> String {
        var text = "replay of \(file): \(device.subject), \(trace.transfers.count) transfers"
        if !device.knownRanges.isEmpty {
            text += ", mass storage \(device.knownRanges.values.reduce(0, +)) known ranges"
        }
        return text
    }
}
