import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("hid")
struct HIDRawModelTests {
    /// A FIDO key's: 64 bytes in, 64 out.
    private let fido = """
        06 D0 F1 09 01 A1 01 09 20 15 00 26 FF 00 75 08 95 40 81 02
        09 21 15 00 26 FF 00 75 08 95 40 91 02 C0
        """

    private let withIDs = ReportDescriptor {
        ReportCollection(.application, .vendor(page: 0xff00, id: 1)) {
            ReportID(7)
            Input(.vendor(page: 0xff00, id: 2), logical: 0...255, size: 8, count: 2)
            Output(.vendor(page: 0xff00, id: 3), logical: 0...255, size: 8)
            Feature(.vendor(page: 0xff00, id: 4), logical: 0...255, size: 8, count: 2)
        }
    }

    private func make(_ file: HIDFile, _ keys: String = "") throws -> HIDUnderControl {
        try HIDUnderControl("hid:report-descriptor=\(file.path)\(keys)")
    }

    private func descriptor(_ device: HIDUnderControl) -> [UInt8]? {
        device.host.control(.init(requestType: 0x81, request: 6, value: 0x2200, length: 4096))?.data
    }

    @Test("reads a descriptor as bytes, as text in several manners, and as hid-recorder writes it")
    func formats() throws {
        let bytes = try #require(HexText.bytes(fido))
        #expect(bytes.count == 34)
        let words = bytes.map { "0x" + HexText.text([$0]) }
        let files = [
            try HIDFile(bytes), try HIDFile(fido), try HIDFile(HexText.text(bytes)),
            try HIDFile("/* a key\n of two lines */ {\n" + words.joined(separator: ", // byte\n") + "} # the end ü\n"),
            try HIDFile(
                "# recorded\nD: 0\nR: 34 \(fido.replacing("\n", with: " "))\nN: A key\nE: 000000.000000 1 00\n"),
        ]
        for file in files { #expect(descriptor(try make(file)) == bytes) }
    }

    @Test("refuses what is no descriptor, and says which file")
    func refused() throws {
        for text in ["", "hello", "05 0", "05 01 /* open", "R: 3 05 01", "0x", "0x0501", "R: x 05 01", "# only this"] {
            let file = try HIDFile(text)
            let error = try HIDUnderControl.refusal("hid:report-descriptor=\(file.path)")
            #expect(error.key == "report-descriptor" && error.description.hasPrefix(file.path), "\(text)")
        }
        #expect(try HIDUnderControl.refusal("hid").description.hasPrefix("report-descriptor=PATH is missing"))
        #expect(try !HIDUnderControl.refusal("hid:report-descriptor=/nonexistent").isMistake)
        #expect(try !HIDUnderControl.refusal("hid:report-descriptor=/tmp").isMistake)
        #expect(
            try HIDUnderControl.refusal("hid:report-descriptor=/dev/zero").description.contains("larger than 1 MiB"))
    }

    @Test("a descriptor that breaks the specification is refused with the law, unless it is allowed")
    func invalid() throws {
        let file = try HIDFile("05 01 09 06 A1 01 75 08 95 01 81 02")
        let error = try HIDUnderControl.refusal("hid:report-descriptor=\(file.path)")
        #expect(error.key == "report-descriptor" && error.description.contains("HID 1.11 §"))
        let made = try make(file, ",allow-invalid")
        #expect(descriptor(made)?.count == 12)
        made.poll()
        try made.ask("send", [("report", .string("010203"))])
        #expect(made.take() == [[1, 2, 3]])
    }

    @Test("takes its interface from its keys")
    func keys() throws {
        let device = try make(try HIDFile(fido), ",boot=mouse,out-endpoint,interval=5,country=33,pid=f1d0")
        #expect(device.device.identity.interfaces == [.init(3, 1, 2)] && device.device.identity.productID == 0xf1d0)
        let setting = try #require(device.device.gadget.description.configurations.first?.interface(0))
        #expect(
            setting.endpoints.map(\.address) == [.in(1), .out(1)] && setting.endpoints.map(\.packetSize) == [64, 64])
        #expect(setting.endpoints.map(\.interval) == [5, 5] && setting.descriptors.first?.body[2] == 33)
    }

    @Test("what the host sends are events, whichever way it came")
    func events() throws {
        let device = try make(try HIDFile(withIDs.bytes), ",out-endpoint")
        #expect(device.setReport(3, 7, [7, 1, 2]) && device.setReport(2, 7, [7, 0xff]))
        #expect(device.host.write(.out(1), [7, 0x0a])?.status == .success)
        #expect(!device.setReport(2, 8, [8, 1]))
        let told = device.events().map { JSON.object($0.members).text }
        #expect(
            told == [
                #"{"kind":"feature","id":7,"data":"070102"}"#, #"{"kind":"output","id":7,"data":"07ff"}"#,
                #"{"kind":"output","id":7,"data":"070a"}"#,
            ])
    }

    @Test("sends input reports, with the id among the bytes or beside them")
    func send() throws {
        let device = try make(try HIDFile(withIDs.bytes))
        device.poll()
        let number = try device.ask("send", [("report", .string("07 0a 0b"))])
        #expect(try device.answer(number)["bytes"] == .number(3))
        try device.ask("send", [("report", .string("0c0d")), ("id", .number(7))])
        #expect(device.take() == [[7, 10, 11], [7, 12, 13]] && device.getReport(1, 7) == [7, 12, 13])
    }

    @Test("sets the feature report that the host reads")
    func feature() throws {
        let device = try make(try HIDFile(withIDs.bytes))
        #expect(device.getReport(3, 7) == [7, 0, 0])
        #expect(device.isAnswered(try device.ask("set-feature", [("report", .string("07aabb"))])))
        #expect(device.getReport(3, 7) == [7, 0xaa, 0xbb])
    }

    @Test("refuses reports that the descriptor does not have")
    func wrongReports() throws {
        let device = try make(try HIDFile(withIDs.bytes))
        func error(_ arguments: [(String, JSON)], _ name: String = "send") throws -> String {
            try device.error(try device.ask(name, arguments)).description
        }
        #expect(try error([("report", .string("xyz"))]).contains("it takes hexadecimal"))
        #expect(try error([("report", .string("080102"))]).hasSuffix("its ids are 7"))
        #expect(try error([("report", .string(""))]).hasSuffix("its ids are 7"))
        #expect(try error([("report", .string("0701"))]) == "this input report has 3 bytes with its id, not 2")
        #expect(try error([("report", .string("00")), ("id", .number(0))]).contains("id=0"))
        #expect(try error([("report", .string("0700"))], "set-feature").contains("feature report has 3 bytes"))
        let plain = try make(try HIDFile(fido))
        #expect(
            try plain.error(try plain.ask("send", [("report", .string("00")), ("id", .number(1))])).description
                == "this device's reports have no ids")
        #expect(
            try plain.error(try plain.ask("set-feature", [("report", .string("00"))])).description
                == "this device has no feature reports")
    }

    @Test("without a host nothing is sent, and the answer says what to do")
    func nobody() throws {
        let file = try HIDFile(withIDs.bytes)
        let device = try HIDUnderControl("hid:report-descriptor=\(file.path)", isConfigured: false)
        let error = try device.error(try device.ask("send", [("report", .string("070000"))]))
        #expect(!error.isMistake && error.description.contains("ctl wait"))
    }
}
