import USBCore

/// Makes a description of what can be understood, so that the laws of descriptions can be held against it.
///
/// What is broken in itself is left out, after ``LengthLaws`` has reported it, and the counts around it are corrected:
/// one mistake then is one issue.
struct Repair {
    /// The description, nil where not even the device descriptor can be understood.
    private(set) var description: DeviceDescription?
    /// What is not known of it.
    private(set) var unknown: DeviceDescription.UnknownParts = .strings

    init(_ raw: RawDevice, at speed: Speed) {
        guard let bytes = raw.device.bytes, bytes.count >= 18, bytes[1] == DescriptorType.device.rawValue else {
            return
        }
        guard let device = try? DeviceDescriptor(parsing: [18] + bytes[1..<18]) else { return }
        let configurations = Self.configurations(raw.configurations, "")
        if configurations.count != raw.configurations.count { unknown.insert(.configurations) }
        var description = DeviceDescription(speed: speed, device: device, configurations: configurations)
        if let bytes = raw.bos.bytes {
            description.bos = try? BOSDescriptor(parsing: bytes)
            if description.bos == nil { unknown.insert(.capabilities) }
            // A store whose end is missing lacks what was there.
            if let total = description.bos?.declaredTotalLength, Int(total) > bytes.count {
                unknown.insert(.capabilities)
            }
        } else if raw.bos != .stalled {
            unknown.insert(.capabilities)
        }
        if let bytes = raw.qualifier.bytes, bytes.count >= 10,
            let qualifier = try? DeviceQualifierDescriptor(parsing: [10] + bytes[1..<10])
        {
            let others = Self.configurations(raw.otherConfigurations, "other speed")
            if others.count != raw.otherConfigurations.count { unknown.insert(.otherConfigurations) }
            description.otherSpeed = OtherSpeedDescription(
                speed: speed == .high ? .full : .high, qualifier: qualifier, configurations: others)
        }
        self.description = description
    }

    private static func configurations(_ answers: [ControlAnswer], _ prefix: String) -> [ConfigurationDescription] {
        answers.enumerated().compactMap { index, answer in
            answer.bytes.flatMap { configuration(ConfigurationOutline($0, index: index, prefix: prefix)) }
        }
    }

    /// A configuration without what is broken in it, nil where there is nothing to understand.
    static func configuration(_ outline: ConfigurationOutline) -> ConfigurationDescription? {
        guard let header = outline.header, header.bytes.count >= 9, outline.promised ?? 0 >= header.bytes.count else {
            return nil
        }
        var kept = [[UInt8](header.bytes)]
        var lastInterface: Int?
        var isCut = outline.isCut
        walk: for entry in outline.entries {
            let bytes = [UInt8](entry.item.bytes)
            switch entry.item.type {
            case .endpoint where !entry.isHead: continue
            case .endpoint where bytes.count < 7:
                if let place = lastInterface, kept[place][4] > 0 { kept[place][4] -= 1 }
                continue
            case .endpointCompanion where bytes.count < 6: continue
            case .interfaceAssociation where bytes.count < 8: continue
            case .interface where bytes.count < 9:
                // What follows belongs to an interface of which nothing is known.
                isCut = true
                break walk
            case .interface: lastInterface = kept.count
            default: break
            }
            kept.append(bytes)
        }
        return parse(kept, isCut: isCut)
    }

    private static func parse(_ descriptors: [[UInt8]], isCut: Bool) -> ConfigurationDescription? {
        var bytes = descriptors.flatMap(\.self)
        let total = UInt16(clamping: bytes.count)
        bytes[1] = DescriptorType.configuration.rawValue
        bytes[2] = UInt8(truncatingIfNeeded: total)
        bytes[3] = UInt8(truncatingIfNeeded: total >> 8)
        guard var configuration = try? ConfigurationDescription(parsing: bytes) else { return nil }
        guard isCut else { return configuration }
        guard !configuration.settings.isEmpty else { return nil }
        // What the missing end held is unknown, so what counts it says nothing.
        configuration.declaredInterfaceCount = nil
        let present = Set(configuration.interfaceNumbers)
        configuration.items = configuration.items.filter { item in
            guard case .association(let association) = item else { return true }
            let first = Int(association.firstInterface)
            return (first..<first + Int(association.interfaceCount)).allSatisfy { number in
                UInt8(exactly: number).map(present.contains) ?? true
            }
        }
        if case .interface(var setting)? = configuration.items.last {
            setting.declaredEndpointCount = nil
            configuration.items[configuration.items.count - 1] = .interface(setting)
        }
        return configuration
    }
}
