import Testing
import USBCore

@testable import USBPassthrough

@Suite("Finding a device")
struct FindTests {
    private let machine = FakeMachine()

    init() {
        machine.addBus(3)
        machine.add("3-1", 0x0409, 0x55aa, address: 2, class: 9, interfaces: [(0, 9, "hub")], name: "Hub")
        machine.add("3-1.2", 0x46f4, 1, address: 3, maker: "QEMU", name: "Disk", serial: "S1")
        machine.add("3-2", 0x0627, 1, address: 4, name: "Tablet", serial: "T:1")
    }

    private func find(_ text: String) throws -> String {
        try machine.inventory.find(DeviceSelector(parsing: text)).path
    }

    private func refusal(_ text: String) -> String {
        let error = #expect(throws: InventoryError.self) { try find(text) }
        return error?.description ?? ""
    }

    @Test(
        "goes by ids, serial number or place",
        arguments: [("46f4:1", "3-1.2"), ("0627:0001:T:1", "3-2"), ("3-1.2", "3-1.2"), ("3-2", "3-2")])
    func found(_ text: String, path: String) throws { #expect(try find(text) == path) }

    @Test("says what there is, without hubs, when nothing matches")
    func absent() {
        #expect(
            refusal("1234:5678")
                == "there is no device 1234:5678; there is: 3-1.2 = 46f4:0001:S1 (QEMU Disk), "
                + "3-2 = 0627:0001:T:1 (Tablet)")
        #expect(InventoryError.notFound("x", near: [], []).isMistake == false)
    }

    @Test(
        "says what comes near",
        arguments: [
            ("46f4:2", "of the same vendor is 46f4:0001 at 3-1.2"),
            ("46f4:1:S2", "46f4:0001 at 3-1.2 has the serial number S1"),
            ("4-1", "there is no bus 4"),
            ("3-5", "nothing is plugged into port 5 of the hub usb3"),
            ("3-1.4", "nothing is plugged into port 4 of the hub 3-1"),
            ("3-1.4.1", "nothing is plugged into port 4 of the hub 3-1, so nothing beyond it"),
            ("3-2.1", "3-2 is no hub: it is 0627:0001 (Tablet)"),
        ])
    func nearMisses(_ text: String, words: String) { #expect(refusal(text).contains("; \(words); there is: 3-1.2")) }

    @Test("says so when a device of the right ids has no serial number")
    func withoutSerial() {
        machine.add("3-3", 0xaaaa, 1, address: 9)
        #expect(refusal("aaaa:1:X").contains("aaaa:0001 at 3-3 has no serial number"))
    }

    @Test("says so when nothing is plugged in but hubs")
    func nothing() {
        let empty = FakeMachine()
        empty.addBus(1)
        let error = #expect(throws: InventoryError.self) { try empty.inventory.find(DeviceSelector(parsing: "1:2")) }
        #expect(error?.description == "there is no device 0001:0002; nothing is plugged in")
        let bare = #expect(throws: InventoryError.self) {
            try FakeMachine().inventory.find(DeviceSelector(parsing: "3-1"))
        }
        #expect(bare?.description == "there is no device 3-1; there is no USB device at all, not even a bus")
    }

    @Test("lists places and serial numbers to choose by when several match")
    func several() throws {
        machine.add("3-4", 0x46f4, 1, address: 5, name: "Disk", serial: "S\u{1b}2")
        #expect(
            refusal("46f4:1")
                == "2 devices are 46f4:0001; choose one by its place or its serial number: "
                + "3-1.2 = 46f4:0001:S1 (QEMU Disk), 3-4 = 46f4:0001:S\\u{1b}2 (Disk)")
        #expect(try find("46f4:1:S1") == "3-1.2")
        #expect(try find("46f4:1:S\\u{1b}2") == "3-4")
    }

    @Test("lists a dozen at most")
    func many() {
        for port in 10..<40 as Range<UInt8> { machine.add("3-\(port)", 0x46f4, 2, address: port) }
        let text = refusal("46f4:2")
        #expect(text.hasPrefix("30 devices are") && text.hasSuffix("and 18 more ('ghostplug devices')"))
    }

    @Test("prefers what is plugged in to what was attached over USB/IP")
    func virtual() throws {
        machine.add("5-1", 0x46f4, 1, address: 2, controller: "platform/vhci_hcd.0/usb5")
        #expect(try find("46f4:1") == "3-1.2" && find("5-1") == "5-1")
        machine.add("5-2", 0x9999, 1, address: 3, controller: "platform/vhci_hcd.0/usb5")
        #expect(try find("9999:1") == "5-2")
        machine.add("5-3", 0x9999, 1, address: 4, controller: "platform/vhci_hcd.0/usb5")
        #expect(refusal("9999:1").hasPrefix("2 devices are 9999:0001"))
    }

    @Test(
        "refuses hubs, and a star",
        arguments: [
            ("0409:55aa", "3-1 is a hub (Hub), which cannot be exported; name what hangs on it"),
            ("3-1", "3-1 is a hub (Hub), which cannot be exported; name what hangs on it"),
            ("1d6b:2", "usb3 is a hub (Root Hub), which cannot be exported; name what hangs on it"),
            ("*", "'*' stands for several devices, which --match chooses; name one device here"),
        ])
    func refused(_ text: String, words: String) { #expect(refusal(text) == words) }
}
