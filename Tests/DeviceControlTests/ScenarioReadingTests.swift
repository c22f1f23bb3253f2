import DeviceControl
import DeviceModels
import Testing

@Suite("Reading a scenario")
struct ScenarioReadingTests {
    private static let devices = #"{"disk": "drive", "later": {"model": "drive", "later": "yes"}}"#

    private func refusal(of step: String, _ devices: String = devices) -> String {
        #expect(throws: ScenarioFileError.self) { try scenario(devices, step) }?.description ?? ""
    }

    @Test("takes every kind of step")
    func kinds() throws {
        let all = try scenario(
            Self.devices, #"{"wait": "disk configured"}"#,
            #"{"wait": {"device": "disk", "for": "attached", "timeout": 2}}"#,
            #"{"pause": 0.5}"#, #"{"at": 3}"#, #"{"plug": "later"}"#, #"{"eject": {"device": "later", "lun": 0}}"#,
            #"{"media": "disk"}"#, #"{"run": "echo ${later.node} ${HOME} $((1+1))"}"#,
            #"{"run": {"command": "false", "status": 1, "output": "", "timeout": 5}}"#, #"{"unplug": "later"}"#,
            #"{"expect": {"event": "detached", "device": "later", "reason": "x"}}"#,
            #"{"expect": {"state": "configured", "device": "disk"}}"#,
            #"{"expect-none": {"event": "reset", "for": 0.1}}"#,
            #"{"repeat": {"times": 3, "steps": [{"plug": {"device": "later", "timeout": 9}}, {"unplug": "later"}]}}"#)
        #expect(all.steps.count == 14 && all.playedCount == 13 + 3 * 2)
        #expect(all.devices.map(\.name) == ["disk", "later"] && all.devices.map(\.isLater) == [false, true])
        #expect(all.devices[1].specification.options.isEmpty)
    }

    @Test(
        "refuses a step that cannot be, with its line, what is wrong, and what is allowed",
        arguments: [
            (#"{"wait": "disk"}"#, "a device and a state"),
            (#"{"wait": "disk ready"}"#, "detached, attached, configured"),
            (#"{"wait": "nothing configured"}"#, "there is: disk, later"),
            (#"{"wait": "later configured"}"#, "'- plug: later' does it"),
            (#"{"pause": "soon"}"#, "seconds"), (#"{"pause": -1}"#, "seconds"), (#"{"pause": "nan"}"#, "seconds"),
            (#"{"pause": "1e300"}"#, "seconds"), (#"{"plug": "disk"}"#, "plugged in already"),
            (#"{"unplug": "later"}"#, "not plugged in"), (#"{"ejct": "disk"}"#, "there is: wait, pause, at, plug"),
            (#"{"eject": {"device": "disk", "speed": 1}}"#, "eject has no argument 'speed'; it has: lun, force"),
            (#"{"resize": "disk"}"#, "resize needs size"), (#"{"eject": "dsik"}"#, "there is no device 'dsik'"),
            (#"{"eject": {"lun": 1}}"#, "needs device"), (#"{"eject": "later"}"#, "not plugged in"),
            (#"{"run": "ls ${disk.nod}"}"#, "has no 'nod'; it has: busid"),
            (#"{"run": "ls ${dis.node}"}"#, "no device"),
            (#"{"run": ""}"#, "a command"), (#"{"run": {"command": "x", "status": 256}}"#, "0 to 255"),
            (#"{"run": {"command": "x", "exit": 1}}"#, "command, status, output, timeout"),
            (#"{"expect": {"device": "disk"}}"#, "needs event"),
            (#"{"expect": {"event": "leds", "device": "later"}}"#, "not plugged in before"),
            (#"{"expect": {"state": "configured"}}"#, "needs device"),
            (#"{"expect": {"state": "configured", "device": "disk", "lun": 1}}"#, "state, device, timeout"),
            (#"{"expect-none": {"event": "leds"}}"#, "needs for"), (#"{"repeat": {"steps": []}}"#, "needs times"),
            (#"{"repeat": {"times": 0, "steps": []}}"#, "1 to 100000"),
            (#"{"repeat": {"times": 2, "steps": [{"plug": "later"}]}}"#, "plugged in already"),
            (#"{"repeat": {"times": 2, "steps": [{"at": 3}]}}"#, "second round"),
            (
                #"{"repeat": {"times": 99999, "steps": [{"repeat": {"times": 99999, "steps": [{"pause": 0}]}}]}}"#,
                "1000000"
            ),
            (#"{"pause": 1, "plug": "later"}"#, "one name"), (#"["pause"]"#, "one name"),
        ])
    func refusedSteps(_ step: String, _ reason: String) {
        let text = refusal(of: step)
        #expect(text.hasPrefix("a.yaml:10: ") && text.contains(reason), "\(text)")
    }

    @Test(
        "refuses devices that cannot be",
        arguments: [
            (#"{}"#, "needs devices"), (#"{"1st": "drive"}"#, "no name"), (#"{"a": "toaster"}"#, "no model 'toaster'"),
            (#"{"a": "drive:colour=red"}"#, "no key 'colour'"), (#"{"a": {"later": "yes"}}"#, "needs model"),
            (#"{"a": {"model": "drive", "colour": "red"}}"#, "no key 'colour'"),
            (#"{"a": "drive", "a": "drive"}"#, "two"),
            (#"{"a": {"model": "drive", "later": "soon"}}"#, "yes or no"), (#"["drive"]"#, "a mapping"),
        ])
    func refusedDevices(_ devices: String, _ reason: String) {
        let text = refusal(of: #"{"pause": 1}"#, devices)
        #expect(text.hasPrefix("a.yaml:") && text.contains(reason), "\(text)")
    }

    @Test("refuses times that go back")
    func backwards() throws {
        let error = #expect(throws: ScenarioFileError.self) {
            try scenario(Self.devices, #"{"at": 5}"#, #"{"at": 4}"#)
        }
        #expect(error?.description == "a.yaml:20: at: the step before is later; times go up")
    }

    @Test("refuses steps that stand too deep in repeats, or are too many")
    func bounds() {
        let deep =
            String(repeating: #"{"repeat": {"times": 1, "steps": ["#, count: 9) + #"{"pause": 0}"#
            + String(repeating: "]}}", count: 9)
        #expect(refusal(of: deep).contains("more than 8"))
        let many = Array(repeating: #"{"pause": 0}"#, count: 10_000).joined(separator: ",")
        #expect(refusal(of: #"{"repeat": {"times": 1, "steps": [\#(many)]}}"#).contains("more than 10000 steps"))
    }
}
