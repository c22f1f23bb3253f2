import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("A gamepad")
struct GamepadTests {
    private func host(_ pad: Gamepad) throws -> PointerHost { try PointerHost(pad) }

    @Test("of either kind describes sticks, triggers, hat, buttons and rumble")
    func descriptors() throws {
        let generic = try host(Gamepad()).layout
        #expect(generic.applications == [.gamepad] && !generic.usesReportIDs)
        #expect(generic.report(.input, id: 0)?.byteCount == 13 && generic.report(.output, id: 0)?.byteCount == 2)
        let xbox = try host(Gamepad(.xbox)).layout
        #expect(xbox.report(.input, id: 1)?.byteCount == 17 && xbox.report(.output, id: 3)?.byteCount == 9)
        for layout in [generic, xbox] {
            let hat = layout.reports[0].fields.first { $0.usages == [UsageRange(.hatSwitch)] }
            #expect(hat?.physical == 0...315 && hat?.flags == [.variable, .nullState])
        }
    }

    @Test("reports a state as it is held")
    func state() throws {
        let pad = Gamepad()
        let host = try host(pad)
        #expect(host.getReport(.input, 0) == [0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        pad.play(
            [
                .init { state in
                    state.buttons = [.a, .x, .extra, .share]
                    state.hat = .downLeft
                    (state.leftX, state.leftY, state.rightX, state.rightY) = (-1, 1, 0.5, -0.25)
                    (state.leftTrigger, state.rightTrigger) = (1, 0.5)
                }
            ], completion: host.completion)
        let report: [UInt8] = [0x09, 0x80, 5, 0x01, 0x80, 0xff, 0x7f, 0x00, 0x40, 0x00, 0xe0, 255, 128]
        #expect(host.take() == [report] && host.getReport(.input, 0) == report)
        #expect(host.results.count == 1 && host.host.violations.isEmpty)
    }

    @Test("of the Xbox kind rests in the middle, and has its buttons where that controller has them")
    func xbox() throws {
        let pad = Gamepad(.xbox)
        let host = try host(pad)
        #expect(host.getReport(.input, 1) == [1, 0, 0x80, 0, 0x80, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0])
        pad.play([
            .init { state in
                state.buttons = [.b, .c, .rs, .share, .extra]
                state.hat = .upLeft
                (state.leftX, state.leftY, state.rightX, state.rightY) = (-1, 1, 0.5, -0.5)
                (state.leftTrigger, state.rightTrigger) = (1, 0.5)
            }
        ])
        #expect(
            host.take() == [
                [1, 0, 0, 0xff, 0xff, 0, 0xc0, 0, 0x40, 0xff, 0x03, 0x00, 0x02, 8, 0x02, 0x40, 1]
            ])
    }

    @Test("names every direction of the hat", arguments: GamepadKind.allCases)
    func hat(kind: GamepadKind) throws {
        let pad = Gamepad(kind)
        let host = try host(pad)
        pad.play(GamepadHat.allCases.map { hat in .init { $0.hat = hat } })
        let first = kind == .xbox ? 1 : 0
        let expected = Array(first...(first + 7)) + [kind == .xbox ? 0 : 8]
        #expect(try host.take().map { try host.values($0)[.hatSwitch]?[0] } == expected)
    }

    @Test("cuts off what no stick or trigger can be", arguments: GamepadKind.allCases)
    func limits(kind: GamepadKind) throws {
        let pad = Gamepad(kind)
        let host = try host(pad)
        pad.play([
            .init { state in
                (state.leftX, state.leftY, state.rightX, state.rightY) = (-7, .infinity, .nan, 1e300)
                (state.leftTrigger, state.rightTrigger) = (-1, 2)
            }
        ])
        let report = try #require(host.take().first)
        let values = try host.values(report)
        let (right, trigger): (Usage, Usage) = kind == .xbox ? (.z, .brake) : (.rx, .z)
        #expect(values[.x] == [kind == .xbox ? 0 : -32_767])
        #expect(values[right] == [kind == .xbox ? 32_768 : 0] && values[trigger] == [0])
    }

    @Test("goes back after a while when it is told so")
    func hold() throws {
        let pad = Gamepad()
        let host = try host(pad)
        pad.play([
            .init(pause: .milliseconds(50)) { $0.buttons.insert(.b) }, .init { $0.buttons.remove(.b) },
        ])
        host.run()
        #expect(host.times == [0, 50])
        #expect(host.take().map { $0[0] } == [2, 0])
    }

    @Test("hears of its motors by endpoint and by request")
    func rumble() throws {
        let pad = Gamepad()
        let host = try host(pad)
        var heard: [GamepadRumble] = []
        pad.onRumble = { heard.append($0) }
        #expect(host.host.write(.out(1), [255, 51])?.status == .success)
        #expect(heard.count == 1 && heard[0].strong == 1 && heard[0].weak == 0.2 && heard[0].time == nil)
        #expect(host.getReport(.output, 0) == [255, 51])
        #expect(host.setReport(.output, 0, [0, 0]) && heard.count == 2 && pad.rumble == GamepadRumble())
        // Cut short, too long, or none of its reports.
        host.host.write(.out(1), [1])
        host.host.write(.out(1), [1, 2, 3])
        #expect(!host.setReport(.output, 0, [1]) && !host.setReport(.feature, 0, [1, 1]))
        #expect(heard.count == 2)
        pad.play([.init { $0.buttons = .a }])
        host.setReport(.output, 0, [9, 9])
        host.host.device.disconnect()
        #expect(pad.state == GamepadState() && pad.rumble == GamepadRumble())
    }

    @Test("of the Xbox kind turns the motors that the mask names")
    func xboxRumble() throws {
        let pad = Gamepad(.xbox, hasOutEndpoint: false)
        let host = try host(pad)
        #expect(host.setReport(.output, 3, [3, 0x0f, 10, 20, 30, 255, 50, 0, 2]))
        var expected = GamepadRumble()
        (expected.leftTrigger, expected.rightTrigger, expected.strong, expected.weak) = (0.1, 0.2, 0.3, 1)
        (expected.time, expected.repeats) = (.milliseconds(500), 2)
        #expect(pad.rumble == expected)
        #expect(host.setReport(.output, 3, [3, 0x02, 100, 100, 100, 100, 0, 0, 0]))
        #expect(pad.rumble.strong == 1 && pad.rumble.weak == 0 && pad.rumble.leftTrigger == 0)
        #expect(!host.setReport(.output, 3, [3, 0x0f]) && !host.setReport(.output, 1, [1, 0, 0, 0, 0, 0, 0, 0, 0]))
        let byEndpoint = try self.host(Gamepad(.xbox))
        byEndpoint.host.write(.out(1), [3, 0x01, 0, 0, 0, 50, 0, 0, 0])
        #expect(byEndpoint.getReport(.output, 3) == [3, 0x01, 0, 0, 0, 50, 0, 0, 0])
        #expect(host.getReport(.output, 3) == [3, 2, 100, 100, 100, 100, 0, 0, 0])
    }

    @Test("stops its motors with a reset and with the plug, and says so once")
    func motorsStop() throws {
        let pad = Gamepad()
        let host = try host(pad)
        var heard: [GamepadRumble] = []
        pad.onRumble = { heard.append($0) }
        host.setReport(.output, 0, [255, 0])
        host.host.device.reset(.inferred)
        #expect(heard.count == 2 && heard.last == GamepadRumble())
        host.host.device.disconnect()
        #expect(heard.count == 2 && pad.rumble == GamepadRumble())
    }

    @Test("is held as before when the host does not ask")
    func unheard() throws {
        let pad = Gamepad()
        let host = try PointerHost(pad, asking: false)
        pad.play([.init { $0.buttons = .a }, .init { $0.buttons = [] }], completion: host.completion)
        host.run(milliseconds: 4_000)
        #expect(host.results.first?.error == .notFetched(done: 0, of: 2, after: .seconds(3)))
        #expect(pad.state == GamepadState())
    }
}
