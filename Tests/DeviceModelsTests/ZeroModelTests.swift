import DeviceModels
import Logging
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("zero")
struct ZeroModelTests {
    private func make(_ text: String, index: Int = 0) throws -> GadgetDevice {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let made = try ModelRegistry.make(
            DeviceSpecification(parsing: text), ModelContext(index: index, logger: logger))
        return try #require(made.device as? GadgetDevice)
    }

    private func description(_ text: String, index: Int = 0) throws -> DeviceDescription {
        try make(text, index: index).gadget.description
    }

    /// An endpoint of source and sink.
    private func endpoint(_ text: String, _ address: EndpointAddress, alternate: UInt8) throws -> EndpointDescriptor {
        let configuration = try description(text).configuration(value: 3)
        let setting = try #require(configuration?.interface(0, alternate: alternate))
        return try #require(setting.endpoints.first { $0.address == address })
    }

    @Test("by default is gadget zero at high speed, source and sink first")
    func byDefault() throws {
        let identity = try make("zero").identity
        #expect(identity.vendorID == 0x0525 && identity.productID == 0xa4a0 && identity.speed == .high)
        #expect(try description("zero").configurations.map(\.value) == [3, 2])
        #expect(try description("zero:function=loopback").configurations.map(\.value) == [2, 3])
        #expect(try description("zero:speed=full").speed == .full)
    }

    @Test("function=echo is a device of its own, with the page asked for")
    func echo() throws {
        let device = try make("zero:function=echo,speed=super,url=http://localhost:8000/\\,x,bulk-burst=3")
        let echo = try #require(device.gadget as? EchoGadget)
        #expect(device.identity.vendorID == 0x1209 && device.identity.productID == 0x7a65)
        #expect(device.identity.speed == .super)
        #expect(echo.platforms.urls.map(\.text) == ["http://localhost:8000/,x"])
        let setting = try #require(echo.description.configurations.first?.interface(0))
        #expect(setting.endpoints.map(\.companion?.maxBurst) == [3, 3, 0, 0])
        let plain = try #require(try make("zero:function=echo").gadget as? EchoGadget)
        #expect(plain.platforms.urls.isEmpty)
    }

    @Test("takes its identity from its keys")
    func identity() throws {
        for function in ["source-sink", "loopback", "echo"] {
            let text = "zero:function=\(function),vid=0x0bda,pid=8153,serial=S-1"
            let description = try description(text)
            #expect(description.device.vendorID == 0x0bda && description.device.productID == 0x8153)
            #expect(description.strings[description.device.serialNumberIndex] == "S-1")
        }
    }

    @Test("has a serial number that stays the same from run to run and differs between devices")
    func serial() throws {
        func serial(_ text: String, _ index: Int) throws -> String? {
            let description = try description(text, index: index)
            return description.strings[description.device.serialNumberIndex]
        }
        let first = try #require(try serial("zero", 0))
        #expect(try serial("zero", 0) == first)
        #expect(try serial("zero", 1) != first)
        #expect(try serial("zero:speed=super", 0) != first)
        #expect(first.count == 12 && first.allSatisfy(\.isHexDigit))
    }

    @Test("shapes its endpoints as its keys say")
    func shapes() throws {
        #expect(try endpoint("zero:speed=full,bulk-packet=16", .out(1), alternate: 0).packetSize == 16)
        #expect(try endpoint("zero:bulk-packet=512", .in(1), alternate: 2).packetSize == 512)
        let burst = try endpoint("zero:speed=super,bulk-burst=15", .in(1), alternate: 0)
        #expect(burst.companion?.maxBurst == 15)
        let high = try endpoint(
            "zero:iso-packet=700,iso-transactions=3,iso-interval=2", .out(2), alternate: 1)
        #expect(high.packetSize == 700 && high.transactionsPerMicroframe == 3 && high.interval == 2)
        let fast = try endpoint("zero:speed=super,iso-burst=3,iso-mult=2,iso-interval=1", .in(2), alternate: 1)
        #expect(fast.companion?.maxBurst == 3 && fast.companion?.mult == 2)
        #expect(fast.companion?.bytesPerInterval == 12_288)
        let interrupt = try endpoint("zero:int-packet=1000,int-interval=7", .in(3), alternate: 2)
        #expect(interrupt.packetSize == 1_000 && interrupt.interval == 7)
        #expect(try endpoint("zero:speed=full,int-interval=255", .in(3), alternate: 2).interval == 255)
    }

    @Test("hands the pattern on", arguments: ["zeros", "mod63", "none", "counter"])
    func pattern(_ word: String) throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let made = try ModelRegistry.make(
            DeviceSpecification(parsing: "zero:pattern=\(word)"), ModelContext(index: 0, logger: logger))
        #expect(made.backing == "gadget zero, source-sink first, pattern \(word)")
    }

    @Test("hands on how often there is a report, and says so")
    func reports() throws {
        let plain = try #require(try make("zero").gadget as? ZeroGadget)
        #expect(plain.endpoints.first { $0.address == .in(3) }.map { "\(type(of: $0))" } == "SourceEndpoint")
        let typing = try #require(try make("zero:report-every=40,int-packet=16").gadget as? ZeroGadget)
        #expect(typing.endpoints.first { $0.address == .in(3) }.map { "\(type(of: $0))" } == "ReportSource")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let made = try ModelRegistry.make(
            DeviceSpecification(parsing: "zero:report-every=40"), ModelContext(index: 0, logger: logger))
        #expect(made.backing == "gadget zero, source-sink first, pattern zeros, a report every 40 ms")
    }

    @Test("every combination of function, speed and pattern makes a device")
    func combinations() throws {
        for function in ["source-sink", "loopback"] {
            for speed in ["full", "high", "super"] {
                for pattern in ["zeros", "mod63", "none", "counter"] {
                    _ = try make("zero:function=\(function),speed=\(speed),pattern=\(pattern)")
                }
            }
        }
    }

    @Test(
        "refuses wrong keys and values with a line that names the key and what is allowed",
        arguments: [
            ("zero:patern=zeros", "patern", "pattern"),
            ("zero:speed=low", "speed=low", "full|high|super"),
            ("zero:function=sink", "function=sink", "source-sink|loopback|echo"),
            ("zero:pattern=1", "pattern=1", "zeros|mod63|none|counter"),
            ("zero:bulk-packet=64", "bulk-packet=64", "high speed; bulk-packet takes 512 there"),
            ("zero:speed=full,bulk-packet=512", "bulk-packet=512", "8, 16, 32, 64"),
            ("zero:speed=super,bulk-packet=99999999999999999999", "bulk-packet", "1 to 1024"),
            ("zero:bulk-burst=1", "bulk-burst=1", "speed=super"),
            ("zero:speed=super,bulk-burst=16", "bulk-burst=16", "0 to 15"),
            ("zero:iso-packet=0", "iso-packet=0", "1 to 1024"),
            ("zero:speed=full,iso-packet=1024", "iso-packet=1024", "1 to 1023"),
            ("zero:iso-packet=-1", "iso-packet=-1", "1 to 1024"),
            ("zero:iso-transactions=4", "iso-transactions=4", "1 to 3"),
            ("zero:speed=super,iso-transactions=2", "iso-transactions=2", "speed=high"),
            ("zero:iso-transactions=2,iso-packet=512", "iso-packet=512", "513 to 1024"),
            ("zero:iso-transactions=3,iso-packet=682", "iso-packet=682", "683 to 1024"),
            ("zero:iso-interval=17", "iso-interval=17", "1 to 16"),
            ("zero:iso-burst=1", "iso-burst=1", "speed=super"),
            ("zero:speed=super,iso-burst=1,iso-packet=512", "iso-packet=512", "1024"),
            ("zero:speed=super,iso-mult=1", "iso-mult=1", "iso-burst=1 to 15"),
            ("zero:speed=super,iso-mult=3,iso-burst=1", "iso-mult=3", "0 to 2"),
            ("zero:speed=full,int-packet=65", "int-packet=65", "1 to 64"),
            ("zero:int-interval=17", "int-interval=17", "1 to 16"),
            ("zero:int-interval=x", "int-interval=x", "1 to 16"),
            ("zero:report-every=0", "report-every=0", "1 to 60000"),
            ("zero:report-every=60001", "report-every=60001", "1 to 60000"),
            ("zero:report-every=10,int-packet=15", "int-packet=15", "16 bytes"),
            ("zero:function=echo,report-every=10", "report-every=10", "function=echo"),
            ("zero:url=https://example.com", "url=", "function=echo"),
            ("zero:function=echo,url=example.com", "url=example.com", "http:// or https://"),
            ("zero:function=echo,url=https://a b", "url=", "ASCII"),
            ("zero:function=echo,url=https://", "url=", "252"),
            ("zero:function=echo,pattern=mod63", "pattern=mod63", "function=echo"),
            ("zero:function=echo,iso-interval=1", "iso-interval=1", "function=echo"),
            ("zero:vid=12345", "vid=12345", "hexadecimal"),
            ("zero:serial=a b", "serial", "0-9"),
            ("zero:serial=", "serial", "1 to 32"),
        ])
    func refusals(_ text: String, key: String, allowed: String) {
        let error = #expect(throws: ModelError.self) { try make(text) }
        let line = error?.description ?? ""
        #expect(line.contains(key), "the line names the key: \(line)")
        #expect(line.contains(allowed), "the line says what is allowed: \(line)")
        #expect(!line.contains("\n") && error?.isMistake == true)
    }

    @Test("its examples work")
    func examples() throws {
        for example in ZeroModel.examples { _ = try make(example.specification) }
    }
}
