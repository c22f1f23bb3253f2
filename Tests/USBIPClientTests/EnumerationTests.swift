import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPServer
import USBIPWire

@Suite("Enumeration", .timeLimit(.minutes(10)))
struct EnumerationTests {
    /// Two configurations, alternate settings and every type of endpoint.
    private final class Showcase: Gadget {
        let description: DeviceDescription
        let endpoints: [any EndpointHandler] = [OutPipe(1), InPipe(1), InPipe(2), InPipe(3)]

        init(_ speed: Speed) {
            description = DeviceDescription(
                speed: speed, vendorID: 0x1209, productID: 0x0002, manufacturer: "Ghostplug", product: "Wünderding",
                serialNumber: "0123"
            ) {
                Configuration(3) {
                    Interface(0, class: .vendorSpecific) {
                        Endpoint(.out(1), .bulk)
                        Endpoint(.in(1), .bulk)
                    }
                    Interface(0, alternate: 1, class: .vendorSpecific) {
                        Endpoint(.in(2), .interrupt, maxPacketSize: 8, every: .milliseconds(8))
                    }
                }
                Configuration(5) {
                    Interface(0, class: .vendorSpecific) {
                        Endpoint(.in(3), .interrupt, maxPacketSize: 8, every: .milliseconds(8))
                    }
                }
            }
        }
    }

    private func attach(_ server: HostedServer, _ speed: Speed) throws -> RemoteDevice {
        let device = try GadgetDevice(Showcase(speed))
        _ = try server.server.export(busID: "1-1", device: device)
        return try RemoteDevice.attach(to: server.address, busID: "1-1")
    }

    @Test("brings every descriptor, its bytes and its meaning", arguments: [Speed.full, .high, .super])
    func descriptors(_ speed: Speed) throws {
        let server = try HostedServer()
        let remote = try attach(server, speed)
        let expected = Showcase(speed).description
        let found = try remote.descriptors()
        #expect(found.description == expected)
        #expect(found.device == expected.deviceDescriptorBytes)
        #expect(found.configurations == expected.configurations.map { $0.bytes() })
        #expect(found.bos == expected.bosBytes)
        #expect(found.qualifier == expected.qualifierBytes)
        #expect(found.otherSpeedConfigurations.count == expected.otherSpeed?.configurations.count ?? 0)
        #expect(
            found.strings[.init(index: 2, language: .englishUS)] == expected.stringBytes(index: 2, language: .englishUS)
        )
        #expect(found.description.strings[2] == "Wünderding")
        #expect(found.selectedConfiguration == remote.record.configurationValue)
        #expect(found.problems == [])
        #expect(remote.speed == speed)
    }

    @Test("follows configurations and alternate settings")
    func selection() throws {
        let server = try HostedServer()
        let remote = try attach(server, .high)
        #expect(remote.endpoints.isEmpty)
        try remote.select(configuration: 3)
        #expect(try remote.configuration() == 3)
        #expect(remote.endpoints.map(\.address) == [.out(1), .in(1)])
        try remote.select(interface: 0, alternate: 1)
        #expect(try remote.alternate(ofInterface: 0) == 1)
        #expect(remote.endpoints.map(\.address) == [.in(2)])
        #expect(remote.endpoint(.in(2))?.type == .interrupt)
        try remote.select(configuration: 5)
        #expect(remote.endpoints.map(\.address) == [.in(3)])
        #expect(throws: HostError.transferFailed(TransferFailure(endpoint: .out(0), status: .stalled))) {
            try remote.select(configuration: 9)
        }
        #expect(remote.endpoints.map(\.address) == [.in(3)], "nothing has changed")
        try remote.select(configuration: 0)
        #expect(remote.endpoints.isEmpty)
    }

    @Test("sets, sees and clears halts")
    func halts() throws {
        let server = try HostedServer()
        let remote = try attach(server, .high)
        try remote.select(configuration: 3)
        #expect(try remote.isHalted(.out(1)) == false)
        try remote.setHalt(.out(1))
        #expect(try remote.isHalted(.out(1)))
        #expect(throws: HostError.transferFailed(TransferFailure(endpoint: .out(1), status: .stalled))) {
            try remote.write(1, [1])
        }
        try remote.clearHalt(.out(1))
        #expect(try remote.write(1, [1]) == 1)
    }

    @Test("knows types afterwards: packets belong to isochronous endpoints only")
    func types() throws {
        let server = try HostedServer()
        let remote = try attach(server, .high)
        try remote.select(configuration: 3)
        #expect(throws: HostError.invalidRequest("EP 1 IN is bulk, and the request has 1 isochronous packets")) {
            try remote.readIsochronous(1, lengths: [8])
        }
    }

    @Test("a reset leaves no configuration")
    func reset() throws {
        let server = try HostedServer()
        let remote = try attach(server, .high)
        try remote.select(configuration: 3)
        try remote.reset()
        #expect(remote.endpoints.isEmpty)
        #expect(try remote.configuration() == 0)
    }

    // MARK: Devices that do it badly

    /// What a device with the given descriptors, and STALL for all else, comes to.
    private func read(
        _ answers: [UInt16: [UInt8]], from attached: AttachedDevice? = nil
    ) throws -> Result<RemoteDescriptors, HostError> {
        let device = try attached ?? HostedServer().attachScripted()
        device.on {
            $0.react = { submission in
                guard submission.setup.request == 6, let bytes = answers[submission.setup.value] else {
                    return .answer(.status(.stalled))
                }
                return .answer(.bytes(Array(bytes.prefix(submission.requestedLength))))
            }
        }
        return Result { () throws(HostError) in try device.remote.descriptors() }
    }

    @Test("a device that stalls all but what it must have is read")
    func minimal() throws {
        let showcase = Showcase(.high).description
        let found = try read([
            0x0100: showcase.deviceDescriptorBytes, 0x0200: showcase.configurations[0].bytes(),
            0x0201: showcase.configurations[1].bytes(),
        ]).get()
        #expect(found.description.configurations == showcase.configurations)
        #expect(found.bos == nil)
        #expect(found.qualifier == nil)
        #expect(found.languages == nil)
        #expect(found.selectedConfiguration == nil)
        #expect(found.problems.count == 2, "the list of languages, and GET_CONFIGURATION: \(found.problems)")
    }

    @Test("broken descriptors are kept as they came, and named")
    func broken() throws {
        let showcase = Showcase(.high).description
        var cut = showcase.configurations[0].bytes()
        cut.removeLast(3)
        let found = try read([
            0x0100: showcase.deviceDescriptorBytes, 0x0200: cut, 0x0201: [9, 2], 0x0300: [4, 3, 9, 4],
            0x0301: [3, 3, 0],
            0x0302: [],
        ]).get()
        #expect(found.configurations == [cut, [9, 2]])
        #expect(found.strings[.init(index: 1, language: .englishUS)] == [3, 3, 0])
        for name in ["configuration 1 of 2", "configuration 2 of 2", "string 1 in", "string 2 in", "string 3 in"] {
            #expect(found.problems.contains { $0.hasPrefix(name) }, "\(name): \(found.problems)")
        }
    }

    @Test("a device without a device descriptor is none")
    func none() throws {
        #expect(throws: HostError.transferFailed(TransferFailure(endpoint: .in(0), status: .stalled))) {
            try read([:]).get()
        }
        guard case .failure(.malformedDescriptors) = try read([0x0100: [18, 1, 0]]) else {
            Issue.record("three bytes were taken for a device descriptor")
            return
        }
    }

    @Test("random descriptors never do more than fail")
    func fuzz() throws {
        let device = try HostedServer().attachScripted()
        for seed in 1...200 {
            let found = try read(Self.randomAnswers(seed), from: device).get()
            #expect(found.configurations.count == 2, "seed \(seed)")
        }
    }

    private static func randomAnswers(_ seed: Int) -> [UInt16: [UInt8]] {
        var random = SplitMix64(seed: UInt64(seed))
        let showcase = Showcase(.high).description
        var answers: [UInt16: [UInt8]] = [0x0100: showcase.deviceDescriptorBytes]
        for (value, bytes) in [
            (0x0200, showcase.configurations[0].bytes()), (0x0201, showcase.configurations[1].bytes()),
            (0x0600, showcase.qualifierBytes ?? []), (0x0300, [4, 3, 9, 4]),
            (0x0301, showcase.stringBytes(index: 1, language: .englishUS) ?? []),
        ] {
            var changed = bytes
            for _ in 0..<random.below(4) where !changed.isEmpty { changed[random.below(changed.count)] = random.any() }
            answers[UInt16(value)] = random.oneIn(6) ? random.bytes(random.below(300)) : changed
        }
        return answers
    }
}
