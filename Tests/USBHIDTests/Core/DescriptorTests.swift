import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("HID descriptors")
struct HIDDescriptorTests {
    @Test("the HID descriptor stands between the interface and its endpoints")
    func order() throws {
        let probe = ProbeFunction.withIDs(boot: .mouse, hasOutEndpoint: true)
        let hid = try HIDTestHost([probe])
        let bytes = try #require(hid.data(.init(requestType: 0x80, request: 6, value: 0x0200, length: 255)))
        let length = UInt8(probe.interface.reportDescriptor.bytes.count)
        #expect(Array(bytes[9..<18]) == [9, 4, 0, 0, 2, 3, 1, 2, bytes[17]])
        #expect(Array(bytes[18..<27]) == [9, 0x21, 0x11, 0x01, 0, 1, 0x22, length, 0])
        #expect(Array(bytes[27..<34]) == [7, 5, 0x81, 3, 3, 0, 1], "three bytes are the longest input report")
        #expect(Array(bytes[34...]) == [7, 5, 0x01, 3, 3, 0, 1], "and the longest output report")
    }

    @Test("the interface answers for its HID and report descriptors, cut to what is asked for")
    func requests() throws {
        let probe = ProbeFunction.withIDs()
        let other = ProbeFunction.withoutIDs()
        let hid = try HIDTestHost([probe, other])
        #expect(hid.getDescriptor(0x22) == probe.interface.reportDescriptor.bytes)
        #expect(hid.getDescriptor(0x22, interface: 1) == other.interface.reportDescriptor.bytes)
        #expect(hid.getDescriptor(0x22, length: 5) == Array(probe.interface.reportDescriptor.bytes.prefix(5)))
        #expect(hid.getDescriptor(0x21)?.count == 9 && hid.getDescriptor(0x21)?[1] == 0x21)
    }

    @Test("physical descriptors, other indices and other interfaces stall")
    func refused() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs()])
        #expect(hid.getDescriptor(0x23) == nil)
        #expect(hid.getDescriptor(0x22, index: 1) == nil && hid.getDescriptor(0x21, index: 1) == nil)
        #expect(hid.getDescriptor(0x22, interface: 1) == nil && hid.getDescriptor(0x22, interface: 256) == nil)
        #expect(hid.getDescriptor(0x22, length: 0) == nil)
        #expect(!hid.isAccepted(.init(requestType: 0x01, request: 7, value: 0x2200, length: 2), [1, 2]))
        #expect(hid.host.violations.isEmpty)
    }

    @Test("a report descriptor can be read before a configuration is selected")
    func unconfigured() throws {
        let hid = try HIDTestHost([ProbeFunction.withIDs()], isConfigured: false)
        #expect(hid.getDescriptor(0x22)?.isEmpty == false)
    }

    @Test(
        "packets have the longest report's bytes as far as the speed has room",
        arguments: [(Speed.low, 8, UInt8(10)), (.full, 64, 1), (.high, 100, 4)])
    func packets(speed: Speed, size: Int, interval: UInt8) throws {
        let long = ProbeFunction(
            ReportDescriptor {
                ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
                    Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 100)
                }
            })
        let hid = try HIDTestHost([long], speed: speed)
        let bytes = try #require(hid.data(.init(requestType: 0x80, request: 6, value: 0x0200, length: 255)))
        #expect(Array(bytes[27...]) == [7, 5, 0x81, 3, UInt8(size), 0, interval])
        #expect(hid.device.schedule(of: .in(1)) != nil)
    }

    @Test("sixteen functions are one more than there are endpoints for")
    func many() throws {
        let functions = (0..<16).map { _ in ProbeFunction.withoutIDs() }
        let hid = try HIDTestHost(functions)
        #expect(hid.device.identity.interfaces.count == 15)
        #expect(functions[14].link?.send([1, 2, 3, 4]) == true && hid.read(15) == [1, 2, 3, 4])
        #expect(functions[15].link == nil)
    }

    @Test("remote wakeup is said only when it is asked for")
    func wakeup() {
        var configuration = HIDGadget.Configuration()
        #expect(
            HIDGadget(configuration, functions: [ProbeFunction.withIDs()]).description.configurations[0].attributes
                == 0x80)
        configuration.remoteWakeup = true
        #expect(
            HIDGadget(configuration, functions: [ProbeFunction.withIDs()]).description.configurations[0].attributes
                == 0xa0)
    }
}
