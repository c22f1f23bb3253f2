import CommandSupport
import DeviceControl
import Logging
import SocketIO
import Testing
import USBDeviceKit
import USBIPServer

@testable import ghostplug

@Suite("The file of a play")
struct PlayTests {
    private func file(_ yaml: String) throws -> ScenarioFile { try ScenarioFile(yaml: yaml, from: "a.yaml") }

    private func unread(_ path: String) throws -> ScenarioFile { try ScenarioFile(path: path) }

    private func mistake(_ yaml: String) -> String {
        let failure = #expect(throws: Failure.self) { try file(yaml) }
        return failure?.description ?? ""
    }

    @Test("is read with its settings, devices and steps")
    func whole() throws {
        let file = try file(
            """
            # comments count as lines
            settings: {pace: free, plug: no, listen: ["127.0.0.1:0"], log-level: error, control: /tmp/a.sock}
            devices:
              stick: {model: drive, size: 1M, later: yes}
              disks:
                model: drive
                image: [a.img, b.img]
              plain: drive:size=2M
            steps:
              - at: 0.5
              - plug: stick
              - eject: {device: stick, force: yes}
              - run: "ls ${stick.node}"
              - expect: {event: ejected, device: stick, lun: 0, timeout: 5}
              - repeat:
                  times: 2
                  steps:
                    - pause: 0.1
            """)
        #expect(file.scenario.devices.map(\.name) == ["stick", "disks", "plain"])
        #expect(
            file.scenario.devices.map { "\($0.specification)" } == [
                "drive:size=1M", "drive:image=a.img,image=b.img", "drive:size=2M",
            ])
        #expect(file.scenario.steps.map(\.line) == [10, 11, 12, 13, 14, 15] && file.scenario.playedCount == 7)
        #expect(!file.isLocal && file.settings.server.pace == .free && file.settings.logLevel == .error)
        #expect(file.settings.server.listen.map(\.port) == [0] && file.settings.control == .at("/tmp/a.sock"))
    }

    @Test("plugs in, and cannot be reached from outside, unless it says otherwise")
    func usual() throws {
        let file = try file("devices: {a: drive}\nsteps: []")
        #expect(file.isLocal && file.settings.control == .none && file.settings.logLevel == .warning)
    }

    @Test(
        "is refused with the line of the mistake, and what is allowed",
        arguments: [
            ("", "a.yaml: empty"), ("[1]", "a.yaml:1: a scenario: a mapping"), ("a: [", "a.yaml: not YAML"),
            ("devices: {a: drive}\nstep: []", "a.yaml:1: a scenario needs steps"),
            ("devices: {a: drive}\nsteps: []\nsetings: {}", "a.yaml:3: a scenario has no setting 'setings'"),
            ("settings: {pase: bus}\ndevices: {a: drive}\nsteps: []", "a.yaml:1: there is no setting 'pase'"),
            ("settings:\n  pace: slow\ndevices: {a: drive}\nsteps: []", "a.yaml:2: pace: 'slow' is neither"),
            ("settings: {plug: maybe}\ndevices: {a: drive}\nsteps: []", "a.yaml:1: plug: 'maybe' is neither"),
            ("devices:\n  a: drive\n  b: toaster\nsteps: []", "a.yaml:3: there is no model 'toaster'"),
            ("devices:\n  a: drive\nsteps:\n- pause: 1\n- eject:\n    device: a\n    lum: 1", "a.yaml:5: eject has no"),
            ("devices: {a: drive}\nsteps:\n- plug\n", "a.yaml:3: a step is one name"),
        ])
    func mistakes(_ yaml: String, _ beginning: String) {
        let text = mistake(yaml)
        #expect(text.hasPrefix(beginning), "\(text)")
    }

    @Test("may use aliases, but not to explode")
    func aliases() throws {
        let twice = try file("devices: {a: drive}\nsteps:\n- &p {pause: 1}\n- *p\n")
        #expect(twice.scenario.playedCount == 2)
        var bomb = "x0: &x0 [1,1,1,1,1,1,1,1]\n"
        for level in 1...12 {
            let uses = Array(repeating: "*x\(level - 1)", count: 8).joined(separator: ",")
            bomb += "x\(level): &x\(level) [\(uses)]\n"
        }
        #expect(mistake(bomb).contains("too many values"))
        let deep = "devices: " + String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
        #expect(mistake(deep).contains("too deep"))
    }

    @Test("that is too large or cannot be read is refused with the system's word")
    func unreadable() {
        let missing = #expect(throws: Failure.self) { try unread("/nonexistent/a.yaml") }
        #expect(missing?.description == "/nonexistent/a.yaml: No such file or directory")
        let endless = #expect(throws: Failure.self) { try unread("/dev/zero") }
        #expect(endless?.description == "/dev/zero: larger than 1 MiB; that is no scenario")
    }

    @Test("in the help is one that can be played")
    func help() throws {
        #expect(try file(Play.example).scenario.playedCount == 28)
    }
}
