import Testing
import USBCore

/// What a device might send on purpose: nothing of it may trap, and whatever is read can be sent, checked and printed.
@Suite struct HostileDescriptorTests {
    private static let inputs: [[UInt8]] =
        RealisticDescriptors.configurations + [
            RealisticDescriptors.store,
            SampleDevices.composite(.high).configurations[0].bytes(),
            SampleDevices.composite(.superPlus).configurations[0].bytes(),
            SampleDevices.composite(.high).deviceDescriptorBytes + RealisticDescriptors.audio,
            SampleDevices.drive(.superPlus).bosBytes ?? [],
            StringDescriptor("Drive \u{1f47b}").bytes,
        ]

    /// Reads the bytes as everything they could be, and uses what was read in every way there is.
    ///
    /// - Returns: how many readers took the bytes.
    @discardableResult
    private func exercise(_ bytes: [UInt8]) -> Int {
        var taken = 0
        for speed in Speed.allCases {
            guard let device = try? DeviceDescription(parsing: bytes, speed: speed) else { continue }
            taken += 1
            use(device)
        }
        if let configuration = try? ConfigurationDescription(parsing: bytes) {
            taken += 1
            let sent = configuration.bytes()
            #expect((try? ConfigurationDescription(parsing: sent)) == configuration, "\(bytes)")
            for speed in Speed.allCases {
                let descriptor = DeviceDescriptor(usbVersion: 0x0200, maxPacketSize0: 64, vendorID: 1, productID: 1)
                use(
                    DeviceDescription(
                        speed: speed, device: descriptor, configurations: [configuration],
                        otherSpeed: SampleDevices.drive(.high).otherSpeed))
            }
        }
        if let store = try? BOSDescriptor(parsing: bytes) {
            taken += 1
            #expect((try? BOSDescriptor(parsing: store.bytes)) == store, "\(bytes)")
            var device = SampleDevices.drive(.super)
            device.bos = store
            use(device)
        }
        if let string = try? StringDescriptor(parsing: bytes) {
            taken += 1
            #expect(string.units.count <= 126)
            #expect(string.bytes == [UInt8](bytes.prefix(Int(bytes[0]))))
            var device = SampleDevices.drive(.high)
            device.strings.setDescriptor(string, index: 2, language: .englishUS)
            use(device)
        }
        if let qualifier = try? DeviceQualifierDescriptor(parsing: bytes) {
            taken += 1
            #expect(qualifier.bytes == [UInt8](bytes.prefix(qualifier.bytes.count)))
        }
        return taken
    }

    private func use(_ device: DeviceDescription) {
        #expect(!device.prettyPrint().isEmpty)
        _ = device.validate()
        _ = device.bosBytes
        _ = device.controlPacketSize
        for configuration in device.configurations {
            for endpoint in configuration.settings.flatMap(\.endpoints) {
                #expect(endpoint.bytesPerServiceInterval(at: device.speed) >= 0)
                if let period = endpoint.period(at: device.speed) { #expect(period > 0) }
            }
        }
    }

    @Test(arguments: inputs.indices) func everyTruncationIsReadOrRefused(_ input: Int) {
        let bytes = Self.inputs[input]
        #expect(exercise(bytes) > 0, "the whole is read by one reader at least")
        for count in 0..<bytes.count { exercise([UInt8](bytes.prefix(count))) }
    }

    @Test(arguments: inputs.indices) func everyValueOfEveryLengthIsReadOrRefused(_ input: Int) {
        let bytes = Self.inputs[input]
        var position = 0
        while position < bytes.count {
            for value in [0, 1, 2, 3, 8, 10, 127, 254, 255] as [UInt8] {
                var changed = bytes
                changed[position] = value
                exercise(changed)
            }
            position += max(Int(bytes[position]), 2)
        }
    }

    @Test(arguments: 0..<16) func mutationsAreReadOrRefused(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<60 {
            var bytes = Self.inputs[Int.random(in: 0..<Self.inputs.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                mutate(&bytes, using: &generator)
            }
            exercise(bytes)
        }
    }

    private func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[position] ^= 1 << UInt8.random(in: 0...7, using: &generator)
        case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        case 3: bytes.remove(at: position)
        default:
            let end = min(bytes.count, position + Int.random(in: 1...16, using: &generator))
            bytes.append(contentsOf: bytes[position..<end])
        }
    }

    /// 64 KiB of the smallest descriptors, of each kind in turn: time must not grow with the square.
    @Test func aFullConfigurationOfSmallDescriptorsIsRead() throws {
        let interface: [UInt8] = [9, 4, 0, 0, 0, 0xff, 0, 0, 0]
        let endpoint: [UInt8] = [7, 5, 0x81, 2, 0, 2, 0]
        for unit in [[2, 0x40], endpoint, interface, [8, 0x0b, 0, 1, 0xff, 0, 0, 0]] as [[UInt8]] {
            var bytes: [UInt8] = [9, 2, 0xff, 0xff, 1, 1, 0, 0x80, 50] + interface
            while bytes.count + unit.count <= 65535 { bytes += unit }
            let configuration = try ConfigurationDescription(parsing: bytes)
            #expect(configuration.bytes().count == bytes.count)
            let device = DeviceDescriptor(usbVersion: 0x0200, maxPacketSize0: 64, vendorID: 1, productID: 1)
            let issues = DeviceDescription(speed: .high, device: device, configurations: [configuration]).validate()
            #expect(!issues.isEmpty)
        }
    }

    @Test func devicesTextCannotSteerATerminal() {
        var device = SampleDevices.drive(.high)
        device.strings[2, .englishUS] = "a\u{1b}[2Jb\r\nc\u{202e}d\u{9b}e"
        let text = device.prettyPrint()
        #expect(text.contains("a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{202e}d\\u{9b}e"))
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 && $0.value != 0x9b })
    }
}
