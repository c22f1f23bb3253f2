import CaptureTraces
import Testing
import USBCapture
import USBCore

@Suite("Descriptors that a capture lacks")
struct CompletionTests {
    private func completed(
        _ write: (inout Script) -> Void
    ) throws -> (descriptors: CompletedDescriptors, notes: [String], description: DeviceDescription) {
        var script = Script()
        write(&script)
        let trace = try script.trace()
        let (descriptors, notes) = try trace.completedDescriptors()
        // Whatever is filled in is well-formed.
        let description = try DeviceDescription(
            parsing: descriptors.device + descriptors.configurations.joined(), speed: descriptors.speed)
        return (descriptors, notes, description)
    }

    @Test("are none when it has them all")
    func complete() throws {
        let (descriptors, notes, _) = try completed {
            $0.descriptor(1, Samples.device())
            $0.descriptor(2, Samples.storage)
        }
        #expect(descriptors.device == Samples.device())
        #expect(descriptors.configurations == [Samples.storage])
        #expect(notes.isEmpty)
    }

    @Test("are made of the endpoints that were used")
    func made() throws {
        let (_, notes, description) = try completed {
            $0.descriptor(1, Samples.device())
            $0.control(SetupPacket(requestType: 0, request: 9, value: 3))
            $0.output(1, [1, 2, 3])
            $0.input(2, [UInt8](repeating: 0, count: 100))
            $0.input(3, [1, 2], .interrupt, interval: 16)
        }
        let configuration = try #require(description.configurations.first)
        #expect(configuration.value == 3)
        let setting = try #require(configuration.settings.first)
        #expect(setting.interfaceClass == .vendorSpecific)
        #expect(setting.endpoints.map(\.address.rawValue) == [0x01, 0x82, 0x83])
        #expect(setting.endpoints.map(\.type) == [.bulk, .bulk, .interrupt])
        #expect(setting.endpoints.map(\.maxPacketSize) == [64, 64, 2])
        #expect(setting.endpoints[2].interval == 16)
        #expect(notes.count == 1)
        #expect(notes[0].contains("vendor's own class"))
    }

    @Test("are a disk's where its commands were seen")
    func storage() throws {
        let (_, notes, description) = try completed {
            $0.storage([0x12, 0, 0, 0, 36, 0], tag: 1, in: [[UInt8](repeating: 0, count: 36)])
        }
        let setting = try #require(description.configurations.first?.settings.first)
        #expect(setting.interfaceClass == .massStorage)
        #expect(setting.interfaceSubclass == 6)
        #expect(setting.interfaceProtocol == 0x50)
        #expect(notes.count == 2)
    }

    @Test("are a boot keyboard's or mouse's where its reports look like one's")
    func boot() throws {
        func input(_ report: [UInt8]) throws -> (UInt8, [UInt8]?, UInt8) {
            let (descriptors, _, description) = try completed {
                $0.descriptor(1, Samples.device(packet: 8))
                $0.input(1, report, .interrupt, interval: 8)
            }
            let setting = try #require(description.configurations.first?.settings.first)
            #expect(setting.interfaceClass == .hid)
            let hid = try #require(setting.descriptors.first)
            let report = descriptors.reports[0]
            #expect(Int(hid.bytes[7]) == report?.count)
            return (setting.interfaceProtocol, report, setting.endpoints[0].interval)
        }
        let keyboard = try input([2, 0, 4, 0, 0, 0, 0, 0])
        #expect(keyboard.0 == 1)
        #expect(keyboard.1?.count == 63)
        #expect(try inputBits(#require(keyboard.1)) == 64)
        #expect(keyboard.2 == 8)
        let mouse = try input([1, 0x20, 0, 0, 0, 0, 0, 0])
        #expect(mouse.0 == 2)
        #expect(mouse.1?.count == 50 + 6)
        #expect(try inputBits(#require(mouse.1)) == 64)
        let short = try input([1, 0x20, 0])
        #expect(short.0 == 2)
        #expect(short.1?.count == 50)
    }

    /// The bits of an input report, by its descriptor's items (HID 1.11 §6.2.2.2).
    private func inputBits(_ report: [UInt8]) -> Int {
        var (place, bits, size, count) = (0, 0, 0, 0)
        while place < report.count {
            let length = [0, 1, 2, 4][Int(report[place] & 3)]
            switch report[place] & 0xfc {
            case 0x74: size = Int(report[place + 1])
            case 0x94: count = Int(report[place + 1])
            case 0x80: bits += size * count
            default: break
            }
            place += 1 + length
        }
        return bits
    }

    @Test("of reports are a tablet's where they look like one's, else bytes without a meaning")
    func tablet() throws {
        func report(_ reports: [[UInt8]]) throws -> [UInt8]? {
            try completed { script in
                script.descriptor(1, Samples.device())
                script.descriptor(
                    2,
                    Samples.configuration(
                        class: .hid, descriptors: [Samples.hid(74)],
                        [Samples.endpoint(0x81, .interrupt, 8, interval: 4)]))
                for report in reports { script.input(1, report, .interrupt) }
            }.descriptors.reports[0]
        }
        let moves = (0..<8).map { [0, UInt8($0 * 16), 0x10, 0, UInt8($0), 0] as [UInt8] }
        #expect(try report(moves)?.contains(0x30) == true)
        let made = try #require(try report(moves))
        #expect(inputBits(made) == 48)
        #expect(try report([[0xff, 1, 0xff, 2, 0xff, 3]])?.starts(with: [0x06, 0x00, 0xff]) == true)
    }

    @Test("end with the last whole descriptor where a configuration is cut")
    func cutConfiguration() throws {
        let whole = Samples.storage
        for count in 9..<whole.count {
            let (descriptors, notes, description) = try completed {
                $0.descriptor(1, Samples.device())
                $0.descriptor(2, length: UInt16(count), whole)
                $0.output(1, [1])
                $0.input(2, [1])
            }
            let setting = try #require(description.configurations.first?.settings.first)
            let endpoints = count >= 25 ? 1 : count >= 18 ? 0 : 2
            #expect(setting.endpoints.count == endpoints, "\(count)")
            #expect(setting.declaredEndpointCount == nil)
            #expect(setting.interfaceClass == (count >= 18 ? .massStorage : .vendorSpecific))
            #expect(Int(descriptors.configurations[0][2]) == descriptors.configurations[0].count)
            #expect(notes.count == 1)
        }
    }

    @Test("of the device get usual values, and as many configurations as there are")
    func device() throws {
        let (descriptors, notes, description) = try completed {
            var said = DeviceAnnouncement(bus: 1, device: 5)
            said.vendorID = 0x1234
            said.productID = 0x5678
            $0.announcements = [said]
            $0.descriptor(1, length: 8, Samples.device(packet: 32))
            $0.descriptor(2, Samples.storage)
        }
        #expect(description.device.vendorID == 0x1234)
        #expect(description.device.productID == 0x5678)
        #expect(description.device.maxPacketSize0 == 32)
        #expect(descriptors.device.count == 18)
        #expect(notes.count == 1)

        var many = Samples.device()
        many[17] = 3
        let reduced = try completed {
            $0.descriptor(1, many)
            $0.descriptor(2, Samples.storage)
        }
        #expect(reduced.descriptors.device[17] == 1)
        #expect(reduced.notes == ["The device descriptor says 3 configurations, the capture has 1; it now says 1"])
    }

    @Test("of strings stay unknown, which is said; the list of languages is made of what there is")
    func strings() throws {
        let (descriptors, notes, _) = try completed {
            $0.descriptor(1, Samples.device(strings: true))
            $0.descriptor(2, Samples.storage)
            $0.descriptor(3, index: 2, language: 0x407, StringDescriptor("Platte").bytes)
            $0.descriptor(3, index: 1, language: 0x407, length: 2, StringDescriptor("Hersteller").bytes)
        }
        #expect(descriptors.strings[.init(index: 0, language: 0)] == [4, 3, 7, 4])
        #expect(notes.contains("String 1 is not in the capture; the device answers with STALL"))
        func ask(_ index: UInt16, _ language: UInt16) -> [UInt8]? {
            descriptors.answer(
                to: SetupPacket(requestType: 0x80, request: 6, value: 0x0300 | index, index: language, length: 255))
        }
        #expect(ask(2, 0x409) == StringDescriptor("Platte").bytes)
        #expect(ask(1, 0x407) == nil)
        #expect(ask(0, 0) == [4, 3, 7, 4])
    }

    @Test("of a binary object store end with its last whole capability")
    func objectStore() throws {
        let store: [UInt8] = [5, 15, 19, 0, 2, 7, 16, 2, 0, 0, 0, 0, 7, 16, 2, 6, 0, 0, 0]
        let (descriptors, _, _) = try completed {
            $0.descriptor(1, Samples.device())
            $0.descriptor(0x0f, length: 15, store)
        }
        #expect(descriptors.objectStore == [5, 15, 12, 0, 1, 7, 16, 2, 0, 0, 0, 0])
        let fast = try completed { $0.descriptor(1, Samples.device(version: 0x0300, packet: 9)) }
        #expect(fast.descriptors.speed == .super)
        #expect(try BOSDescriptor(parsing: fast.descriptors.objectStore).capabilities.count == 2)
    }

    @Test("are filled in for a device of which nothing at all is known")
    func nothing() throws {
        let (descriptors, notes) = KnownDescriptors().completed()
        let description = try DeviceDescription(
            parsing: descriptors.device + descriptors.configurations.joined(), speed: .full)
        #expect(description.configurations.count == 1)
        #expect(notes.count == 2)
    }
}
