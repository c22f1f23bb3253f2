import Testing
import USBCore

@Suite struct ParsingTests {
    @Test(arguments: RealisticDescriptors.configurations) func whatWasReadIsWhatIsSent(_ bytes: [UInt8]) throws {
        let configuration = try ConfigurationDescription(parsing: bytes)
        #expect(configuration.bytes() == bytes)
        #expect(configuration.declaredTotalLength == nil, "wTotalLength tells the truth")
        #expect(configuration.declaredInterfaceCount == nil)
        #expect(configuration.settings.allSatisfy { $0.declaredEndpointCount == nil })
    }

    @Test func audioKeepsItsClassDescriptorsInPlace() throws {
        let configuration = try ConfigurationDescription(parsing: RealisticDescriptors.audio)
        #expect(configuration.interfaceNumbers == [0, 1])
        #expect(configuration.interface(0)?.descriptors.map(\.body.count) == [7, 10, 8, 7])
        #expect(configuration.interface(1)?.endpoints == [])
        let stream = try #require(configuration.interface(1, alternate: 1))
        #expect(stream.descriptors.map(\.type) == [.classInterface, .classInterface])
        let endpoint = try #require(stream.endpoint(.out(1)))
        #expect(endpoint.extra == [0, 0], "bRefresh and bSynchAddress")
        #expect(endpoint.type == .isochronous)
        #expect(endpoint.synchronization == .adaptive)
        #expect(endpoint.packetSize == 192)
        #expect(endpoint.descriptors == [ClassDescriptor(type: .classEndpoint, 1, 1, 0, 0, 0)])
        #expect(stream.endpoint(.in(1)) == nil)
    }

    @Test func companionsBelongToTheirEndpoints() throws {
        let configuration = try ConfigurationDescription(parsing: RealisticDescriptors.uas)
        let uas = try #require(configuration.interface(0, alternate: 1))
        #expect(uas.endpoints.map { $0.companion?.maxStreams } == [32, 32, 32, 0])
        #expect(uas.endpoints.map { $0.companion?.maxBurst } == [15, 15, 15, 0])
        #expect(uas.endpoints.map(\.descriptors) == [3, 4, 2, 1].map { [ClassDescriptor(type: 0x24, $0, 0)] })
        #expect(configuration.alternates(of: 0).map(\.interfaceProtocol) == [0x50, 0x62])
    }

    @Test func aCompanionOutOfPlaceKeepsItsPlace() throws {
        let bytes = hexBytes(
            """
            09 02 29 00 01 01 00 80 32
            09 04 00 00 01 ff 00 00 00
            07 05 81 02 00 04 00
            04 24 01 00                       // stands between the endpoint and its companion
            06 30 00 00 00 00
            06 30 01 00 00 00                 // and a second one
            """)
        let configuration = try ConfigurationDescription(parsing: bytes)
        let endpoint = try #require(configuration.interface(0)?.endpoint(.in(1)))
        #expect(endpoint.companion == nil)
        #expect(endpoint.descriptors.map(\.type) == [.classInterface, .endpointCompanion, .endpointCompanion])
        #expect(configuration.bytes() == bytes)
    }

    @Test func realisticDevicesAreLawful() throws {
        let device = DeviceDescriptor(usbVersion: 0x0200, maxPacketSize0: 64, vendorID: 0x1209, productID: 1)
        for bytes in [RealisticDescriptors.audio, RealisticDescriptors.receiver] {
            let description = DeviceDescription(
                speed: .full, device: device, configurations: [try ConfigurationDescription(parsing: bytes)])
            #expect(description.validate() == [])
        }
        let fastDevice = DeviceDescriptor(usbVersion: 0x0300, maxPacketSize0: 9, vendorID: 0x1209, productID: 1)
        for bytes in [RealisticDescriptors.uas, RealisticDescriptors.hub] {
            let description = DeviceDescription(
                speed: .super, device: fastDevice, configurations: [try ConfigurationDescription(parsing: bytes)],
                bos: try BOSDescriptor(parsing: RealisticDescriptors.store))
            #expect(description.validate() == [])
        }
    }

    @Test func storeIsReadCapabilityByCapability() throws {
        let store = try BOSDescriptor(parsing: RealisticDescriptors.store)
        #expect(store.bytes == RealisticDescriptors.store)
        #expect(store.capabilities.map(\.type) == [2, 3, 4, 5])
        #expect(store.capabilities[0] == .usb2Extension(attributes: 0xf41e))
        #expect(store.capabilities[1] == .superSpeed(SuperSpeedCapability(u2ExitLatency: 32)))
        #expect(store.capabilities[3] == .webUSB(vendorCode: 0x21, landingPage: 1))
    }

    @Test func capabilitiesOfUnusualShapeLoseNothing() throws {
        let bytes = hexBytes(
            """
            05 0f 2a 00 04
            08 10 02 02 00 00 00 77           // a USB 2.0 extension with one byte more
            14 10 04 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  // a container whose reserved byte is not 0
            03 10 06                          // a type without data
            06 24 01 02 03 04                 // no capability at all
            """)
        let store = try BOSDescriptor(parsing: bytes)
        #expect(store.bytes == bytes)
        #expect(store.capabilities[0] == .other(type: 2, data: [2, 0, 0, 0, 0x77]))
        #expect(store.capabilities[2] == .other(type: 6, data: []))
        #expect(store.capabilities[3] == .foreign(ClassDescriptor(type: 0x24, 1, 2, 3, 4)))
    }

    @Test func deviceWithItsConfigurationsIsReadAsSysfsKeepsIt() throws {
        let drive = SampleDevices.drive(.high)
        var second = drive.configurations[0]
        second.value = 2
        let bytes = drive.deviceDescriptorBytes + drive.configurations[0].bytes() + second.bytes()
        let read = try DeviceDescription(parsing: bytes, speed: .high)
        #expect(read.device == drive.device)
        #expect(read.configurations == [drive.configurations[0], second])
        #expect(read.configuration(value: 2) == second)
        #expect(read.configuration(value: 3) == nil)
        #expect(read.configuration(value: 0) == nil)
    }

    @Test func deviceAndQualifierSurviveTheRoundTrip() throws {
        let drive = SampleDevices.drive(.high)
        #expect(try DeviceDescriptor(parsing: drive.deviceDescriptorBytes) == drive.device)
        let qualifier = try #require(drive.qualifierBytes)
        #expect(try DeviceQualifierDescriptor(parsing: qualifier) == drive.otherSpeed?.qualifier)
        let other = try #require(drive.otherSpeedConfigurationBytes(index: 0))
        #expect(try ConfigurationDescription(parsing: other) == drive.otherSpeed?.configurations[0])
    }

    // MARK: - Lies

    @Test func aCutCaptureKeepsWhatWasPromised() throws {
        let whole = RealisticDescriptors.receiver
        let header = try ConfigurationDescription(parsing: [UInt8](whole.prefix(9)))
        #expect(header.items == [])
        #expect(header.declaredTotalLength == 0x3b)
        #expect(header.declaredInterfaceCount == 2)
        #expect(header.bytes() == [UInt8](whole.prefix(9)), "what was read is what is sent, lies included")
        let device = DeviceDescriptor(usbVersion: 0x0200, maxPacketSize0: 64, vendorID: 0x1209, productID: 1)
        let issues = DeviceDescription(speed: .full, device: device, configurations: [header]).validate()
        #expect(issues.contains { $0.message == "wTotalLength is 59, but the configuration has 9 bytes" })
    }

    @Test func bytesBeyondTheTotalAreNotLookedAt() throws {
        let bytes = RealisticDescriptors.receiver
        #expect(try ConfigurationDescription(parsing: bytes + [0, 0xff]).bytes() == bytes)
        let store = RealisticDescriptors.store
        #expect(try BOSDescriptor(parsing: store + [0]).bytes == store)
    }

    @Test func countsThatLieAreKept() throws {
        var bytes = RealisticDescriptors.receiver
        bytes[4] = 9
        bytes[9 + 4] = 5
        let configuration = try ConfigurationDescription(parsing: bytes)
        #expect(configuration.declaredInterfaceCount == 9)
        #expect(configuration.interface(0)?.declaredEndpointCount == 5)
        #expect(configuration.bytes() == bytes)
    }

    @Test(
        arguments: [
            ("", 0, "there are no bytes"),
            ("00", 0, "bLength is 0"),
            ("01", 0, "bLength is 1"),
            ("09", 0, "only 1 bytes are left"),
            ("09 02 20 00", 0, "only 4 bytes are left"),
            ("08 02 20 00 01 01 00 80", 0, "is 8, at least 9"),
            ("12 01 00 02 00 00 00 40 09 12 01 00 00 01 01 02 03 01", 1, "bDescriptorType is 0x01"),
            ("09 02 08 00 01 01 00 80 32", 2, "wTotalLength is 8"),
            ("09 02 0a 00 01 01 00 80 32 00", 9, "bLength is 0"),
            ("09 02 0b 00 01 01 00 80 32 01 00", 9, "bLength is 1"),
            ("09 02 0b 00 01 01 00 80 32 03 24", 9, "bLength is 3, but only 2"),
            ("09 02 10 00 01 01 00 80 32 07 05 81 02 40 00 00", 9, "outside any interface"),
            ("09 02 11 00 01 01 00 80 32 08 04 00 00 00 ff 00 00", 9, "Interface descriptor is 8, at least 9"),
            ("09 02 0f 00 01 01 00 80 32 06 0b 00 01 ff 00", 9, "Interface Association descriptor is 6, at least 8"),
            ("09 02 18 00 01 01 00 80 32 09 04 00 00 00 ff 00 00 00 06 05 81 02 40 00", 18, "Endpoint descriptor is 6"),
            (
                "09 02 1e 00 01 01 00 80 32 09 04 00 00 00 ff 00 00 00 07 05 81 02 00 04 00 05 30 00 00 00", 25,
                "Companion descriptor is 5, at least 6"
            ),
        ] as [(String, Int, String)])
    func malformedConfigurationsNameByteAndReason(_ text: String, _ offset: Int, _ reason: String) {
        let error = #expect(throws: DescriptorError.self) { try ConfigurationDescription(parsing: hexBytes(text)) }
        guard case .malformed(let where_, let why) = error else { return }
        #expect(where_ == offset)
        #expect(why.contains(reason), "\(why)")
    }

    @Test func offsetsCountFromTheStartOfAllBytes() {
        let drive = SampleDevices.drive(.high)
        let bytes =
            drive.deviceDescriptorBytes + drive.configurations[0].bytes() + [
                0x09, 0x02, 0x0a, 0x00, 1, 1, 0, 0x80, 0, 0,
            ]
        let error = #expect(throws: DescriptorError.self) { try DeviceDescription(parsing: bytes, speed: .high) }
        #expect(
            error == .malformed(offset: 18 + 32 + 9, reason: "bLength is 0, no descriptor is shorter than 2 bytes"))
    }

    @Test func otherDescriptorsRefuseWhatTheyAreNot() {
        #expect(throws: DescriptorError.self) {
            try DeviceDescriptor(parsing: [0x11, 0x01] + [UInt8](repeating: 0, count: 15))
        }
        #expect(throws: DescriptorError.self) { try DeviceDescriptor(parsing: RealisticDescriptors.hub) }
        #expect(throws: DescriptorError.self) {
            try DeviceQualifierDescriptor(parsing: [0x09, 0x06, 0, 2, 0, 0, 0, 64, 1])
        }
        #expect(throws: DescriptorError.self) { try BOSDescriptor(parsing: [0x05, 0x0f, 0x04, 0x00, 0x00]) }
        #expect(throws: DescriptorError.self) {
            try BOSDescriptor(parsing: [0x05, 0x0f, 0x07, 0x00, 0x01, 0x02, 0x10])
        }
        #expect(throws: DescriptorError.self) { try StringDescriptor(parsing: [0x03, 0x03, 0x41]) }
        #expect(throws: DescriptorError.self) { try StringDescriptor(parsing: [0x04, 0x02, 0x41, 0x00]) }
    }
}
