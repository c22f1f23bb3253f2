import Testing
import USBCore

/// What we send we can read: parse(emit(x)) == x for descriptions of any shape.
@Suite struct RoundTripTests {
    @Test(arguments: 0..<200) func configurationsSurvive(_ seed: UInt64) throws {
        var generator = DescriptionGenerator(seed: seed)
        let configuration = generator.configuration()
        let bytes = configuration.bytes()
        #expect(try ConfigurationDescription(parsing: bytes) == configuration)
        #expect(try ConfigurationDescription(parsing: bytes).bytes() == bytes)
        let other = configuration.bytes(type: .otherSpeedConfiguration)
        #expect(other[1] == 7)
        #expect(try ConfigurationDescription(parsing: other) == configuration)
    }

    @Test(arguments: 0..<50) func devicesSurvive(_ seed: UInt64) throws {
        var generator = DescriptionGenerator(seed: seed)
        let device = generator.device()
        #expect(try DeviceDescriptor(parsing: device.bytes) == device)
        var configurations = [generator.configuration(), generator.configuration()]
        // Only a total that tells the truth says where the next configuration begins.
        for index in configurations.indices { configurations[index].declaredTotalLength = nil }
        let whole = try DeviceDescription(
            parsing: device.bytes + configurations.flatMap { $0.bytes() }, speed: .high)
        #expect(whole.device == device)
        #expect(whole.configurations == configurations)
    }

    @Test(arguments: 0..<100) func storesSurvive(_ seed: UInt64) throws {
        var generator = DescriptionGenerator(seed: seed)
        let store = generator.store()
        #expect(try BOSDescriptor(parsing: store.bytes) == store)
    }

    @Test(arguments: Speed.allCases) func declaredDevicesSurvive(_ speed: Speed) throws {
        let device = speed == .low ? SampleDevices.mouse() : SampleDevices.composite(speed)
        let read = try DeviceDescription(
            parsing: device.deviceDescriptorBytes + device.configurations.flatMap { $0.bytes() }, speed: speed)
        #expect(read.device == device.device)
        #expect(read.configurations == device.configurations)
    }

    @Test func whatDoesNotFitIsCutAndNeverTraps() {
        var configuration = SampleDevices.drive(.high).configurations[0]
        configuration.descriptors = [ClassDescriptor](
            repeating: ClassDescriptor(type: 0x40, bytes: [UInt8](repeating: 7, count: 1000)), count: 400)
        let bytes = configuration.bytes()
        #expect(bytes.count == 65535)
        #expect(bytes[2...3] == [0xff, 0xff])
        #expect(bytes[9...10] == [0xff, 0x40], "a descriptor is 255 bytes at most")
        configuration.descriptors = []
        configuration.extra = [UInt8](repeating: 1, count: 10000)
        #expect(configuration.bytes().count == 255 + 23)
        var setting = AlternateSetting(number: 0, interfaceClass: .hid)
        setting.endpoints = [EndpointDescriptor](
            repeating: EndpointDescriptor(address: .in(1), attributes: 2, maxPacketSize: 8), count: 300)
        #expect(setting.bytes[4] == 255)
    }
}
