import DeviceInspection
import Testing
import USBCore

private let setting = "configuration 1, interface 0 alternate 0"

/// What the bytes of single descriptors and of configurations break.
///
/// Offsets are those of the drive's configuration:
/// 9 bytes of configuration, 9 of interface, endpoints from 18 on.
@Suite struct ByteLawTests {
    @Test(arguments: [Speed.full, .high, .super, .superPlus]) func aLawfulDriveHasNoIssue(_ speed: Speed) {
        let report = LawfulDevices.drive(speed).report
        #expect(report.issues == [])
        #expect(!report.hasErrors)
        #expect(report.text.hasSuffix("Issues: none\n"))
        #expect(report.json.hasSuffix(#""issues":[]}"#))
    }

    @Test func classesHaveNoIssueEither() {
        #expect(LawfulDevices.keyboard.report.issues == [])
        #expect(LawfulDevices.headset.report.issues == [])
        #expect(LawfulDevices.serialPort.report.issues == [])
    }

    @Test(arguments: [
        SpoiltDevice(
            "a device descriptor that says it is shorter", LawfulDevices.drive(.high), "USB 2.0 §9.6.1", at: "device",
            saying: "bLength is 17"
        ) { $0.edit(.device) { $0[0] = 17 } },
        SpoiltDevice(
            "a device descriptor of another type", LawfulDevices.drive(.high), "USB 2.0 §9.4.3", at: "device",
            saying: "bDescriptorType is 0x02"
        ) { $0.edit(.device) { $0[1] = 2 } },
        SpoiltDevice(
            "a device descriptor with more bytes", LawfulDevices.drive(.high), .notice, "USB 2.0 §9.5", at: "device",
            saying: "bLength is 20"
        ) {
            $0.edit(.device) {
                $0[0] = 20
                $0 += [0, 0]
            }
        },
        SpoiltDevice(
            "a configuration that does not answer", LawfulDevices.drive(.full), "USB 2.0 §9.6.1",
            at: "configuration at index 0", saying: "bNumConfigurations is 1"
        ) { device in
            device[.configuration] = nil
            // Nothing is left for these to be about.
            device.answers[AnsweringDevice.Request(request: 8, value: 0)] = .bytes([0])
            device.record.configurationValue = 0
        },
        SpoiltDevice(
            "a second configuration that is not there", LawfulDevices.drive(.full), "USB 2.0 §9.6.1",
            at: "configuration at index 1",
            saying: "bNumConfigurations is 2, but this configuration cannot be read: STALL"
        ) {
            $0.edit(.device) { $0[17] = 2 }
            $0.record.configurationCount = 2
        },
        SpoiltDevice(
            "a total length beyond what is sent", LawfulDevices.drive(.full), "USB 2.0 §9.6.3", at: "configuration 1",
            saying: "wTotalLength is 40, but the device sends 32 bytes"
        ) { $0.edit(.configuration) { $0[2] = 40 } },
        SpoiltDevice(
            "a total length of the header alone", LawfulDevices.drive(.full), "USB 2.0 §9.6.3", at: "configuration 1",
            saying: "wTotalLength is 8, the configuration descriptor alone has 9"
        ) { device in
            device.edit(.configuration) { $0.removeSubrange(9...) }
            device.edit(.configuration) {
                $0[2] = 8
                $0[4] = 1
                $0 += [9, 4, 0, 0, 0, 255, 0, 0, 0]
            }
        },
        SpoiltDevice(
            "another type than was asked for", LawfulDevices.drive(.full), "USB 2.0 §9.6.3", at: "configuration 1",
            saying: "bDescriptorType is 0x07"
        ) { $0.edit(.configuration) { $0[1] = 7 } },
        SpoiltDevice(
            "a descriptor of length 0", LawfulDevices.drive(.full), "USB 2.0 §9.5", at: "\(setting), EP 1 IN",
            saying: "bLength is 0 at byte 25"
        ) { $0.edit(.configuration) { $0[25] = 0 } },
        SpoiltDevice(
            "a descriptor of length 1", LawfulDevices.drive(.full), "USB 2.0 §9.5", at: "\(setting), EP 1 IN",
            saying: "no descriptor is shorter than 2 bytes"
        ) { $0.edit(.configuration) { $0[25] = 1 } },
        SpoiltDevice(
            "a descriptor that is cut off", LawfulDevices.drive(.full), "USB 2.0 §9.5", at: "\(setting), EP 1 IN",
            saying: "the last descriptor (Endpoint) is cut off: bLength is 7 at byte 25, but only 4 bytes are left"
        ) { $0.editConfiguration { $0.removeLast(3) } },
        SpoiltDevice(
            "an endpoint that is too short", LawfulDevices.drive(.full), "USB 2.0 §9.6.6", at: "\(setting), EP 2 OUT",
            saying: "bLength 6; it has 7 bytes"
        ) {
            $0.editConfiguration {
                $0[25] = 6
                $0.removeLast()
            }
        },
        SpoiltDevice(
            "an endpoint before any interface", LawfulDevices.drive(.full), "USB 2.0 §9.4.3", at: "configuration 1",
            saying: "endpoint descriptor (0x83) stands at byte 9, before any interface"
        ) { $0.editConfiguration { $0.insert(contentsOf: [7, 5, 0x83, 2, 64, 0, 0], at: 9) } },
        SpoiltDevice(
            "an interface with more bytes", LawfulDevices.drive(.full), .notice, "USB 2.0 §9.5", at: setting,
            saying: "the Interface descriptor has bLength 10"
        ) {
            $0.editConfiguration {
                $0[9] = 10
                $0.insert(0, at: 18)
            }
        },
        SpoiltDevice(
            "a count of endpoints that is wrong", LawfulDevices.drive(.full), "USB 2.0 §9.6.5", at: setting,
            saying: "bNumEndpoints is 3, but there are 2"
        ) { $0.edit(.configuration) { $0[13] = 3 } },
        SpoiltDevice(
            "a packet size that the speed does not have", LawfulDevices.drive(.full), "USB 2.0 §5.8.3",
            at: "\(setting), EP 1 IN", saying: "wMaxPacketSize is 63"
        ) { $0.edit(.configuration) { $0[22] = 63 } },
        SpoiltDevice(
            "an other-speed configuration that is none", LawfulDevices.drive(.high), "USB 2.0 §9.6.4",
            at: "other speed, configuration 1", saying: "bDescriptorType is 0x02"
        ) { $0.edit(.otherSpeedConfiguration) { $0[1] = 2 } },
        SpoiltDevice(
            "a qualifier that is too short", LawfulDevices.drive(.high), "USB 2.0 §9.6.2", at: "device qualifier",
            saying: "bLength is 9"
        ) { $0.edit(.deviceQualifier) { $0[0] = 9 } },
        SpoiltDevice(
            "a capability that is cut off", LawfulDevices.drive(.super), "USB 3.2 §9.5", at: "BOS",
            saying: "the last descriptor (Device Capability) is cut off"
        ) {
            $0.edit(.bos) {
                $0.removeLast()
                $0[2] -= 1
            }
        },
        SpoiltDevice(
            "a store that promises more", LawfulDevices.drive(.super), "USB 3.2 §9.6.2", at: "BOS",
            saying: "wTotalLength is 30, but the device sends 22"
        ) { $0.edit(.bos) { $0[2] = 30 } },
    ]) func oneMistakeIsOneIssue(_ device: SpoiltDevice) { device.check() }

    @Test func whatIsSentBeyondTheTotalLengthShows() {
        var device = LawfulDevices.drive(.full)
        device.edit(.configuration) { $0 += [1, 2, 3] }
        #expect(
            device.report.issues == [
                InspectionIssue(
                    .error, "configuration 1",
                    "wTotalLength is 32, but the device sends more: 3 bytes follow when 255 are asked for",
                    "USB 2.0 §9.6.3")
            ])
        #expect(device.report.text.contains("Bytes beyond wTotalLength:\n      data:\n        01 02 03\n"))
    }

    @Test func whatCannotBeReadIsShownAllTheSame() {
        var device = LawfulDevices.drive(.full)
        device.edit(.configuration) { $0[25] = 0 }
        #expect(device.report.text.contains("Unreadable Bytes:\n      data:\n        00 05 02 02 40 00 00\n"))
        #expect(device.report.json.contains(#""name":"Unreadable Bytes","data":"00 05 02 02 40 00 00""#))
    }

    @Test func aDeviceThatSaysNothingIsReportedOnce() {
        var device = LawfulDevices.drive(.high)
        device[.device] = nil
        #expect(
            device.report.issues == [
                InspectionIssue(.error, "device", "the device descriptor cannot be read: STALL", "USB 2.0 §9.6.1")
            ])
    }
}
