import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("A mouse")
struct MouseTests {
    @Test("describes five buttons, both axes and both wheels, with and without high resolution")
    func descriptors() throws {
        let fine = try PointerHost(Mouse()).layout
        #expect(fine.applications == [.mouse])
        #expect(fine.report(.input, id: 1)?.byteCount == 10 && fine.report(.feature, id: 1)?.byteCount == 2)
        let multipliers = try #require(fine.report(.feature, id: 1)).fields.filter { !$0.isPadding }
        #expect(multipliers.map(\.physical) == [1...120, 1...120])
        // Each is in a logical collection with the one wheel that it is for.
        #expect(multipliers.allSatisfy { $0.collections == [.mouse, .pointer, .mouse] })

        let plain = try PointerHost(Mouse(highResolution: false)).layout
        #expect(!plain.usesReportIDs && plain.report(.feature, id: 0) == nil)
        #expect(plain.report(.input, id: 0)?.byteCount == 7)
    }

    @Test("moves in one report when that can say it")
    func move() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: 300, dy: -2)], completion: host.completion)
        #expect(host.take() == [[1, 0, 0x2c, 1, 0xfe, 0xff, 0, 0, 0, 0]])
        #expect(host.results.count == 1 && host.results[0].error == nil)
        #expect(host.host.violations.isEmpty)
    }

    @Test("divides what one report cannot say, and the parts add up exactly", arguments: [true, false])
    func split(highResolution: Bool) throws {
        var generator = SeededGenerator(seed: 41)
        for _ in 0..<40 {
            let mouse = Mouse(highResolution: highResolution)
            let host = try PointerHost(mouse)
            let dx = Int.random(in: -1_000_000...1_000_000, using: &generator)
            let dy = Int.random(in: -70_000...70_000, using: &generator)
            mouse.play([.move(dx: dx, dy: dy)])
            let values = try host.take().map { try host.values($0) }
            #expect(values.reduce(0) { $0 + ($1[.x]?[0] ?? 0) } == dx)
            #expect(values.reduce(0) { $0 + ($1[.y]?[0] ?? 0) } == dy)
            #expect(values.count == max(1, (max(abs(dx), abs(dy)) + 32_766) / 32_767))
        }
    }

    @Test("cuts off what is farther than a movement goes")
    func limits() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: .max, dy: .min)])
        let values = try host.take().map { try host.values($0) }
        #expect(values.reduce(0) { $0 + ($1[.x]?[0] ?? 0) } == 1_000_000)
        #expect(values.reduce(0) { $0 + ($1[.y]?[0] ?? 0) } == -1_000_000)
        mouse.play([.scroll(wheel: .nan, tilt: .infinity)])
        #expect(try host.take().allSatisfy { try host.values($0)[.wheel] == [0] })
    }

    @Test("takes the time it is given, in even steps")
    func smooth() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: 100, dy: -3, over: .milliseconds(80))], completion: host.completion)
        host.run(milliseconds: 79)
        #expect(host.results.isEmpty)
        #expect(host.times == [8, 16, 24, 32, 40, 48, 56, 64, 72])
        host.run(milliseconds: 1)
        #expect(host.results.count == 1)
        let values = try host.take().map { try host.values($0) }
        #expect(values.allSatisfy { $0[.x] == [10] })
        #expect(values.compactMap { $0[.y]?[0] }.filter { $0 != 0 } == [-1, -1, -1])
    }

    @Test("clicks as often as asked, as a hand does")
    func click() throws {
        let mouse = Mouse(highResolution: false)
        let host = try PointerHost(mouse)
        mouse.play([.click([.left, .forward], count: 2)], completion: host.completion)
        host.run()
        #expect(host.times == [0, 40, 120, 160])
        #expect(host.take().map { $0[0] } == [0x11, 0, 0x11, 0])
        #expect(mouse.buttons.isEmpty && host.results.count == 1)
    }

    @Test("keeps what is pressed, through movements and until it is let go of")
    func press() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.press(.right)])
        mouse.play([.move(dx: 1, dy: 1)])
        #expect(host.take().map { $0[1] } == [2, 2])
        #expect(host.getReport(.input, 1) == [1, 2, 0, 0, 0, 0, 0, 0, 0, 0])
        mouse.play([.release([.right, .left])])
        #expect(host.take().map { $0[1] } == [0])
        mouse.play([.press(.left)])
        host.host.device.disconnect()
        #expect(mouse.buttons.isEmpty)
    }

    @Test("does what it is told one after the other, never mixed")
    func order() throws {
        let mouse = Mouse(highResolution: false)
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: 2, dy: 0, over: .milliseconds(16))], completion: host.completion)
        mouse.play([.press(.left)], completion: host.completion)
        host.run()
        #expect(host.take().map { [$0[0], $0[1]] } == [[0, 1], [0, 1], [1, 0]])
        #expect(host.results.count == 2)
    }

    // MARK: Wheels

    @Test("turns its wheel in detents, until the host turns high resolution on")
    func multipliers() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        #expect(mouse.wheelCounts == 1 && host.getReport(.feature, 1) == [1, 0])
        mouse.play([.scroll(wheel: -2, tilt: 1)])
        #expect(host.take() == [[1, 0, 0, 0, 0, 0, 0xfe, 0xff, 1, 0]])

        #expect(host.setReport(.feature, 1, [1, 1]))
        #expect(mouse.wheelCounts == 120 && mouse.tiltCounts == 1)
        mouse.play([.scroll(wheel: 0.5, tilt: 1)])
        #expect(host.take() == [[1, 0, 0, 0, 0, 0, 60, 0, 1, 0]])

        #expect(host.setReport(.feature, 1, [1, 0xff]))
        #expect(host.getReport(.feature, 1) == [1, 3])
        // To the nearest part.
        mouse.play([.scroll(wheel: -0.3333, tilt: 1.0 / 240)])
        #expect(host.take() == [[1, 0, 0, 0, 0, 0, 0xd8, 0xff, 1, 0]])

        host.host.device.reset(.inferred)
        #expect(mouse.wheelCounts == 1 && mouse.tiltCounts == 1)
    }

    @Test("divides turns that one report cannot say")
    func longTurns() throws {
        let plain = Mouse(highResolution: false)
        let host = try PointerHost(plain)
        plain.play([.scroll(wheel: -300, tilt: 10)])
        let values = try host.take().map { try host.values($0) }
        #expect(values.map { $0[.wheel]?[0] } == [-100, -100, -100])
        #expect(values.reduce(0) { $0 + ($1[.acPan]?[0] ?? 0) } == 10)

        let fine = Mouse()
        let fineHost = try PointerHost(fine)
        fineHost.setReport(.feature, 1, [1, 3])
        fine.play([.scroll(wheel: 10_000, tilt: 0)])
        let turns = try fineHost.take().map { try fineHost.values($0)[.wheel]?[0] ?? 0 }
        #expect(turns.count == 37 && turns.reduce(0, +) == 1_200_000)
    }

    @Test("turns in what the wheel can say when its turn has come")
    func resolutionMeanwhile() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: 2, dy: 0, over: .milliseconds(16)), .scroll(wheel: 1, tilt: 0)])
        host.setReport(.feature, 1, [1, 1])
        host.run()
        #expect(try host.take().map { try host.values($0)[.wheel]?[0] } == [0, 0, 120])
    }

    @Test("goes any way in the boot protocol, however many reports that takes")
    func farInBoot() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        host.setProtocol(.boot)
        mouse.play([.move(dx: 1_000_000, dy: -3)], completion: host.completion)
        #expect(host.take().reduce(0) { $0 + Int(Int8(bitPattern: $1[1])) } == 1_000_000)
        #expect(host.results.count == 1)
    }

    @Test("refuses reports that it has none of, or that are cut short")
    func hostileReports() throws {
        let fine = try PointerHost(Mouse())
        #expect(!fine.setReport(.feature, 1, [1]))
        #expect(!fine.setReport(.feature, 2, [2, 1]))
        #expect(!fine.setReport(.feature, 1, [2, 1]))
        #expect(!fine.setReport(.feature, 1, [1, 1, 1]))
        #expect(!fine.setReport(.output, 1, [1, 1]))
        #expect(fine.getReport(.output, 1) == nil && fine.getReport(.feature, 2) == nil)
        #expect(fine.getReport(.feature, 1) == [1, 0])
        let plain = try PointerHost(Mouse(highResolution: false))
        #expect(!plain.setReport(.feature, 0, [1]) && plain.getReport(.feature, 0) == nil)
    }

    // MARK: Boot

    @Test("speaks three bytes after SET_PROTOCOL(boot), and its own form again after SET_PROTOCOL(report)")
    func boot() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        #expect(mouse.interface.boot == .mouse)
        host.setProtocol(.boot)
        #expect(mouse.wheelCounts == 0)
        mouse.play([.press(.middle), .move(dx: 300, dy: -1), .scroll(wheel: 5, tilt: 5)])
        let reports = host.take()
        #expect(reports.allSatisfy { $0.count == 3 && $0[0] == 4 })
        #expect(reports.reduce(0) { $0 + Int(Int8(bitPattern: $1[1])) } == 300)
        #expect(reports.reduce(0) { $0 + Int(Int8(bitPattern: $1[2])) } == -1)
        #expect(host.getReport(.input, 0) == [4, 0, 0])
        host.setProtocol(.report)
        mouse.play([.move(dx: 300, dy: 0)])
        #expect(host.take().last == [1, 4, 0x2c, 1, 0, 0, 0, 0, 0, 0])
    }

    @Test("divides a movement anew when the protocol changes on the way")
    func protocolDuringMovement() throws {
        let mouse = Mouse()
        let host = try PointerHost(mouse)
        mouse.play([.move(dx: 4000, dy: 0, over: .milliseconds(32))])
        host.run(milliseconds: 16)
        _ = host.take()
        host.setProtocol(.boot)
        host.run()
        #expect(host.take().reduce(0) { $0 + Int(Int8(bitPattern: $1[1])) } == 2000)
    }

    // MARK: Hosts that do not listen

    @Test("does nothing for a host that has not configured it")
    func unconfigured() throws {
        let mouse = Mouse()
        mouse.play([.press(.left)]) { #expect($0.error == .notConfigured) }
        let host = try PointerHost(mouse)
        host.host.device.disconnect()
        mouse.play([.press(.left)], completion: host.completion)
        #expect(host.results.first?.error == .notConfigured)
        #expect(mouse.buttons.isEmpty)
    }

    @Test("lets go again when the host does not ask")
    func unheard() throws {
        let mouse = Mouse(highResolution: false)
        let host = try PointerHost(mouse, asking: false)
        mouse.play([.press(.left), .move(dx: 5, dy: 5)], completion: host.completion)
        host.run(milliseconds: 10_000)
        #expect(host.results.first?.error == .notFetched(done: 0, of: 2, after: .seconds(3)))
        #expect(mouse.buttons.isEmpty)
        // All that a late host finds is that nothing is held.
        host.ask()
        #expect(host.take() == [[0, 0, 0, 0, 0, 0, 0]])
    }
}
