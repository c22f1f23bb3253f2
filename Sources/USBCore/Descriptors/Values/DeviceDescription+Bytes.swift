// What GET_DESCRIPTOR answers. Everywhere nil means that the device has no such descriptor and answers with STALL.
extension DeviceDescription {
    /// The device descriptor as it goes over the bus.
    public var deviceDescriptorBytes: [UInt8] { device.bytes }

    /// The configuration at an index with everything in it, nil beyond the last.
    public func configurationBytes(index: Int) -> [UInt8]? {
        configurations.indices.contains(index) ? configurations[index].bytes() : nil
    }

    /// The other speed's configuration at an index with everything in it, nil beyond the last.
    public func otherSpeedConfigurationBytes(index: Int) -> [UInt8]? {
        guard let other = otherSpeed, other.configurations.indices.contains(index) else { return nil }
        return other.configurations[index].bytes(type: .otherSpeedConfiguration)
    }

    /// The device qualifier, nil where the device has no other speed.
    public var qualifierBytes: [UInt8]? { otherSpeed?.qualifier.bytes }

    /// The binary device object store, nil where there is none.
    public var bosBytes: [UInt8]? { bos?.bytes }

    /// A string, or with index 0 the list of languages.
    ///
    /// - Parameters:
    ///   - index: the string's index.
    ///   - language: a language of the table; ``LanguageID/unspecified`` means the first one.
    /// - Returns: nil where there is no such string, and for the list where the device has no strings at all.
    public func stringBytes(index: UInt8, language: LanguageID) -> [UInt8]? {
        guard index == 0 else { return strings.descriptor(index: index, language: language)?.bytes }
        return strings.languages.isEmpty ? nil : strings.languageListBytes
    }

    /// What the device answers to GET_DESCRIPTOR that is addressed to it, before the cut to `wLength`.
    ///
    /// - Parameters:
    ///   - type: the high byte of `wValue`.
    ///   - index: the low byte of `wValue`: of a configuration or a string. It is ignored where there is only one.
    ///   - language: `wIndex`, used for strings only.
    public func descriptorBytes(type: DescriptorType, index: UInt8, language: LanguageID) -> [UInt8]? {
        switch type {
        case .device: deviceDescriptorBytes
        case .configuration: configurationBytes(index: Int(index))
        case .string: stringBytes(index: index, language: language)
        case .deviceQualifier: qualifierBytes
        case .otherSpeedConfiguration: otherSpeedConfigurationBytes(index: Int(index))
        case .bos: bosBytes
        default: nil
        }
    }

    /// Reads a device descriptor and the configurations that follow back to back, as Linux keeps them in sysfs.
    ///
    /// Strings, binary device object store and other speed are not among these bytes; set them afterwards, or have
    /// ``validate(ignoringStrings:)`` look away.
    ///
    /// - Parameters:
    ///   - bytes: the descriptors; as many configurations are read as there are, whatever `bNumConfigurations` says.
    ///   - speed: the speed at which the device said so.
    /// - Throws: ``DescriptorError/malformed(offset:reason:)``, with the offset from the start of `bytes`.
    public init(parsing bytes: [UInt8], speed: Speed) throws(DescriptorError) {
        var reader = DescriptorReader(bytes[...])
        let raw = try reader.first()
        let device = try DeviceDescriptor(raw)
        var configurations: [ConfigurationDescription] = []
        var rest = bytes.dropFirst(raw.bytes.count)
        while !rest.isEmpty {
            let configuration = try ConfigurationDescription(parsing: rest)
            configurations.append(configuration)
            // wTotalLength as it was said; at least 9, so this ends.
            rest = rest.dropFirst(Int(RawDescriptor(bytes: rest).word(2)))
        }
        self.init(speed: speed, device: device, configurations: configurations)
    }
}
