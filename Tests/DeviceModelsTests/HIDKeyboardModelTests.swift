import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import KeyboardLayouts
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("keyboard")
struct HIDKeyboardModelTests {
    /// A polled keyboard whose reports have the boot form.
    private func typist(_ keys: String = "") throws -> HIDUnderControl {
        let keyboard = try HIDUnderControl("keyboard:nkro=no\(keys)")
        try #require(keyboard.host.control(.init(requestType: 0x21, request: 10))?.status == .success)
        keyboard.poll(1)
        return keyboard
    }

    /// The keys that went down in reports of the boot form, each with the modifiers that were held.
    private func strokes(_ reports: [[UInt8]]) -> [KeyStroke] {
        var strokes: [KeyStroke] = []
        var before: [UInt8] = []
        for report in reports {
            let down = report[2...].filter { $0 != 0 }
            strokes += down.filter { !before.contains($0) }.map { KeyStroke(usage: $0, modifiers: report[0]) }
            before = Array(down)
        }
        return strokes
    }

    @Test("by default is a full-speed keyboard with media keys, asked each millisecond")
    func byDefault() throws {
        let keyboard = try HIDUnderControl("keyboard")
        let identity = keyboard.device.identity
        #expect(identity.speed == .full && identity.vendorID == 0x1209 && identity.productID == 0x6b62)
        #expect(identity.interfaces == [.init(3, 1, 1), .init(3, 0, 0)])
        #expect(identity.name == "Ghostplug Virtual Keyboard")
        let configuration = try #require(keyboard.device.gadget.description.configurations.first)
        #expect(configuration.interface(0)?.endpoints.map(\.interval) == [1] && !configuration.supportsRemoteWakeup)
        #expect(keyboard.made.actions.map(\.summary.name) == ["type", "key", "leds"])
    }

    @Test("takes its shape and its identity from its keys")
    func keys() throws {
        let keyboard = try HIDUnderControl(
            "keyboard:speed=high,interval=0.5,media=no,out-endpoint,remote-wakeup,country=9,vid=046d,pid=c31c,"
                + "vendor=Acme,product=Board,serial=S-1")
        let description = keyboard.device.gadget.description
        #expect(keyboard.device.identity.name == "Acme Board" && keyboard.device.identity.vendorID == 0x046d)
        #expect(description.strings[description.device.serialNumberIndex] == "S-1")
        let configuration = try #require(description.configurations.first)
        #expect(configuration.supportsRemoteWakeup && configuration.interfaceNumbers == [0])
        let setting = try #require(configuration.interface(0))
        #expect(setting.endpoints.map(\.address) == [.in(1), .out(1)] && setting.endpoints.map(\.interval) == [3, 3])
        #expect(setting.descriptors.first?.body[2] == 9)
        let slow = try HIDUnderControl("keyboard:speed=low").device.gadget.description.configurations.first
        #expect(slow?.interface(0)?.endpoints.map(\.interval) == [10])
        #expect(slow?.interface(0)?.endpoints.map(\.packetSize) == [8])
    }

    @Test(
        "refuses what cannot be, naming the key",
        arguments: [
            "interval=0", "interval=0.5", "interval=256", "interval=x", "interval=nan", "speed=super", "nkro=maybe",
            "country=36", "layout=nolayout", "layout=", "vid=x", "product=", "remote-wakeup=2",
        ])
    func refused(option: String) throws {
        #expect(try HIDUnderControl.refusal("keyboard:\(option)").key == String(option.prefix { $0 != "=" }))
    }

    @Test("at low speed it is asked every 10 ms at most")
    func lowSpeed() throws {
        #expect(try HIDUnderControl.refusal("keyboard:speed=low,interval=9").key == "interval")
        _ = try HIDUnderControl("keyboard:speed=low,interval=10")
    }

    @Test("types a text with the keys that the layout says, and counts them", arguments: ["us", "de", "fr"])
    func types(layout: String) throws {
        let keyboard = try typist(",layout=\(layout)")
        let text = "Zyx, 42% \"Az\"\n"
        let expected = try KeyboardLayout(layout).strokes(for: text)
        let number = try keyboard.ask("type", [("text", .string(text))])
        keyboard.advance(milliseconds: 20 * UInt64(expected.count))
        let answer = try keyboard.answer(number)
        #expect(answer["characters"] == .number(text.count) && answer["keys"] == .number(expected.count))
        let reports = keyboard.take()
        #expect(strokes(reports) == expected && reports.last == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("the letters of the US layout are the ones everybody knows")
    func letters() throws {
        let keyboard = try typist()
        let number = try keyboard.ask("type", [("text", .string("aB!")), ("rate", .number(1000))])
        keyboard.advance(milliseconds: 10)
        #expect(keyboard.isAnswered(number))
        let seen = strokes(keyboard.take())
        #expect(seen.map(\.usage) == [0x04, 0x05, 0x1e])
        #expect(seen.map { $0.modifiers & 0x22 != 0 } == [false, true, true])
    }

    @Test("another layout and another rate can be asked for")
    func options() throws {
        let keyboard = try typist()
        let number = try keyboard.ask(
            "type", [("text", .string("zz")), ("layout", .string("de")), ("rate", .number(2))])
        #expect(strokes(keyboard.take()).map(\.usage) == [0x1c], "where US keyboards have their Y")
        keyboard.advance(milliseconds: 749)
        #expect(!keyboard.isAnswered(number))
        keyboard.advance(milliseconds: 1)
        #expect(keyboard.isAnswered(number))
    }

    @Test("a text that the layout cannot type is refused whole, naming the character")
    func untypable() throws {
        let keyboard = try typist()
        let error = try keyboard.error(try keyboard.ask("type", [("text", .string("abc語"))]))
        #expect(error.key == "text" && error.isMistake && error.description.contains("語"))
        #expect(keyboard.take().isEmpty)
        let layout = try keyboard.error(
            try keyboard.ask("type", [("text", .string("a")), ("layout", .string("nolayout"))]))
        #expect(layout.key == "layout")
    }

    @Test("arguments out of range are refused")
    func wrong() throws {
        let keyboard = try typist()
        func error(_ name: String, _ arguments: [(String, JSON)]) throws -> String? {
            try keyboard.error(try keyboard.ask(name, arguments)).key
        }
        #expect(try error("type", []) == "text")
        #expect(try error("type", [("text", .string("a")), ("rate", .number(0))]) == "rate")
        #expect(try error("type", [("text", .string("a")), ("rate", .number(1001))]) == "rate")
        #expect(try error("type", [("text", .string(String(repeating: "a", count: 100_001)))]) == "text")
        #expect(try error("key", []) == "keys" && error("key", [("keys", .string(" "))]) == "keys")
        #expect(try error("key", [("keys", .string("a b c entre"))]) == "keys")
        #expect(try error("key", [("keys", .string("a")), ("hold", .number(601))]) == "hold")
        #expect(
            try error("key", [("keys", .string("a")), ("hold", .number(1)), ("action", .string("press"))]) == "hold")
        #expect(try error("key", [("keys", .string("a")), ("action", .string("smash"))]) == "action")
        #expect(try error("key", [("keys", .array(Array(repeating: .string("a"), count: 1001)))]) == "keys")
        #expect(keyboard.take().isEmpty)
    }

    @Test("presses chords, several in a row, as text or as a list")
    func chords() throws {
        let keyboard = try typist()
        let forms: [JSON] = [.string("ctrl+a x"), .string("ctrl+a,x"), .array([.string("ctrl+a"), .string("x")])]
        for keys in forms {
            let number = try keyboard.ask("key", [("keys", keys)])
            keyboard.advance(milliseconds: 100)
            #expect(try keyboard.answer(number)["keys"] == .number(3))
            #expect(strokes(keyboard.take()) == [KeyStroke(usage: 4, modifiers: 1), KeyStroke(usage: 0x1b)])
        }
    }

    @Test("holds a key for its time, or until it is let go of")
    func hold() throws {
        let keyboard = try typist()
        let number = try keyboard.ask("key", [("keys", .string("a")), ("hold", .string("1.5"))])
        keyboard.advance(milliseconds: 1_499)
        #expect(keyboard.take().count == 1 && !keyboard.isAnswered(number))
        keyboard.advance(milliseconds: 1)
        #expect(keyboard.take().count == 1 && keyboard.isAnswered(number))

        try keyboard.ask("key", [("keys", .string("shift+a")), ("action", .string("press"))])
        keyboard.advance(milliseconds: 60_000)
        #expect(keyboard.take().map { [$0[0], $0[2]] } == [[2, 0], [2, 4]])
        try keyboard.ask("key", [("keys", .string("shift+a")), ("action", .string("release"))])
        #expect(keyboard.take().map { [$0[0], $0[2]] } == [[2, 0], [0, 0]])
    }

    @Test("media keys are on the second interface, where the keyboard has them")
    func media() throws {
        let keyboard = try typist()
        keyboard.poll(2)
        try keyboard.ask("key", [("keys", .string("volumeup power"))])
        keyboard.advance(milliseconds: 100)
        #expect(keyboard.take(1).isEmpty && keyboard.take(2).map { $0[0] } == [1, 1, 2, 2])
        let plain = try typist(",media=no")
        let error = try plain.error(try plain.ask("key", [("keys", .string("volumeup"))]))
        #expect(error.description == "this keyboard has no volumeup key: it was made with media=no")
    }

    @Test("actions follow one another and do not mix")
    func queued() throws {
        let keyboard = try typist()
        try keyboard.ask("type", [("text", .string("ab"))])
        let last = try keyboard.ask("type", [("text", .string("cd"))])
        keyboard.advance(milliseconds: 100)
        #expect(keyboard.isAnswered(last) && strokes(keyboard.take()).map(\.usage) == [4, 5, 6, 7])
    }

    @Test("without a host, or with one that does not ask, an action says what to do")
    func nobody() throws {
        let alone = try HIDUnderControl("keyboard", isConfigured: false)
        let first = try alone.error(try alone.ask("type", [("text", .string("a"))]))
        #expect(!first.isMistake)
        #expect(
            first.description
                == "no host has configured it yet; 'ghostplug ctl wait BUSID configured' waits for one")
        try alone.configure()
        let number = try alone.ask("type", [("text", .string("a"))])
        alone.advance(milliseconds: 3000)
        #expect(
            try alone.error(number).description
                == "no program there has it open: the host has not asked for a report for 3 seconds, after 0 of 2 steps"
        )
        // That nothing is down, and then that the key is.
        let half = try alone.ask("key", [("keys", .string("b"))])
        #expect(alone.host.read(.in(1), 64)?.status == .success && alone.host.read(.in(1), 64)?.status == .success)
        alone.advance(milliseconds: 4000)
        #expect(try alone.error(half).description.hasPrefix("the host has stopped asking for reports: "))
        let pulled = try alone.ask("key", [("keys", .string("b"))])
        alone.device.disconnect()
        #expect(try alone.error(pulled).description.contains("after 0 of 2 steps"))
    }

    @Test("lamps are told of when they change, and when asked for")
    func lamps() throws {
        let keyboard = try HIDUnderControl("keyboard")
        #expect(keyboard.setReport(2, 0, [0x03]) && keyboard.setReport(2, 0, [0x03]))
        let events = keyboard.events()
        #expect(events.map(\.kind) == ["leds"])
        let told = JSON.object(try #require(events.first).members)
        #expect(told["on"] == .array([.string("num"), .string("caps")]) && told["caps"] == .bool(true))
        #expect(told["scroll"] == .bool(false))
        #expect(try keyboard.answer(try keyboard.ask("leds")) == told)
    }
}
