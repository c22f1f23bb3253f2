import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("composite")
struct HIDCompositeModelTests {
    private let descriptor = ReportDescriptor {
        ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
            Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8)
        }
    }

    @Test("has the interfaces and the actions of its functions, in order")
    func parts() throws {
        let file = try HIDFile(descriptor.bytes)
        let device = try HIDUnderControl("composite:functions=keyboard+hid,hid.report-descriptor=\(file.path)")
        #expect(device.device.identity.interfaces == [.init(3, 1, 1), .init(3, 0, 0), .init(3, 0, 0)])
        #expect(device.made.actions.map(\.summary.name) == ["type", "key", "leds", "send", "set-feature"])
        #expect(device.device.identity.name == "Ghostplug Virtual keyboard and hid")
        device.poll(1)
        device.poll(3)
        try device.ask("send", [("report", .string("5a"))])
        #expect(device.take(3) == [[0x5a]] && device.take(1).isEmpty)
        try device.ask("key", [("keys", .string("a")), ("action", .string("press"))])
        #expect(device.take(1).count == 1)
    }

    @Test("of equal actions the first function's counts")
    func first() throws {
        let device = try HIDUnderControl("composite:functions=keyboard+keyboard,keyboard.media=no")
        #expect(device.device.identity.interfaces.count == 2)
        #expect(device.made.actions.map(\.summary.name) == ["type", "key", "leds"])
        device.poll(1)
        device.poll(2)
        try device.ask("key", [("keys", .string("a")), ("action", .string("press"))])
        #expect(device.take(1).count == 1 && device.take(2).isEmpty)
    }

    @Test("keys of all hold for the device, a function's own for the function")
    func keys() throws {
        let device = try HIDUnderControl(
            "composite:functions=keyboard,speed=high,interval=2,pid=1234,product=Desk,keyboard.out-endpoint,"
                + "keyboard.layout=de")
        #expect(device.device.identity.speed == .high && device.device.identity.name == "Ghostplug Desk")
        let setting = try #require(device.device.gadget.description.configurations.first?.interface(0))
        #expect(setting.endpoints.map(\.interval) == [5, 5])
        #expect(device.made.backing.contains("layout de"))
    }

    @Test("refuses what cannot be, naming the key")
    func refused() throws {
        func key(_ options: String) throws -> String? { try HIDUnderControl.refusal("composite:\(options)").key }
        #expect(try key("functions=") == "functions" && key("functions=keyboard+") == "functions")
        #expect(try key("functions=keyboard+toaster") == "functions" && key("functions=drive") == "functions")
        #expect(try key("functions=keyboard,hid.boot=mouse") == "hid.boot")
        #expect(try key("functions=keyboard,keyboard.layout=nolayout") == "keyboard.layout")
        #expect(try key("functions=keyboard,interval=0") == "interval")
        #expect(try key("functions=hid") == "hid.report-descriptor")
        let many = Array(repeating: "keyboard", count: 8).joined(separator: "+")
        #expect(
            try HIDUnderControl.refusal("composite:functions=\(many)").description
                == "a device has at most 15 HID interfaces")
    }
}
