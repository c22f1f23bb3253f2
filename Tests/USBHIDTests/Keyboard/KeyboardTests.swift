import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("Keyboard")
struct KeyboardTests {
    private func make(
        rollover: Bool = true, out: Bool = false, idle: UInt8 = 0
    ) throws -> (HIDTestHost, Keyboard) {
        let keyboard = Keyboard(
            KeyboardFunction(hasRollover: rollover, hasOutEndpoint: out), media: MediaFunction())
        let hid = try HIDTestHost(keyboard.functions)
        #expect(hid.setIdle(idle))
        hid.poll(1)
        hid.poll(2)
        return (hid, keyboard)
    }

    /// The keys that a report of the report protocol says are down.
    private func keys(_ report: [UInt8], rollover: Bool = true) throws -> Set<Usage> {
        let layout = try KeyboardFunction.reportDescriptor(hasRollover: rollover).layout()
        let values = try #require(layout.report(.input, id: 0)).decode(report)
        return Set(values.filter { $0.1 != 0 }.map(\.0))
    }

    private func mediaKeys(_ report: [UInt8]) throws -> Set<Usage> {
        let layout = try MediaFunction.reportDescriptor.layout()
        let values = try #require(layout.report(.input, of: report)).decode(report)
        return Set(values.filter { $0.1 != 0 }.map(\.0))
    }

    @Test("its report descriptors are without fault", arguments: [true, false])
    func descriptors(rollover: Bool) throws {
        #expect(KeyboardFunction.reportDescriptor(hasRollover: rollover).issues.isEmpty)
        let layout = try KeyboardFunction.reportDescriptor(hasRollover: rollover).layout()
        #expect(layout.report(.input, id: 0)?.byteCount == (rollover ? 29 : 8))
        #expect(layout.report(.output, id: 0)?.byteCount == 1 && layout.applications == [.keyboard])
        #expect(MediaFunction.reportDescriptor.issues.isEmpty)
    }

    @Test("is a boot keyboard, with media keys on an interface of their own")
    func interfaces() throws {
        let (hid, _) = try make()
        #expect(hid.device.identity.interfaces == [.init(3, 1, 1), .init(3, 0, 0)])
    }

    @Test("every key of the page is a bit of its own, any number at once")
    func rollover() throws {
        let (hid, keyboard) = try make()
        let usages = Array(0x04...0xdd) + Array(0xe0...0xe7) as [UInt8]
        for usage in usages { keyboard.main.press(usage) }
        let reports = hid.take()
        #expect(reports.count == usages.count)
        for (index, report) in reports.enumerated() {
            #expect(try keys(report) == Set(usages[...index].map { Usage.keyboard($0) }))
        }
        for usage in usages { keyboard.main.release(usage) }
        #expect(try keys(try #require(hid.take().last)).isEmpty && keyboard.main.isAtRest)
    }

    @Test("what changes nothing sends nothing")
    func unchanged() throws {
        let (hid, keyboard) = try make()
        keyboard.main.press(0x04)
        keyboard.main.press(0x04)
        keyboard.main.release(0x05)
        for usage in [0x00, 0x01, 0x03, 0xde, 0xdf, 0xe8, 0xff] as [UInt8] { keyboard.main.press(usage) }
        #expect(hid.take().count == 1)
        keyboard.releaseAll()
        keyboard.releaseAll()
        #expect(hid.take().count == 1)
    }

    @Test("in the boot protocol reports have eight bytes and up to six keys, and roll-over errors beyond")
    func boot() throws {
        let (hid, keyboard) = try make()
        #expect(hid.setProtocol(0) && hid.getReport(1) == [0, 0, 0, 0, 0, 0, 0, 0])
        keyboard.main.press(0xe1)
        for usage in 0x04...0x0a as ClosedRange<UInt8> { keyboard.main.press(usage) }
        keyboard.main.release(0x06)
        let reports = hid.take()
        #expect(reports.first == [2, 0, 0, 0, 0, 0, 0, 0])
        #expect(reports[6] == [2, 0, 4, 5, 6, 7, 8, 9])
        #expect(reports[7] == [2, 0, 1, 1, 1, 1, 1, 1], "seven keys: ErrorRollOver, modifiers as they are")
        #expect(reports[8] == [2, 0, 4, 5, 7, 8, 9, 10])
        #expect(hid.setProtocol(1) && hid.getReport(1)?.count == 29)
        #expect(
            try keys(try #require(hid.getReport(1)))
                == Set(([4, 5, 7, 8, 9, 10, 0xe1] as [UInt8]).map { .keyboard($0) }))
    }

    @Test("without rollover both protocols have the boot report, with every key in reach")
    func sixKeys() throws {
        let (hid, keyboard) = try make(rollover: false)
        keyboard.main.press(0xe6)
        keyboard.main.press(0x89)
        let report = try #require(hid.take().last)
        #expect(report == [0x40, 0, 0x89, 0, 0, 0, 0, 0])
        #expect(try keys(report, rollover: false) == [.keyboard(0xe6), .keyboard(0x89)])
        #expect(hid.setProtocol(0) && hid.getReport(1) == report)
    }

    @Test("an idle rate repeats a held key")
    func idle() throws {
        let (hid, keyboard) = try make(idle: 10)
        keyboard.main.press(0x04)
        hid.host.clock.advance(by: 80 * millisecond)
        let reports = hid.take()
        #expect(reports.count == 3 && Set(reports).count == 1)
    }

    @Test("lamps follow the host, by request and by endpoint, and go out with a reset")
    func lamps() throws {
        let (hid, keyboard) = try make(out: true)
        var seen: [[String]] = []
        keyboard.main.onLEDs = { seen.append($0.names) }
        #expect(hid.setReport(2, 0, [0x02]) && hid.getReport(2) == [0x02])
        #expect(hid.setReport(2, 0, [0x02]), "no change, no word")
        #expect(hid.host.write(.out(1), [0xe5])?.status == .success)
        #expect(keyboard.main.leds == [.numLock, .scrollLock] && hid.getReport(2) == [0x05])
        #expect(!hid.setReport(2, 0, [1, 2]) && !hid.setReport(2, 0, []) && !hid.setReport(2, 1, [1]))
        #expect(!hid.setReport(1, 0, [1]) && !hid.setReport(3, 0, [1]) && !hid.setReport(2, 0, [1], interface: 1))
        hid.device.reset(.port)
        #expect(seen == [["caps"], ["num", "scroll"], []])
    }

    @Test("media and power keys are bits on an interface of their own")
    func media() throws {
        let (hid, keyboard) = try make()
        for name in ["volumeup", "mute", "keyboardlayout", "power", "wakeup"] {
            keyboard.press(try #require(KeyNames.key(name)))
        }
        let down = hid.take(2)
        #expect(down.map { $0[0] } == [1, 1, 1, 2, 2] && hid.take(1).isEmpty)
        #expect(try mediaKeys(down[2]) == [.volumeIncrement, .mute, .consumer(0x29d)])
        #expect(try mediaKeys(down[4]) == [.systemPowerDown, .systemWakeUp])
        keyboard.release(.mute)
        #expect(try mediaKeys(try #require(hid.getReport(1, 1, interface: 1))) == [.volumeIncrement, .consumer(0x29d)])
        keyboard.releaseAll()
        #expect(hid.take(2).suffix(2).allSatisfy { $0.dropFirst().allSatisfy { $0 == 0 } })
        #expect(hid.getReport(1, 3, interface: 1) == nil && hid.getReport(2, 1, interface: 1) == nil)
    }

    @Test("a key that is down when the device is configured anew is told of; unplugged, all are up")
    func held() throws {
        let (hid, keyboard) = try make()
        keyboard.main.press(0x04)
        hid.device.reset(.port)
        try hid.configure()
        #expect(try keys(try #require(hid.read())) == [.keyboard(0x04)])
        hid.device.disconnect()
        #expect(keyboard.main.isAtRest)
    }

    @Test("without a host keys change the state alone")
    func withoutHost() throws {
        let keyboard = Keyboard(KeyboardFunction(), media: nil)
        keyboard.main.press(0x04)
        keyboard.press(.volumeIncrement)
        #expect(!keyboard.main.isAtRest && !keyboard.has(.volumeIncrement) && keyboard.has(.keyboard(4)))
        var result: Result<Void, InputScriptError>?
        keyboard.play(keyboard.pressing([KeyChord([.keyboard(5)])])) { result = $0 }
        #expect(throws: InputScriptError.notConfigured) { try #require(result).get() }
    }
}
