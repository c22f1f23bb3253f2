import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("A tablet")
struct TabletTests {
    @Test("describes absolute axes and as many buttons as it is given, 3 to 5", arguments: [(0, 3), (4, 4), (9, 5)])
    func descriptor(asked: Int, has: Int) throws {
        let tablet = Tablet(buttons: asked)
        let report = try #require(try PointerHost(tablet).layout.report(.input, id: 0))
        #expect(tablet.buttonCount == has && report.byteCount == 6 && tablet.interface.boot == .none)
        #expect(report.fields.first?.count == has)
        #expect(report.fields.contains { $0.usages == [UsageRange(.x), UsageRange(.y)] && $0.logical == 0...32_767 })
    }

    @Test("goes where it is told, and no farther than the edge")
    func move() throws {
        let tablet = Tablet()
        let host = try PointerHost(tablet)
        tablet.play([.move(x: 16_384, y: 1)], completion: host.completion)
        tablet.play([.move(x: .max, y: .min)])
        #expect(host.take() == [[0, 0, 0x40, 1, 0, 0], [0, 0xff, 0x7f, 0, 0, 0]])
        #expect(tablet.place == (32_767, 0) && host.results.count == 1)
        #expect(host.getReport(.input, 0) == [0, 0xff, 0x7f, 0, 0, 0])
        #expect(host.getReport(.feature, 0) == nil && !host.setReport(.output, 0, [1]))
        #expect(host.host.violations.isEmpty)
    }

    @Test("takes a straight line when it is given time")
    func line() throws {
        let tablet = Tablet()
        let host = try PointerHost(tablet)
        tablet.play([.move(x: 100, y: 200), .move(x: 0, y: 300, over: .milliseconds(32))], completion: host.completion)
        host.run(milliseconds: 31)
        #expect(host.times == [0, 8, 16, 24] && host.results.isEmpty)
        host.run(milliseconds: 1)
        let places = try host.take().map { try host.values($0) }.map { [$0[.x]?[0], $0[.y]?[0]] }
        #expect(places == [[100, 200], [75, 225], [50, 250], [25, 275], [0, 300]])
        #expect(host.results.count == 1)
    }

    @Test("a place that is left open is where it is when its turn has come")
    func openPlace() throws {
        let tablet = Tablet()
        let host = try PointerHost(tablet)
        tablet.play([.move(x: 100, y: 100, over: .milliseconds(16))])
        tablet.play([.move(x: nil, y: 7)])
        tablet.play([.move(x: 0, y: nil, over: .milliseconds(16))])
        host.run()
        let places = try host.take().map { try host.values($0) }.map { [$0[.x]?[0], $0[.y]?[0]] }
        #expect(places == [[50, 50], [100, 100], [100, 7], [50, 7], [0, 7]])
    }

    @Test("drags and clicks where it is, with the buttons it has")
    func buttons() throws {
        let tablet = Tablet(buttons: 3)
        let host = try PointerHost(tablet)
        tablet.play([
            .move(x: 1, y: 1), .press([.left, .back]), .move(x: 2, y: 2), .release(.left), .click(.right, count: 1),
        ])
        host.run()
        #expect(host.take().map { [$0[0], $0[1]] } == [[0, 1], [1, 1], [1, 2], [0, 2], [2, 2], [0, 2]])
        tablet.play([.press(.middle)])
        host.host.device.disconnect()
        #expect(tablet.buttons.isEmpty)
    }

    @Test("turns its wheel as far as asked")
    func wheel() throws {
        let tablet = Tablet()
        let host = try PointerHost(tablet)
        tablet.play([.scroll(wheel: -1), .scroll(wheel: 128), .scroll(wheel: .max)])
        let turns = host.take().map { Int(Int8(bitPattern: $0[5])) }
        #expect(Array(turns.prefix(3)) == [-1, 64, 64])
        #expect(turns.dropFirst(3).reduce(0, +) == 10_000)
    }

    @Test("lets go again when the host does not ask")
    func unheard() throws {
        let tablet = Tablet()
        let host = try PointerHost(tablet, asking: false)
        tablet.play([.press(.left)], completion: host.completion)
        host.run(milliseconds: 4_000)
        #expect(host.results.first?.error == .notFetched(done: 0, of: 1, after: .seconds(3)))
        #expect(tablet.buttons.isEmpty)
        let other = Tablet()
        other.play([.press(.left)]) { #expect($0.error == .notConfigured) }
    }
}
