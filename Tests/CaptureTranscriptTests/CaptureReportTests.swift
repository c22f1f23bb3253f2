import CaptureTraces
import CaptureTranscript
import CommandSupport
import Testing
import USBCapture
import USBCore

@Suite("What is in a capture")
struct CaptureReportTests {
    private static let facts = CaptureFacts(
        name: "a\u{1b}.pcapng", format: "pcapng", size: 1000, comments: ["made\nby hand", "made\nby hand"], dropped: 3)

    private static var device: CapturedDevice {
        var device = MadeTrace.composite.device
        device.addresses = [0, 5]
        device.descriptors.strings = [
            .init(index: 0, language: 0): [4, 3, 9, 4],
            .init(index: 1, language: 0x0409): MadeDescriptors.string("Maker"),
            .init(index: 2, language: 0x0409): MadeDescriptors.string("Thing\u{7}"),
        ]
        device.submissions = 10
        device.unasked = 1
        device.unanswered = 2
        device.bytesIn = 300
        device.endpoints = [
            .init(endpoint: .out(0), type: .control, transfers: 4, bytes: 100),
            .init(endpoint: .in(5), type: .bulk, transfers: 1, bytes: 200),
        ]
        return device
    }

    private static var summary: CaptureSummary {
        CaptureSummary(
            devices: [device], events: 22, firstTime: 1_575_187_200_000_000_000, lastTime: 1_575_187_201_500_000_000)
    }

    @Test("The page tells the file, the devices, their descriptors and endpoints")
    func text() {
        #expect(
            CaptureReport(Self.summary, Self.facts).text == #"""
                a\u{1b}.pcapng: pcapng, 1000 bytes
                22 events in 1.500000 s from 2019-12-01 08:00:00 UTC
                comment: made
                comment: by hand
                3 packets were lost while it was recorded

                device  bus-address  ids        speed  transfers  bytes out  bytes in  unanswered  unasked  class
                     1  1-0→5        1209:db42  full?         11          0       300           2        1  HID keyboard, HID mouse, CDC ACM, mass storage
                ?: the speed is inferred

                device 1: "Maker", "Thing\u{7}"
                  descriptors: device, configurations 1 of 1, 2 strings, report descriptors 2 of 2
                  EP 0     control  4 transfers  100 bytes
                  EP 5 IN  bulk      1 transfer  200 bytes  interface 4, mass storage
                """#)
    }

    @Test("Where reading ended early, the page says why and where")
    func trouble() {
        var summary = Self.summary
        summary.trouble = CaptureError(.cut, "the file ends in a block", offset: 960, packet: 12)
        let report = CaptureReport(summary, Self.facts)
        #expect(
            report.text.contains(
                "\nnot read to its end: the file ends in a block, packet 12 at offset 960; all before that is here\n"))
        #expect(
            report.json["trouble"]?.text
                == #"{"kind":"cut","reason":"the file ends in a block","offset":960,"packet":12}"#)
    }

    @Test("What could not be read of connections, and packets that are too short, are told")
    func warnings() {
        let facts = CaptureFacts(
            name: "net.pcap", format: "pcap", size: 1000, comments: [], dropped: 0, malformed: 2,
            warnings: ["a connection\u{1b} lacks its beginning"])
        var summary = Self.summary
        summary.notes = ["there is more"]
        let report = CaptureReport(summary, facts)
        #expect(
            report.text.contains(
                """
                note: there is more
                note: a connection\\u{1b} lacks its beginning
                2 packets are too short for what they should be (cut by a snap length?)

                """))
        #expect(report.json["malformed"] == .number(2))
        #expect(report.json["warnings"] == .array([.string("a connection\u{1b} lacks its beginning")]))
        #expect(report.json["notes"] == .array([.string("there is more")]))
        let one = CaptureFacts(name: "net.pcap", format: "pcap", size: 1000, comments: [], dropped: 0, malformed: 1)
        #expect(
            CaptureReport(summary, one).text.contains("\n1 packet is too short for what it should be (cut by a snap"))
    }

    @Test("A device of which little is known says so")
    func unknown() {
        var device = CapturedDevice(number: 3, channel: 1, bus: 2, address: 9, time: 0)
        device.descriptors.device = [18, 1, 0, 2, 0, 0, 0, 8]
        device.descriptors.configurations[0] = [9, 2, 200, 0, 1, 1, 0, 0x80, 50]
        device.speed = .low
        device.isSpeedKnown = true
        let text = CaptureReport(CaptureSummary(devices: [device]), Self.facts).text
        #expect(text.contains("     3  2-9          ?    low            0          0         0  by interface"))
        #expect(
            text.contains(
                "descriptors: device (the first 8 bytes), configurations 0 of ?, 1 in part, 0 strings"))
        #expect(CaptureReport(CaptureSummary(), Self.facts).text.hasSuffix("no USB device is in it"))
    }

    @Test("What the capture says of a device beside its transfers stands in for what these do not say")
    func announced() {
        var device = CapturedDevice(number: 1, channel: 0, bus: 1, address: 2, time: 0)
        var announcement = DeviceAnnouncement(bus: 1, device: 2, speed: .high)
        announcement.vendorID = 0x0525
        announcement.productID = 0xa4a5
        announcement.product = "Gadget"
        announcement.busID = "1-1"
        announcement.model = "drive:size=1M"
        device.announcement = announcement
        let text = CaptureReport(CaptureSummary(devices: [device]), Self.facts).text
        #expect(text.contains("1-2          0525:a4a5  full?"))
        #expect(
            text.hasSuffix(
                """
                device 1: "Gadget"
                  descriptors: no device descriptor, configurations 0 of ?, 0 strings
                  bus id: 1-1
                  model: drive:size=1M
                """))
    }

    @Test("As JSON, it has the same with stable names")
    func json() throws {
        let json = CaptureReport(Self.summary, Self.facts).json
        #expect(json["events"] == .number(22))
        #expect(json["date"] == .string("2019-12-01 08:00:00 UTC"))
        #expect(json["trouble"] == .null)
        guard case .array(let devices)? = json["devices"] else {
            Issue.record("no devices")
            return
        }
        let device = try #require(devices.first)
        #expect(device["idVendor"] == .string("1209"))
        #expect(device["product"] == .string("Thing\u{7}"))
        #expect(device["speedKnown"] == .bool(false))
        #expect(device["descriptors"]?["reportDescriptorsOf"] == .number(2))
        #expect(
            device["endpoints"]?.text.hasPrefix(#"[{"endpoint":"0x00","type":"control","transfers":4,"bytes":100}"#)
                == true)
    }
}
