import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import Testing

@Suite("Playing a scenario", .timeLimit(.minutes(10)))
struct ScenarioPlayTests {
    private static let one = #"{"disk": "drive"}"#
    private static let two = #"{"disk": "drive", "later": {"model": "drive", "later": "yes"}}"#

    @Test("plugs all devices in before it waits for any, does what steps say, and unplugs in the other order")
    func order() throws {
        let stage = FakeStage()
        let (results, summary) = stage.play(
            try scenario(
                #"{"a": "drive", "b": "drive", "c": {"model": "drive", "later": "yes"}}"#,
                #"{"eject": {"device": "b", "lun": 2}}"#, #"{"plug": "c"}"#, #"{"unplug": "a"}"#))
        #expect(
            stage.log == [
                "plug a", "plug b", "ready a-bus", "ready b-bus", #"eject busid="b-bus" lun="2""#, "plug c",
                "ready c-bus",
                "unplug a-bus", "unplug c-bus", "unplug b-bus",
            ])
        #expect(summary.hasHeld && summary.steps == 3)
        #expect(results.map(\.number) == [0, 0, 1, 2, 3] && results.steps.map(\.line) == [10, 20, 30])
        #expect(results.outcomes == [.done, .done, .done])
    }

    @Test("waits for states through the control protocol")
    func states() throws {
        let stage = FakeStage { _, request throws(ControlError) in
            if request["for"] == .string("configured") { throw ControlError(.timeout, "it is attached") }
        }
        let (results, summary) = stage.play(
            try scenario(
                Self.one, #"{"wait": "disk attached"}"#, #"{"expect": {"state": "configured", "device": "disk"}}"#))
        #expect(stage.log.contains(#"wait busid="disk-bus" for="attached" timeout=30.000000"#))
        #expect(stage.log.contains(#"wait busid="disk-bus" for="configured" timeout=0.000000"#))
        #expect(results.outcomes == [.held, .failed] && !summary.hasHeld && summary.failures == 1)
        #expect(results.complaint == "expected configured: it is attached")
    }

    // MARK: Events

    @Test("an event counts that came during the step before, and not one that came earlier")
    func window() throws {
        let stage = FakeStage { stage, request in
            if request.command == "eject" { stage.publish("ejected", "disk-bus", ("lun", .number(0))) }
        }
        let expectation = #"{"expect": {"event": "ejected", "device": "disk", "lun": 0, "timeout": 0}}"#
        let (results, _) = stage.play(
            try scenario(Self.one, #"{"eject": "disk"}"#, expectation, #"{"media": "disk"}"#, expectation))
        #expect(results.outcomes == [.done, .held, .done, .failed])
        #expect(results.complaint == "expected ejected of disk with lun=0 within 0 s; instead: nothing happened")
    }

    @Test("events that come by the thousand are made only for a scenario that expects some", arguments: [false, true])
    func frequent(isExpected: Bool) throws {
        let stage = FakeStage { stage, _ in
            let sink = stage.events.sink(busID: "disk-bus")
            if sink.isWatched { sink.send("scsi") }
            sink.send("ejected")
        }
        let expectation =
            #"{"expect": {"event": "\#(isExpected ? "scsi" : "ejected")", "device": "disk", "timeout": 0}}"#
        let (results, _) = stage.play(
            try scenario(
                Self.one, #"{"eject": "disk"}"#, #"{"repeat": {"times": 1, "steps": [\#(expectation)]}}"#,
                #"{"expect": {"event": "leds", "timeout": 0}}"#))
        #expect(results.outcomes == [.done, .held, .failed])
        let rest = isExpected ? "ejected of disk" : "nothing happened"
        #expect(results.complaint == "expected leds within 0 s; instead: \(rest)", "\(results.complaint)")
    }

    @Test("expectations and pauses do not end the time in which events count, and each has an event of its own")
    func takes() throws {
        let stage = FakeStage { stage, _ in
            stage.publish("leds", "disk-bus", ("caps", .bool(true)), ("num", .bool(false)))
            stage.publish("leds", "disk-bus", ("caps", .bool(false)), ("num", .bool(false)))
            stage.publish("leds", "other", ("caps", .bool(true)))
        }
        let caps = { (on: String) in #"{"expect": {"event": "leds", "device": "disk", "caps": "\#(on)", "timeout": 0}}"#
        }
        let (results, _) = stage.play(
            try scenario(Self.one, #"{"media": "disk"}"#, caps("no"), #"{"pause": 0}"#, caps("yes"), caps("yes")))
        #expect(results.outcomes == [.done, .held, .done, .held, .failed])
        #expect(results.complaint.hasSuffix("instead: leds of other (caps=true)"), "\(results.complaint)")
    }

    @Test("waits for an event that has not come yet")
    func later() throws {
        let stage = FakeStage { stage, _ in
            after(milliseconds: 20) {
                stage.publish("configured")
                stage.publish("leds")
            }
        }
        let (results, _) = stage.play(
            try scenario(
                Self.one, #"{"media": "disk"}"#, #"{"expect": {"event": "leds", "timeout": 50}}"#,
                #"{"expect": {"event": "configured", "timeout": 50}}"#))
        #expect(results.outcomes == [.done, .held, .held])
    }

    @Test("what must not happen is looked for from the step before on; what was expected is not it")
    func none() throws {
        let stage = FakeStage { stage, _ in stage.publish("reset") }
        let none = #"{"expect-none": {"event": "reset", "device": "disk", "for": 0.01}}"#
        let (results, summary) = stage.play(
            try scenario(
                Self.one, none, #"{"media": "disk"}"#, #"{"expect": {"event": "reset"}}"#, none, #"{"media": "disk"}"#,
                none, #"{"pause": 0}"#))
        #expect(results.outcomes == [.held, .done, .held, .held, .done, .failed])
        #expect(results.complaint == "expected no reset of disk; there was one" && summary.steps == 6)
    }

    @Test(
        "members are compared as their kind is, and of an object only those named",
        arguments: [
            (#""count": 5"#, true), (#""count": "5.0""#, true), (#""count": 6"#, false), (#""on": "yes""#, true),
            (#""on": "maybe""#, false), (#""text": "a""#, true), (#""text": "A""#, false), (#""half": 0.5"#, true),
            (#""list": [1, "x"]"#, true), (#""list": [1]"#, false), (#""object": {"a": 1}"#, true),
            (#""object": {"c": 1}"#, false), (#""missing": """#, false), (#""null": "null""#, true),
        ])
    func members(_ member: String, _ matches: Bool) throws {
        let stage = FakeStage { stage, _ in
            stage.publish(
                "it", "disk-bus", ("count", .number(5)), ("on", .bool(true)), ("text", .string("a")),
                ("half", .decimal(0.5, digits: 1)), ("list", .array([.number(1), .string("x")])),
                ("object", .object([("a", .number(1)), ("b", .number(2))])), ("null", .null))
        }
        let expectation = #"{"expect": {"event": "it", "timeout": 0, \#(member)}}"#
        let (results, _) = stage.play(try scenario(Self.one, #"{"media": "disk"}"#, expectation))
        #expect(results.outcomes == [.done, matches ? .held : .failed], "\(results.complaint)")
    }

    // MARK: Failures

    @Test("a failure ends it, and everything is unplugged; or it goes on if it is to")
    func failures() throws {
        let refusing = { @Sendable (_: FakeStage, request: ControlRequest) throws(ControlError) in
            if request.command == "eject" { throw ControlError(.failed, "the tray\nis stuck") }
        }
        let steps = try scenario(Self.one, #"{"eject": "disk"}"#, #"{"media": "disk"}"#)
        let first = FakeStage(refusing)
        let (results, summary) = first.play(steps)
        #expect(results.outcomes == [.failed] && results.complaint == "the tray\\nis stuck")
        #expect(summary.steps == 1 && summary.failures == 1 && !summary.hasHeld)
        #expect(first.log.last == "unplug disk-bus")

        let second = FakeStage(refusing).play(steps, keepsGoing: true)
        #expect(second.results.outcomes == [.failed, .done] && !second.summary.hasHeld && second.summary.steps == 2)
    }

    @Test("a device that does not get ready is a failure, and is unplugged")
    func notReady() throws {
        let notReady = { @Sendable (_: FakeStage, busID: String) throws(ControlError) in
            if busID == "later-bus" { throw ControlError(.failed, "no driver") }
        }
        let stage = FakeStage(onReady: notReady)
        let (results, summary) = stage.play(
            try scenario(Self.two, #"{"plug": "later"}"#, #"{"eject": "later"}"#))
        #expect(results.outcomes == [.failed] && results.complaint == "no driver" && summary.failures == 1)
        #expect(stage.log.suffix(2) == ["unplug later-bus", "unplug disk-bus"])

        let atFirst = FakeStage(onReady: notReady)
        let beginning = atFirst.play(try scenario(#"{"later": "drive"}"#, #"{"eject": "later"}"#))
        #expect(beginning.results.map(\.number) == [0] && beginning.summary.steps == 0 && !beginning.summary.hasHeld)
        #expect(atFirst.log == ["plug later", "ready later-bus", "unplug later-bus"])
    }

    @Test("data that cannot be written are told of, and not everything holds")
    func loss() throws {
        let (results, summary) = FakeStage(loss: "disk full").play(
            try scenario(Self.two, #"{"plug": "later"}"#, #"{"unplug": "later"}"#))
        #expect(results.outcomes == [.done, .done])
        #expect(summary.lost == ["later: disk full", "disk: disk full"] && !summary.hasHeld)
        #expect(summary.words.hasSuffix(" s: data may be lost: later: disk full; disk: disk full"))
    }

    @Test("is told in lines for people and for programs, which begin with the file and line for editors")
    func told() throws {
        let (results, summary) = FakeStage().play(
            try scenario(Self.one, #"{"run": {"command": "echo 'a\\nb'; false"}}"#), keepsGoing: true)
        let line = results[1].line(in: "a.yaml")
        #expect(line.contains("  FAILED  a.yaml:10: run echo 'a\\nb'; false  (0."), "\(line)")
        #expect(line.hasSuffix(": expected exit status 0; it ended with 1, and printed: a\\nb"), "\(line)")
        let json = results[1].json
        #expect(json["line"] == .number(10) && json["step"] == .number(1) && json["outcome"] == .string("failed"))
        #expect(
            json["what"] == .string("run echo 'a\\nb'; false") && json["at"] != .null && results[0].json["at"] == .null)
        #expect(summary.words.hasPrefix("1 step in 0.") && summary.words.hasSuffix(" s: 1 failed"))
        #expect(summary.json["held"] == .bool(false) && summary.json["failures"] == .number(1))
    }

    // MARK: Time

    @Test("a repeat plays its steps so often")
    func repeats() throws {
        let stage = FakeStage()
        let inner = #"{"repeat": {"times": 2, "steps": [{"media": "disk"}]}}"#
        let (results, summary) = stage.play(
            try scenario(Self.one, #"{"repeat": {"times": 3, "steps": [\#(inner), {"pause": 0}]}}"#))
        #expect(stage.log.count { $0.hasPrefix("media") } == 6 && summary.steps == 9)
        #expect(results.steps.map(\.number) == Array(1...9))
    }

    @Test("pauses take their time, and what comes later than it should says so")
    func times() throws {
        let (results, summary) = FakeStage().play(
            try scenario(Self.one, #"{"at": 0.02}"#, #"{"pause": 0.03}"#, #"{"at": 0.021}"#))
        let steps = results.steps
        #expect(steps[1].start.map { $0 >= .milliseconds(20) } == true && steps[1].time >= .milliseconds(30))
        #expect(steps[0].message == nil && steps[2].message?.hasSuffix(" late") == true && steps[2].outcome == .done)
        #expect(summary.time >= .milliseconds(50) && summary.hasHeld)
    }

    @Test(
        "ended from outside, it gives up what it waits for, and unplugs",
        arguments: [
            #"{"pause": 1000}"#, #"{"expect": {"event": "leds", "timeout": 1000}}"#,
            #"{"expect-none": {"event": "leds", "for": 1000}}"#,
            #"{"run": {"command": "sleep 1000", "timeout": 1000}}"#,
        ])
    func interrupted(_ step: String) throws {
        let cancellation = Cancellation()
        // However soon it comes, the outcome is the same.
        let stage = FakeStage { _, _ in after(milliseconds: 20) { cancellation.cancel() } }
        let (results, summary) = stage.play(
            try scenario(Self.one, #"{"media": "disk"}"#, step, #"{"media": "disk"}"#), keepsGoing: true, cancellation)
        #expect([[.done], [.done, .interrupted]].contains(results.outcomes))
        #expect(summary.isInterrupted && !summary.hasHeld && stage.log.last == "unplug disk-bus")
    }
}

/// Does something on a thread of its own, soon.
private func after(milliseconds: Int32, _ body: @escaping @Sendable () -> Void) {
    do {
        try startThread("test") {
            pause(milliseconds: milliseconds)
            body()
        }
    } catch {
        Issue.record(error)
    }
}
