import Testing
import USBCore

@testable import USBPassthrough

@Suite("The conditions of --match")
struct MatchTests {
    private let machine = FakeMachine()

    init() {
        machine.addBus(1)
        machine.add(
            "1-1", 0x46f4, 1, address: 2, interfaces: [(0, 8, "usb-storage")], serial: "A,1", speed: .super)
        machine.add("1-2", 0x0627, 1, address: 3, interfaces: [(0, 3, "usbhid"), (1, 1, nil)], speed: .full)
        machine.add("1-3", 0x46f4, 2, address: 4, class: 0xff, interfaces: [(0, 0xff, nil)])
        machine.add("1-4", 0x0409, 1, address: 5, class: 9, interfaces: [(0, 9, "hub")])
        machine.add("5-1", 0x46f4, 1, address: 2, controller: "platform/vhci_hcd.0/usb5")
    }

    private func paths(_ texts: String...) throws -> [String] {
        try machine.inventory.all(matching: try texts.map { try DeviceMatch(parsing: $0) }).map(\.path)
    }

    @Test(
        "hold for the devices that they describe, hubs and those attached over USB/IP left out",
        arguments: [
            ("class=08", ["1-1"]), ("class=0x8", ["1-1"]), ("class=mass-storage", ["1-1"]),
            ("class=Mass-Storage", ["1-1"]), ("class=hid", ["1-2"]), ("class=audio", ["1-2"]),
            ("class=vendor-specific", ["1-3"]), ("class=hub", []), ("class=printer", []),
            ("vendor=46f4", ["1-1", "1-3"]), ("vendor=0x46F4,product=2", ["1-3"]), ("product=1", ["1-1", "1-2"]),
            ("serial=A\\,1", ["1-1"]), ("speed=super", ["1-1"]), ("speed=FULL", ["1-2"]), ("speed=super-plus", []),
            ("driver=usb-storage", ["1-1"]), ("driver=none", ["1-2", "1-3"]), ("driver=usb", ["1-1", "1-2", "1-3"]),
            ("class=hid,driver=none", ["1-2"]), ("class=hid,class=mass-storage", []),
        ])
    func holding(_ text: String, found: [String]) throws { #expect(try paths(text) == found) }

    @Test("hold when any of several does; none hold when there are none")
    func any() throws {
        #expect(try paths("class=hid", "class=mass-storage") == ["1-1", "1-2"])
        #expect(try machine.inventory.all(matching: []).isEmpty)
    }

    @Test(
        "survive being written and read again",
        arguments: [
            ("class=08", "class=mass-storage"), ("class=fd", "class=fd"),
            ("vendor=1,product=2", "vendor=0001,product=0002"), ("serial=a\\,b\\\\c=d", "serial=a\\,b\\\\c=d"),
            ("speed=HIGH", "speed=high"), ("driver=none,driver=x", "driver=none,driver=x"),
        ])
    func roundTrip(_ text: String, written: String) throws {
        let match = try DeviceMatch(parsing: text)
        #expect(match.description == written)
        #expect(try DeviceMatch(parsing: written) == match)
    }

    @Test(
        "are refused with what is allowed when they make no sense",
        arguments: [
            ("", "KEY=VALUE"), ("class", "KEY=VALUE"), ("class=08,", "KEY=VALUE"), (",", "KEY=VALUE"),
            ("color=red", "there are: class, vendor, product, serial, speed, driver"),
            ("class=", "mass-storage"), ("class=drive", "mass-storage"), ("class=100", "1 or 2 hexadecimal"),
            ("vendor=", "1 to 4"), ("vendor=+1", "1 to 4"), ("vendor=12345", "1 to 4"), ("product=x", "1 to 4"),
            ("serial=", "'ghostplug devices' shows"), ("speed=480", "low, full, high, super, super-plus"),
            ("driver=", "or none"), ("\u{1b}=1", "\\u{1b}"),
        ])
    func refusals(_ text: String, words: String) {
        let error = #expect(throws: InventoryError.self) { try DeviceMatch(parsing: text) }
        #expect(error?.isMistake == true && error?.description.contains(words) == true, "\(error?.description ?? "")")
    }
}
