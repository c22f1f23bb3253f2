import Testing
import USBCore

@testable import USBCapture

@Suite("umockdev's device descriptions")
struct UmockdevFileTests {
    private func announcements(_ text: String) throws -> [DeviceAnnouncement] {
        try UmockdevFile.announcements(bytes: Array(text.utf8))
    }

    @Test("A device with its attributes, and one that is no USB device")
    func attributes() throws {
        let announcements = try announcements(
            #"""
            P: /devices/pci0000:00/0000:00:14.0/usb1/1-3
            N: bus/usb/001/011=12010002
            E: DEVTYPE=usb_device
            E: PRODUCT=4d9/1603/310
            A: busnum=1
            H: descriptors=12011001 00000008D904031610030102000109
            A: devnum=11
            A: idProduct=1603
            A: idVendor=04d9\n
            A: manufacturer=M\303\274ller \"A\\B\"
            A: product=USB Keyboard
            A: serial=
            A: speed=1.5
            L: driver=../../../../../bus/usb/drivers/usb

            P: /devices/pci0000:00/0000:00:14.0
            E: SUBSYSTEM=pci
            A: vendor=0x8086
            """#)
        var expected = DeviceAnnouncement(bus: 1, device: 11, speed: .low)
        expected.vendorID = 0x04d9
        expected.productID = 0x1603
        expected.busID = "1-3"
        expected.manufacturer = #"Müller "A\B""#
        expected.product = "USB Keyboard"
        expected.descriptors = [
            0x12, 0x01, 0x10, 0x01, 0, 0, 0, 8, 0xd9, 4, 3, 0x16, 0x10, 3, 1, 2, 0, 1, 9,
        ]
        #expect(announcements == [expected])
    }

    @Test("udev's properties say it where attributes are missing; interfaces are no devices")
    func properties() throws {
        let announcements = try announcements(
            """
            P: /devices/usb2/2-1
            E: DEVTYPE=usb_device
            E: BUSNUM=002
            E: DEVNUM=005
            E: PRODUCT=46f4/1/0

            P: /devices/usb2/2-1/2-1:1.0
            E: DEVTYPE=usb_interface
            E: PRODUCT=46f4/1/0
            A: bInterfaceNumber=00
            """)
        #expect(announcements.count == 1)
        #expect(announcements.first?.bus == 2)
        #expect(announcements.first?.device == 5)
        #expect(announcements.first?.vendorID == 0x46f4)
        #expect(announcements.first?.productID == 1)
        #expect(announcements.first?.descriptors == [])
    }

    @Test(
        "Several devices in one file, with every speed",
        arguments: [
            ("1.5", Speed.low), ("12", .full), ("480", .high), ("5000", .super), ("10000", .superPlus),
            ("20000", .superPlus),
        ])
    func several(text: String, speed: Speed) throws {
        let announcements = try announcements(
            "P: /a/1-1\nE: DEVTYPE=usb_device\nA: speed=\(text)\nP: /a/1-2\r\nE: DEVTYPE=usb_device\r\nA: speed=what\r\n"
        )
        #expect(announcements.map(\.speed) == [speed, nil])
        #expect(announcements.map(\.busID) == ["1-1", "1-2"])
    }

    @Test("The `descriptors` file of sysfs is one device")
    func descriptors() throws {
        let bytes: [UInt8] = [
            18, 1, 0, 2, 0, 0, 0, 64, 9, 0x12, 0x42, 0xdb, 0, 1, 1, 2, 3, 1, 9, 2, 9, 0, 0, 1, 0, 0x80, 0,
        ]
        let announcements = try UmockdevFile.announcements(bytes: bytes)
        #expect(announcements.count == 1)
        #expect(announcements.first?.descriptors == bytes)
        #expect(announcements.first?.vendorID == 0x1209)
        #expect(announcements.first?.productID == 0xdb42)
        #expect(announcements.first?.bus == nil)
    }

    @Test("What describes no device is refused, saying why")
    func refused() {
        func kind(_ bytes: [UInt8]) -> CaptureError.Kind? {
            do throws(CaptureError) {
                _ = try UmockdevFile.announcements(bytes: bytes)
                return nil
            } catch { return error.kind }
        }
        #expect(kind([]) == .unsupported)
        #expect(kind(Array("P: /devices/x\nE: SUBSYSTEM=pci\n".utf8)) == .unsupported)
        #expect(kind([18, 1, 0, 2]) == .cut)
        #expect(kind(Array("P: /a/1-1\nH: descriptors=120\n".utf8)) == .damaged)
        #expect(kind(Array("P: /a/1-1\nH: descriptors=12xx\n".utf8)) == .damaged)
        let many = (0..<5000).map { "P: /a/\($0)\nE: DEVTYPE=usb_device\n" }.joined()
        #expect(kind(Array(many.utf8)) == .excessive)
    }

    @Test("A file that cannot be opened is an error")
    func absent() {
        #expect(throws: CaptureError.self) { try UmockdevFile.announcements(path: "/does/not/exist.umockdev") }
    }

    @Test("Cut at every byte, and with changed bytes, a file is read or refused")
    func hostile() {
        let text = Array(
            #"P: /a/1-3\nE: DEVTYPE=usb_device\nH: descriptors=12011001\nA: product=\303\274 \\x\nA: speed=12\n"#
                .replacing("\\n", with: "\n").utf8)
        var read = 0
        for seed in 0...3000 {
            var dice = Dice(UInt64(seed))
            var bytes = seed <= text.count ? Array(text.prefix(seed)) : text
            if seed > text.count {
                for _ in 0...2 {
                    bytes[.random(in: 0..<bytes.count, using: &dice)] = .random(in: 0...255, using: &dice)
                }
            }
            if let devices = try? UmockdevFile.announcements(bytes: bytes) {
                read += 1
                #expect(devices.count <= 3)
            }
        }
        #expect(read > 1000)
    }

    @Test(
        "A keyboard's file has the keyboard and the hub it is plugged into",
        .enabled(if: RealCaptures.folder != nil, "there are no real captures here"))
    func keyboard() throws {
        let folder = try #require(RealCaptures.folder)
        let announcements = try UmockdevFile.announcements(path: folder + "/holtek-keyboard.umockdev")
        #expect(announcements.map(\.vendorID) == [0x04d9, 0x1d6b])
        #expect(announcements.map(\.productID) == [0x1603, 2])
        #expect(announcements.map(\.bus) == [1, 1])
        #expect(announcements.map(\.device) == [11, 1])
        #expect(announcements.map(\.speed) == [.low, .high])
        #expect(announcements.map(\.busID) == ["1-3", "usb1"])
        #expect(announcements.first?.product == "USB Keyboard")
        #expect(announcements.map(\.descriptors.count) == [18 + 59, 18 + 25])
    }
}
