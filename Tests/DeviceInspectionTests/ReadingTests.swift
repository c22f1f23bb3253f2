import DeviceInspection
import Synchronization
import Testing
import USBCore

/// Which requests are sent, and what is made of the answers.
@Suite struct ReadingTests {
    /// Reads a device; gives the requests in their order as well.
    private func read(_ device: AnsweringDevice) -> (raw: RawDevice, requests: [SetupPacket]) {
        var requests: [SetupPacket] = []
        let raw = DeviceReading.read(device.record) { setup in
            requests.append(setup)
            return device.answer(setup)
        }
        return (raw, requests)
    }

    private func types(_ requests: [SetupPacket]) -> Set<UInt16> {
        Set(requests.filter { $0.requestType == 0x80 && $0.request == 6 }.map { $0.value >> 8 })
    }

    @Test(arguments: [Speed.full, .high, .super]) func nothingIsSentThatChangesTheDevice(_ speed: Speed) {
        for device in [LawfulDevices.drive(speed), LawfulDevices.keyboard, LawfulDevices.serialPort] {
            for setup in read(device).requests {
                #expect(setup.direction == .in)
                #expect([0, 6, 8].contains(setup.request) && setup.kind == .standard, "\(setup)")
            }
        }
    }

    @Test func onlyWhatTheVersionKnowsIsAskedFor() {
        #expect(types(read(LawfulDevices.drive(.super)).requests) == [1, 2, 3, 15])
        #expect(types(read(LawfulDevices.drive(.high)).requests) == [1, 2, 3, 6, 7])
        #expect(types(read(LawfulDevices.drive(.full)).requests) == [1, 2, 3, 6])
        var old = LawfulDevices.drive(.full)
        old.edit(.device) {
            $0[2] = 0x10
            $0[3] = 0x01
        }
        #expect(types(read(old).requests) == [1, 2, 3])
    }

    @Test func aConfigurationLongerThan255BytesIsReadWhole() {
        var device = LawfulDevices.drive(.full)
        device.editConfiguration { bytes in
            for _ in 0..<20 { bytes += [20, 0x41] + [UInt8](repeating: 7, count: 18) }
        }
        #expect(device.report.issues == [])
        #expect(device.raw.configurations.first?.bytes?.count == 432)
    }

    @Test func aDeviceThatFallsSilentIsLeftAlone() {
        let device = LawfulDevices.drive(.high)
        var requests = 0
        let raw = DeviceReading.read(device.record) { setup in
            requests += 1
            return setup.value >> 8 == 1 ? device.answer(setup) : .silent
        }
        #expect(requests == 4)
        #expect(raw.status == .notAsked("the device has fallen silent"))
        let report = DeviceReport(raw)
        #expect(report.hasErrors)
        #expect(report.text.contains("Configuration Descriptor at index 0: no answer in time"))
    }

    @Test func whatEndsTheConnectionEndsTheReading() {
        struct Gone: Error {}
        let device = LawfulDevices.drive(.high)
        #expect(throws: Gone.self) {
            try DeviceReading.read(device.record) { (setup) throws(Gone) in
                guard setup.value >> 8 != 2 else { throw Gone() }
                return device.answer(setup)
            }
        }
    }

    @Test func platformDescriptorsAreReadAsTheStoreOffers() {
        var device = AnsweringDevice(
            DeviceDescription(
                speed: .full, vendorID: 0x1209, productID: 5, product: "Page",
                bos: [
                    .usb2Extension(attributes: 0x02), .webUSB(vendorCode: 1, landingPage: 1),
                    .microsoftOS2(setLength: 10, vendorCode: 2),
                ]
            ) {
                Configuration { Interface(0, class: .vendorSpecific) }
            })
        device[.deviceQualifier] = nil
        device.answers[.init(requestType: 0xc0, request: 1, value: 1, index: 2)] =
            .bytes([16, 3, 1] + Array("ghost.example".utf8))
        let set: [UInt8] = [10, 0, 0, 0, 0, 0, 3, 6, 10, 0]
        device.answers[.init(requestType: 0xc0, request: 2, value: 0, index: 7)] = .bytes(set)
        #expect(device.report.issues == [])
        #expect(device.report.text.contains("WebUSB Landing Page: https://ghost.example\n"))
        #expect(device.report.text.contains("Microsoft OS 2.0 Platform Capability:"))
        #expect(device.report.json.contains(#""microsoftOS2Descriptors":"0a 00 00 00 00 00 03 06 0a 00""#))

        device.answers[.init(requestType: 0xc0, request: 2, value: 0, index: 7)] = .bytes(Array(set.dropLast()))
        device.answers[.init(requestType: 0xc0, request: 1, value: 1, index: 2)] = .stalled
        let messages = device.report.issues.map(\.message)
        #expect(messages.count == 2)
        #expect(messages.contains { $0.hasPrefix("the WebUSB landing page cannot be read: STALL") })
        #expect(messages.contains { $0.hasPrefix("the capability promises 10 bytes") })
    }

    @Test func stringsAreReadInEnglishWhereTheListIsBroken() {
        var device = LawfulDevices.drive(.full)
        device[.string] = nil
        #expect(device.report.text.contains("iProduct                2 Drive\n"))
    }

    @Test func stringsOfAllLanguagesAreShown() {
        var device = LawfulDevices.drive(.full)
        device[.string] = [6, 3, 0x09, 0x04, 0x07, 0x04]
        for (index, text) in [(1, "Geist"), (2, "Platte"), (3, "1")] {
            device[.string, UInt8(index), .german] = StringDescriptor(text).bytes
        }
        #expect(device.report.issues == [])
        #expect(device.report.text.contains("Languages: 0x0409 English (US), 0x0407 German\n"))
        #expect(device.report.text.contains("0x0407 string 2: Platte\n"))
    }
}
