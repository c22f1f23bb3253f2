import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("A touchscreen")
struct TouchscreenTests {
    private func screen(contacts: Int = 2) -> Touchscreen {
        var configuration = Touchscreen.Configuration()
        configuration.contacts = contacts
        configuration.width = 100
        configuration.height = 50
        return Touchscreen(configuration)
    }

    private func contact(_ x: Double, _ y: Double) -> TouchContact { TouchContact(TouchPoint(x: x, y: y)) }

    @Test("describes a finger for each contact, its size, and the most contacts", arguments: 1...10)
    func descriptor(contacts: Int) throws {
        let host = try PointerHost(screen(contacts: contacts))
        let report = try #require(host.layout.report(.input, id: 1))
        #expect(host.layout.applications == [.touchScreen])
        #expect(report.byteCount == 1 + 11 * contacts + 3)
        let x = report.fields.filter { $0.usages == [UsageRange(.x)] }
        #expect(x.count == contacts && x.allSatisfy { $0.collections == [.touchScreen, .finger] })
        #expect(x.allSatisfy { $0.physical == 0...100 && $0.unit == .centimeter && $0.unitExponent == -1 })
        #expect(host.getReport(.feature, 2) == [2, UInt8(contacts)])
        #expect(host.getReport(.feature, 1) == nil && host.getReport(.output, 1) == nil)
        #expect(!host.setReport(.feature, 2, [2, 1]))
    }

    @Test("keeps its configuration within what can be")
    func configuration() {
        var configuration = Touchscreen.Configuration()
        configuration.contacts = 99
        configuration.width = .min
        configuration.height = .max
        let screen = Touchscreen(configuration)
        #expect(screen.configuration.contacts == 10 && screen.configuration.width == 10)
        #expect(screen.configuration.height == 10_000 && screen.interface.reportDescriptor.issues.isEmpty)
    }

    @Test("tells of a tap: where, how wide, how hard, and that it is over")
    func tap() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        screen.play(TouchGesture.tap([(0, contact(0.5, 1))], hold: .milliseconds(5)), completion: host.completion)
        host.run(milliseconds: 5)
        let time = UInt16(truncatingIfNeeded: 5_000_000_000 / 100_000)
        let unused = [UInt8](repeating: 0, count: 11)
        let reports = host.take()
        #expect(reports.count == 2 && host.results.count == 1)
        // 8 of 100 mm are 2621 of 32767, on both axes.
        #expect(
            reports.first == [1, 3, 0, 0x00, 0x40, 0xff, 0x7f, 0x3d, 0x0a, 0x3d, 0x0a, 128] + unused
                + [UInt8(time & 0xff), UInt8(time >> 8), 1])
        #expect(
            reports.last == [1, 2, 0, 0x00, 0x40, 0xff, 0x7f, 0, 0, 0, 0, 0] + unused
                + [UInt8((time + 50) & 0xff), UInt8((time + 50) >> 8), 1])
        #expect(host.host.violations.isEmpty)
    }

    @Test("tells of what still touches every 10 ms, with the time of each scan, and of nothing else")
    func refresh() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        host.run(milliseconds: 100)
        #expect(host.take().isEmpty)
        screen.play([TouchFrame([.down(1, contact(0, 0))])])
        host.run(milliseconds: 35)
        #expect(host.times == [100, 110, 120, 130])
        let scans = try host.take().map { try host.values($0)[.scanTime]?[0] ?? 0 }
        #expect(zip(scans, scans.dropFirst()).allSatisfy { $1 - $0 == 100 })
        screen.play([TouchFrame([.up(1)])])
        host.run(milliseconds: 100)
        #expect(host.take().count == 1)
    }

    @Test("does not pile frames up for a host that does not ask")
    func unfetched() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        screen.play([TouchFrame([.down(0, contact(0, 0))])])
        host.host.cancel(host.host.waiting[0])
        host.run(milliseconds: 1000)
        _ = host.take()
        host.ask()
        #expect(host.take().count == 1)
        host.host.device.disconnect()
        #expect(screen.contacts.isEmpty && host.host.clock.alarmCount == 0)
    }

    @Test("reports every contact of a frame in one report, those that end for the last time")
    func contacts() throws {
        let screen = screen(contacts: 3)
        let host = try PointerHost(screen)
        screen.play([
            TouchFrame([.down(2, contact(0.1, 0.1)), .down(0, contact(0.9, 0.9))]),
            TouchFrame([.move(2, to: TouchPoint(x: 0.2, y: 0.2)), .up(0)]),
            TouchFrame([.up(2), .up(1), .move(0, to: TouchPoint(x: 0, y: 0))]),
        ])
        let frames = try host.take().map { try host.values($0) }
        #expect(frames.map { $0[.contactCount] } == [[2], [2], [1]])
        #expect(frames.map { $0[.contactIdentifier] } == [[0, 2, 0], [0, 2, 0], [2, 0, 0]])
        #expect(frames.map { $0[.tipSwitch] } == [[1, 1, 0], [0, 1, 0], [0, 0, 0]])
        #expect(frames.map { $0[.x]?[0] } == [29_490, 29_490, 6_553])
        #expect(screen.contacts.isEmpty)
        let rest = try #require(host.getReport(.input, 1))
        #expect(try host.values(rest)[.contactCount] == [0])
    }

    @Test("swipes in even steps, and arrives exactly")
    func swipe() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        let line = (id: 0, from: contact(0, 1), to: TouchPoint(x: 0.4, y: 0))
        screen.play(TouchGesture.swipe([line], over: .milliseconds(40)), completion: host.completion)
        host.run(milliseconds: 40)
        #expect(host.results.count == 1)
        // As the script's frames and the repeated ones meet, each place comes once or twice.
        var places: [Int] = []
        for x in try host.take().compactMap({ try host.values($0)[.x]?[0] }) where x != places.last { places.append(x) }
        #expect(places == [0, 3277, 6553, 9830, 13_107])
    }

    @Test("moves a contact from where it is when its turn has come")
    func moving() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        screen.play([TouchFrame([.down(0, contact(0, 0))])])
        screen.play(screen.moving(0, x: 1, y: nil, over: .zero))
        screen.play(screen.moving(0, x: nil, y: 1, over: .zero))
        #expect(screen.contacts[0]?.point == TouchPoint(x: 1, y: 1))
        #expect(try host.take().map { try host.values($0)[.x]?[0] } == [0, 32_767, 32_767])
    }

    @Test("finds the ends of a pinch on a surface that is not square")
    func pinch() throws {
        let center = TouchPoint(x: 0.5, y: 0.5)
        let level = try #require(TouchGesture.ends(around: center, distance: 0.5, angle: 0, aspect: 2))
        #expect(level.0 == TouchPoint(x: 0.25, y: 0.5) && level.1 == TouchPoint(x: 0.75, y: 0.5))
        let upright = try #require(TouchGesture.ends(around: center, distance: 0.5, angle: 90, aspect: 2))
        #expect(abs(upright.0.x - 0.5) < 1e-9 && upright.0.y < 1e-9 && upright.1.y > 1 - 1e-9)
        #expect(TouchGesture.ends(around: center, distance: 0.6, angle: 90, aspect: 2) == nil)
        #expect(TouchGesture.ends(around: center, distance: .nan, angle: .infinity, aspect: 0) == nil)
    }

    @Test("counts the contacts of gestures that go on as taken")
    func free() throws {
        let screen = screen(contacts: 3)
        let host = try PointerHost(screen)
        #expect(screen.freeContacts(3) == [0, 1, 2] && screen.freeContacts(4) == nil)
        screen.play(TouchGesture.tap([(1, contact(0, 0))]))
        #expect(screen.freeContacts(2) == [0, 2])
        host.run(milliseconds: 200)
        #expect(screen.freeContacts(3) == [0, 1, 2])
    }

    @Test("ignores contacts that it does not have, and places that are none")
    func hostile() throws {
        let screen = screen()
        let host = try PointerHost(screen)
        screen.play([
            TouchFrame([
                .down(2, contact(0, 0)), .down(-1, contact(0, 0)), .up(.max), .move(.min, to: .init(x: 0, y: 0)),
            ])
        ])
        #expect(host.take().isEmpty && screen.contacts.isEmpty)
        var strange = contact(.nan, -.infinity)
        strange.size = .infinity
        strange.pressure = -5
        screen.play([TouchFrame([.down(0, strange)])])
        #expect(host.take().first?.prefix(12) == [1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("lifts what it has put down when the host does not ask")
    func unheard() throws {
        let screen = screen()
        let host = try PointerHost(screen, asking: false)
        screen.play(TouchGesture.tap([(0, contact(0, 0))]), completion: host.completion)
        host.run(milliseconds: 5_000)
        #expect(host.results.first?.error == .notFetched(done: 0, of: 2, after: .seconds(3)))
        #expect(screen.contacts.isEmpty && screen.freeContacts(2) != nil)
    }
}
