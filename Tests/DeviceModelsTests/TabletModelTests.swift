import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("tablet")
struct TabletModelTests {
    @Test("has three buttons unless told otherwise")
    func keys() throws {
        #expect(try PointerModelHost("tablet").layout.reports[0].fields[0].count == 3)
        #expect(try PointerModelHost("tablet:buttons=5").layout.reports[0].fields[0].count == 5)
        for text in ["tablet:buttons=2", "tablet:buttons=6", "tablet:buttons=x"] {
            #expect(throws: ModelError.self) { try PointerModelHost(text) }
        }
    }

    @Test("goes to parts of the surface, or to raw places")
    func places() throws {
        let host = try PointerModelHost("tablet")
        #expect(host.perform("tablet", "x=0.5", "y=1") == #"{"held":[]}"#)
        #expect(host.take() == [[0, 0x00, 0x40, 0xff, 0x7f, 0]])
        host.perform("tablet", "unit=raw", "y=7")
        #expect(host.take() == [[0, 0x00, 0x40, 7, 0, 0]])
        host.perform("tablet", "unit=raw", "x=800", "duration=0.016", milliseconds: 0)
        host.perform("tablet", "unit=raw", "y=9")
        #expect(try host.take(.x).last == [800], "from where it has got to until then")
        host.perform("tablet", [("x", .decimal(0.25, digits: 2)), ("y", .number(0))])
        #expect(host.take() == [[0, 0x00, 0x20, 0, 0, 0]])
    }

    @Test("moves smoothly when it is given time, and drags")
    func drag() throws {
        let host = try PointerModelHost("tablet")
        host.perform("tablet", "unit=raw", "x=400", "y=0", "duration=0.032")
        #expect(try host.take(.x) == [[100], [200], [300], [400]])
        host.perform(
            "tablet", "unit=raw", "x=10", "y=10", "drag=left", "to-x=30", "duration=0.016", "click=right",
            "release=left")
        #expect(
            host.take().map { [$0[0], $0[1], $0[3]] } == [
                [0, 10, 10], [1, 10, 10], [1, 20, 10], [1, 30, 10], [0, 30, 10], [2, 30, 10], [0, 30, 10], [0, 30, 10],
            ])
    }

    @Test("turns its wheel and holds its buttons")
    func wheelAndButtons() throws {
        let host = try PointerModelHost("tablet")
        #expect(host.perform("tablet", "press=left,middle", "wheel=-3") == #"{"held":["left","middle"]}"#)
        #expect(host.take().map { [$0[0], $0[5]] } == [[5, 0], [5, 0xfd]])
    }

    @Test(
        "names the argument that cannot be",
        arguments: [
            ("", "-: tablet needs something to do"), ("x=1.1", "x: "), ("x=-0.1", "x: "), ("y=nan", "y: "),
            ("unit=raw x=0.5", "x: "), ("unit=raw x=32768", "x: "), ("unit=mm x=0", "unit: "),
            ("unit=raw", "unit: unit is for x, y"), ("click=back", "click: "), ("to-x=1 x=0", "to-x: to-x is for drag"),
            ("drag=left x=1", "drag: "), ("drag=left to-x=2", "to-x: "), ("wheel=0.5", "wheel: "),
            ("press=left duration=1", "duration: "), ("press=left unit=raw", "unit: "), ("x=0 count=2", "count: "),
        ])
    func hostile(arguments: String, error: String) throws {
        let host = try PointerModelHost("tablet")
        let pairs = arguments.split(separator: " ").map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), JSON.string(String(parts[1])))
        }
        let answer = host.perform("tablet", pairs)
        #expect(answer.hasPrefix(error), "\(answer)")
        #expect(host.take().isEmpty)
    }
}
