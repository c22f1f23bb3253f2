import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("HID as bytes")
struct RawTests {
    private let descriptor = ReportDescriptor {
        ReportCollection(.application, .gamepad) {
            ReportID(1)
            Input(.x, .y, logical: -127...127, size: 8)
            Input(.hatSwitch, logical: 1...8, size: 8, flags: [.variable, .nullState])
            ReportID(2)
            Output(.vendor(page: 0xff00, id: 1), logical: 0...255, size: 8, count: 2)
            Feature(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 2)
        }
    }

    @Test("what is sent reaches the host, and is what GET_REPORT answers from then on")
    func send() throws {
        let raw = RawFunction(HIDInterface(descriptor))
        let hid = try HIDTestHost([raw])
        let rest = try #require(hid.getReport(1, 1))
        #expect(rest.count == 4 && rest.first == 1, "at rest until then")
        raw.send([1, 5, 6, 7])
        #expect(hid.read() == [1, 5, 6, 7] && hid.getReport(1, 1) == [1, 5, 6, 7])
    }

    @Test("what the host sets is told of, and read back; short reports are filled up")
    func receive() throws {
        let raw = RawFunction(HIDInterface(descriptor, hasOutEndpoint: true))
        let hid = try HIDTestHost([raw])
        var seen: [[UInt8]] = []
        raw.onReport = { kind, id, bytes in seen.append([kind.rawValue, id] + bytes) }
        #expect(hid.setReport(3, 2, [2, 8]) && hid.getReport(3, 2) == [2, 8, 0])
        #expect(hid.host.write(.out(1), [2, 3, 4])?.status == .success && hid.getReport(2, 2) == [2, 3, 4])
        #expect(hid.setReport(1, 1, [1, 9, 9, 9]) && hid.getReport(1, 1) != [1, 9, 9, 9])
        #expect(seen == [[3, 2, 2, 8], [2, 2, 2, 3, 4], [1, 1, 1, 9, 9, 9]])
        raw.set(.feature, [2, 1, 1])
        #expect(hid.getReport(3, 2) == [2, 1, 1])
    }

    @Test("what only hosts have set is forgotten when the device is unplugged")
    func unplug() throws {
        let raw = RawFunction(HIDInterface(descriptor))
        let hid = try HIDTestHost([raw])
        raw.set(.feature, [2, 1, 1])
        #expect(hid.setReport(2, 2, [2, 3, 4]))
        hid.device.disconnect()
        hid.device.connect()
        try hid.configure()
        #expect(hid.getReport(3, 2) == [2, 1, 1] && hid.getReport(2, 2) == [2, 0, 0])
        #expect(hid.setReport(3, 2, [2, 9, 9]) && hid.getReport(3, 2) == [2, 9, 9])
        hid.device.disconnect()
        hid.device.connect()
        try hid.configure()
        #expect(hid.getReport(3, 2) == [2, 1, 1], "the feature report as the device has it, not as a host left it")
    }

    @Test("a descriptor that cannot be read makes a device all the same, with reports of any kind")
    func unreadable() throws {
        let raw = RawFunction(HIDInterface(ReportDescriptor(bytes: [0xff, 0xc0, 0x05]), hasOutEndpoint: true))
        let hid = try HIDTestHost([raw])
        #expect(raw.layout == nil && hid.getDescriptor(0x22) == [0xff, 0xc0, 0x05])
        #expect(hid.getReport(1, 0) == nil)
        raw.send([1, 2, 3])
        #expect(hid.read() == [1, 2, 3] && hid.getReport(1) == [1, 2, 3])
        #expect(hid.setReport(2, 0, [7]) && hid.getReport(2) == [7])
        #expect(!hid.setReport(2, 0, [UInt8](repeating: 0, count: 16_385)))
    }
}
