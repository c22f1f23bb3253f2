import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("touchscreen")
struct TouchModelTests {
    @Test("is as large and tells apart as many contacts as it is told")
    func keys() throws {
        let fields = try #require(
            try PointerModelHost("touchscreen:contacts=4,width-mm=60,height-mm=120").layout
                .report(.input, id: 1)
        ).fields
        #expect(fields.filter { $0.usages == [UsageRange(.contactIdentifier)] }.count == 4)
        #expect(fields.first { $0.usages == [UsageRange(.x)] }?.physical == 0...60)
        #expect(fields.first { $0.usages == [UsageRange(.y)] }?.physical == 0...120)
        for key in ["contacts=0", "contacts=11", "width-mm=9", "height-mm=10001", "width-mm=a"] {
            #expect(throws: ModelError.self) { try PointerModelHost("touchscreen:\(key)") }
        }
    }

    @Test("taps once, twice, or for long")
    func tap() throws {
        let host = try PointerModelHost("touchscreen")
        #expect(host.perform("touch", "x=0.5", "y=0.25") == #"{"touching":[]}"#)
        // While it touches, the frame is repeated every 10 ms.
        #expect(host.times == [0, 10, 20, 30, 40, 50, 60])
        #expect(try host.take(.tipSwitch).map { $0[0] } == [1, 1, 1, 1, 1, 1, 0])
        host.perform("touch", "x=0", "y=0", "count=2")
        let tips = try host.take(.tipSwitch).map { $0[0] }
        #expect(zip(tips, tips.dropFirst()).filter { $0 == 1 && $1 == 0 }.count == 2)
        host.perform("touch", "x=0", "y=0", "hold=1")
        #expect(try host.take(.tipSwitch).filter { $0[0] == 1 }.count == 100)
    }

    @Test("puts fingers down, moves them and lifts them by number")
    func parts() throws {
        let host = try PointerModelHost("touchscreen")
        #expect(host.perform("touch", "gesture=down", "x=0", "y=0", milliseconds: 0) == #"{"touching":[0]}"#)
        #expect(
            host.perform("touch", "gesture=down", "contact=7", "x=1", "y=1", milliseconds: 0) == #"{"touching":[0,7]}"#)
        #expect(
            host.perform("touch", "gesture=down", "contact=7", "x=1", "y=1").hasPrefix("contact: contact=7 touches"))
        #expect(
            host.perform("touch", "gesture=move", "x=1").hasPrefix("contact: touch needs contact: what touches: 0, 7"))
        _ = host.take()
        host.perform("touch", "gesture=move", "contact=0", "x=1", milliseconds: 0)
        #expect(try host.take(.x).first?.prefix(2) == [32_767, 32_767])
        #expect(host.perform("touch", "gesture=up", "contact=0", milliseconds: 0) == #"{"touching":[7]}"#)
        #expect(host.perform("touch", "gesture=up", "contact=0").hasPrefix("contact: contact=0 does not touch"))
        #expect(host.perform("touch", "gesture=up", milliseconds: 0) == #"{"touching":[]}"#)
        #expect(host.perform("touch", "gesture=up").contains("what touches: nothing"))
    }

    @Test("swipes with several fingers, side by side")
    func swipe() throws {
        let host = try PointerModelHost("touchscreen")
        host.perform("touch", "gesture=swipe", "contacts=0/0.5,0.2/0.6", "to-x=0.5", "duration=0.05")
        let reports = host.take()
        let report = try #require(host.layout.report(.input, id: 1))
        func last(_ usage: Usage) -> [Int32] {
            report.decode(reports.last ?? []).filter { $0.0 == usage }.prefix(2).map(\.1)
        }
        #expect(last(.x) == [16_384, 22_937] && last(.y) == [16_384, 19_660] && last(.tipSwitch) == [0, 0])
        #expect(
            host.perform("touch", "gesture=swipe", "contacts=0/0,0.9/0", "to-x=0.5").hasPrefix(
                "to-x: to-x=0.5, to-y=0.0 would take a contact off the surface"))
    }

    @Test("pinches in a straight line, and rotates about the middle")
    func pinch() throws {
        let host = try PointerModelHost("touchscreen:width-mm=100,height-mm=100")
        host.perform("touch", "gesture=pinch", "distance=0.2", "to-distance=0.8", "duration=0.03")
        var xs: [[Int]] = []
        for x in try host.take(.x).map({ Array($0.prefix(2)) }) where x != xs.last { xs.append(x) }
        #expect(xs == [[13_107, 19_660], [9830, 22_937], [6553, 26_214], [3277, 29_490]])
        host.perform(
            "touch", "gesture=pinch", "distance=0.5", "to-distance=0.5", "angle=0", "to-angle=90", "duration=0.02")
        let ends = try host.take(.y).last?.prefix(2).map { $0 }
        #expect(ends == [8192, 24_575])
    }

    @Test(
        "names the argument that cannot be",
        arguments: [
            ("x=1", "y: touch needs y"), ("x=2 y=0", "x: "), ("x=0 y=0 hold=-1", "hold: "),
            ("x=0 y=0 count=0", "count: "),
            ("x=0 y=0 duration=1", "duration: duration is not for gesture=tap"), ("gesture=wave", "gesture: "),
            ("contacts=0.5", "contacts: "), ("contacts=0/0/0", "contacts: "), ("contacts=0/nan", "contacts: "),
            ("contacts=,", "contacts: "), ("contacts=0/0 x=1", "x: x and contacts exclude each other"),
            ("contacts=0/0,0/1,1/1 gesture=tap", "contacts: there are not 3 contacts free"),
            ("gesture=down x=0 y=0 contact=2", "contact: "),
            ("gesture=swipe x=0 y=0", "to-x: touch needs to-x or to-y"),
            ("gesture=pinch distance=1.5", "distance: distance=1.5 at 0.0 degrees is off the surface"),
            ("gesture=pinch to-distance=3", "to-distance: "), ("x=0 y=0 size=0", "size: "),
            ("x=0 y=0 pressure=1.5", "pressure: "), ("gesture=move x=0", "contact: "),
        ])
    func hostile(arguments: String, error: String) throws {
        let host = try PointerModelHost("touchscreen:contacts=2")
        let pairs = arguments.split(separator: " ").map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), JSON.string(String(parts[1])))
        }
        let answer = host.perform("touch", pairs)
        #expect(answer.hasPrefix(error), "\(answer)")
        #expect(host.take().isEmpty)
    }
}
