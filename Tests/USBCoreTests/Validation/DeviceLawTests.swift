import Testing
import USBCore

private let high = SampleDevices.drive(.high)
private let full = SampleDevices.drive(.full)
private let fast = SampleDevices.drive(.super)

@Suite struct DeviceLawTests {
    @Test(arguments: Speed.allCases) func samplesBreakNoLaw(_ speed: Speed) {
        let device = speed == .low ? SampleDevices.mouse() : SampleDevices.drive(speed)
        #expect(device.validate() == [])
        if speed != .low { #expect(SampleDevices.composite(speed).validate() == []) }
    }

    @Test(arguments: [
        BrokenLaw("high speed before USB 2.0", high, "USB 2.0 §9.6.1", at: "device", saying: "0x0110") {
            $0.device.usbVersion = 0x0110
        },
        BrokenLaw("SuperSpeed before USB 3.0", fast, "USB 3.2 §9.6.1", at: "device", saying: "0x0300 or more") {
            $0.device.usbVersion = 0x0210
        },
        BrokenLaw(
            "SuperSpeedPlus before USB 3.1", SampleDevices.drive(.superPlus), "USB 3.2 §9.6.1", at: "device",
            saying: "0x0310 or more"
        ) { $0.device.usbVersion = 0x0300 },
        BrokenLaw("USB 3 at high speed", high, "USB 3.2 §9.6.1", at: "device", saying: "0x0210 at USB 2.0") {
            $0.device.usbVersion = 0x0300
        },
        BrokenLaw("before there was USB", full, "USB 2.0 §9.6.1", at: "device", saying: "no USB before") {
            $0.device.usbVersion = 0x0099
        },
        BrokenLaw("a version that is no decimal", full, "USB 2.0 §9.6.1", at: "device", saying: "0 to 9") {
            $0.device.usbVersion = 0x020a
        },
        BrokenLaw("capabilities before 2.01", high, "USB 3.2 §9.6.2", at: "device", saying: "from 0x0201 on") {
            $0.bos = BOSDescriptor([])
        },
        BrokenLaw("packet size 32 at high speed", high, "USB 2.0 §9.6.1", at: "device", saying: "it is 64") {
            $0.device.maxPacketSize0 = 32
        },
        BrokenLaw("packet size 63 at full speed", full, "USB 2.0 §9.6.1", at: "device", saying: "8, 16, 32 or 64") {
            $0.device.maxPacketSize0 = 63
        },
        BrokenLaw(
            "packet size 64 at low speed", SampleDevices.mouse(), "USB 2.0 §9.6.1", at: "device",
            saying: "at low speed it is 8"
        ) { $0.device.maxPacketSize0 = 64 },
        BrokenLaw("packet size in bytes at SuperSpeed", fast, "USB 3.2 §9.6.1", at: "device", saying: "9, which") {
            $0.device.maxPacketSize0 = 64
        },
        BrokenLaw("a subclass of no class", high, "USB 2.0 §9.6.1", at: "device", saying: "bDeviceSubClass is 6") {
            $0.device.deviceSubclass = 6
        },
        BrokenLaw(
            "a protocol of no class", high, .warning, "USB 2.0 §9.6.1", at: "device", saying: "bDeviceProtocol is 1"
        ) { $0.device.deviceProtocol = 1 },
        BrokenLaw("nobody's vendor id", high, .warning, "USB 2.0 §9.6.1", at: "device", saying: "idVendor") {
            $0.device.vendorID = 0
        },
        BrokenLaw("a release that is no decimal", high, .warning, "USB 2.0 §9.6.1", at: "device", saying: "bcdDevice") {
            $0.device.deviceVersion = 0x00a0
        },
        BrokenLaw("a wrong count", high, "USB 2.0 §9.6.1", at: "device", saying: "there are 1 configurations") {
            $0.device.configurationCount = 2
        },
        BrokenLaw("no configuration", fast, "USB 3.2 §9.6.1", at: "device", saying: "there is no configuration") {
            $0.configurations = []
            $0.device.configurationCount = 0
        },
        BrokenLaw("too long a descriptor", high, "USB 2.0 §9.5", at: "device", saying: "256 bytes") {
            $0.device.extra = [UInt8](repeating: 0, count: 238)
        },
        BrokenLaw(
            "associations without their class", SampleDevices.composite(.high), .warning, "USB 3.2 §9.6.4",
            at: "device", saying: "EF/02/01"
        ) {
            $0.device.deviceClass = .perInterface
            $0.device.deviceSubclass = 0
            $0.device.deviceProtocol = 0
        },
    ])
    func oneLawOfTheDeviceDescriptor(_ law: BrokenLaw) { law.check() }

    @Test(arguments: [
        BrokenLaw(
            "a qualifier at SuperSpeed", fast, "USB 2.0 §9.6.2", at: "other speed", saying: "has a qualifier"
        ) { $0.otherSpeed = high.otherSpeed },
        BrokenLaw(
            "a qualifier of an old version", high, "USB 2.0 §9.6.2", at: "other speed, device qualifier",
            saying: "0x0200 or more"
        ) { $0.otherSpeed?.qualifier.usbVersion = 0x0110 },
        BrokenLaw(
            "a qualifier's packet size", high, "USB 2.0 §9.6.1", at: "other speed, device qualifier",
            saying: "at full speed"
        ) { $0.otherSpeed?.qualifier.maxPacketSize0 = 12 },
        BrokenLaw(
            "a qualifier's reserved byte", high, "USB 2.0 §9.6.2", at: "other speed, device qualifier",
            saying: "reserved"
        ) { $0.otherSpeed?.qualifier.extra = [1] },
        BrokenLaw(
            "a qualifier's count", high, "USB 2.0 §9.6.2", at: "other speed, device qualifier",
            saying: "bNumConfigurations is 3"
        ) { $0.otherSpeed?.qualifier.configurationCount = 3 },
        BrokenLaw(
            "a high-speed size in the other speed's configuration", high, "USB 2.0 §5.8.3",
            at: "other speed, configuration 1, interface 0 alternate 0, EP 1 IN", saying: "8, 16, 32 or 64"
        ) { $0.otherSpeed?.configurations = $0.configurations },
    ])
    func oneLawOfTheOtherSpeed(_ law: BrokenLaw) {
        if law.name.hasPrefix("a high-speed size") {
            // Both endpoints have the wrong size; the first is enough to name.
            var broken = law.base
            law.change(&broken)
            #expect(broken.validate().map(\.section) == [law.section, law.section])
            #expect(broken.validate().first?.path == law.path)
        } else {
            law.check()
        }
    }

    @Test func refusalListsEveryErrorAndNoWarning() {
        var device = high
        device.device.vendorID = 0
        device.device.maxPacketSize0 = 8
        device.configurations[0].attributes = 0
        let error = #expect(throws: DescriptorError.self) { try device.validated() }
        guard case .refused(let issues) = error else {
            Issue.record("refused for another reason: \(String(describing: error))")
            return
        }
        #expect(issues.map(\.section) == ["USB 2.0 §9.6.1", "USB 2.0 §9.6.3"])
        let text = error?.description ?? ""
        #expect(
            text.hasPrefix("The description breaks the specification in 2 places:\n  error: device: bMaxPacketSize0"))
        #expect(!text.contains("idVendor"))
    }

    @Test func warningsDoNotRefuse() throws {
        var device = high
        device.device.vendorID = 0
        #expect(try device.validated() == device)
    }
}
