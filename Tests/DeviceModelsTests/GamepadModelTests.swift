import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("gamepad")
struct GamepadModelTests {
    @Test("is of the kind that it is told, under an id of its own")
    func keys() throws {
        let generic = try PointerModelHost("gamepad").made.device.identity
        let xbox = try PointerModelHost("gamepad:kind=xbox").made.device.identity
        #expect(generic.productID == 0x6770 && xbox.productID == 0x7862 && xbox.vendorID == 0x1209)
        #expect(try PointerModelHost("gamepad:kind=xbox,pid=1").made.device.identity.productID == 1)
        #expect(throws: ModelError.self) { try PointerModelHost("gamepad:kind=sega") }
    }

    @Test("taps, and says what it holds")
    func tap() throws {
        let host = try PointerModelHost("gamepad")
        #expect(host.perform("pad", "press=lb", "tap=a,start") == #"{"held":["lb"]}"#)
        #expect(host.times == [0, 100])
        #expect(host.take().map { [$0[0], $0[1]] } == [[0x41, 0x08], [0x40, 0]])
        #expect(host.perform("pad", "release=lb") == #"{"held":[]}"#)
    }

    @Test("moves sticks, triggers and hat, for good or for a while")
    func axes() throws {
        let host = try PointerModelHost("gamepad")
        host.perform("pad", "lx=-1", "ry=0.5", "rt=1", "hat=down-left")
        #expect(host.take() == [[0, 0, 5, 0x01, 0x80, 0, 0, 0, 0, 0x00, 0x40, 0, 255]])
        host.perform("pad", "lx=1", "hat=up", "hold=0.05")
        #expect(host.times.count == 2 && (host.times.last ?? 0) - (host.times.first ?? 0) == 50)
        #expect(try host.take(.x) == [[32_767], [-32_767]])
        host.perform("pad", "reset=yes", "press=b")
        #expect(host.take() == [[2, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
    }

    @Test("knows the buttons of its kind only")
    func buttons() throws {
        let generic = try PointerModelHost("gamepad")
        for (name, button) in GamepadButtons.named {
            let isThere = GamepadKind.generic.buttons.contains(button)
            #expect(generic.perform("pad", "tap=\(name)").hasPrefix("tap: ") == !isThere)
        }
        let xbox = try PointerModelHost("gamepad:kind=xbox")
        #expect(xbox.perform("pad", "press=share") == #"{"held":["share"]}"#)
        #expect(
            xbox.perform("pad", "press=c")
                == "press: press=\"c\" cannot be; it takes a, b, x, y, lb, rb, select, start, home, ls, rs, share; "
                + "several with commas")
    }

    @Test("tells of rumble")
    func rumble() throws {
        let generic = try PointerModelHost("gamepad")
        generic.host.write(.out(1), [255, 0])
        #expect(generic.told == [#"rumble {"strong":1.000,"weak":0.000}"#])
        let xbox = try PointerModelHost("gamepad:kind=xbox,out-endpoint=no")
        let set = SetupPacket(requestType: 0x21, request: 9, value: 0x0203, length: 9)
        #expect(xbox.host.control(set, [3, 15, 1, 2, 50, 100, 25, 0, 0])?.status == .success)
        #expect(
            xbox.told == [
                #"rumble {"strong":0.500,"weak":1.000,"lt":0.010,"rt":0.020,"seconds":0.25,"repeats":0}"#
            ])
    }

    @Test(
        "names the argument that cannot be",
        arguments: [
            ("", "-: pad needs something to do"), ("lx=1.01", "lx: "), ("lt=-0.1", "lt: "), ("hat=north", "hat: "),
            ("hold=1", "hold: hold is for tap"), ("press=a hold=1", "hold: hold is for tap"),
            ("press=a release=a", "release: "),
            ("tap=", "tap: "), ("tap=a,,q", "tap: "), ("ry=nan", "ry: "), ("tap=a hold=1e9", "hold: "),
            ("reset=perhaps", "reset: "),
        ])
    func hostile(arguments: String, error: String) throws {
        let host = try PointerModelHost("gamepad")
        let pairs = arguments.split(separator: " ").map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), JSON.string(String(parts[1])))
        }
        let answer = host.perform("pad", pairs)
        #expect(answer.hasPrefix(error), "\(answer)")
        #expect(host.take().isEmpty)
    }
}
