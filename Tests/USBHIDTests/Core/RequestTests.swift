import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("HID class requests")
struct HIDRequestTests {
    @Test("GET_REPORT reads all three types, by id")
    func getReport() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs(), ProbeFunction.withoutIDs()])
        #expect(hid.getReport(1, 1) == [1, 10, 11] && hid.getReport(1, 2) == [2, 20])
        #expect(hid.getReport(2, 3) == [3, 30, 31] && hid.getReport(3, 4) == [4, 40, 41, 42])
        #expect(hid.getReport(1, interface: 1) == [10, 11, 12, 13])
        #expect(hid.getReport(2, interface: 1) == [20, 21] && hid.getReport(3, interface: 1) == [30])
        #expect(hid.getReport(3, 4, length: 2) == [4, 40], "cut to what is asked for")
    }

    @Test("GET_REPORT stalls for types, ids and interfaces that there are not")
    func getReportRefused() throws {
        let probe = ProbeFunction.withIDs()
        let hid = try HIDTestHost([probe])
        for type in [0, 4, 255] as [UInt8] { #expect(hid.getReport(type, 1) == nil) }
        #expect(hid.getReport(1, 0) == nil && hid.getReport(1, 3) == nil && hid.getReport(3, 1) == nil)
        for interface in [1, 255, 256, 0xffff] as [UInt16] { #expect(hid.getReport(1, 1, interface: interface) == nil) }
        #expect(hid.getReport(1, 1, length: 0) == nil)
        probe.answers = [:]
        #expect(hid.getReport(1, 1) == nil, "the function has none")
    }

    @Test("SET_REPORT brings all three types to the function as they stand on the wire")
    func setReport() throws {
        let probe = ProbeFunction.withIDs()
        let plain = ProbeFunction.withoutIDs()
        let hid = try HIDTestHost([probe, plain])
        #expect(hid.setReport(2, 3, [3, 1, 2]) && hid.setReport(3, 4, [4, 1, 2, 3]) && hid.setReport(1, 2, [2, 9]))
        #expect(probe.received == [[2, 3, 3, 1, 2], [3, 4, 4, 1, 2, 3], [1, 2, 2, 9]])
        #expect(hid.setReport(2, 0, [7, 8], interface: 1))
        #expect(hid.setReport(2, 0, [7], interface: 1), "less than the whole is the function's to judge")
        #expect(plain.received == [[2, 0, 7, 8], [2, 0, 7]])
        probe.refuses = true
        #expect(!hid.setReport(2, 3, [3, 1, 2]))
    }

    @Test("SET_REPORT with a wrong type, id, length or interface stalls and reaches no function")
    func setReportRefused() throws {
        let probe = ProbeFunction.withIDs()
        let plain = ProbeFunction.withoutIDs()
        let hid = try HIDTestHost([probe, plain])
        #expect(!hid.setReport(0, 3, [3, 1, 2]) && !hid.setReport(4, 3, [3, 1, 2]))
        #expect(!hid.setReport(2, 1, [1, 1, 2]) && !hid.setReport(2, 0, [3, 1, 2]))
        #expect(!hid.setReport(2, 3, [4, 1, 2]), "the bytes name another report than the request")
        #expect(!hid.setReport(2, 3, [3, 1, 2, 3]) && !hid.setReport(2, 3, []))
        #expect(!hid.setReport(2, 3, [3, 1], length: 3), "fewer bytes than the request says")
        #expect(!hid.setReport(2, 0, [UInt8](repeating: 1, count: 0xffff), interface: 1))
        #expect(!hid.setReport(2, 3, [3, 1, 2], interface: 2) && !hid.setReport(2, 3, [3, 1, 2], interface: 0x100))
        #expect(probe.received.isEmpty && plain.received.isEmpty)
        #expect(hid.setReport(2, 3, [3, 1, 2, 3], length: 3), "what is beyond the request's length is not its data")
        #expect(probe.received == [[2, 3, 3, 1, 2]] && hid.host.violations.isEmpty)
    }

    @Test("idle rates are kept by report id; id 0 sets all")
    func idle() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs()])
        #expect(hid.getIdle() == [0] && hid.getIdle(1) == [0], "not a keyboard: for ever")
        #expect(hid.setIdle(25) && hid.getIdle() == [25] && hid.getIdle(1) == [25] && hid.getIdle(2) == [25])
        #expect(hid.setIdle(50, 2) && hid.getIdle(2) == [50] && hid.getIdle(1) == [25] && hid.getIdle() == [25])
        #expect(!hid.setIdle(9, 3) && hid.getIdle(3) == nil, "report 3 is no input report")
        #expect(!hid.setIdle(9, length: 1) && !hid.setIdle(9, interface: 1))
        #expect(hid.getIdle(256) == nil && hid.getIdle(interface: 1) == nil && hid.getIdle(length: 0) == nil)
        #expect(hid.getIdle(length: 8) == [25])
    }

    @Test("SET_PROTOCOL leaves the idle rates as they are")
    func idleStays() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs(boot: .keyboard)])
        #expect(hid.setIdle(0) && hid.setIdle(7, 2) && hid.setProtocol(0) && hid.getIdle() == [0])
        #expect(hid.setProtocol(1) && hid.getIdle(1) == [0] && hid.getIdle(2) == [7])
        #expect(hid.setProtocol(0) && hid.setIdle(9) && hid.setProtocol(1) && hid.getIdle(2) == [9])
    }

    @Test("a keyboard begins with 500 ms, and does again after a reset")
    func keyboardIdle() throws {
        let hid = try HIDTestHost([ProbeFunction.withoutIDs(boot: .keyboard)])
        #expect(hid.getIdle() == [125])
        #expect(hid.setIdle(0) && hid.getIdle() == [0])
        hid.device.reset(.inferred)
        #expect(hid.getIdle() == [125])
    }

    @Test("only boot interfaces have protocols, and a reset brings the report protocol back")
    func protocols() throws {
        let probe = ProbeFunction.withoutIDs(boot: .mouse)
        let hid = try HIDTestHost([probe, ProbeFunction.withIDs()])
        _ = probe.takeCalls()
        #expect(hid.getProtocol() == [1])
        #expect(hid.setProtocol(0) && hid.getProtocol() == [0] && probe.link?.usesBootProtocol == true)
        #expect(hid.getReport(1) == [0xb0])
        #expect(hid.setProtocol(0) && probe.takeCalls() == ["boot"], "the same again is no change")
        #expect(!hid.setProtocol(2) && !hid.setProtocol(0x100) && !hid.setProtocol(1, length: 1))
        #expect(hid.getProtocol(1) == nil && hid.getProtocol() == [0])
        #expect(!hid.setProtocol(0, interface: 1) && hid.getProtocol(interface: 1) == nil)
        hid.device.reset(.port)
        #expect(probe.takeCalls() == ["report", "reset", "unconfigured"])
        try hid.configure()
        #expect(hid.getProtocol() == [1] && hid.getReport(1) == [10, 11, 12, 13])
    }

    @Test("in the boot protocol reports have no ids")
    func bootWithIDs() throws {
        let probe = ProbeFunction.withIDs(boot: .keyboard)
        let hid = try HIDTestHost([probe])
        #expect(hid.getReport(1, 0) == nil && hid.setProtocol(0) && hid.getReport(1, 0) == [0xb0])
        #expect(hid.getIdle() == [125] && hid.setIdle(3) && hid.getIdle() == [3])
        #expect(probe.link?.send([0xb1]) == true && hid.read() == [0xb1])
    }

    @Test("before a configuration is selected every class request stalls")
    func unconfigured() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs(boot: .keyboard)], isConfigured: false)
        #expect(hid.getReport(1, 1) == nil && hid.getIdle() == nil && hid.getProtocol() == nil)
        #expect(!hid.setReport(2, 3, [3, 1, 2]) && !hid.setIdle(0) && !hid.setProtocol(0))
    }

    @Test("requests of other kinds, recipients and directions stall")
    func foreign() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs(boot: .keyboard)])
        for type in [0xa0, 0xa2, 0xa3, 0xc1, 0xe1] as [UInt8] {
            #expect(hid.data(.init(requestType: type, request: 1, value: 0x0101, length: 8)) == nil)
        }
        for request in 0...255 as ClosedRange<UInt8> where ![1, 2, 3].contains(request) {
            #expect(hid.data(.init(requestType: 0xa1, request: request, value: 0x0101, length: 8)) == nil)
        }
        for request in 0...255 as ClosedRange<UInt8> where ![9, 10, 11].contains(request) {
            #expect(!hid.isAccepted(.init(requestType: 0x21, request: request, value: 0x0101)))
        }
        #expect(hid.host.violations.isEmpty && hid.host.waiting.isEmpty)
    }

    @Test("output reports come by the interrupt endpoint as well; nonsense there is ignored and nothing halts")
    func outPipe() throws {
        let probe = ProbeFunction.withIDs(hasOutEndpoint: true)
        let plain = ProbeFunction.withoutIDs(hasOutEndpoint: true)
        let hid = try HIDTestHost([probe, plain])
        #expect(hid.host.write(.out(1), [3, 1, 2])?.status == .success && hid.host.write(.out(2), [5, 6]) != nil)
        #expect(probe.received == [[2, 3, 3, 1, 2]] && plain.received == [[2, 0, 5, 6]])
        for bytes in [[], [4, 1], [0, 1, 2], [3, 1, 2, 3], [UInt8](repeating: 3, count: 5000)] as [[UInt8]] {
            #expect(hid.host.write(.out(1), bytes)?.status == .success)
        }
        probe.refuses = true
        #expect(hid.host.write(.out(1), [3, 1, 2])?.status == .success)
        #expect(probe.received.count == 2, "what is no report does not reach the function")
        #expect(hid.host.violations.isEmpty)
    }

    @Test("functions hear of what becomes of the device, in order")
    func calls() throws {
        let probe = ProbeFunction.withIDs()
        let hid = try HIDTestHost([probe])
        #expect(probe.takeCalls() == ["reset", "connected", "configured"])
        try hid.configure(0)
        hid.device.reset(.inferred)
        try hid.configure(1)
        hid.device.disconnect()
        #expect(
            probe.takeCalls() == ["unconfigured", "reset", "configured", "disconnected", "reset", "unconfigured"])
    }
}
