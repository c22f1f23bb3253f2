import Measurement
import USBCore

/// One line of the report: one way to use one endpoint.
struct BenchCase: Hashable {
    var type: BenchType
    /// Endpoint zero for control.
    var endpoint: EndpointAddress
    /// Bytes of a URB.
    var size: Int
    /// URBs in flight.
    var depth: Int
    /// Packets of an isochronous URB, 0 elsewhere.
    var packets = 0
    /// How often the endpoint should complete a URB, in nanoseconds; nil where it has no interval.
    var interval: UInt64?

    /// The case in words, such as `bulk-in 0x81 64K × 32`.
    var description: String {
        let packets = packets > 0 ? " in \(packets) packets" : ""
        return "\(type.rawValue) 0x\(hex(endpoint.rawValue)) \(ByteSize.text(size))\(packets) × \(depth)"
    }
}

/// The cases of one alternate setting.
struct BenchStep: Hashable {
    /// The interface and its alternate setting; nil for control, which needs none.
    var setting: Setting?
    var cases: [BenchCase]

    struct Setting: Hashable {
        var interface: UInt8
        var alternate: UInt8
    }
}

/// What will be measured, in order, and what will not be.
struct BenchPlan: Hashable {
    var configuration: UInt8
    var steps: [BenchStep] = []
    /// Interfaces with one setting only, which need not be told to take it, and may refuse to be (USB 2.0 §9.4.10).
    var plainInterfaces: Set<UInt8> = []
    /// What was left out of a choice that was left to us, and why.
    var notes: [String] = []

    var cases: [BenchCase] { steps.flatMap(\.cases) }

    /// What bulk URBs carry unless told otherwise: a packet's part, a page, a large write, the kernel's largest.
    static let bulkSizes = [64, 4 << 10, 64 << 10, 1 << 20]
    /// A device descriptor's.
    static let controlSize = 18

    /// Chooses cases for a device.
    ///
    /// Nothing that writes is chosen unless it was asked for, and nothing that reads what a device may not give
    /// unasked.
    ///
    /// - Throws: ``ConfigurationError`` when what was asked for is not there, or must not be done.
    init(_ settings: BenchSettings, _ configurations: [ConfigurationDescription], _ speed: Speed)
        throws(ConfigurationError)
    {
        let chosen = configurations.first { settings.configuration == nil || $0.value == settings.configuration }
        guard let chosen else {
            let known = configurations.map { "\($0.value)" }.joined(separator: ", ")
            throw ConfigurationError(
                settings.configuration.map { "the device has no configuration \($0); it has: \(known)" }
                    ?? "the device has no configuration")
        }
        configuration = chosen.value
        let counts = Dictionary(chosen.settings.map { ($0.number, 1) }, uniquingKeysWith: +)
        plainInterfaces = Set(counts.filter { $0.value == 1 }.keys)
        let alternates = chosen.settings.filter {
            (settings.interface == nil || $0.number == settings.interface)
                && (settings.alternate == nil || $0.alternate == settings.alternate)
        }
        let finder = EndpointFinder(settings: settings, alternates: alternates)
        let types = if let types = settings.types { types } else { try finder.defaultTypes() }
        for type in types {
            guard type != .control else {
                steps.append(BenchStep(setting: nil, cases: Self.controlCases(settings)))
                continue
            }
            let found: EndpointFinder.Found
            switch try finder.find(type) {
            case .found(let endpoint): found = endpoint
            case .unsuitable(let reason):
                guard settings.types == nil else { throw ConfigurationError(reason) }
                notes.append(reason)
                continue
            case nil: continue
            }
            let setting = BenchStep.Setting(interface: found.setting.number, alternate: found.setting.alternate)
            let cases = endpointCases(type, found.endpoint, speed, settings)
            guard !cases.isEmpty else { continue }
            if steps.last?.setting == setting {
                steps[steps.count - 1].cases += cases
            } else {
                steps.append(BenchStep(setting: setting, cases: cases))
            }
        }
        if settings.types == nil, notes.isEmpty, cases.allSatisfy({ $0.type == .control }) {
            notes.append("beyond control, the device has no endpoint that is measured unasked; --type names others")
        }
        guard !cases.isEmpty else { throw ConfigurationError(notes.first ?? "the device has nothing to measure") }
    }

    private static func controlCases(_ settings: BenchSettings) -> [BenchCase] {
        settings.depths.map {
            BenchCase(type: .control, endpoint: EndpointAddress(rawValue: 0), size: controlSize, depth: $0)
        }
    }

    private mutating func endpointCases(
        _ type: BenchType, _ endpoint: EndpointDescriptor, _ speed: Speed, _ settings: BenchSettings
    ) -> [BenchCase] {
        let whole = max(1, endpoint.bytesPerServiceInterval(at: speed))
        let sizes: [Int]
        if endpoint.isPeriodic {
            // No interval has room for more; what is meant for bulk endpoints is passed over here.
            let fitting = (settings.sizes ?? []).filter { $0 <= whole }
            sizes = fitting.isEmpty ? [whole] : fitting
        } else {
            sizes = settings.sizes ?? Self.bulkSizes
        }
        let period = endpoint.period(at: speed)
        var cases: [BenchCase] = []
        for size in sizes {
            for packets in type.transfer == .isochronous ? settings.packets : [0] {
                for depth in settings.depths {
                    let bytes = size * max(1, packets)
                    let item = BenchCase(
                        type: type, endpoint: endpoint.address, size: bytes, depth: depth, packets: packets,
                        interval: period.map { $0 &* UInt64(max(1, packets)) })
                    guard bytes * depth <= BenchSettings.bytesInFlight else {
                        let limit = ByteSize.text(BenchSettings.bytesInFlight)
                        notes.append("\(item.description) is left out: more than \(limit) bytes in flight")
                        continue
                    }
                    cases.append(item)
                }
            }
        }
        return cases
    }
}

/// Finds an endpoint for each type.
private struct EndpointFinder {
    struct Found {
        let setting: AlternateSetting
        let endpoint: EndpointDescriptor
    }

    enum Answer {
        case found(Found)
        case unsuitable(String)
    }

    let settings: BenchSettings
    let alternates: [AlternateSetting]

    /// What can be measured without changing anything on the device.
    func defaultTypes() throws(ConfigurationError) -> [BenchType] {
        guard let address = settings.endpoint else { return [.control, .bulkIn, .interruptIn, .isoIn] }
        let type = alternates.lazy.compactMap { $0.endpoint(address) }.first.flatMap { BenchType($0) }
        guard let type else { throw ConfigurationError("there is no endpoint 0x\(hex(address.rawValue))\(place)") }
        guard type.direction == .in else {
            throw ConfigurationError(
                "endpoint 0x\(hex(address.rawValue)) is written to, which can change what is on the device; "
                    + "if you mean it, add --type \(type.rawValue)")
        }
        return [type]
    }

    /// The first endpoint that suits, in the order of the descriptors; nil where a choice of ours has nothing.
    func find(_ type: BenchType) throws(ConfigurationError) -> Answer? {
        var refusal: String?
        for setting in alternates {
            for endpoint in setting.endpoints where BenchType(endpoint) == type {
                guard settings.endpoint == nil || endpoint.address == settings.endpoint else { continue }
                guard let reason = reason(against: type, setting, endpoint) else {
                    return .found(Found(setting: setting, endpoint: endpoint))
                }
                refusal = refusal ?? reason
            }
        }
        if let refusal { return .unsuitable(refusal) }
        guard settings.types != nil else { return nil }
        let address = settings.endpoint.map { " at 0x\(hex($0.rawValue))" } ?? ""
        throw ConfigurationError("the device has no \(type.rawValue) endpoint\(address)\(place)")
    }

    /// Why an endpoint is not to be used; nil when it may be.
    private func reason(
        against type: BenchType, _ setting: AlternateSetting, _ endpoint: EndpointDescriptor
    ) -> String? {
        let address = "0x\(hex(endpoint.address.rawValue))"
        if endpoint.type == .isochronous, endpoint.packetSize == 0 {
            return "endpoint \(address) moves nothing in alternate setting \(setting.alternate)"
        }
        if setting.interfaceClass == .massStorage {
            if type.direction == .in {
                return "endpoint \(address) belongs to a drive, which gives nothing without a command; attach it "
                    + "and measure it with fio, or try 'ghostplug bench zero'"
            }
            guard settings.allowsWrites else {
                return "endpoint \(address) belongs to a drive, and writing to it can destroy what is on the "
                    + "drive; --allow-writes if you mean it"
            }
        }
        let isChosen = settings.types != nil || settings.endpoint != nil
        if !isChosen, type == .bulkIn, setting.interfaceClass != .vendorSpecific {
            return "endpoint \(address) is left alone, since reading it may take away what a driver needs "
                + "(class \(hex(setting.interfaceClass.rawValue))\(className(setting.interfaceClass.rawValue))); "
                + "--type bulk-in if you mean it"
        }
        return nil
    }

    /// Where was looked, when not everywhere.
    private var place: String {
        switch (settings.interface, settings.alternate) {
        case (nil, nil): ""
        case (let interface?, nil): " in interface \(interface)"
        case (nil, let alternate?): " in alternate setting \(alternate)"
        case (let interface?, let alternate?): " in interface \(interface), alternate setting \(alternate)"
        }
    }
}
