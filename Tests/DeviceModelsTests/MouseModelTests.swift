import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("mouse")
struct MouseModelTests {
    @Test("is a boot mouse with high resolution, unless told otherwise")
    func keys() throws {
        let host = try PointerModelHost("mouse")
        #expect(host.made.device.identity.vendorID == 0x1209 && host.made.device.identity.productID == 0x6d6f)
        #expect(host.made.device.identity.interfaces == [.init(3, 1, 2)])
        #expect(host.layout.usesReportIDs)
        #expect(try !PointerModelHost("mouse:high-resolution=no,speed=low").layout.usesReportIDs)
        #expect(throws: ModelError.self) { try PointerModelHost("mouse:high-resolution=maybe") }
    }

    @Test("moves, and says what it holds")
    func move() throws {
        let host = try PointerModelHost("mouse")
        #expect(host.perform("mouse", "dx=5", "dy=-3") == #"{"held":[]}"#)
        #expect(host.take() == [[1, 0, 5, 0, 0xfd, 0xff, 0, 0, 0, 0]])
        #expect(host.perform("mouse", [("dx", .number(40_000))]) == #"{"held":[]}"#)
        #expect(try host.take(.x) == [[20_000], [20_000]])
        host.perform("mouse", "dx=10", "duration=0.08", milliseconds: 100)
        #expect(host.times.count == 10 && host.take().allSatisfy { $0[2] == 1 })
    }

    @Test("presses first, then moves, clicks and lets go")
    func order() throws {
        let host = try PointerModelHost("mouse:high-resolution=no")
        let answer = host.perform("mouse", "release=back", "click=right", "count=2", "dx=1", "press=left,back")
        #expect(answer == #"{"held":["left"]}"#)
        #expect(
            host.take().map { [$0[0], $0[1]] } == [[9, 0], [9, 1], [11, 0], [9, 0], [11, 0], [9, 0], [1, 0]])
        host.perform("mouse", "release=left")
        _ = host.take()
        host.perform("mouse", "drag=middle", "dy=2")
        #expect(host.take().map { [$0[0], $0[3]] } == [[4, 0], [4, 2], [0, 0]])
        host.perform("mouse", "drag=left", "dx=2", "wheel=1")
        #expect(host.take().map { [$0[0], $0[1], $0[5]] } == [[1, 0, 0], [1, 2, 0], [0, 0, 0], [0, 0, 1]])
        #expect(host.perform("mouse", "wheel=0.5").contains("this mouse was made with high-resolution=no"))
    }

    @Test("takes parts of a detent once the host has turned high resolution on")
    func wheel() throws {
        let host = try PointerModelHost("mouse")
        #expect(host.perform("mouse", "wheel=0.5").hasPrefix("wheel: wheel=0.5 cannot be now: the host has not"))
        #expect(host.perform("mouse", "wheel=-1", "tilt=2") == #"{"held":[]}"#)
        #expect(try host.take(.wheel) == [[-1]])
        let set = SetupPacket(requestType: 0x21, request: 9, value: 0x0301, length: 2)
        #expect(host.host.control(set, [1, 3])?.status == .success)
        host.perform("mouse", "wheel=0.5", "tilt=-0.25")
        #expect(host.take() == [[1, 0, 0, 0, 0, 0, 60, 0, 0xe2, 0xff]])
    }

    @Test("says that the boot protocol has no wheel")
    func boot() throws {
        let host = try PointerModelHost("mouse")
        #expect(host.host.control(SetupPacket(requestType: 0x21, request: 0x0b))?.status == .success)
        #expect(host.perform("mouse", "wheel=1").contains("boot protocol"))
        host.perform("mouse", "dx=200")
        #expect(host.take() == [[0, 100, 0], [0, 100, 0]])
    }

    @Test(
        "names the argument that cannot be, and does nothing",
        arguments: [
            ("", "-: mouse needs something to do: dx, dy"), ("dx=1.5", "dx: "), ("dx=1000001", "dx: "),
            ("dy=x", "dy: "), ("wheel=nan", "wheel: "), ("tilt=1e9", "tilt: "), ("wheel=", "wheel: "),
            ("click=thumb", "click: click=\"thumb\" cannot be; it takes left, right, middle, back, forward"),
            ("press=", "press: "), ("count=2", "count: count is for click"), ("click=left count=0", "count: "),
            ("click=left count=101", "count: "), ("duration=1", "duration: duration is for dx"),
            ("dx=1 duration=-1", "duration: "), ("dx=1 duration=inf", "duration: "),
            ("drag=left", "drag: drag is for dx, dy"), ("dz=1", "dz: mouse has no argument 'dz'"),
            ("dx=1 dx=2", "dx: dx is given twice"),
        ])
    func hostile(arguments: String, error: String) throws {
        let host = try PointerModelHost("mouse")
        let pairs = arguments.split(separator: " ").map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), JSON.string(String(parts[1])))
        }
        let answer = host.perform("mouse", pairs)
        #expect(answer.hasPrefix(error), "\(answer)")
        #expect(host.take().isEmpty)
    }

    @Test("refuses JSON that is no value of an argument")
    func hostileJSON() throws {
        let host = try PointerModelHost("mouse")
        for value: JSON in [.bool(true), .array([]), .object([]), .decimal(0.5, digits: 1), .number(.max)] {
            #expect(host.perform("mouse", [("dx", value)]).hasPrefix("dx: "))
        }
        #expect(host.perform("mouse", [("press", .array([.number(1)]))]).hasPrefix("press: "))
        #expect(host.perform("mouse", [("dx", .null)]).contains("needs something to do"))
        #expect(host.perform("mouse", [("press", .array([.string("left"), .string("right")]))]).contains("right"))
        #expect(host.take().map { $0[1] } == [3])
    }

    @Test("stops and lets go when nobody waits for the answer any more")
    func unwanted() throws {
        let host = try PointerModelHost("mouse")
        let reply = ActionReply { _ in }
        let mouse = try #require(host.made.actions.first)
        mouse.perform([("drag", .string("left")), ("dx", .number(1000)), ("duration", .number(10))], reply)
        host.host.clock.advance(by: 1_000_000_000)
        #expect(host.take().last?[1] == 1)
        reply.abandon()
        host.host.clock.advance(by: 1_000_000_000)
        #expect(host.take().last == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
        host.host.clock.advance(by: 10_000_000_000)
        #expect(host.take().isEmpty)
    }

    @Test("says so when no host has configured it")
    func unconfigured() throws {
        let host = try PointerModelHost("mouse")
        host.host.device.disconnect()
        #expect(host.perform("mouse", "dx=1").contains("no host has configured it"))
    }
}
