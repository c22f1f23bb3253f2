import Testing
import USBCore

@testable import USBPassthrough

@Suite("An inventory")
struct InventoryTests {
    private let machine = FakeMachine()
    private var devices: [HostDevice] { get throws { try machine.inventory.devices() } }

    @Test("describes each device by what libusb and sysfs say of it")
    func description() throws {
        let listed = machine.add(
            "3-1.2", 0x46f4, 1, address: 4, interfaces: [(0, 3, "usbhid"), (1, 8, nil)], maker: "QEMU",
            name: "QEMU USB HARDDRIVE", serial: "1-0000:00:04.0-1")
        let device = try #require(try devices.first)
        #expect(device.listed == listed && device.path == "3-1.2" && device.ids == "46f4:0001")
        #expect(device.manufacturer == "QEMU" && device.product == "QEMU USB HARDDRIVE")
        #expect(device.serialNumber == "1-0000:00:04.0-1" && device.name == "QEMU USB HARDDRIVE")
        #expect(device.configurationValue == 1 && device.driver == "usb")
        #expect(
            device.drivers == [
                .init(number: 0, systemName: "3-1.2:1.0", driver: "usbhid"),
                .init(number: 1, systemName: "3-1.2:1.1", driver: nil),
            ])
        #expect(device.node == "/dev/bus/usb/003/004")
        #expect(!device.isVirtual && !device.isHub && !device.isRootHub)
    }

    @Test("is in the order of buses and ports, each hub before what hangs on it")
    func order() throws {
        for (index, path) in ["3-1.10", "10-1", "3-1.2", "usb3", "3-1", "3-1.2.1", "usb10"].enumerated() {
            machine.add(path, 1, 1, address: UInt8(index + 1))
        }
        #expect(
            try devices.map(\.path) == ["usb3", "3-1", "3-1.2", "3-1.2.1", "3-1.10", "usb10", "10-1"])
    }

    @Test("knows hubs by the device's class and by an interface's, and root hubs by their place")
    func hubs() throws {
        machine.addBus(1)
        machine.add("1-1", 1, 1, address: 2, class: 9, interfaces: [])
        machine.add("1-2", 1, 2, address: 3, interfaces: [(0, 9, "hub")])
        machine.add("1-3", 1, 3, address: 4, interfaces: [(0, 3, "usbhid")])
        let found = try devices
        #expect(found.map(\.isHub) == [true, true, true, false])
        #expect(found.map(\.isRootHub) == [true, false, false, false])
        #expect(found[0].drivers == [.init(number: 0, systemName: "1-0:1.0", driver: "hub")])
    }

    @Test("tells what was attached over USB/IP, root hubs included")
    func virtual() throws {
        let controller = "platform/vhci_hcd.0/usb5"
        machine.add("usb5", 0x1d6b, 2, address: 1, class: 9, controller: controller)
        machine.add("5-1", 1, 1, address: 2, controller: controller)
        machine.add("6-1", 1, 1, address: 2)
        #expect(try devices.map(\.isVirtual) == [true, true, false])
    }

    @Test("keeps strings as they are, and shows them so that they cannot do anything to a terminal")
    func hostileStrings() throws {
        let evil = "\u{1b}[2J\u{9b}31m\u{202e}\nroot#\u{7}"
        machine.add("1-1", 0xabcd, 0x12, address: 2, maker: evil, name: "Ünïcode ☃", serial: "a\u{0}b")
        let device = try #require(try devices.first)
        #expect(device.manufacturer == evil && device.serialNumber == "a\u{0}b")
        #expect(device.name == "\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{a}root#\\u{7} Ünïcode ☃")
        machine.add("1-2", 0xabcd, 0x12, address: 3)
        #expect(try devices[1].name == "abcd:0012")
    }

    @Test(
        "names a device by maker and product, neither twice nor with blanks around, or by its ids",
        arguments: [
            ("ACME", "Stick", "ACME Stick"), ("ACME", "ACME Stick", "ACME Stick"), (nil, " Stick ", "Stick"),
            ("ACME ", nil, "ACME"), ("  ", " ", "1234:0001"), (nil, nil, "1234:0001"),
        ])
    func names(_ maker: String?, product: String?, name: String) throws {
        machine.add("1-1", 0x1234, 1, address: 2, maker: maker, name: product)
        #expect(try devices.first?.name == name)
    }

    @Test("takes bytes that are no text, and no end of a string, as they come")
    func hostileBytes() throws {
        machine.add("1-1", 1, 1, address: 2)
        machine.write([0x41, 0xff, 0xc0, 0x42, 0x0a], to: "\(FakeMachine.folder("1-1"))/product")
        machine.write([UInt8](repeating: 0x41, count: 1 << 20), to: "\(FakeMachine.folder("1-1"))/serial")
        let device = try #require(try devices.first)
        #expect(device.product == "A\u{fffd}\u{fffd}B")
        #expect(device.serialNumber?.utf8.count == 64 << 10)
    }

    @Test(
        "does without files that are missing, cut or make no sense",
        arguments: ["", "\n", "x\n", "-1\n", "+1\n", "256\n", "99999999999999999999\n", "1 1\n"])
    func malformedNumbers(_ text: String) throws {
        machine.add("1-1", 1, 1, address: 2, name: "Thing", configuration: text)
        let device = try #require(try devices.first)
        #expect(device.configurationValue == 0 && device.drivers.isEmpty && device.product == "Thing")
        machine.write(text, to: "\(FakeMachine.folder("1-1"))/devnum")
        #expect(try devices.first?.product == nil)
        #expect(machine.inventory.address(ofPath: "1-1") == nil)
    }

    @Test("says nothing of what stands at a device's place and is another one already")
    func replugged() throws {
        let listed = machine.add("1-1", 1, 1, address: 2, name: "Old")
        machine.write("3\n", to: "\(FakeMachine.folder("1-1"))/devnum")
        #expect(try devices == [HostDevice(listed: listed)])
    }

    @Test("does without sysfs, and with links that lead in a circle")
    func brokenTree() throws {
        let listed = machine.add("1-1", 1, 1, address: 2, name: "Thing")
        machine.link("/sys/bus/usb/devices/1-1", to: "1-1")
        #expect(try devices == [HostDevice(listed: listed)])
        #expect(machine.inventory.obstacles(of: HostDevice(listed: listed)).isEmpty)
        machine.removeFile("/sys")
        #expect(try devices == [HostDevice(listed: listed)])
        #expect(!machine.inventory.hasBus)
    }

    @Test("does without files that never end or keep one waiting")
    func specialFiles() throws {
        machine.add("1-1", 1, 1, address: 2)
        machine.link("\(FakeMachine.folder("1-1"))/product", to: "/dev/zero")
        machine.link("\(FakeMachine.folder("1-1"))/serial", to: ".")
        let device = try #require(try devices.first)
        #expect(device.product?.utf8.count == 64 << 10 && device.serialNumber == nil)
        #expect(device.name.count < 1 << 20)
    }

    @Test("says why when libusb lists nothing, and whether the kernel has USB")
    func unlisted() {
        machine.fail(.other)
        #expect(throws: InventoryError.unlisted(.other, hasBus: true)) { try devices }
        #expect("\(InventoryError.unlisted(.access, hasBus: true))".contains("no permission"))
        machine.removeFile("/sys/bus/usb")
        #expect(throws: InventoryError.unlisted(.other, hasBus: false)) { try devices }
        #expect("\(InventoryError.unlisted(.other, hasBus: false))".contains("this machine has no USB"))
    }

    @Test("says what address a place has now, without libusb")
    func address() throws {
        machine.fail(.other)
        let inventory = machine.inventory
        #expect(inventory.address(ofPath: "3-1.2") == nil)
        machine.add("3-1.2", 1, 1, address: 4)
        let found = try #require(inventory.address(ofPath: "3-1.2"))
        #expect(found == (3, 4))
        machine.write("127\n", to: "\(FakeMachine.folder("3-1.2"))/devnum")
        #expect(try #require(inventory.address(ofPath: "3-1.2")) == (3, 127))
        machine.removeFile("/sys/bus/usb/devices/3-1.2")
        #expect(inventory.address(ofPath: "3-1.2") == nil)
    }

    @Test(
        "takes nothing but a place for one",
        arguments: ["../../../../3-1", "3-1/", "3-1/../3-1", "", "*", "1d6b:0104", "3-", "-1", "3-1\0", "usb3/.."])
    func noPlace(_ path: String) {
        machine.add("3-1", 1, 1, address: 4)
        #expect(machine.inventory.address(ofPath: path) == nil)
    }
}
