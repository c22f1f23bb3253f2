import DirectHost
import Foundation
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("Documentation/Write-a-device.md, HID devices")
struct WriteAHIDDeviceTests {
    @Test("shows the device that is tested here, to the byte, in about 35 lines", arguments: ["pedals", "tap"])
    func document(_ mark: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
        let source = try String(contentsOf: folder.appending(path: "Pedals.swift"), encoding: .utf8)
        let root = folder.deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "Documentation/Write-a-device.md"), encoding: .utf8)
        let begin = try #require(source.range(of: "// BEGIN \(mark)\n"))
        let end = try #require(source.range(of: "// END \(mark)"))
        let code = source[begin.upperBound..<end.lowerBound]
        #expect(code.contains("Pedals"))
        #expect(page.contains("```swift\n\(code)```\n"))
        #expect(code.split(separator: "\n").count <= 38)
    }

    @Test("the line that makes a device of it makes one, whose descriptors break no law")
    func device() throws {
        let device = try GadgetDevice(HIDGadget(HIDGadget.Configuration(), functions: [Pedals()]))
        let outcome = DirectHost(device).control(.init(requestType: 0x00, request: 9, value: 1))
        #expect(outcome?.status == .success)
        #expect(Pedals().interface.reportDescriptor.issues == [])
    }

    private let pedals = Pedals()
    private let hid: HIDTestHost

    init() throws { hid = try HIDTestHost([pedals]) }

    @Test("what is pressed waits for the host, and GET_REPORT answers with it")
    func press() throws {
        pedals.press(5)
        #expect(hid.getReport(1) == [5])
        #expect(hid.read() == [5] && hid.read() == nil, "NAK until there is something")
        let layout = try pedals.interface.reportDescriptor.layout()
        let report = try #require(layout.report(.input, id: 0))
        #expect(try report.encode([(.button(1), 1), (.button(3), 1)]) == [5])
    }

    @Test("the host lights the lamp; no other report is taken")
    func lamp() {
        #expect(!pedals.isLit)
        #expect(hid.setReport(2, 0, [1]) && pedals.isLit && hid.getReport(2) == [1])
        #expect(!hid.setReport(1, 0, [0]) && !hid.setReport(3, 0, [0]) && !hid.setReport(2, 0, [0, 0]))
        #expect(pedals.isLit && hid.getReport(3) == nil)
        #expect(hid.setReport(2, 0, [0]) && !pedals.isLit)
    }

    @Test("a tap holds the pedal for 50 ms, and tells when the host has seen its end")
    func tap() {
        var outcome: Result<Void, InputScriptError>?
        hid.poll()
        pedals.tap(2) { outcome = $0 }
        #expect(hid.take() == [[2]])
        hid.host.clock.advance(by: 50 * millisecond - 1)
        #expect(hid.take() == [] && outcome == nil)
        hid.host.clock.advance(by: 1)
        #expect(hid.take() == [[0]])
        #expect(outcome != nil)
        #expect(throws: Never.self) { try outcome?.get() }
    }

    @Test("the pedal stays down until the host has seen it, and for half of the time from then on at least")
    func lateHost() {
        pedals.tap(2) { _ in }
        hid.host.clock.advance(by: 1000 * millisecond)
        #expect(hid.read() == [2] && hid.read() == nil)
        hid.host.clock.advance(by: 25 * millisecond)
        #expect(hid.read() == [0], "half of the time, since the host was late")
    }

    @Test("a host that does not ask for 3 seconds has the tap end in failure, with the pedal up")
    func unfetched() {
        var outcome: Result<Void, InputScriptError>?
        pedals.tap(2) { outcome = $0 }
        hid.host.clock.advance(by: 3000 * millisecond)
        #expect(throws: InputScriptError.notFetched(done: 0, of: 2, after: .seconds(3))) { try outcome?.get() }
        #expect(hid.getReport(1) == [0])
    }
}
