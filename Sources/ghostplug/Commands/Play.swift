import ArgumentParser
import CommandSupport
import DeviceControl

/// `ghostplug play`.
struct Play: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Play a scenario: timed steps over several devices, and what is expected of their host.",
        discussion: """
            Plugs the devices of FILE into this machine as 'plug' does (root, or the \
            right to write vhci's files), plays its steps one after another, and \
            unplugs everything, also after a failure, Ctrl-C or SIGTERM. The first \
            step that fails ends it, unless --keep-going says otherwise.

            EXAMPLES:
              sudo ghostplug play login.yaml
              sudo ghostplug play login.yaml --json | jq 'select(.outcome == "failed")'
              ghostplug play login.yaml --check      only look for mistakes
              ghostplug play login.yaml --serve      for a client elsewhere

            FILE, such as login.yaml (Documentation/Scenarios.md has all of it):
            \(example.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))

            Any action of a device is a step: 'ghostplug ctl actions' lists them. \
            Other steps: wait, pause, at, plug, unplug, run, expect, expect-none, \
            repeat.

            A scenario runs shell commands as whoever plays it: play none that you \
            have not read.

            JSON:
              A line for each step: step, line, what, outcome (done, held, failed or
              interrupted), at, seconds, message; at the end one with steps,
              failures, interrupted, lost, seconds, held.

            EXIT STATUS:
              0    every step was done, and everything expected held
              1    a step failed, or the play was interrupted
              64   the file is wrong; nothing was plugged in
              69   an address cannot be listened on
              74   data could not be written where they belong
            """)

    /// What the help shows.
    static let example = """
        settings: {pace: bus}
        devices:
          kbd: keyboard:layout=de
          stick: {model: drive, dir: ./payload, later: yes}
        steps:
          - type: {device: kbd, text: "root\\n", rate: 30}
          - key: {device: kbd, keys: capslock}
          - expect: {event: leds, device: kbd, caps: yes, timeout: 5}
          - pause: 1.5
          - plug: stick
          - run: {command: "blkid ${stick.node}", output: GHOSTPLUG}
          - unplug: stick
          - expect-none: {event: detached, device: kbd, for: 2}
          - repeat:
              times: 10
              steps:
                - plug: stick
                - unplug: stick
        """

    @Argument(help: ArgumentHelp("The scenario, a YAML file.", valueName: "file.yaml"))
    var file: String

    @Flag(name: [.customLong("check"), .customLong("dry-run")], help: "Only look for mistakes in the file.")
    var check = false

    @Flag(help: "Play the steps after one that failed, too.")
    var keepGoing = false

    @Flag(help: "A JSON line for each step, on standard output.")
    var json = false

    @Flag(
        help: """
            Serve the devices over TCP (127.0.0.1:3240, or listen: in the file's settings) and wait until a client has \
            attached them, instead of plugging them in here.
            """)
    var serve = false

    mutating func run() throws {
        let hasHeld: Bool
        do throws(Failure) {
            hasHeld = try play()
        } catch {
            throw error.report()
        }
        guard hasHeld else { throw ExitCode.failure }
    }

    private func play() throws(Failure) -> Bool {
        var file = try ScenarioFile(path: file)
        if serve { file.isLocal = false }
        guard !check else {
            let scenario = file.scenario
            let devices = "\(scenario.devices.count) device\(scenario.devices.count == 1 ? "" : "s")"
            let count = scenario.playedCount
            let steps = "\(count) step\(count == 1 ? "" : "s")"
            StandardOutput.print("\(scenario.file): \(devices), \(steps); no mistake found")
            return true
        }
        return try PlayRun(file, PlayRun.Options(keepsGoing: keepGoing, isJSON: json)).run()
    }
}
