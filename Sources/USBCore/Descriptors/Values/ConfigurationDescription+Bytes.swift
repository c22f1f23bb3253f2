extension ConfigurationDescription {
    /// The configuration and everything in it as it goes over the bus.
    ///
    /// What exceeds the 65535 bytes of `wTotalLength` is left out; validation refuses such a configuration.
    ///
    /// - Parameter type: `.configuration`, or `.otherSpeedConfiguration` where it is asked for as such.
    public func bytes(type: DescriptorType = .configuration) -> [UInt8] {
        var bytes = untrimmedBytes(type: type)
        if bytes.count > DescriptorLimits.maxTotal { bytes.removeLast(bytes.count - DescriptorLimits.maxTotal) }
        bytes.overwrite(at: 2, littleEndian: declaredTotalLength ?? UInt16(clamping: bytes.count))
        return bytes
    }

    func untrimmedBytes(type: DescriptorType) -> [UInt8] {
        var bytes: [UInt8] = []
        let totalLengthPlace: [UInt8] = [0, 0]
        bytes.appendDescriptor(
            type, totalLengthPlace + [interfaceCount, value, nameIndex, attributes, maxPower] + extra)
        for descriptor in descriptors { bytes += descriptor.bytes }
        for item in items {
            switch item {
            case .interface(let setting): bytes += setting.bytes
            case .association(let association): bytes += association.bytes
            }
        }
        return bytes
    }

    /// Reads a configuration, or an other-speed configuration, with everything in it.
    ///
    /// Descriptors that are not known stay in their places as ``ClassDescriptor``. Bytes beyond `wTotalLength` are not
    /// looked at, as a host never asks for them. Where `wTotalLength` promises more than there is, as in a capture
    /// that was cut, what is there is read and ``declaredTotalLength`` keeps the promise; `bNumInterfaces` and
    /// `bNumEndpoints` are treated alike. Validation reports such contradictions.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no configuration, a descriptor runs
    ///   over the end, or one of a known type is shorter than its specification has it.
    public init(parsing bytes: [UInt8]) throws(DescriptorError) {
        try self.init(parsing: bytes[...])
    }

    init(parsing bytes: ArraySlice<UInt8>) throws(DescriptorError) {
        var start = DescriptorReader(bytes)
        let header = try start.first()
        try header.requireType(.configuration, .otherSpeedConfiguration)
        try header.require(9)
        let total = header.word(2)
        guard Int(total) >= header.bytes.count else {
            throw .malformed(
                offset: header.offset + 2,
                reason: "wTotalLength is \(total), the configuration descriptor alone has \(header.bytes.count) bytes")
        }
        self.init(
            value: header.byte(5), nameIndex: header.byte(6), attributes: header.byte(7), maxPower: header.byte(8),
            extra: header.tail(9))

        var assembly = ConfigurationAssembly()
        var reader = DescriptorReader(bytes.prefix(Int(total)).dropFirst(header.bytes.count))
        while let raw = try reader.next() { try assembly.take(raw) }
        assembly.closeItem()
        descriptors = assembly.descriptors
        items = assembly.items
        if header.byte(4) != interfaceCount { declaredInterfaceCount = header.byte(4) }
        if Int(total) > bytes.count { declaredTotalLength = total }
    }
}

/// Puts a run of descriptors together: each belongs to what it follows.
///
/// What is being built stays outside the lists until it is complete. Reading is then linear in the input, which a
/// device chooses: 64 KiB of endpoints must not cost their square.
private struct ConfigurationAssembly {
    var descriptors: [ClassDescriptor] = []
    var items: [ConfigurationItem] = []
    private var association: AssociationDescriptor?
    private var setting: AlternateSetting?
    private var endpoint: EndpointDescriptor?

    mutating func take(_ raw: RawDescriptor) throws(DescriptorError) {
        switch raw.type {
        case .interface:
            closeItem()
            setting = try AlternateSetting(raw)
        case .interfaceAssociation:
            closeItem()
            association = try AssociationDescriptor(raw)
        case .endpoint:
            guard setting != nil else {
                throw .malformed(offset: raw.offset, reason: "an endpoint descriptor stands outside any interface")
            }
            closeEndpoint()
            endpoint = try EndpointDescriptor(raw)
        case .endpointCompanion where endpoint?.companion == nil && endpoint?.descriptors.isEmpty == true:
            // Only what directly follows is the companion; one in another place stays visible as misplaced.
            endpoint?.companion = try CompanionDescriptor(raw)
        default:
            attach(ClassDescriptor(raw))
        }
    }

    mutating func closeItem() {
        closeEndpoint()
        if var setting {
            setting.settleEndpointCount()
            items.append(.interface(setting))
        }
        if let association { items.append(.association(association)) }
        setting = nil
        association = nil
    }

    private mutating func closeEndpoint() {
        if let endpoint { setting?.endpoints.append(endpoint) }
        endpoint = nil
    }

    private mutating func attach(_ descriptor: ClassDescriptor) {
        if endpoint != nil {
            endpoint?.descriptors.append(descriptor)
        } else if setting != nil {
            setting?.descriptors.append(descriptor)
        } else if association != nil {
            association?.descriptors.append(descriptor)
        } else {
            descriptors.append(descriptor)
        }
    }
}
