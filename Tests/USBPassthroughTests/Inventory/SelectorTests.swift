import Testing
import USBCore

@testable import USBPassthrough

@Suite("A device selector")
struct SelectorTests {
    @Test(
        "is read in each of its forms",
        arguments: [
            ("1d6b:0104", .ids(vendor: 0x1d6b, product: 0x104, serialNumber: nil), "1d6b:0104"),
            ("1D6B:104", .ids(vendor: 0x1d6b, product: 0x104, serialNumber: nil), "1d6b:0104"),
            ("0x1d6b:0X4", .ids(vendor: 0x1d6b, product: 4, serialNumber: nil), "1d6b:0004"),
            ("1:2:SER", .ids(vendor: 1, product: 2, serialNumber: "SER"), "0001:0002:SER"),
            ("1:2:a:b=c, d", .ids(vendor: 1, product: 2, serialNumber: "a:b=c, d"), "0001:0002:a:b=c, d"),
            ("1:2:3-1", .ids(vendor: 1, product: 2, serialNumber: "3-1"), "0001:0002:3-1"),
            ("3-1", .place(bus: 3, ports: [1]), "3-1"),
            ("3-1.2", .place(bus: 3, ports: [1, 2]), "3-1.2"),
            ("255-255.1.2.3.4.5.6", .place(bus: 255, ports: [255, 1, 2, 3, 4, 5, 6]), "255-255.1.2.3.4.5.6"),
            ("*", .every, "*"),
        ] as [(String, DeviceSelector.Form, String)])
    func parsing(_ text: String, form: DeviceSelector.Form, written: String) throws {
        let selector = try DeviceSelector(parsing: text)
        #expect(selector.form == form && selector.description == written)
        #expect(try DeviceSelector(parsing: written) == selector)
    }

    @Test(
        "is refused as anything else, with the forms there are",
        arguments: [
            "", ":", "1d6b", "1d6b:", ":0104", "1d6b:0104:", "12345:1", "0x:1", "g:1", "+1:2", "-1:2", "1:2 ", "٣:1",
            "3-", "-1", "3-1.", "3-1..2", "3--1", "3-0", "0-1", "256-1", "3-256", "3-+1", "+3-1", "3 - 1", "３-1",
            "1-1.2.3.4.5.6.7.8", "**", "3-*", "1-1-1", "3-1:1.0",
        ])
    func refusals(_ text: String) throws {
        let error = #expect(throws: InventoryError.self) { try DeviceSelector(parsing: text) }
        #expect(error?.isMistake == true)
        #expect(error?.description.contains("1d6b:0104") == true)
    }

    @Test("that names a root hub is refused as that, and a hostile one cannot do anything to a terminal")
    func refusalWords() {
        let rootHub = #expect(throws: InventoryError.self) { try DeviceSelector(parsing: "usb3") }
        #expect(rootHub?.description == "usb3 is a bus's root hub, which cannot be exported")
        let evil = #expect(throws: InventoryError.self) { try DeviceSelector(parsing: "\u{1b}[2J") }
        #expect(evil?.description.hasPrefix("'\\u{1b}[2J' is no device") == true)
    }

    private func device(_ path: [UInt8], serial: String?, virtual: Bool = false, hub: Bool = false) -> HostDevice {
        HostDevice(
            listed: ListedDevice(
                bus: 3, address: 4, ports: path, speed: .high, vendorID: 0x1d6b, productID: 0x104, release: 0,
                deviceClass: [hub ? 9 : 0, 0, 0], configurations: []),
            serialNumber: serial, isVirtual: virtual)
    }

    @Test("stands for devices by ids, serial number or place")
    func matching() throws {
        let stick = device([1, 2], serial: " A\u{1}1 ")
        for text in [
            "1d6b:0104", "3-1.2", "1d6b:0104: A\u{1}1 ", "1d6b:0104:A\u{1}1", "1d6b:0104: A\\u{1}1 ", "*",
        ] {
            #expect(try DeviceSelector(parsing: text).matches(stick), "\(text)")
        }
        for text in ["1d6b:0105", "1d6a:0104", "3-1", "3-1.2.1", "4-1.2", "1d6b:0104:A1", "1d6b:0104:a\u{1}1"] {
            #expect(try !DeviceSelector(parsing: text).matches(stick), "\(text)")
        }
        #expect(try !DeviceSelector(parsing: "1d6b:0104:x").matches(device([1], serial: nil)))
    }

    @Test("for all leaves out hubs, and what was attached over USB/IP")
    func every() {
        let every = DeviceSelector(.every)
        #expect(every.matches(device([1], serial: nil)))
        #expect(!every.matches(device([1], serial: nil, virtual: true)))
        #expect(!every.matches(device([1], serial: nil, hub: true)))
        #expect(!every.matches(device([], serial: nil)))
    }
}
