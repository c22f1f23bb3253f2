import CommandSupport
import Measurement
import SocketIO
import Testing
import USBCore

@testable import ghostplug

@Suite("The settings of bench")
struct BenchSettingsTests {
    private func settings(_ options: [(String, String)] = []) throws -> BenchSettings {
        var settings = try BenchSettings(target: ["127.0.0.1", "1-1"])
        for (name, value) in options { try settings.set(name, to: value) }
        return settings
    }

    @Test("name a server and a bus id")
    func server() throws {
        guard case .server(let server, "2-1.4") = try BenchSettings(target: ["[::1]:3241", "2-1.4"]).target else {
            Issue.record("no server")
            return
        }
        #expect(server == HostAndPort(host: "::1", port: 3241))
    }

    @Test("name a model with its keys")
    func model() throws {
        guard case .model(let specification) = try BenchSettings(target: ["drive:size=1G"]).target else {
            Issue.record("no model")
            return
        }
        #expect("\(specification)" == "drive:size=1G")
    }

    @Test(
        "that name neither are met with what to write",
        arguments: [
            ([], "BUSID"), (["a", "b", "c"], "BUSID"), (["127.0.0.1"], "bus id"), (["drive:siez=1G"], "siez"),
            (["1.2.3", "1-1"], "HOST"), (["localhost:0", "1-1"], "HOST"), (["localhost", ""], "bus id"),
            (["localhost", "1 1"], "bus id"), (["localhost", String(repeating: "1", count: 32)], "bus id"),
        ])
    func noTarget(_ words: [String], hint: String) {
        let error = #expect(throws: ConfigurationError.self) { try BenchSettings(target: words) }
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test("are lists where a matrix is measured, each value once")
    func lists() throws {
        let settings = try settings([
            ("type", "bulk-in,iso-out,bulk-in"), ("size", "64,1K,64k,1M,64"), ("depth", "1,32"), ("packets", "8,1"),
        ])
        #expect(settings.types == [.bulkIn, .isoOut])
        #expect(settings.sizes == [64, 1024, 65_536, 1 << 20])
        #expect(settings.depths == [1, 32] && settings.packets == [8, 1])
    }

    @Test(
        "take endpoint addresses in hexadecimal and in decimal", arguments: [("0x81", 0x81), ("129", 0x81), ("1", 1)])
    func endpoint(_ text: String, address: UInt8) throws {
        #expect(try settings([("endpoint", text)]).endpoint?.rawValue == address)
    }

    @Test(
        "that are wrong are met with the option and what it takes",
        arguments: [
            ("type", "bulk", "bulk-in"), ("type", "", "bulk-in"), ("size", "0", "1 to 16M"), ("size", "17M", "16M"),
            ("size", "64,,1K", "''"), ("size", "-1", "'-1'"), ("depth", "0", "1 to 4K"), ("depth", "1K", "'1K'"),
            ("depth", "4097", "4097"), ("packets", "1025", "1K"), ("time", "nan", "0.05"), ("time", "1e3", "1e3"),
            ("time", "0", "0.05"), ("warmup", "-1", "'-1'"), ("timeout", "", "seconds"), ("endpoint", "0x80", "0x81"),
            ("endpoint", "0x91", "0x91"), ("endpoint", "0x", "0x81"), ("endpoint", "0x+1", "0x81"),
            ("interface", "256", "0 to 255"), ("configuration", "0", "1 to 255"),
        ])
    func mistakes(_ option: String, value: String, word: String) {
        let error = #expect(throws: ConfigurationError.self) { try settings([(option, value)]) }
        let line = error?.description ?? ""
        #expect(line.contains("--\(option)") && line.contains(word), "\(line)")
    }
}

@Suite("The plan of bench")
struct BenchPlanTests {
    /// Bulk in alternate setting 0, isochronous in 1, interrupt in 2, as the test device has them.
    private func device(_ interfaceClass: USBClass = .vendorSpecific) -> [ConfigurationDescription] {
        func setting(_ alternate: UInt8, _ number: UInt8, _ type: TransferType, _ size: UInt16, _ interval: UInt8)
            -> ConfigurationItem
        {
            .interface(
                AlternateSetting(
                    number: 0, alternate: alternate, interfaceClass: interfaceClass,
                    endpoints: [EndpointAddress.in(number), .out(number)].map {
                        EndpointDescriptor(
                            address: $0, attributes: type.rawValue, maxPacketSize: size, interval: interval)
                    }))
        }
        return [
            ConfigurationDescription(
                value: 3,
                items: [
                    setting(0, 1, .bulk, 512, 0), setting(1, 2, .isochronous, 1024, 4),
                    setting(2, 3, .interrupt, 64, 4),
                ])
        ]
    }

    private func plan(
        _ options: [(String, String)] = [], allowsWrites: Bool = false, for device: [ConfigurationDescription]
    ) throws -> BenchPlan {
        var settings = try BenchSettings(target: ["127.0.0.1", "1-1"])
        for (name, value) in options { try settings.set(name, to: value) }
        settings.allowsWrites = allowsWrites
        return try BenchPlan(settings, device, .high)
    }

    @Test("has by default every type that the device has, each in its alternate setting, and writes to none")
    func defaults() throws {
        let plan = try plan(for: device())
        #expect(plan.configuration == 3)
        #expect(plan.steps.map { $0.cases.first?.type } == [.control, .bulkIn, .interruptIn, .isoIn])
        #expect(plan.steps.map { $0.setting?.alternate } == [nil, 0, 2, 1])
        #expect(plan.cases.allSatisfy { $0.type.direction == .in })
        #expect(plan.notes.isEmpty)
    }

    @Test("knows which interfaces have nothing to be told, and when there is nothing but control")
    func plain() throws {
        let many = try plan(for: device())
        #expect(many.plainInterfaces.isEmpty)
        let setting = AlternateSetting(number: 4, alternate: 0, interfaceClass: .vendorSpecific, endpoints: [])
        let bare = [ConfigurationDescription(value: 1, items: [.interface(setting)])]
        let plan = try plan(for: bare)
        #expect(plan.plainInterfaces == [4])
        #expect(plan.cases.allSatisfy { $0.type == .control })
        #expect(plan.notes.count == 1 && plan.notes.first?.contains("beyond control") == true)
        #expect(try self.plan([("type", "control")], for: bare).notes.isEmpty)
    }

    @Test("crosses sizes with depths")
    func matrix() throws {
        let plan = try plan([("type", "bulk-in"), ("size", "64,1K,1M"), ("depth", "1,32")], for: device())
        #expect(plan.cases.map { [$0.size, $0.depth] } == [64, 1024, 1 << 20].flatMap { [[$0, 1], [$0, 32]] })
        #expect(plan.cases.allSatisfy { $0.endpoint == .in(1) && $0.interval == nil && $0.packets == 0 })
    }

    @Test("fills isochronous URBs with packets, and expects them after as many service intervals")
    func isochronous() throws {
        let plan = try plan([("type", "iso-in"), ("packets", "1,8"), ("depth", "4")], for: device())
        #expect(plan.cases.map(\.packets) == [1, 8])
        #expect(plan.cases.map(\.size) == [1024, 8192])
        // bInterval 4 at high speed: 8 microframes.
        #expect(plan.cases.map(\.interval) == [1_000_000, 8_000_000])
    }

    @Test("passes over sizes that no service interval has room for, and takes the endpoint's own then")
    func periodicSizes() throws {
        let options = [("type", "interrupt-in"), ("depth", "1")]
        #expect(try plan(options + [("size", "8,64K")], for: device()).cases.map(\.size) == [8])
        #expect(try plan(options + [("size", "1M")], for: device()).cases.map(\.size) == [64])
    }

    @Test("leaves out what would take too much memory, and says so")
    func memory() throws {
        let plan = try plan([("type", "bulk-in"), ("size", "16M"), ("depth", "1,4096")], for: device())
        #expect(plan.cases.map(\.depth) == [1])
        #expect(plan.notes.contains { $0.contains("128M") })
    }

    @Test("writes where that is asked for by name")
    func writes() throws {
        let plan = try plan([("type", "bulk-out"), ("size", "1K"), ("depth", "1")], for: device())
        #expect(plan.cases.map(\.endpoint) == [.out(1)])
    }

    @Test("does not write because an OUT endpoint was named alone")
    func endpointAlone() throws {
        #expect(try plan([("endpoint", "0x81")], for: device()).cases.allSatisfy { $0.type == .bulkIn })
        let error = #expect(throws: ConfigurationError.self) { try plan([("endpoint", "0x01")], for: device()) }
        #expect(error?.description.contains("--type bulk-out") == true)
    }

    @Test("does not write to a drive unless that is allowed in so many words")
    func drives() throws {
        let options = [("type", "bulk-out"), ("size", "1K"), ("depth", "1")]
        let error = #expect(throws: ConfigurationError.self) { try plan(options, for: device(.massStorage)) }
        #expect(error?.description.contains("--allow-writes") == true)
        #expect(try plan(options, allowsWrites: true, for: device(.massStorage)).cases.count == 1)
    }

    @Test("does not read from a drive, which would wait for a command for ever, and says what to do instead")
    func driveReads() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try plan([("type", "bulk-in")], for: device(.massStorage))
        }
        #expect(error?.description.contains("fio") == true)
        let choice = try plan(for: device(.massStorage))
        #expect(!choice.cases.contains { $0.type == .bulkIn })
        #expect(choice.notes.contains { $0.contains("fio") })
    }

    @Test("leaves the bulk data of other classes alone unless asked")
    func otherClasses() throws {
        #expect(try !plan(for: device(.cdcData)).cases.contains { $0.type == .bulkIn })
        #expect(try plan([("type", "bulk-in")], for: device(.cdcData)).cases.contains { $0.type == .bulkIn })
    }

    @Test(
        "that nothing on the device suits says so",
        arguments: [
            ([("type", "bulk-in"), ("alternate", "1")], "no bulk-in endpoint in alternate setting 1"),
            ([("type", "bulk-in"), ("interface", "5")], "no bulk-in endpoint in interface 5"),
            ([("type", "bulk-in"), ("endpoint", "0x82")], "no bulk-in endpoint at 0x82"),
            ([("endpoint", "0x8f")], "no endpoint 0x8f"), ([("configuration", "9")], "it has: 3"),
        ])
    func nothing(_ options: [(String, String)], words: String) {
        let error = #expect(throws: ConfigurationError.self) { try plan(options, for: device()) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test("for a device without configurations says so")
    func noConfiguration() { #expect(throws: ConfigurationError.self) { try plan(for: []) } }
}
