import Synchronization
import USBCore

extension RemoteDevice {
    /// Reads everything that the device says of itself.
    ///
    /// Device, configurations, binary device object store, device qualifier with the other speed's configurations, and
    /// the strings that these mention, in each of the first ``DescriptorReading/languageLimit`` languages. What the
    /// device has not, or sends broken, is left out and named in ``RemoteDescriptors/problems``. Nothing is changed;
    /// ``endpoints`` is known afterwards.
    ///
    /// - Throws: ``HostError/malformedDescriptors(_:)`` or ``HostError/transferFailed(_:)`` where not even the device
    ///   descriptor can be read; ``HostError/transferFailed(_:)`` when the device lets the time for an answer pass; or
    ///   why the connection has ended.
    public func descriptors(timeout: Duration = .seconds(5)) throws(HostError) -> RemoteDescriptors {
        var reading = try DescriptorReading(self, timeout)
        try reading.readConfigurations()
        try reading.readCapabilities()
        try reading.readOtherSpeed()
        try reading.readStrings()
        known.withLock { [reading] in $0.learn(reading.found.description.configurations) }
        reading.found.selectedConfiguration = try reading.tolerating("GET_CONFIGURATION") { () throws(HostError) in
            try configuration()
        }
        return reading.found
    }

    /// Reads the configurations, for what they say of endpoints.
    func learnConfigurations() throws(HostError) {
        var reading = try DescriptorReading(self, .seconds(5))
        try reading.readConfigurations()
        known.withLock { [reading] in $0.learn(reading.found.description.configurations) }
    }
}

/// One reading of a device's descriptors.
struct DescriptorReading {
    /// The most languages whose strings are read: a device may list 126, and each costs a request for each string.
    static let languageLimit = 16

    private let remote: RemoteDevice
    private let timeout: Duration
    private(set) var deviceDescriptor: DeviceDescriptor
    var found: RemoteDescriptors

    /// Reads the device descriptor.
    init(_ remote: RemoteDevice, _ timeout: Duration) throws(HostError) {
        self.remote = remote
        self.timeout = timeout
        let bytes = try remote.descriptor(.device, length: 18, timeout: timeout)
        do {
            let description = try DeviceDescription(parsing: bytes, speed: remote.speed)
            deviceDescriptor = description.device
            found = RemoteDescriptors(device: bytes, description: description)
        } catch {
            throw .malformedDescriptors("\(error)")
        }
    }

    /// Runs `body`; what the device did wrong in it is noted, unless it fell silent or the connection ended.
    mutating func tolerating<R>(_ name: String, _ body: () throws(HostError) -> R) throws(HostError) -> R? {
        do {
            return try body()
        } catch {
            switch error {
            case .transferFailed(let failure) where failure.status != .timedOut && failure.status != .shutdown: break
            case .malformedDescriptors: break
            default: throw error
            }
            found.problems.append("\(name): \(error)")
            return nil
        }
    }

    /// Notes what parsing throws.
    private mutating func parsing<R>(_ name: String, _ body: () throws(DescriptorError) -> R) -> R? {
        do {
            return try body()
        } catch {
            found.problems.append("\(name): \(error)")
            return nil
        }
    }

    // MARK: What has a total length

    /// Reads the header of a descriptor with `wTotalLength`, then all of it; nil where the device has none.
    private mutating func readWhole(
        _ type: DescriptorType, index: UInt8, header: UInt16, name: String, isOptional: Bool = false
    ) throws(HostError) -> [UInt8]? {
        let read = { [remote, timeout] (length: UInt16) throws(HostError) in
            try remote.descriptor(type, index: index, length: length, timeout: timeout)
        }
        let start: [UInt8]
        if isOptional {
            do {
                start = try read(header)
            } catch {
                // A device says with STALL that it has no such descriptor.
                guard case .transferFailed(let failure) = error, failure.status == .stalled else { throw error }
                return nil
            }
        } else {
            guard let bytes = try tolerating(name, { () throws(HostError) in try read(header) }) else { return nil }
            start = bytes
        }
        guard start.count >= 4 else {
            found.problems.append("\(name): \(start.count) bytes, too few for a descriptor with a total length")
            return start
        }
        let total = UInt16(start[2]) | UInt16(start[3]) << 8
        guard Int(total) > start.count else { return start }
        let whole = try tolerating(name) { () throws(HostError) in try read(total) }
        if let whole, whole.count < Int(total) {
            found.problems.append("\(name): \(whole.count) of the \(total) bytes that wTotalLength promises")
        }
        return whole ?? start
    }

    mutating func readConfigurations() throws(HostError) {
        for index in 0..<deviceDescriptor.configurationCount {
            let name = "configuration \(index + 1) of \(deviceDescriptor.configurationCount)"
            let bytes = try readWhole(.configuration, index: index, header: 9, name: name) ?? []
            found.configurations.append(bytes)
            guard !bytes.isEmpty else { continue }
            let configuration = parsing(name) { () throws(DescriptorError) in
                try ConfigurationDescription(parsing: bytes)
            }
            if let configuration { found.description.configurations.append(configuration) }
        }
    }

    /// USB 2.1 and later have a binary device object store; older devices would stall, or worse.
    mutating func readCapabilities() throws(HostError) {
        guard deviceDescriptor.usbVersion >= 0x0201 else { return }
        let name = "binary device object store"
        found.bos = try readWhole(.bos, index: 0, header: 5, name: name, isOptional: true)
        guard let bytes = found.bos else { return }
        found.description.bos = parsing(name) { () throws(DescriptorError) in try BOSDescriptor(parsing: bytes) }
    }

    mutating func readOtherSpeed() throws(HostError) {
        let other: Speed
        switch remote.speed {
        case .high: other = .full
        case .full where deviceDescriptor.usbVersion >= 0x0200: other = .high
        default: return
        }
        do {
            found.qualifier = try remote.descriptor(.deviceQualifier, length: 10, timeout: timeout)
        } catch {
            guard case .transferFailed(let failure) = error, failure.status == .stalled else { throw error }
            return
        }
        let bytes = found.qualifier ?? []
        let qualifier = parsing("device qualifier") { () throws(DescriptorError) in
            try DeviceQualifierDescriptor(parsing: bytes)
        }
        guard let qualifier else { return }
        var configurations: [ConfigurationDescription] = []
        for index in 0..<qualifier.configurationCount {
            let name = "other-speed configuration \(index + 1) of \(qualifier.configurationCount)"
            let bytes = try readWhole(.otherSpeedConfiguration, index: index, header: 9, name: name) ?? []
            found.otherSpeedConfigurations.append(bytes)
            guard !bytes.isEmpty else { continue }
            let configuration = parsing(name) { () throws(DescriptorError) in
                try ConfigurationDescription(parsing: bytes)
            }
            if let configuration { configurations.append(configuration) }
        }
        found.description.otherSpeed = OtherSpeedDescription(
            speed: other, qualifier: qualifier, configurations: configurations)
    }

    // MARK: Strings

    mutating func readStrings() throws(HostError) {
        let indices = found.description.mentionedStrings
        guard !indices.isEmpty else { return }
        let read = { [remote, timeout] (index: UInt8, language: LanguageID) throws(HostError) in
            try remote.descriptor(.string, index: index, language: language, length: 255, timeout: timeout)
        }
        found.languages = try tolerating("list of languages") { () throws(HostError) in try read(0, .unspecified) }
        guard let bytes = found.languages,
            let languages = parsing(
                "list of languages", { () throws(DescriptorError) in try StringTable.parseLanguages(bytes) })
        else { return }
        found.description.strings = StringTable(languages: languages)
        if languages.count > Self.languageLimit {
            found.problems.append(
                "\(languages.count) languages; strings were read in the first \(Self.languageLimit)")
        }
        for language in languages.prefix(Self.languageLimit) {
            for index in indices { try readString(index, language, read) }
        }
    }

    private mutating func readString(
        _ index: UInt8, _ language: LanguageID, _ read: (UInt8, LanguageID) throws(HostError) -> [UInt8]
    ) throws(HostError) {
        let name = "string \(index) in language 0x\(String(language.rawValue, radix: 16))"
        let bytes = try tolerating(name) { () throws(HostError) in try read(index, language) }
        guard let bytes else { return }
        found.strings[RemoteDescriptors.StringKey(index: index, language: language)] = bytes
        let string = parsing(name) { () throws(DescriptorError) in try StringDescriptor(parsing: bytes) }
        found.description.strings.setDescriptor(string, index: index, language: language)
    }
}

extension DeviceDescription {
    /// The indices of the strings that descriptors mention, each once, ascending.
    fileprivate var mentionedStrings: [UInt8] {
        var indices: Set<UInt8> = [device.manufacturerIndex, device.productIndex, device.serialNumberIndex]
        for configuration in configurations + (otherSpeed?.configurations ?? []) {
            indices.insert(configuration.nameIndex)
            for item in configuration.items {
                switch item {
                case .interface(let setting): indices.insert(setting.nameIndex)
                case .association(let association): indices.insert(association.nameIndex)
                }
            }
        }
        return indices.subtracting([0]).sorted()
    }
}
