import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("Keys in time")
struct KeyScriptTests {
    /// A polled keyboard without rollover, whose reports read easily.
    private func make() throws -> (HIDTestHost, Keyboard) {
        let keyboard = Keyboard(KeyboardFunction(hasRollover: false), media: MediaFunction())
        let hid = try HIDTestHost(keyboard.functions)
        #expect(hid.setIdle(0))
        hid.poll(1)
        hid.poll(2)
        return (hid, keyboard)
    }

    /// Modifiers and the first two keys of each report.
    private func brief(_ reports: [[UInt8]]) -> [[UInt8]] { reports.map { [$0[0], $0[2], $0[3]] } }

    @Test("a chord goes down key by key, stays for its time, and goes up the other way round")
    func chord() throws {
        let (hid, keyboard) = try make()
        var isDone = false
        keyboard.play(keyboard.tapping([try KeyChord(parsing: "ctrl+alt+delete")], hold: .milliseconds(30))) { _ in
            isDone = true
        }
        #expect(brief(hid.take()) == [[1, 0, 0], [5, 0, 0], [5, 0x4c, 0]])
        hid.host.clock.advance(by: 30 * millisecond - 1)
        #expect(hid.take().isEmpty && !isDone)
        hid.host.clock.advance(by: 1)
        #expect(brief(hid.take()) == [[5, 0, 0], [1, 0, 0], [0, 0, 0]] && isDone)
    }

    @Test("several chords follow one another, on both interfaces")
    func chords() throws {
        let (hid, keyboard) = try make()
        let chords = [try KeyChord(parsing: "a"), try KeyChord(parsing: "volumeup"), try KeyChord(parsing: "a")]
        keyboard.play(keyboard.tapping(chords, hold: .milliseconds(20))) { _ in }
        hid.host.clock.advance(by: 60 * millisecond)
        #expect(brief(hid.take(1)) == [[0, 4, 0], [0, 0, 0]] && hid.take(2).count == 2)
        hid.host.clock.advance(by: 60 * millisecond)
        #expect(brief(hid.take(1)) == [[0, 4, 0], [0, 0, 0]] && hid.take(2).isEmpty)
    }

    @Test("keys are pressed and let go of apart")
    func apart() throws {
        let (hid, keyboard) = try make()
        let chord = try KeyChord(parsing: "shift+x")
        keyboard.play(keyboard.pressing([chord])) { _ in }
        #expect(brief(hid.take()) == [[2, 0, 0], [2, 0x1b, 0]])
        hid.host.clock.advance(by: 10_000 * millisecond)
        #expect(hid.take().isEmpty)
        keyboard.play(keyboard.releasing([chord])) { _ in }
        #expect(brief(hid.take()) == [[2, 0, 0], [0, 0, 0]])
    }

    @Test("typing holds modifiers over keys that share them, and lets go of equal keys in between")
    func typing() throws {
        let (hid, keyboard) = try make()
        let strokes: [(usage: UInt8, modifiers: UInt8)] = [(4, 2), (5, 2), (6, 0), (6, 0), (7, 0x40)]
        var isDone = false
        keyboard.play(keyboard.typing(strokes, rate: 50)) { _ in isDone = true }
        hid.host.clock.advance(by: 90 * millisecond)
        #expect(isDone && keyboard.main.isAtRest)
        #expect(
            brief(hid.take()) == [
                [2, 0, 0], [2, 4, 0], [2, 0, 0], [2, 5, 0], [2, 0, 0], [0, 0, 0], [0, 6, 0], [0, 0, 0], [0, 6, 0],
                [0, 0, 0], [0x40, 0, 0], [0x40, 7, 0], [0x40, 0, 0], [0, 0, 0],
            ])
    }

    @Test("the rate is kept, key by key", arguments: [1.0, 50, 1000])
    func rate(keys: Double) throws {
        let (hid, keyboard) = try make()
        let period = UInt64(1e9 / keys)
        keyboard.play(keyboard.typing(Array(repeating: (4, 0), count: 3), rate: keys)) { _ in }
        #expect(hid.take().count == 1)
        hid.host.clock.advance(by: period / 2)
        #expect(hid.take().count == 1)
        hid.host.clock.advance(by: period / 2 - 1)
        #expect(hid.take().isEmpty)
        hid.host.clock.advance(by: 1)
        #expect(hid.take().count == 1)
    }

    @Test("typing leaves alone what was pressed before")
    func held() throws {
        let (hid, keyboard) = try make()
        keyboard.main.press(0xe4)
        keyboard.play(keyboard.typing([(4, 2)], rate: 1000)) { _ in }
        hid.host.clock.advance(by: 5 * millisecond)
        #expect(brief(hid.take()) == [[0x10, 0, 0], [0x12, 0, 0], [0x12, 4, 0], [0x12, 0, 0], [0x10, 0, 0]])
    }

    @Test("a key that is held when the text needs it is let go of first, and is up afterwards")
    func heldKey() throws {
        let (hid, keyboard) = try make()
        keyboard.main.press(4)
        keyboard.main.press(7)
        _ = hid.take()
        keyboard.play(keyboard.typing([(4, 0), (5, 0)], rate: 1000)) { _ in }
        hid.host.clock.advance(by: 5 * millisecond)
        #expect(brief(hid.take()) == [[0, 7, 0], [0, 7, 4], [0, 7, 0], [0, 7, 5], [0, 7, 0]])
    }

    @Test("a script that fails brings back the keys that were held before, those on both interfaces")
    func heldBefore() throws {
        let (hid, keyboard) = try make()
        keyboard.press(.keyboard(0xe1))
        keyboard.press(.mute)
        let held = try #require(hid.take(2).last)
        _ = hid.take()
        hid.stopPolling()
        keyboard.play(keyboard.tapping([try KeyChord(parsing: "a+volumeup")], hold: .zero)) { _ in }
        #expect(hid.read() == [2, 0, 4, 0, 0, 0, 0, 0])
        hid.host.clock.advance(by: 3000 * millisecond)
        #expect(hid.read() == [2, 0, 0, 0, 0, 0, 0, 0] && hid.getReport(1, 1, interface: 1) == held)
    }

    @Test("media keys that nobody asks for do not hold up what is typed")
    func unreadMedia() throws {
        let (hid, keyboard) = try make()
        hid.stopPolling()
        keyboard.press(.mute)
        keyboard.release(.mute)
        hid.poll(1)
        var outcome: Result<Void, InputScriptError>?
        keyboard.play(keyboard.typing([(4, 0)], rate: 1000)) { outcome = $0 }
        hid.host.clock.advance(by: 5 * millisecond)
        #expect(throws: Never.self) { try #require(outcome).get() }
        #expect(brief(hid.take()) == [[0, 4, 0], [0, 0, 0]])
    }

    @Test("keys are let go of when nobody fetches the reports")
    func failure() throws {
        let (hid, keyboard) = try make()
        hid.stopPolling()
        var outcome: Result<Void, InputScriptError>?
        keyboard.play(keyboard.typing([(4, 2), (5, 2)], rate: 50)) { outcome = $0 }
        hid.host.clock.advance(by: 3000 * millisecond)
        #expect(throws: InputScriptError.notFetched(done: 0, of: 6, after: .seconds(3))) { try #require(outcome).get() }
        #expect(keyboard.main.isAtRest && hid.read() == [0, 0, 0, 0, 0, 0, 0, 0] && hid.read() == nil)
    }

    @Test("a text of nothing is typed at once, and no rate traps", arguments: [0, -1, 1e-300, 1e300, .infinity, .nan])
    func extremes(rate: Double) throws {
        let (hid, keyboard) = try make()
        var isDone = false
        keyboard.play(keyboard.typing([], rate: rate)) { _ in isDone = true }
        #expect(isDone)
        keyboard.play(keyboard.typing([(4, 0)], rate: rate)) { _ in }
        #expect(hid.take().first?[2] == 4)
    }
}
