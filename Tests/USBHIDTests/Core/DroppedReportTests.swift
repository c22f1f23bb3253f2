import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

/// Hosts that have seen something go down, and have not fetched the report of its going up.
@Suite("Reports that are dropped")
struct DroppedReportTests {
    @Test("a key of which only the press was fetched is told of as up")
    func keyboard() throws {
        let keyboard = Keyboard(KeyboardFunction(hasRollover: false), media: MediaFunction())
        let hid = try HIDTestHost(keyboard.functions)
        #expect(hid.setIdle(0))
        keyboard.play(keyboard.tapping([KeyChord([.keyboard(4), .mute])], hold: .zero)) { _ in }
        #expect(hid.read(1) == [0, 0, 4, 0, 0, 0, 0, 0])
        let mute = try #require(hid.read(2))
        hid.host.clock.advance(by: 4000 * millisecond)
        #expect(hid.read(1) == [0, 0, 0, 0, 0, 0, 0, 0] && hid.read(1) == nil)
        #expect(hid.read(2)?.first == mute.first && hid.getReport(1, 1, interface: 1) != mute && hid.read(2) == nil)
    }

    @Test("buttons of a mouse as well, and movements are not told again")
    func mouse() throws {
        let mouse = Mouse(highResolution: false)
        let host = try PointerHost(mouse, asking: false)
        mouse.play([.click(.left)])
        #expect(host.host.read(.in(1), 64)?.data == [1, 0, 0, 0, 0, 0, 0])
        host.run(milliseconds: 4000)
        #expect(host.host.read(.in(1), 64)?.data == [0, 0, 0, 0, 0, 0, 0])
        mouse.play([.move(dx: 5, dy: 0), .move(dx: 6, dy: 0)])
        #expect(host.host.read(.in(1), 64)?.data == [0, 5, 0, 0, 0, 0, 0])
        host.run(milliseconds: 4000)
        _ = host.take()
        host.ask()
        #expect(host.take().isEmpty)
    }

    @Test("sticks and buttons of a gamepad as well")
    func gamepad() throws {
        let pad = Gamepad()
        let host = try PointerHost(pad, asking: false)
        pad.play([.init { ($0.buttons, $0.leftX) = (.a, 1) }, .init { $0 = GamepadState() }])
        #expect(host.host.read(.in(1), 64)?.data.first == 1)
        host.run(milliseconds: 4000)
        _ = host.take()
        host.ask()
        #expect(host.take() == [[0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    }

    @Test("contacts of a touchscreen are lifted one by one, not only left out")
    func touch() throws {
        var configuration = Touchscreen.Configuration()
        configuration.contacts = 2
        let screen = Touchscreen(configuration)
        let host = try PointerHost(screen, asking: false)
        let contact = TouchContact(TouchPoint(x: 1, y: 0))
        screen.play(
            TouchGesture.tap([(0, contact), (1, contact)], hold: .milliseconds(5)), completion: host.completion)
        #expect(host.host.read(.in(1), 64)?.data.last == 2)
        host.run(milliseconds: 4000)
        #expect(host.results.first?.error == .notFetched(done: 1, of: 2, after: .seconds(3)))
        _ = host.take()
        host.ask()
        let frames = try host.take().map { try host.values($0) }
        #expect(frames.count == 1 && frames[0][.contactCount] == [2] && frames[0][.tipSwitch] == [0, 0])
        #expect(frames[0][.contactIdentifier] == [0, 1] && frames[0][.x] == [32_767, 32_767])
    }

    @Test("a key that went up during a reset is up for the host that configures the device then", arguments: [0, 1])
    func reset(form: UInt16) throws {
        let keyboard = KeyboardFunction(hasRollover: false)
        let hid = try HIDTestHost([keyboard])
        #expect(hid.setIdle(0) && hid.setProtocol(form))
        keyboard.press(4)
        #expect(hid.read() == [0, 0, 4, 0, 0, 0, 0, 0])
        keyboard.release(4)
        hid.device.reset(.port)
        try hid.configure()
        #expect(hid.read() == [0, 0, 0, 0, 0, 0, 0, 0] && hid.read() == nil)
        hid.device.reset(.port)
        try hid.configure()
        #expect(hid.read() == nil, "what the host knows is not told again")
    }

    @Test("what is held is told of after a reset, and a host that has gone leaves nothing to be told")
    func held() throws {
        let (mouse, pad) = (Mouse(highResolution: false), Gamepad())
        let hid = try HIDTestHost([mouse, pad])
        mouse.play([.press(.left)])
        pad.play([.init { $0.buttons = .b }])
        #expect(hid.read(1)?.first == 1 && hid.read(2)?.first == 2)
        hid.device.reset(.port)
        try hid.configure()
        #expect(hid.read(1)?.first == 1 && hid.read(2)?.first == 2)
        hid.device.disconnect()
        hid.device.connect()
        try hid.configure()
        #expect(hid.read(1) == nil && hid.read(2) == nil)
    }

    @Test("a function may say itself what is to be told")
    func correction() throws {
        let probe = ProbeFunction.withIDs()
        let hid = try HIDTestHost([probe])
        let link = try #require(probe.link)
        for corrects in [false, true] {
            probe.corrects = corrects
            link.send([2, 99])
            #expect(hid.read() == [2, 99])
            try hid.configure()
            #expect(hid.read() == (corrects ? [2, 20] : nil) && hid.read() == nil)
        }
    }
}
