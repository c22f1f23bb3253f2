import Testing
import USBCore

private let high = SampleDevices.drive(.high)
private let fast = SampleDevices.drive(.super)
private let fastest = SampleDevices.drive(.superPlus)

extension DeviceDescription {
    fileprivate mutating func editSuperSpeed(_ change: (inout SuperSpeedCapability) -> Void) {
        guard case .superSpeed(var capability) = bos?.capabilities[1] else { return }
        change(&capability)
        bos?.capabilities[1] = .superSpeed(capability)
    }
}

@Suite struct CapabilityLawTests {
    @Test func whatIsUnknownIsNoIssue() {
        var device = fast
        device.bos = nil
        device.configurations = []
        device.strings = StringTable()
        #expect(device.validate(unknown: [.capabilities, .configurations, .strings]) == [])
        #expect(!device.validate(unknown: [.configurations, .strings]).isEmpty)
        #expect(!device.validate(unknown: [.capabilities, .strings]).isEmpty)
        #expect(!device.validate(unknown: [.capabilities, .configurations]).isEmpty)
    }

    @Test func theOtherSpeedsConfigurationsMayBeUnknown() {
        var device = high
        device.otherSpeed?.configurations = []
        #expect(device.validate().count == 1)
        #expect(device.validate(unknown: .otherConfigurations) == [])
    }

    @Test(arguments: [
        BrokenLaw("no store at SuperSpeed", fast, "USB 3.2 §9.6.2", at: "BOS", saying: "there is no BOS descriptor") {
            $0.bos = nil
        },
        BrokenLaw("no store at 2.01", high, "USB 3.2 §9.6.2", at: "BOS", saying: "bcdUSB is 0x0201 has one") {
            $0.device.usbVersion = 0x0201
        },
        BrokenLaw("a total that lies", fast, "USB 3.2 §9.6.2", at: "BOS", saying: "the store has 22 bytes") {
            $0.bos?.declaredTotalLength = 21
        },
        BrokenLaw("a count that lies", fast, "USB 3.2 §9.6.2", at: "BOS", saying: "bNumDeviceCaps is 1") {
            $0.bos?.declaredCount = 1
        },
        BrokenLaw("no USB 2.0 extension", fast, "USB 3.2 §9.6.2.1", at: "BOS", saying: "extension is missing") {
            $0.bos?.capabilities.removeFirst()
        },
        BrokenLaw("no SuperSpeed capability", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "capability is missing") {
            $0.bos?.capabilities.removeLast()
        },
        BrokenLaw("no SuperSpeedPlus capability", fastest, "USB 3.2 §9.6.2.5", at: "BOS", saying: "is missing") {
            $0.bos?.capabilities.removeLast()
        },
        BrokenLaw("a capability twice", fast, "USB 3.2 §9.6.2.1", at: "BOS", saying: "there are 2 of the USB 2.0") {
            $0.bos?.capabilities.append(.usb2Extension(attributes: 2))
        },
        BrokenLaw("no link power management", fast, "USB 3.2 §9.6.2.1", at: "BOS", saying: "bit 1") {
            $0.bos?.capabilities[0] = .usb2Extension(attributes: 0)
        },
        BrokenLaw("the extension's reserved bit", fast, "USB 3.2 §9.6.2.1", at: "BOS", saying: "bit 0") {
            $0.bos?.capabilities[0] = .usb2Extension(attributes: 3)
        },
        BrokenLaw("SuperSpeed without SuperSpeed", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "leaves out SuperSpeed")
        {
            $0.editSuperSpeed { $0.speedsSupported = 0x0006 }
        },
        BrokenLaw("reserved speeds", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "bits 15:4") {
            $0.editSuperSpeed { $0.speedsSupported = 0x001e }
        },
        BrokenLaw("reserved SuperSpeed attributes", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "only bit 1") {
            $0.editSuperSpeed { $0.attributes = 1 }
        },
        BrokenLaw("working at a speed that is not there", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "Support is 0") {
            $0.editSuperSpeed { $0.functionalitySupport = 0 }
        },
        BrokenLaw("working at no speed", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "Support is 255") {
            $0.editSuperSpeed { $0.functionalitySupport = 255 }
        },
        BrokenLaw("U1 beyond 10", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "bU1DevExitLat is 11") {
            $0.editSuperSpeed { $0.u1ExitLatency = 11 }
        },
        BrokenLaw("U2 beyond 2047", fast, "USB 3.2 §9.6.2.2", at: "BOS", saying: "wU2DevExitLat is 2048") {
            $0.editSuperSpeed { $0.u2ExitLatency = 2048 }
        },
        BrokenLaw("a sublink speed short", fastest, "USB 3.2 §9.6.2.5", at: "BOS", saying: "promises 2") {
            $0.bos?.capabilities[2] = .superSpeedPlus(SuperSpeedPlusCapability(sublinkSpeeds: [0x000a_4030]))
        },
        BrokenLaw("a container without an id", fast, .warning, "USB 3.2 §9.6.2.3", at: "BOS", saying: "all zeros") {
            $0.bos?.capabilities.append(.containerID(USBUUID(high: 0, low: 0)))
        },
        BrokenLaw("too much for a platform", fast, "USB 3.2 §9.6.2.4", at: "BOS", saying: "has 236 bytes") {
            $0.bos?.capabilities.append(.platform(.webUSB, data: [UInt8](repeating: 0, count: 236)))
        },
        BrokenLaw("too much for a capability", fast, "USB 3.2 §9.6.2", at: "BOS", saying: "has 253 bytes") {
            $0.bos?.capabilities.append(.other(type: 0x20, data: [UInt8](repeating: 0, count: 253)))
        },
        BrokenLaw("a container id cut short", fast, "USB 3.2 §9.6.2.3", at: "BOS", saying: "of 6 bytes") {
            $0.bos?.capabilities.append(.other(type: 0x04, data: [0, 1, 2]))
        },
        BrokenLaw("what is no capability", fast, "USB 3.2 §9.6.2", at: "BOS", saying: "capabilities only") {
            $0.bos?.capabilities.append(.foreign(ClassDescriptor(type: .hid)))
            $0.bos?.declaredCount = 3
        },
    ])
    func oneLawOfTheStore(_ law: BrokenLaw) { law.check() }

    @Test func aStoreThatNoFieldCountsIsRefusedAndCut() {
        var device = fast
        let much = Capability.other(type: 0x20, data: [UInt8](repeating: 0, count: 252))
        device.bos?.capabilities += [Capability](repeating: much, count: 257)
        #expect(device.validate().map(\.section) == ["USB 3.2 §9.6.2", "USB 3.2 §9.6.2"])
        #expect(device.bosBytes?.count == 65535)
        #expect(device.bosBytes?.prefix(5) == [0x05, 0x0f, 0xff, 0xff, 0xff])
    }
}

@Suite struct StringLawTests {
    @Test(arguments: [
        BrokenLaw("a product without its string", high, "USB 2.0 §9.6.7", at: "device", saying: "iProduct is 2") {
            $0.strings[2, .englishUS] = nil
        },
        BrokenLaw("a string in one language only", fast, "USB 3.2 §9.6.9", at: "device", saying: "language 0x0407") {
            $0.strings[1, .german] = "Geist"
            $0.strings[2, .german] = "Stick"
        },
        BrokenLaw(
            "an interface without its string", high, "USB 2.0 §9.6.7", at: "configuration 1, interface 0 alternate 0",
            saying: "iInterface is 9"
        ) { $0.edit { $0.nameIndex = 9 } },
        BrokenLaw(
            "a configuration without its string", high, "USB 2.0 §9.6.7", at: "configuration 1",
            saying: "iConfiguration is 9"
        ) { $0.configurations[0].nameIndex = 9 },
        BrokenLaw(
            "a function without its string", SampleDevices.composite(.high), "USB 2.0 §9.6.7",
            at: "configuration 1, association of interface 0", saying: "iFunction is 9"
        ) { $0.editAssociation { $0.nameIndex = 9 } },
        BrokenLaw("no strings at all", high, "USB 2.0 §9.6.7", at: "strings", saying: "3 descriptor fields") {
            $0.strings = StringTable()
        },
        BrokenLaw("a string too long", high, "USB 2.0 §9.6.7", at: "strings, string 2", saying: "127 UTF-16 units") {
            $0.strings[2, .englishUS] = String(repeating: "x", count: 127)
        },
        BrokenLaw("half a pair", high, .warning, "USB 2.0 §9.6.7", at: "strings, string 2", saying: "surrogate") {
            $0.strings.setDescriptor(StringDescriptor(units: [0xd83d]), index: 2, language: .englishUS)
        },
        BrokenLaw("a language twice", high, .warning, "USB 2.0 §9.6.7", at: "strings", saying: "twice") {
            $0.strings.languages = [.englishUS, .englishUS]
        },
    ])
    func oneLawOfTheStrings(_ law: BrokenLaw) { law.check() }

    @Test func unknownStringsCanBeLookedPast() {
        var device = high
        device.strings = StringTable()
        #expect(device.validate(ignoringStrings: true) == [])
    }

    @Test func aHundredTwentySixUnitsFit() {
        var device = high
        device.strings[2, .englishUS] = String(repeating: "x", count: 126)
        #expect(device.validate() == [])
        #expect(device.stringBytes(index: 2, language: .englishUS)?.count == 254)
    }

    @Test func tooManyLanguagesAreRefusedAndLeftOut() {
        var device = high
        device.strings.languages = (0..<127).map { LanguageID(rawValue: 0x0409 + $0) }
        #expect(device.validate().contains { $0.path == "strings" && $0.message.contains("127 languages") })
        #expect(device.stringBytes(index: 0, language: .unspecified)?.count == 254)
    }
}
