internal import USBCapture
internal import USBCore

/// Fills the gaps of a device's descriptors: see ``CompletedDescriptors``.
struct DescriptorCompletion {
    private let evidence: UsageEvidence
    private let known: KnownDescriptors
    private let speed: Speed
    /// What was filled in.
    private(set) var notes: [String] = []

    init(_ evidence: UsageEvidence) {
        self.evidence = evidence
        known = evidence.device.descriptors
        speed = evidence.device.speed
    }

    mutating func run() -> CompletedDescriptors {
        var reports: [UInt8: [UInt8]] = [:]
        var configurations = completedConfigurations()
        for index in configurations.indices { completeReports(in: &configurations[index], &reports) }
        // Of interfaces that no configuration speaks of, as when it is cut.
        reports.merge(known.reports) { filled, _ in filled }
        let device = completedDevice(count: configurations.count)
        return CompletedDescriptors(
            speed: speed, device: device, configurations: configurations,
            strings: completedStrings(device, configurations), objectStore: completedObjectStore(device),
            qualifier: known.qualifier.count >= 10 ? known.qualifier : [], otherSpeed: completedOtherSpeed(),
            reports: reports)
    }

    // MARK: - The device

    private mutating func completedDevice(count: Int) -> [UInt8] {
        let usual = DeviceDescriptor(
            usbVersion: speed.isSuperSpeed ? 0x0300 : 0x0200,
            maxPacketSize0: speed.isSuperSpeed ? 9 : speed == .low ? 8 : 64, vendorID: evidence.device.vendorID ?? 0,
            productID: evidence.device.productID ?? 0, configurationCount: UInt8(clamping: count)
        ).bytes
        var bytes = known.device
        if !known.isDeviceWhole {
            let missing = bytes.isEmpty ? "The device descriptor is" : "The end of the device descriptor is"
            notes.append("\(missing) not in the capture; usual values stand in for it")
            bytes = [UInt8](bytes.prefix(18)) + usual.dropFirst(min(bytes.count, 18))
            bytes[0] = 18
        }
        if Int(bytes[17]) != count {
            notes.append(
                "The device descriptor says \(bytes[17]) configurations, the capture has \(count); it now says \(count)"
            )
            bytes[17] = UInt8(clamping: count)
        }
        return bytes
    }

    // MARK: - Configurations

    private mutating func completedConfigurations() -> [[UInt8]] {
        var configurations: [[UInt8]] = []
        while configurations.count < Int(UInt8.max), let bytes = known.configurations[UInt8(configurations.count)] {
            let index = configurations.count
            if known.isConfigurationWhole(UInt8(index)) {
                configurations.append(bytes)
            } else if let cut = cutConfiguration(bytes) {
                notes.append("Configuration \(index) is cut in the capture; it ends with its last whole descriptor")
                configurations.append(cut)
            } else {
                break
            }
        }
        if configurations.isEmpty { configurations.append(madeConfiguration()) }
        return configurations
    }

    /// What is whole of a configuration that is cut; nil when that has no interface.
    private func cutConfiguration(_ bytes: [UInt8]) -> [UInt8]? {
        let whole = bytes.wholeDescriptors
        guard whole.count > 9, var description = try? ConfigurationDescription(parsing: whole),
            !description.items.isEmpty
        else { return nil }
        description.declaredTotalLength = nil
        description.declaredInterfaceCount = nil
        for index in description.items.indices {
            guard case .interface(var setting) = description.items[index] else { continue }
            setting.declaredEndpointCount = nil
            description.items[index] = .interface(setting)
        }
        return description.bytes()
    }

    private mutating func madeConfiguration() -> [UInt8] {
        let maker = ConfigurationMaker(evidence)
        let header = known.configurations[0].flatMap { $0.count >= 9 ? $0 : nil }
        notes.append(
            "No configuration is in the capture\(header == nil ? "" : " but for its first bytes"); "
                + "one is made of the endpoints that were used: \(maker.words)")
        return maker.configuration(header: header)
    }

    private mutating func completedOtherSpeed() -> [[UInt8]] {
        var configurations: [[UInt8]] = []
        while configurations.count < Int(UInt8.max), let bytes = known.otherSpeed[UInt8(configurations.count)] {
            guard let total = totalLength(bytes), total >= 9, bytes.count >= total else { break }
            configurations.append(bytes)
        }
        return configurations
    }

    // MARK: - Report descriptors

    private mutating func completeReports(in configuration: inout [UInt8], _ reports: inout [UInt8: [UInt8]]) {
        for interface in configuration.hidInterfaces {
            guard reports[interface.number] == nil else { continue }
            let report = known.reports[interface.number] ?? []
            if !report.isEmpty, report.count >= interface.reportLength ?? 0 {
                reports[interface.number] = report
                continue
            }
            let size =
                evidence.device.endpoints.first {
                    $0.endpoint == interface.input && $0.type == .interrupt
                }.map { Int(clamping: $0.largest) } ?? 0
            let kind: UsageEvidence.HIDKind? =
                switch (interface.subclass, interface.protocol) {
                case (1, 1): .keyboard
                case (1, 2): .mouse
                default: interface.input.map(evidence.tablets.contains) == true ? .tablet : nil
                }
            let made = BootReports.descriptor(kind, size: size > 0 ? size : interface.packetSize)
            reports[interface.number] = made
            let words =
                switch kind {
                case .keyboard: "the boot keyboard's"
                case .mouse: "the boot mouse's"
                case .tablet: "that of a tablet, which its reports look like,"
                case nil: "one of bytes without a meaning"
                }
            notes.append(
                "The report descriptor of interface \(interface.number) is not \(report.isEmpty ? "" : "whole ")in the "
                    + "capture; \(words) stands in for it")
            guard let place = interface.lengthPlace else { continue }
            configuration[place] = UInt8(truncatingIfNeeded: made.count)
            configuration[place + 1] = UInt8(truncatingIfNeeded: made.count >> 8)
        }
    }

    // MARK: - Strings and capabilities

    private mutating func completedStrings(
        _ device: [UInt8], _ configurations: [[UInt8]]
    ) -> [KnownDescriptors.StringKey: [UInt8]] {
        var strings = known.strings.filter {
            $0.value.count >= 2 && $0.value.count >= Int($0.value[0]) && $0.value[0] >= 2
        }
        let languageKey = KnownDescriptors.StringKey(index: 0, language: 0)
        if strings[languageKey] == nil, strings.keys.contains(where: { $0.index != 0 }) {
            let languages = Set(strings.keys.filter { $0.index != 0 }.map(\.language)).sorted()
            strings[languageKey] = StringDescriptor(units: [UInt16](languages.prefix(126))).bytes
            notes.append("The list of languages is not in the capture; it is made of the strings that are")
        }
        var wanted = Set([device[14], device[15], device[16]])
        for bytes in configurations { wanted.formUnion(bytes.stringIndices) }
        let known = Set(strings.keys.map(\.index))
        let missing = wanted.subtracting(known).subtracting([0]).sorted()
        if !missing.isEmpty {
            let list = missing.map(String.init).joined(separator: ", ")
            let words = missing.count == 1 ? "String \(list) is" : "Strings \(list) are"
            notes.append("\(words) not in the capture; the device answers with STALL")
        }
        return strings
    }

    private mutating func completedObjectStore(_ device: [UInt8]) -> [UInt8] {
        var bytes = known.objectStore
        if bytes.count >= 5, let total = totalLength(bytes), bytes.count < total {
            bytes = bytes.wholeDescriptors
            guard bytes.count >= 5 else { return [] }
            bytes[2] = UInt8(truncatingIfNeeded: bytes.count)
            bytes[3] = UInt8(truncatingIfNeeded: bytes.count >> 8)
            bytes[4] = UInt8(clamping: bytes.descriptorPlaces.count - 1)
            notes.append("The binary object store is cut in the capture; it ends with its last whole capability")
        }
        if bytes.count < 5, speed.isSuperSpeed {
            notes.append("The binary object store is not in the capture; the least that a SuperSpeed device has is")
            // USB 3.2 §9.6.2: the USB 2.0 extension, and speeds from full to 5 Gb/s.
            return [
                0x05, 0x0f, 0x16, 0x00, 0x02, 0x07, 0x10, 0x02, 0x02, 0x00, 0x00, 0x00, 0x0a, 0x10, 0x03, 0x00, 0x0e,
                0x00, 0x01, 0x0a, 0xff, 0x07,
            ]
        }
        return bytes.count >= 5 ? bytes : []
    }
}
