import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Vendor echo")
struct EchoGadgetTests {
    private func host(
        _ speed: Speed = .high, page: String? = nil, change: (inout EchoGadget.Configuration) -> Void = { _ in }
    ) throws -> DirectHost {
        var configuration = EchoGadget.Configuration()
        configuration.speed = speed
        configuration.landingPage = page.flatMap { WebUSBURL($0) }
        change(&configuration)
        return try ZeroHost(EchoGadget(configuration), configuration: 1).host
    }

    @Test("its descriptors break no law", arguments: DescriptorTests.speeds)
    func lawful(speed: Speed) {
        var configuration = EchoGadget.Configuration()
        configuration.speed = speed
        #expect(EchoGadget(configuration).description.validate().isEmpty)
        configuration.landingPage = WebUSBURL("https://example.com")
        configuration.bulk.burst = 15
        #expect(EchoGadget(configuration).description.validate().isEmpty)
    }

    @Test("says USB 2.1 below SuperSpeed, so that hosts ask for its capabilities", arguments: DescriptorTests.speeds)
    func version(speed: Speed) throws {
        let device = try #require(host(speed).control(.getDescriptor(.device))?.data)
        #expect(Array(device[2..<7]) == (speed == .super ? [0x20, 3] : [0x10, 2]) + [0, 0, 0])
        #expect(Array(device[8..<12]) == [0x09, 0x12, 0x65, 0x7a])
        #expect(device[17] == 1)
    }

    @Test("has platform capabilities in its binary object store, byte for byte", arguments: DescriptorTests.speeds)
    func capabilities(speed: Speed) throws {
        let store = try #require(host(speed, page: "https://example.com").control(.getDescriptor(.bos))?.data)
        let usual = speed == .super ? 17 : 0
        #expect(Array(store[..<5]) == [5, 15, UInt8(5 + usual + 52), 0, speed == .super ? 4 : 2])
        #expect(
            Array(store[(5 + usual)...]) == [
                24, 16, 5, 0,
                0x38, 0xb6, 0x08, 0x34, 0xa9, 0x09, 0xa0, 0x47, 0x8b, 0xfd, 0xa0, 0x76, 0x88, 0x15, 0xb6, 0x65,
                0x00, 0x01, 0x01, 0x01,
                28, 16, 5, 0,
                0xdf, 0x60, 0xdd, 0xd8, 0x89, 0x45, 0xc7, 0x4c, 0x9c, 0xd2, 0x65, 0x9d, 0x9e, 0x64, 0x8a, 0x9f,
                0x00, 0x00, 0x03, 0x06, 0xa2, 0x00, 0x02, 0x00,
            ])
    }

    @Test("without a page says so: landing page 0, and the URL request is stalled")
    func noPage() throws {
        let host = try host()
        let store = try #require(host.control(.getDescriptor(.bos))?.data)
        #expect(Array(store[25..<29]) == [0x00, 0x01, 0x01, 0x00])
        #expect(host.control(.getURL(1))?.status == .stalled)
    }

    @Test("hands out its page (WebUSB §4.3.1)")
    func page() throws {
        let host = try host(page: "https://example.com/a?b")
        #expect(host.control(.getURL(1))?.data == [18, 3, 1] + Array("example.com/a?b".utf8))
        #expect(host.control(.getURL(1, length: 4))?.data == [18, 3, 1, 0x65])
        for setup in [
            SetupPacket.getURL(0), .getURL(2), .getURL(0x0101),
            .init(requestType: 0xc0, request: 1, value: 1, index: 1, length: 255),
            .init(requestType: 0xc1, request: 1, value: 1, index: 2, length: 255),
            .init(requestType: 0x40, request: 1, value: 1, index: 2),
        ] {
            #expect(host.control(setup)?.status == .stalled, "\(setup)")
        }
    }

    @Test("hands out its Microsoft OS 2.0 descriptors, cut to what was asked for")
    func microsoft() throws {
        let host = try host()
        let set = try #require(host.control(.getMicrosoftSet())?.data)
        #expect(set == EchoGadget().platforms.microsoft?.bytes && set.count == 162)
        #expect(host.control(.getMicrosoftSet(length: 10))?.data == Array(set[..<10]))
        for setup in [
            SetupPacket(requestType: 0xc0, request: 2, index: 8, length: 255),
            .init(requestType: 0xc0, request: 2, value: 1, index: 7, length: 255),
            .init(requestType: 0xc1, request: 2, index: 7, length: 255),
        ] {
            #expect(host.control(setup)?.status == .stalled, "\(setup)")
        }
    }

    @Test("echoes bulk and interrupt, each by itself")
    func echo() throws {
        let host = try host()
        host.write(.out(1), numbered(2_000))
        host.write(.out(3), [1, 2, 3])
        host.write(.out(1), [])
        #expect(host.read(.in(3), 64)?.data == [1, 2, 3])
        #expect(host.read(.in(1), 4_096)?.data == numbered(2_000))
        #expect(host.read(.in(1), 4_096)?.data == [])
        let waiting = host.submitIn(.in(3), 8)
        #expect(host.read(.in(1), 8) == nil)
        host.write(.out(3), [9])
        #expect(host.outcome(waiting)?.data == [9])
        #expect(host.violations.isEmpty)
    }

    @Test("keeps what is not read within bounds of its own for either pair")
    func bounds() throws {
        let host = try host()
        let size = 64 << 10
        let fits = host.submitOut(.out(3), numbered(size))
        let waits = host.submitOut(.out(3), [1])
        #expect(host.waiting == [waits] && host.outcome(fits)?.status == .success)
        #expect(host.write(.out(1), numbered(EchoGadget.capacity.bulk))?.status == .success)
        #expect(host.read(.in(3), size)?.data == numbered(size))
        #expect(host.outcome(waits)?.status == .success)
    }

    @Test("a configuration and a reset forget what was not read")
    func clearing() throws {
        let host = try host()
        for endpoint in [EndpointAddress.out(1), .out(3)] { host.write(endpoint, [1]) }
        host.control(.setConfiguration(1))
        #expect(host.read(.in(1), 8) == nil && host.read(.in(3), 8) == nil)
        #expect(host.waiting.count == 2)
    }

    @Test("request 5d answers with its own setup packet, whomever it addresses")
    func setupEcho() throws {
        let host = try host()
        for recipient in 0..<4 as Range<UInt8> {
            let setup = SetupPacket(
                requestType: 0xc0 | recipient, request: 0x5d, value: 0x1234, index: 0xabcd, length: 64)
            let expected: [UInt8] = [0xc0 | recipient, 0x5d, 0x34, 0x12, 0xcd, 0xab, 64, 0]
            #expect(host.control(setup)?.data == expected)
        }
        #expect(host.control(.init(requestType: 0xc0, request: 0x5d, length: 3))?.data == [0xc0, 0x5d, 0])
        #expect(host.control(.init(requestType: 0x40, request: 0x5d))?.status == .stalled)
        #expect(host.control(.init(requestType: 0xa0, request: 0x5d, length: 8))?.status == .stalled)
    }
}

extension SetupPacket {
    static func getURL(_ number: UInt16, length: UInt16 = 255) -> Self {
        .init(requestType: 0xc0, request: 1, value: number, index: 2, length: length)
    }

    static func getMicrosoftSet(length: UInt16 = 0xffff) -> Self {
        .init(requestType: 0xc0, request: 2, index: 7, length: length)
    }
}
