import ArgumentParser
import DeviceModels
import Glibc
import Logging
import SocketIO

/// `ghostplug plug`.
struct Plug: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Plug simulated devices into this machine, without a network.",
        discussion: """
            Hands one end of a pair of sockets to the kernel (vhci-hcd, loaded if \
            need be) and serves the other: no TCP port, no usbip tool, nothing that \
            can be reached from outside. Says which device nodes there are once \
            drivers are bound, and runs until Ctrl-C, SIGTERM or 'ghostplug unplug' \
            unplugs the devices, or somebody else has ('ghostplug detach').

            Needs root, or a udev rule that lets a group do it: without either, the \
            error shows the rule. If this process is killed, the kernel unplugs the \
            devices.

            EXAMPLES:
              sudo ghostplug plug drive                      a thumb drive: /dev/sdX
              sudo ghostplug plug keyboard mouse touchscreen
              sudo ghostplug plug drive:dir=./payload --background
              sudo ghostplug unplug
              sudo ghostplug plug drive --json --background | jq -r '.[0].nodes[]'
              sudo ghostplug plug keyboard & sudo ghostplug ctl type 1-1 'hello'
              sudo ghostplug plug drive --capture run.pcapng

            JSON:
              One array, an object for each device, as 'ghostplug ctl devices --json'
              has them: busid, name, port, local (what the kernel calls it), nodes, ….

            EXIT STATUS:
              1    the kernel does not take a device, or it is not ready in time;
                   everything is unplugged again; or the host of a replay did
                   something otherwise than in the recording
              74   data could not be written where they belong, those of a capture included
            """)

    @Argument(help: ArgumentHelp("The devices, such as drive or keyboard:layout=de.", valueName: "device"))
    var devices: [String] = []

    @Option(
        help: ArgumentHelp(
            "What a real device must be for real:* to stand for it: see 'serve'; repeatable.", valueName: "key=value,…")
    )
    var match: [String] = []

    @Flag(inversion: .prefixedNo, help: "Wait until drivers are bound and nodes exist.")
    var wait = true

    @Option(help: ArgumentHelp("How long to wait for all of it, 1 to 3600. (default: 30)", valueName: "seconds"))
    var timeout: Int?

    @Flag(help: "One JSON array instead of text.")
    var json = false

    @Flag(name: .shortAndLong, help: "Return once the devices are ready, and leave a process behind that serves them.")
    var background = false

    @Option(help: ArgumentHelp("With --background: where the process logs.", valueName: "file"))
    var log: String?

    @Option(help: ArgumentHelp("A YAML file with devices and settings, as 'serve' reads.", valueName: "file.yaml"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The socket for 'ghostplug ctl', or none. (default: one in /run/ghostplug, or in the user's run folder)",
            valueName: "path"))
    var control: String?

    @Option(help: ArgumentHelp("When interrupt and isochronous transfers end: see 'serve'.", valueName: "bus|free"))
    var pace: String?

    @OptionGroup(title: "Captures")
    var capture: CaptureOptions

    @Option(
        help: ArgumentHelp(
            "Say as JUnit XML what hosts did otherwise than in the recordings that replay: plays.",
            valueName: "file.xml"))
    var report: String?

    @Flag(help: "At the end, show what the host asked for and devices refused, and what to do about it.")
    var explain = false

    @Option(help: "What to log: trace, debug, info, notice, warning, error, critical. (default: notice)")
    var logLevel: String?

    @Option(help: "How to log, on standard error: text or json. (default: text)")
    var logFormat: String?

    /// In the process that `--background` leaves behind: the one that waits for it.
    @Option(help: .hidden)
    var waitedForBy: Int32?

    func validate() throws {
        if let timeout, !(1...3600).contains(timeout) {
            throw ValidationError("--timeout \(timeout) is no time; write seconds, 1 to 3600")
        }
        if explain, background, log == nil {
            throw ValidationError("--explain says something at the end; with --background, say where with --log")
        }
        if log != nil, !background { throw ValidationError("--log goes with --background") }
    }

    mutating func run() throws {
        let settings: ServeSettings
        var ended: Int32?
        do throws(Failure) {
            settings = try self.settings()
        } catch {
            throw error.report()
        }
        do throws(Failure) {
            if background, waitedForBy == nil {
                // Behind the subcommand's name, and before what may be no options.
                ended = try Background.start(
                    ["plug", "--waited-for-by", "\(getpid())"] + CommandLine.arguments.dropFirst(2))
            } else {
                try plug(settings)
            }
        } catch {
            throw error.report()
        }
        if let ended { throw ExitCode(ended) }
    }

    private func plug(_ settings: ServeSettings) throws(Failure) {
        let options = PlugRun.Options(
            patience: wait ? .seconds(timeout ?? 30) : nil, isJSON: json,
            background: try waitedForBy.map { parent throws(Failure) in try Background(parent: parent, log: log) },
            explains: explain)
        try PlugRun(settings, options).run()
    }

    private func settings() throws(Failure) -> ServeSettings {
        var settings = ServeSettings()
        settings.logLevel = .notice
        do throws(ConfigurationError) {
            if let config { try settings.read(file: config) }
            try settings.override(
                devices: devices, matches: match, captureDevices: capture.captureDevice,
                scalars: [
                    "capture": capture.capture, "report": report, "pace": pace, "control": control,
                    "log-level": logLevel,
                    "log-format": logFormat,
                ])
        } catch {
            throw Failure("\(error)", .validationFailure)
        }
        try settings.expandStars()
        guard !settings.devices.isEmpty else {
            throw Failure("no device to plug in; try 'ghostplug plug drive', or see --help", .validationFailure)
        }
        return settings
    }
}
