import ArgumentParser
import CaptureTraces
import CommandSupport
import SocketIO
import USBReplayHost

/// `ghostplug replay-host`.
struct ReplayHost: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay-host",
        abstract: "Make the requests of a capture again, and compare the answers: a regression test.",
        discussion: """
            Imports a device from any USB/IP server, makes the requests that the \
            capture has of one device, in the recorded order, and compares how each \
            ended, its length and its data. Needs neither root nor a kernel module. \
            The device may be a real one behind usbipd, to test its firmware, or one \
            of 'ghostplug serve', to test the server.

            Commands that change what a disk holds are left out, unless --allow-writes \
            is given. What cannot be made again is left out as well and counted: \
            SET_ADDRESS, what the recorded host took back, data that the capture has \
            only a part of.

            EXAMPLES:
              ghostplug list 127.0.0.1                      which bus ids there are
              ghostplug replay-host usb.pcapng 127.0.0.1 1-1
              ghostplug replay-host usb.pcapng 192.168.1.7 1-1 --device 1209:db42
              ghostplug replay-host usb.pcapng 192.168.1.7 1-1 --report result.xml \\
                --ignore field=serial --ignore 'setup=c0:01:*:*,bytes=4..7'

            IGNORE:
              A rule names transfers, and what of them is not compared (everything, if \
            nothing is named), with commas between. Only where all conditions fit:

              ep=0x81                       an endpoint (ep=0: control)
              packet=112, packet=9..20      packets of the capture, as Wireshark counts
              request=GET_DESCRIPTOR(string)
                                            a standard request
              setup=c0:01:*:*               bmRequestType:bRequest:wValue:wIndex:wLength
              field=serial, field=strings, field=release
                                            the serial number, all strings, bcdDevice

              status, length, data          all of that
              bytes=2, bytes=2..3, bytes=8..
                                            bytes of the data, counted from 0
              mask=ff00ff                   the bits that are set, from byte 0 on

            JSON:
              One object: subject, passed, divergences (how many), endpoints (endpoint,
              name, type, matched, diverged, unrecorded, not_reached), first (the first
              100 divergences: kind, actor, packet, endpoint, subject, time,
              first_difference, excerpt_start, expected, expected_count, actual,
              actual_count, words), notes.

            EXIT STATUS:
              0    everything was as recorded
              1    something was not, or the capture cannot be read
              64   the command line is wrong
              69   the server cannot be reached, or does not give the device
              74   the report could not be written
            """)

    @Argument(help: ArgumentHelp("The capture; '-' for standard input.", valueName: "capture"))
    var capture: String

    @Argument(help: ArgumentHelp("The server; the port is 3240 unless given.", valueName: "host[:port]"))
    var server: String

    @Argument(help: ArgumentHelp("The device, as 'ghostplug list' names it.", valueName: "busid"))
    var busID: String

    @Option(
        help: ArgumentHelp(
            "The device of the capture: its number, its ids (1209:db42), or bus and address (1-5).",
            valueName: "device"))
    var device: String?

    @Option(
        help: ArgumentHelp(
            "Take the recorded device's descriptors from a .umockdev file, or from a 'descriptors' file of sysfs.",
            valueName: "file"))
    var descriptors: String?

    @Option(help: ArgumentHelp("Do not compare this; repeatable.", valueName: "rule"))
    var ignore: [String] = []

    @Option(
        help: ArgumentHelp(
            "When requests are made: fast, recorded (with the recorded pauses), scale=X. (default: fast)",
            valueName: "timing"))
    var timing: String?

    @Option(
        help: ArgumentHelp(
            "How much longer than in the recording an answer may take. (default: 5)", valueName: "seconds"))
    var timeout: String?

    @Flag(help: "Send the commands that change what a disk holds, too: that destroys what is on it.")
    var allowWrites = false

    @Option(help: ArgumentHelp("Write the report as JUnit XML, too.", valueName: "file.xml"))
    var report: String?

    @Flag(help: "One JSON object instead of text.")
    var json = false

    func validate() throws {
        do throws(Failure) {
            _ = try settings()
        } catch {
            throw ValidationError(error.description)
        }
    }

    mutating func run() throws {
        let passed: Bool
        do throws(Failure) {
            passed = try ReplayHostRun(try settings()).run()
        } catch {
            throw error.report()
        }
        if !passed { throw ExitCode.failure }
    }

    /// What the command line asks for.
    func settings() throws(Failure) -> ReplayHostRun.Settings {
        guard let address = HostAndPort(server), address.port != 0 else {
            throw wrong("'\(server)' is no server; write HOST, HOST:PORT or [IPV6]:PORT")
        }
        var settings = ReplayHostRun.Settings(capture: capture, server: address, busID: busID)
        settings.descriptors = descriptors
        settings.report = report
        settings.isJSON = json
        settings.replay.allowsWrites = allowWrites
        if let device {
            guard let choice = DeviceChoice.parse(device) else {
                throw wrong("--device: '\(device)' is no device; write its number, VID:PID or BUS-ADDRESS")
            }
            settings.choice = choice
        }
        for rule in ignore {
            do throws(IgnoreRuleError) {
                settings.replay.ignored.append(try IgnoreRule(rule))
            } catch {
                throw wrong("--ignore: \(error)")
            }
        }
        if let timing { settings.replay.timing = try Self.timing(timing) }
        if let timeout {
            guard let seconds = Self.number(timeout), (0.001...3600).contains(seconds) else {
                throw wrong("--timeout: '\(timeout)' is not a number of seconds from 0.001 to 3600")
            }
            settings.replay.timeout = .seconds(seconds)
        }
        return settings
    }

    private static func timing(_ text: String) throws(Failure) -> HostReplaySettings.Timing {
        if text == "fast" { return .fast }
        if text == "recorded" { return .recorded }
        guard text.hasPrefix("scale="), let factor = number(String(text.dropFirst(6))), factor <= 1000 else {
            throw Failure(
                "--timing: '\(text)' is none; write fast, recorded, or such as scale=0.5, up to 1000",
                .validationFailure)
        }
        return .scaled(factor)
    }

    /// A number without a sign; Double alone would take "nan" and "0x1p3" as well.
    private static func number(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ "0123456789.".utf8.contains($0) }) else { return nil }
        return Double(text)
    }

    private func wrong(_ message: String) -> Failure { Failure(message, .validationFailure) }
}
