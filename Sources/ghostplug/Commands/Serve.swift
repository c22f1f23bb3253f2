import ArgumentParser
import CLinux
import DeviceModels
import Logging
import SocketIO
import USBIPServer

/// `ghostplug serve`.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve simulated devices, or this machine's real ones, over USB/IP.",
        discussion: """
            A device is MODEL or MODEL:KEY=VALUE,…; 'ghostplug models' shows what \
            there is. The server runs until it gets SIGINT (Ctrl-C) or SIGTERM; it \
            then finishes writes and disconnects clients in order.

            Only this machine can connect unless --listen says otherwise: whoever \
            can connect can use the devices.

            EXAMPLES:
              ghostplug serve drive
              ghostplug serve drive:dir=./payload drive:image=disk.img,size=8G
              ghostplug serve drive --listen 0.0.0.0:3240 --allow 192.168.1.0/24
              ghostplug serve --config bench.yaml
              ghostplug serve keyboard mouse & ghostplug ctl type 1-1 'hello'
              ghostplug serve real:3-1.2              ('ghostplug devices' shows which)
              ghostplug serve 'real:*' --match class=mass-storage --match vendor=1d6b
              ghostplug serve drive keyboard --capture run.pcapng --capture-device 1-2
              ghostplug serve replay:field.pcapng --report replay.xml

            REAL DEVICES:
              'real:*' stands for every device that meets a --match when the server
              starts: never hubs, nor what was attached over USB/IP. A --match has
              conditions with commas between them, which must all hold:
                class=08, or class=mass-storage, hid, audio, printer, video, …
                vendor=1d6b   product=0104   serial=TEXT
                speed=low|full|high|super|super-plus
                driver=usb-storage, or driver=none
              Options of the star, as in 'real:*,wait', go to each of them.

            CAPTURES:
              --capture records every transfer with all its data, as usbmon does on
              Linux: Wireshark, tshark and 'ghostplug show' read the file, while it is
              written, too. Each device has a bus of its own in it. Devices never wait
              for the file: what it cannot take is dropped, and counted in the file and
              at the end. An older capture is overwritten, any other file is not; of a
              FIFO, the first reader is waited for.

            REPLAYS:
              replay:FILE is a device of a capture. What its host does otherwise than the
              recorded one is said at the end, in --report FILE as JUnit XML, and by the
              exit status; with --report it is a failure, too, if no host came.

            CONFIGURATION FILE:
              listen: [127.0.0.1:3240]
              allow: [127.0.0.0/8]
              max-connections: 64
              max-waiting: 256
              handshake-timeout: 10
              pace: bus
              control: /run/bench.sock
              capture: run.pcapng
              capture-device: [1-7]
              report: replay.xml
              log-level: info
              log-format: text
              devices:
                - drive:size=1G
                - model: drive
                  busid: 1-7
                  dir: ./payload
                  readonly: yes
                - model: real
                  device: "*"
                  match: [class=hid, "vendor=1d6b,product=0104"]

            What the command line says comes on top of the file: devices are added, \
            other settings replaced.
            """)

    @Argument(help: ArgumentHelp("The devices, such as drive or drive:size=1G,label=DATA.", valueName: "device"))
    var devices: [String] = []

    @Option(
        help: ArgumentHelp(
            "What a real device must be for real:* to stand for it; repeatable.", valueName: "key=value,…"))
    var match: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where to listen; repeatable; port 0 takes a free one. (default: 127.0.0.1:3240)",
            valueName: "address:port"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("Serve only clients in this block; repeatable.", valueName: "cidr"))
    var allow: [String] = []

    @Option(help: ArgumentHelp("A YAML file that says the same as the command line.", valueName: "file.yaml"))
    var config: String?

    @Option(help: ArgumentHelp("The most connections at once. (default: 1024)", valueName: "number"))
    var maxConnections: String?

    @Option(
        help: ArgumentHelp(
            "The most MiB from one client that may wait in its device. (default: 256)", valueName: "mib"))
    var maxWaiting: String?

    @Option(help: ArgumentHelp("How long a client may take to say what it wants. (default: 10)", valueName: "seconds"))
    var handshakeTimeout: String?

    @Option(
        help: ArgumentHelp(
            """
            When interrupt and isochronous transfers end: as a bus would serve them, or free, as fast as the device \
            answers; a device's own pace= comes first. (default: bus)
            """, valueName: "bus|free"))
    var pace: String?

    @Option(
        help: ArgumentHelp(
            "The socket for 'ghostplug ctl', or none. (default: one in /run/ghostplug, or in the user's run folder)",
            valueName: "path"))
    var control: String?

    @OptionGroup(title: "Captures")
    var capture: CaptureOptions

    @Option(
        help: ArgumentHelp(
            "Say as JUnit XML what hosts did otherwise than in the recordings that replay: plays.",
            valueName: "file.xml"))
    var report: String?

    @Flag(help: "At the end, show what hosts asked for and devices refused, and what to do about it.")
    var explain = false

    @Option(help: "What to log: trace, debug, info, notice, warning, error, critical. (default: info)")
    var logLevel: String?

    @Option(help: "How to log, on standard error: text or json. (default: text)")
    var logFormat: String?

    @Option(help: .hidden)
    var parent: Int32?

    mutating func run() throws {
        if let parent { _ = linux_end_with_parent(parent) }
        do {
            try ServeRun(try settings(), explains: explain).run()
        } catch let failure as Failure {
            throw failure.report()
        }
    }

    private func settings() throws -> ServeSettings {
        var settings = ServeSettings()
        do throws(ConfigurationError) {
            if let config { try settings.read(file: config) }
            try settings.override(
                devices: devices, matches: match, listen: listen, allow: allow,
                captureDevices: capture.captureDevice,
                scalars: [
                    "capture": capture.capture, "report": report,
                    "max-connections": maxConnections, "max-waiting": maxWaiting,
                    "handshake-timeout": handshakeTimeout, "pace": pace, "control": control, "log-level": logLevel,
                    "log-format": logFormat,
                ])
        } catch {
            throw Failure("\(error)", .validationFailure)
        }
        try settings.expandStars()
        // Nobody who forgot the device is to wait for it; who names a control socket means to add some later.
        if settings.devices.isEmpty {
            guard case .at = settings.control else {
                throw Failure(
                    "no device to serve; try 'ghostplug serve drive', or see --help (with --control PATH, devices can "
                        + "be added later)", .validationFailure)
            }
        }
        return settings
    }
}
