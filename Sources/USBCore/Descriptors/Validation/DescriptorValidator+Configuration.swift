extension DescriptorValidator {
    /// The values by which configurations are selected, all of one speed together.
    mutating func checkConfigurationValues(_ configurations: [ConfigurationDescription]) {
        var seen: Set<UInt8> = []
        for configuration in configurations where !seen.insert(configuration.value).inserted {
            within("configuration \(configuration.value)") { validator in
                validator.error(
                    validator.section("9.6.3"), "bConfigurationValue \(configuration.value) is used twice")
            }
        }
    }

    /// A configuration and everything in it.
    mutating func checkConfiguration(_ configuration: ConfigurationDescription) {
        within("configuration \(configuration.value)") { validator in
            validator.checkHeader(configuration)
            validator.checkLengths(configuration)
            validator.checkClassDescriptors(configuration.descriptors)
            validator.checkNumbers(configuration)
            for setting in configuration.settings { validator.checkSetting(setting) }
            validator.checkEndpointSharing(configuration)
            validator.checkAssociations(configuration)
        }
    }

    private mutating func checkHeader(_ configuration: ConfigurationDescription) {
        let section = section("9.6.3")
        require(
            configuration.value != 0, section, "bConfigurationValue is 0, which means not configured; 1 to 255 can be")
        require(
            configuration.attributes & 0x80 != 0, section,
            "bit 7 of bmAttributes \(hex(configuration.attributes)) is 0; it is always 1")
        require(
            configuration.attributes & 0x1f == 0, section,
            "bits 4:0 of bmAttributes \(hex(configuration.attributes)) are reserved and 0")
        let limit = speed.isSuperSpeed ? 900 : 500
        let power = configuration.maxPowerMilliamps(at: speed)
        require(
            power <= limit, section,
            "bMaxPower \(configuration.maxPower) is \(power) mA; at \(speed.title) a device draws \(limit) mA at most")
        advise(
            power > 0 || configuration.isSelfPowered, section,
            "bMaxPower is 0, but the device has no power of its own")
    }

    private mutating func checkLengths(_ configuration: ConfigurationDescription) {
        let section = section("9.6.3")
        checkExtra(configuration.extra, after: 9)
        let total = configuration.totalLength
        require(
            total <= DescriptorLimits.maxTotal, section,
            "the configuration has \(total) bytes; wTotalLength counts to 65535")
        if let declared = configuration.declaredTotalLength {
            require(
                Int(declared) == total, section, "wTotalLength is \(declared), but the configuration has \(total) bytes"
            )
        }
        let count = configuration.interfaceNumbers.count
        require(count > 0, section, "there is no interface; at least 1 is needed")
        require(
            Int(configuration.interfaceCount) == count, section,
            "bNumInterfaces is \(configuration.interfaceCount), but there are \(count) interfaces")
    }

    /// Interface numbers and alternate settings: all there, none twice.
    private mutating func checkNumbers(_ configuration: ConfigurationDescription) {
        let section = section("9.6.5")
        let numbers = configuration.interfaceNumbers
        if let gap = numbers.enumerated().first(where: { $0.offset != Int($0.element) }) {
            error(section, "interface \(gap.offset) is missing before interface \(gap.element); numbers count from 0")
        }
        var alternates: [UInt8: Set<UInt8>] = [:]
        var previous: UInt8?
        for setting in configuration.settings {
            within("interface \(setting.number)") { validator in
                let seen = alternates[setting.number] ?? []
                validator.require(
                    !seen.contains(setting.alternate), section, "alternate setting \(setting.alternate) is there twice")
                validator.advise(
                    seen.isEmpty || previous == setting.number, section,
                    "alternate setting \(setting.alternate) stands apart from the interface's others")
            }
            alternates[setting.number, default: []].insert(setting.alternate)
            previous = setting.number
        }
        for number in numbers {
            let seen = (alternates[number] ?? []).sorted()
            within("interface \(number)") { validator in
                validator.require(
                    seen.first == 0, section,
                    "there is no alternate setting 0, the one a configuration begins with")
                validator.advise(
                    seen.first != 0 || seen.count == Int(seen.last ?? 0) + 1, section,
                    "the alternate settings leave out numbers: \(seen.map(String.init).joined(separator: ", "))")
            }
        }
    }

    private mutating func checkSetting(_ setting: AlternateSetting) {
        let section = section("9.6.5")
        within("interface \(setting.number) alternate \(setting.alternate)") { validator in
            validator.checkExtra(setting.extra, after: 9)
            validator.require(
                Int(setting.endpointCount) == setting.endpoints.count, section,
                "bNumEndpoints is \(setting.endpointCount), but there are \(setting.endpoints.count) endpoints")
            validator.advise(
                setting.interfaceClass.rawValue != 0, section, "bInterfaceClass is 0, which is reserved")
            validator.require(
                setting.interfaceClass.rawValue != 0 || setting.interfaceSubclass == 0, section,
                "bInterfaceSubClass is \(setting.interfaceSubclass) while bInterfaceClass is 0; then it is 0 too")
            validator.checkClassDescriptors(setting.descriptors)
            var seen: Set<EndpointAddress> = []
            for endpoint in setting.endpoints {
                validator.within("\(endpoint.address)") { validator in
                    validator.require(
                        seen.insert(endpoint.address).inserted, section,
                        "the endpoint is there twice in one alternate setting")
                    validator.checkEndpoint(endpoint, isDefaultSetting: setting.alternate == 0)
                }
            }
        }
    }

    /// An endpoint belongs to one interface of a configuration; its alternate settings may share it.
    private mutating func checkEndpointSharing(_ configuration: ConfigurationDescription) {
        var owners: [EndpointAddress: UInt8] = [:]
        for setting in configuration.settings {
            for endpoint in setting.endpoints {
                guard let owner = owners[endpoint.address] else {
                    owners[endpoint.address] = setting.number
                    continue
                }
                within("interface \(setting.number) alternate \(setting.alternate), \(endpoint.address)") { validator in
                    validator.require(
                        owner == setting.number, validator.section("9.6.5"),
                        "interface \(owner) has the endpoint already; only settings of one interface may share one")
                }
            }
        }
        if speed == .low {
            let perInterface = Dictionary(grouping: configuration.settings, by: \.number)
            let most = perInterface.values.map { $0.map(\.endpoints.count).max() ?? 0 }.reduce(0, +)
            require(
                most <= 2, "USB 2.0 §5.3.1.2",
                "\(most) endpoints besides endpoint zero; a device at low speed has 2 at most")
        }
    }
}
