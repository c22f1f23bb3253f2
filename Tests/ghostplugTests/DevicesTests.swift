import ArgumentParser
import CommandSupport
import Testing
import USBCore
import USBPassthrough

@testable import ghostplug

@Suite("ghostplug devices")
struct DevicesTests {
    private func device(
        _ ports: [UInt8], class code: UInt8 = 8, name: String? = nil, serial: String? = nil,
        drivers: [String?] = ["usb-storage"], driver: String = "usb", configuration: UInt8 = 1, isVirtual: Bool = false
    ) -> HostDevice {
        HostDevice(
            listed: .sample(ports, class: code), product: name, serialNumber: serial,
            configurationValue: configuration, driver: driver,
            drivers: drivers.enumerated().map {
                .init(number: UInt8($0.offset), systemName: "3-1:1.\($0.offset)", driver: $0.element)
            }, isVirtual: isVirtual)
    }

    private static let hub = Obstacle(.hub, "a hub")

    @Test("shows a tree, what is in the way, what to do about each kind, and how to export")
    func text() {
        func permission(_ rule: String) -> Obstacle {
            Obstacle(.permission, "not allowed", advice: ["write \(rule)", "reload", "# or sudo"])
        }
        let listing = DeviceListing([
            .init(device: device([], class: 9, name: "Root", drivers: ["hub"]), obstacles: [Self.hub]),
            .init(
                device: device([1], name: "Stick", serial: "S1"),
                obstacles: [
                    Obstacle(.mounted, "sdb1 is mounted on /mnt", advice: ["sudo umount /mnt"]), permission("a"),
                ]),
            .init(device: device([2], class: 9, drivers: ["hub"]), obstacles: [Self.hub]),
            .init(
                device: device([2, 1], name: "Headset", drivers: ["snd-usb-audio", nil]), obstacles: [permission("b")]),
            .init(device: device([2, 3], drivers: [], configuration: 0), obstacles: []),
            .init(device: device([3], drivers: [nil], driver: "usbip-host", isVirtual: true), obstacles: []),
        ])
        #expect(
            listing.text == """
                PATH       ID         SPEED  NAME     SERIAL  DRIVERS
                usb3       1d6b:0104  high   Root             hub                  hub: not exportable
                  3-1      1d6b:0104  high   Stick    S1      usb-storage
                      not now: sdb1 is mounted on /mnt
                      not now: not allowed
                  3-2      1d6b:0104  high                    hub                  hub: not exportable
                    3-2.1  1d6b:0104  high   Headset          0:snd-usb-audio 1:-
                        not now: not allowed
                    3-2.3  1d6b:0104  high                    not configured
                  3-3      1d6b:0104  high                    usbip-host           attached over USB/IP

                To unmount it (3-1):
                  sudo umount /mnt

                To be allowed (3-1, 3-2.1):
                  write a
                  write b
                  reload
                  # or sudo

                Export a device with: ghostplug serve real:3-2.3
                """)
    }

    @Test("names a device that can be exported once nothing is in the way; or says that there is none")
    func conclusion() {
        let busy = DeviceListing.Entry(device: device([1]), obstacles: [Obstacle(.claimed, "busy")])
        #expect(DeviceListing([busy]).text.hasSuffix("\nThen export it with: ghostplug serve real:3-1"))
        let hub = DeviceListing.Entry(device: device([], class: 9), obstacles: [Self.hub])
        #expect(DeviceListing([hub]).text.hasSuffix("\nNothing is plugged in but hubs."))
    }

    @Test("leaves buses out that only wait for something to be attached, for people; and names them last")
    func virtual() {
        func entry(_ bus: UInt8, _ ports: [UInt8], isVirtual: Bool) -> DeviceListing.Entry {
            let device = HostDevice(
                listed: .sample(bus: bus, ports, class: ports.isEmpty ? 9 : 3), isVirtual: isVirtual)
            return .init(device: device, obstacles: device.isHub ? [Self.hub] : [])
        }
        let attached = [
            entry(1, [], isVirtual: true), entry(1, [1], isVirtual: true), entry(2, [], isVirtual: true),
            entry(3, [], isVirtual: false),
        ]
        let text = DeviceListing(attached).text
        #expect(text.contains("usb1") && !text.contains("usb2") && text.contains("usb3"))
        #expect(text.hasSuffix("serve real:1-1"))
        #expect(DeviceListing(attached + [entry(3, [1], isVirtual: false)]).text.hasSuffix("serve real:3-1"))
        #expect(DeviceListing(attached).json.text.contains("usb2"))
        #expect(DeviceListing([entry(2, [], isVirtual: true)]).text.hasSuffix("\nNothing is plugged in but hubs."))
    }

    @Test("lets no device's strings do anything to a terminal, or push the columns away")
    func hostile() throws {
        let evil = device(
            [1], name: "\u{1b}[2J\n\u{9b}x", serial: "\u{202e}" + String(repeating: "A", count: 500),
            drivers: ["e\u{7}"])
        let entry = DeviceListing.Entry(device: evil, obstacles: [])
        let text = DeviceListing([entry]).text
        #expect(text.split(separator: "\n").count == 3)
        #expect(text.contains("\\u{1b}[2J\\u{a}\\u{9b}x") && text.contains("\\u{202e}AAA") && text.contains("e\\u{7}"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count < 200 })
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || PrintableText.isHarmless($0) })
        let json = Devices.harmless(DeviceListing([entry]).json.text)
        #expect(json.unicodeScalars.allSatisfy(PrintableText.isHarmless))
        guard case .array(let devices) = try JSON(parsing: json.utf8) else {
            Issue.record("no array: \(json)")
            return
        }
        #expect(devices.first?["product"] == .string("\u{1b}[2J\n\u{9b}x"))
        #expect(devices.first?["serial"] == .string(evil.serialNumber ?? ""))
        #expect(Devices.harmless("\u{e0001}é") == "\\udb40\\udc01é")
    }

    @Test("tells programs everything, obstacles included")
    func json() {
        let entry = DeviceListing.Entry(
            device: device([1, 2], name: "Stick", serial: "S1", drivers: ["usb-storage", nil]),
            obstacles: [Obstacle(.claimed, "busy", advice: ["kill 1"])])
        #expect(
            DeviceListing([entry]).json.text == """
                [{"path":"3-1.2","busnum":3,"devnum":2,"ports":[1,2],"speed":"high-speed","idVendor":"1d6b",\
                "idProduct":"0104","bcdDevice":"0100","bDeviceClass":0,"bDeviceSubClass":0,"bDeviceProtocol":0,\
                "product":"Stick","serial":"S1","node":"/dev/bus/usb/003/002","bConfigurationValue":1,"driver":"usb",\
                "interfaces":[{"number":0,"bInterfaceClass":8,"bInterfaceSubClass":6,"bInterfaceProtocol":80,\
                "sysfs":"3-1:1.0","driver":"usb-storage"},{"number":1,"sysfs":"3-1:1.1","driver":null}],\
                "hub":false,"virtual":false,"exportable":false,\
                "obstacles":[{"kind":"claimed","message":"busy","advice":["kill 1"]}]}]
                """)
    }

    // MARK: The command

    private func output(_ words: [String], _ inventory: Inventory) throws -> (text: String, reason: String?) {
        try #require(try Devices.parseAsRoot(words) as? Devices).output(inventory)
    }

    @Test("shows the devices that meet the conditions")
    func matching() throws {
        let inventory = Inventory.listing([.sample([], class: 9), .sample([1], class: 3), .sample([2], class: 8)])
        let all = try output([], inventory).text
        #expect(all.contains("usb3") && all.contains("3-1") && all.contains("3-2"))
        let some = try output(["--match", "class=printer", "--match", "class=08"], inventory).text
        #expect(!some.contains("usb3") && !some.contains("3-1 ") && some.contains("3-2"))
        #expect(
            try output(["--match", "class=printer"], inventory).text
                == "there is no device that meets class=printer; there is: 3-1 = 1d6b:0104, 3-2 = 1d6b:0104")
        let failure = #expect(throws: Failure.self) { try output(["--match", "class=sofa"], inventory) }
        #expect(failure?.code == .validationFailure && failure?.description.hasPrefix("--match: class=sofa") == true)
    }

    @Test("says so where there is no USB, which is no failure; programs get an empty array, and people the reason")
    func noUSB() throws {
        let words = "this machine has no USB: the kernel has no bus of that name (/sys/bus/usb)"
        for inventory in [Inventory.listing([]), .failing(.other)] {
            #expect(try output([], inventory) == (words, nil))
            #expect(try output(["--json"], inventory) == ("[]", words))
            #expect(try output(["--match", "class=08"], inventory) == (words, nil))
        }
    }

    @Test("gives back without any other option")
    func options() throws {
        #expect(try (Devices.parseAsRoot(["--give-back", "3-1"]) as? Devices)?.giveBack == "3-1")
        #expect(throws: (any Error).self) { try Devices.parseAsRoot(["--give-back", "3-1", "--json"]) }
        #expect(throws: (any Error).self) { try Devices.parseAsRoot(["--give-back", "3-1", "--match", "class=8"]) }
        #expect(try Ghostplug.parseAsRoot(["devices"]) is Devices)
    }

    @Test("says how each interface fared when it was given back")
    func outcomes() {
        let outcomes: [(Inventory.OfferedInterface.Outcome, String)] = [
            (.kept(driver: "usbhid"), "usbhid has it, and had it before"),
            (.kept(driver: "usbfs"), "a program has claimed it"),
            (.taken(driver: "usb\u{1b}"), "usb\\u{1b} has it again"), (.unwanted, "no driver that is loaded wants it"),
            (.refused(.access), "cannot be given back: no permission"),
        ]
        for (outcome, words) in outcomes { #expect(Devices.words(for: outcome) == words) }
    }

    @Test("gives nothing back of a device without a configuration, and refuses hubs and what is not there")
    func givingBack() throws {
        let inventory = Inventory.listing([.sample([], class: 9), .sample([1], class: 8)])
        let (lines, hasFailed) = try Devices.lines(givingBack: "3-1", inventory)
        #expect(lines.count == 2 && !hasFailed)
        #expect(lines.last == "  echo 1 | sudo tee /sys/bus/usb/devices/3-1/bConfigurationValue")
        for (text, code) in [("3-9", ExitCode.failure), ("1d6b", .validationFailure), ("*", .validationFailure)] {
            let failure = #expect(throws: Failure.self) { try Devices.lines(givingBack: text, inventory) }
            #expect(failure?.code == code, "\(text)")
        }
    }
}
