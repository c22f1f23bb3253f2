import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("Input scripts")
struct ScriptTests {
    /// A device, and what becomes of the scripts that it plays.
    private final class Stage {
        let hid: HIDTestHost
        let probe = ProbeFunction.withoutIDs()
        let other = ProbeFunction.withoutIDs()
        let link: HIDLink
        var outcomes: [String] = []
        var undone = 0

        init(isConfigured: Bool = true) throws {
            hid = try HIDTestHost([probe, other], isConfigured: isConfigured)
            link = try #require(probe.link)
        }

        /// Reports with a number in their first byte, 10 ms apart.
        func script(_ numbers: ClosedRange<UInt8>) -> InputScript {
            let link = link
            return InputScript(
                numbers.map { number in
                    .init(pause: .milliseconds(10)) { link.send([number]) }
                }, undo: { [weak self] in self?.undone += 1 })
        }

        func play(_ script: InputScript, _ name: String = "") {
            link.play(script) { [weak self] result in
                switch result {
                case .success: self?.outcomes.append("\(name)done")
                case .failure(let error): self?.outcomes.append("\(name)\(error)")
                }
            }
        }

        func numbers() -> [UInt8] { hid.take().map { $0[0] } }

        func advance(_ milliseconds: UInt64) { hid.host.clock.advance(by: milliseconds * millisecond) }
    }

    @Test("steps follow each other by their pauses, to the nanosecond")
    func rhythm() throws {
        let stage = try Stage()
        stage.hid.poll()
        stage.play(stage.script(1...3))
        #expect(stage.numbers() == [1])
        stage.hid.host.clock.advance(by: 10 * millisecond - 1)
        #expect(stage.numbers().isEmpty)
        stage.hid.host.clock.advance(by: 1)
        #expect(stage.numbers() == [2])
        stage.advance(10)
        #expect(stage.numbers() == [3] && stage.outcomes.isEmpty, "the last pause belongs to the script")
        stage.advance(10)
        #expect(stage.outcomes == ["done"] && stage.undone == 0)
    }

    @Test("a step waits for the host to fetch its report, and the rhythm is kept")
    func waits() throws {
        let stage = try Stage()
        stage.play(stage.script(1...3))
        stage.advance(4)
        #expect(stage.hid.read() == [1])
        stage.advance(5)
        #expect(stage.hid.read() == nil)
        stage.advance(1)
        #expect(stage.hid.read() == [2], "10 ms after the first was sent, not after it was fetched")
        stage.advance(25)
        #expect(stage.hid.read() == [3], "what came late is not made up for")
    }

    @Test("a script without steps is done at once")
    func empty() throws {
        let stage = try Stage()
        stage.play(InputScript([]))
        #expect(stage.outcomes == ["done"])
    }

    @Test("scripts are never mixed: the later one begins when the earlier one has ended")
    func queue() throws {
        let stage = try Stage()
        stage.hid.poll()
        stage.play(stage.script(1...2), "a ")
        stage.play(stage.script(11...12), "b ")
        stage.advance(40)
        #expect(stage.numbers() == [1, 2, 11, 12] && stage.outcomes == ["a done", "b done"])
    }

    @Test("a script may be played from where another one ended")
    func chain() throws {
        let stage = try Stage()
        stage.hid.poll()
        stage.link.play(stage.script(1...1)) { _ in stage.play(stage.script(2...2), "second ") }
        stage.advance(20)
        #expect(stage.numbers() == [1, 2] && stage.outcomes == ["second done"])
    }

    @Test("no more than 256 scripts wait")
    func bound() throws {
        let stage = try Stage()
        for _ in 0..<257 { stage.play(stage.script(1...1)) }
        #expect(stage.outcomes == [InputScriptError.busy.description])
        stage.hid.poll()
        stage.advance(2560)
        #expect(stage.outcomes.count == 257 && stage.outcomes.last == "done")
    }

    @Test("without a configured device a script fails, having changed nothing")
    func unconfigured() throws {
        let stage = try Stage(isConfigured: false)
        stage.play(stage.script(1...3))
        #expect(stage.outcomes == [InputScriptError.notConfigured.description] && stage.undone == 0)
    }

    @Test("what the host does not fetch for 3 seconds fails, and what waited is forgotten and undone")
    func notFetched() throws {
        let stage = try Stage()
        stage.play(stage.script(1...3), "a ")
        stage.play(stage.script(4...4), "b ")
        stage.advance(2000)
        #expect(stage.hid.read() == [1])
        // Half of the pause, since the host was late.
        stage.advance(5)
        stage.advance(2999)
        #expect(stage.outcomes.isEmpty)
        stage.advance(1)
        let error = InputScriptError.notFetched(done: 1, of: 3, after: .seconds(3))
        #expect(stage.outcomes == ["a \(error)"] && stage.undone == 1)
        #expect(stage.hid.read() == [4], "the next one begins")
        stage.advance(10)
        #expect(stage.outcomes.last == "b done")
    }

    @Test("what nobody wants any more ends within a quarter of a second, undone, and the next one begins")
    func unwanted() throws {
        let stage = try Stage()
        var isWanted = true
        var script = InputScript([.init(pause: .seconds(60)) {}, .init {}], undo: { stage.undone += 1 })
        script.isWanted = { isWanted }
        stage.play(script, "a ")
        stage.play(stage.script(7...7), "b ")
        stage.advance(1000)
        #expect(stage.outcomes.isEmpty)
        isWanted = false
        stage.advance(250)
        #expect(stage.outcomes == ["a \(InputScriptError.unwanted(done: 1, of: 2))"] && stage.undone == 1)
        #expect(stage.hid.read() == [7])
    }

    @Test("what nobody wants before it has begun ends without being undone")
    func unwantedBefore() throws {
        let stage = try Stage()
        var script = stage.script(1...1)
        script.isWanted = { false }
        stage.play(script)
        #expect(stage.outcomes == ["\(InputScriptError.unwanted(done: 0, of: 1))"] && stage.undone == 0)
    }

    @Test("a host that asks another function only has not asked for the script's reports")
    func otherPolled() throws {
        let stage = try Stage()
        let other = try #require(stage.other.link)
        stage.hid.poll(2)
        stage.play(stage.script(1...1))
        for _ in 0..<3 {
            stage.advance(1000)
            other.send([9])
        }
        #expect(stage.hid.take(2).count == 3)
        #expect(stage.outcomes == [InputScriptError.notFetched(done: 0, of: 1, after: .seconds(3)).description])
    }

    @Test("undoing sends the state at rest, which the host fetches when it asks again")
    func undo() throws {
        let stage = try Stage()
        let link = stage.link
        var script = InputScript([.init { link.send([1]) }], undo: { link.send([0]) })
        script.patience = .milliseconds(100)
        stage.play(script)
        stage.advance(100)
        #expect(stage.outcomes.count == 1 && stage.hid.read() == [0] && stage.hid.read() == nil)
    }

    @Test(
        "a host that goes, resets or configures anew ends every script",
        arguments: ["unplug", "reset", "look", "configure", "unconfigure"])
    func gone(how: String) throws {
        let stage = try Stage()
        stage.hid.poll()
        stage.play(stage.script(1...5), "a ")
        stage.play(stage.script(6...6), "b ")
        stage.advance(10)
        switch how {
        case "unplug": stage.hid.device.disconnect()
        case "reset": stage.hid.device.reset(.port)
        case "look": stage.hid.device.reset(.inferred)
        case "configure": try stage.hid.configure()
        default: try stage.hid.configure(0)
        }
        let errors = [InputScriptError.gone(done: 2, of: 5), .gone(done: 0, of: 1)]
        #expect(stage.outcomes == ["a \(errors[0])", "b \(errors[1])"] && stage.undone == 1)
        stage.advance(100)
        #expect(stage.numbers() == [1, 2] && stage.outcomes.count == 2)
        #expect(stage.hid.host.violations.isEmpty)
    }

    @Test("a script through several functions waits for the reports of each")
    func several() throws {
        let stage = try Stage()
        let (link, other) = (stage.link, try #require(stage.other.link))
        let steps: [InputScript.Step] = [.init { other.send([1]) }, .init { link.send([2]) }]
        var isDone = false
        link.play(InputScript(steps), with: [other]) { _ in isDone = true }
        #expect(stage.hid.read(1) == nil, "the other function's report has not been fetched")
        #expect(stage.hid.read(2) == [1] && !isDone)
        #expect(stage.hid.read(1) == [2] && isDone)
    }

    @Test("a change of the protocol does not hold a script up")
    func protocolChange() throws {
        let probe = ProbeFunction.withoutIDs(boot: .mouse)
        let hid = try HIDTestHost([probe])
        let link = try #require(probe.link)
        var isDone = false
        probe.answers = [:]
        link.play(InputScript([.init { link.send([1]) }])) { _ in isDone = true }
        #expect(hid.setProtocol(0) && !isDone)
        #expect(hid.read() == [0xb0] && isDone)
        isDone = false
        link.play(InputScript([.init { link.send([1]) }])) { _ in isDone = true }
        #expect(hid.setProtocol(1) && isDone, "there was nothing to put in its place")
    }

    @Test("negative and endless pauses do not trap")
    func pauses() throws {
        let stage = try Stage()
        stage.hid.poll()
        let link = stage.link
        stage.play(
            InputScript([
                .init(pause: .seconds(-5)) { link.send([1]) }, .init(pause: .seconds(Int64.max)) { link.send([2]) },
                .init { link.send([3]) },
            ]))
        stage.advance(1_000_000)
        #expect(stage.numbers() == [1, 2] && stage.outcomes.isEmpty)
    }
}
