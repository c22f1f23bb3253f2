import DeviceInspection
import Testing
import USBCore

private let setting = "configuration 1, interface 0 alternate 0"

@Suite struct ClassLawTests {
    /// Offsets in the keyboard's configuration: the HID descriptor from 18 on.
    @Test(arguments: [
        SpoiltDevice(
            "a count of HID descriptors that is wrong", LawfulDevices.keyboard, "HID 1.11 §6.2.1", at: setting,
            saying: "bNumDescriptors of the HID descriptor is 2"
        ) { $0.edit(.configuration) { $0[23] = 2 } },
        SpoiltDevice(
            "a HID descriptor without a report descriptor", LawfulDevices.keyboard, "HID 1.11 §6.2.1", at: setting,
            saying: "names no report descriptor"
        ) {
            $0.edit(.configuration) { $0[24] = 0x23 }
            $0.answers[.init(requestType: 0x81, value: 0x2300)] = .bytes([UInt8](repeating: 0, count: 23))
        },
        SpoiltDevice(
            "a HID release that never was", LawfulDevices.keyboard, .warning, "HID 1.11 §6.2.1", at: setting,
            saying: "bcdHID is 0001"
        ) {
            $0.edit(.configuration) {
                $0[20] = 1
                $0[21] = 0
            }
        },
        SpoiltDevice(
            "no HID descriptor", LawfulDevices.keyboard, "HID 1.11 §7.1", at: setting, saying: "has no HID descriptor"
        ) { $0.editConfiguration { $0.removeSubrange(18..<27) } },
        SpoiltDevice(
            "a HID descriptor behind the endpoint", LawfulDevices.keyboard, .warning, "HID 1.11 §7.1",
            at: "\(setting), EP 1 IN", saying: "as HID 1.0 had it"
        ) {
            $0.editConfiguration { bytes in
                let hid = bytes[18..<27]
                bytes.removeSubrange(18..<27)
                bytes += hid
            }
        },
        SpoiltDevice(
            "a report descriptor that is longer", LawfulDevices.keyboard, "HID 1.11 §6.2.1", at: setting,
            saying: "is 22, but the device sends 23 or more bytes"
        ) { $0.edit(.configuration) { $0[25] = 22 } },
        SpoiltDevice(
            "a report descriptor that is shorter", LawfulDevices.keyboard, "HID 1.11 §6.2.1", at: setting,
            saying: "is 24, but the device sends 23 bytes"
        ) { $0.edit(.configuration) { $0[25] = 24 } },
        SpoiltDevice(
            "a report descriptor that is not there", LawfulDevices.keyboard, "HID 1.11 §7.1.1", at: setting,
            saying: "cannot be read: STALL"
        ) { $0.answers[LawfulDevices.reportDescriptor] = .stalled },
        SpoiltDevice(
            "a collection that stays open", LawfulDevices.keyboard, "HID 1.11 §6.2.2.6", at: setting,
            saying: "report descriptor, byte 22: 1 collection is open at the end"
        ) { $0.editReportDescriptor { $0.removeLast() } },
        SpoiltDevice(
            "an item that is cut off", LawfulDevices.keyboard, "HID 1.11 §6.2.2.2", at: setting,
            saying: "report descriptor, byte 23: the descriptor ends 1 bytes into an item"
        ) { $0.editReportDescriptor { $0.append(0x75) } },
        SpoiltDevice(
            "a report that is no whole byte", LawfulDevices.keyboard, .warning, "HID 1.11 §8.4", at: setting,
            saying: "the input report has 7 bits"
        ) {
            $0.editReportDescriptor {
                $0[11] = 0xe6
                $0[19] = 7
            }
        },
        SpoiltDevice(
            "a report descriptor that no host reads", LawfulDevices.keyboard, "Linux", at: setting,
            saying: "the descriptor has 4097 bytes"
        ) { $0.editReportDescriptor { $0 += [UInt8](repeating: 0xb4, count: 4097 - $0.count) } },
        SpoiltDevice(
            "an audio header that counts wrong", LawfulDevices.headset, "Audio 1.0 §4.3.2", at: setting,
            saying: "is 41, but header, units and terminals have 40"
        ) { $0.edit(.configuration) { $0[23] = 41 } },
        SpoiltDevice(
            "an audio protocol that is none", LawfulDevices.headset, "Audio 1.0 §4.3.1", at: setting,
            saying: "bInterfaceProtocol is 4"
        ) { $0.edit(.configuration) { $0[16] = 4 } },
        SpoiltDevice(
            "a union with nobody", LawfulDevices.serialPort, "CDC 1.2 §5.2.3.2", at: setting, saying: "interface 7"
        ) { $0.edit(.configuration) { $0[35] = 7 } },
    ]) func oneMistakeIsOneIssue(_ device: SpoiltDevice) { device.check() }

    @Test func aDeviceThatIsNotConfiguredMayKeepItsReportDescriptor() {
        var device = LawfulDevices.keyboard
        device.answers[AnsweringDevice.Request(request: 8, value: 0)] = .bytes([0])
        device.record.configurationValue = 0
        #expect(device.report.issues == [])
        #expect(device.report.text.contains("Report Descriptor of 23 bytes:"))
        device.answers[LawfulDevices.reportDescriptor] = .stalled
        #expect(device.report.issues.map(\.severity) == [.notice])
        #expect(!device.report.hasErrors)
    }

    @Test func ofManyIssuesOfOneReportDescriptorTheFirstAreTold() {
        var device = LawfulDevices.keyboard
        device.editReportDescriptor { $0.insert(contentsOf: [UInt8](repeating: 0x0c, count: 40), at: 0) }
        let issues = device.report.issues
        #expect(issues.count == 33)
        #expect(issues.allSatisfy { $0.severity == .error && $0.clause == "HID 1.11 §6.2.2.2" })
        #expect(issues.last?.message.hasPrefix("report descriptor: 8 more, the first at byte 32: ") == true)
    }

    @Test func everyDescriptorThatAHIDDescriptorNamesIsRead() {
        var device = LawfulDevices.keyboard
        device.editConfiguration { bytes in
            bytes[18] = 12
            bytes[23] = 2
            bytes.insert(contentsOf: [0x23, 0x03, 0x00], at: 27)
        }
        device.answers[.init(requestType: 0x81, value: 0x2300)] = .bytes([1, 2, 3])
        #expect(device.report.issues == [])
        #expect(device.report.text.contains("Physical Descriptor of 3 bytes:\n          01 02 03\n"))
        #expect(
            device.report.json.contains(
                #"{"bInterfaceNumber":0,"bDescriptorType":35,"bytes":"01 02 03"}"#))
    }
}
