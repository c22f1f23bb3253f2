extension DescriptorValidator {
    /// The strings: each index that a descriptor mentions is there in each language, and fits.
    mutating func checkStrings(of description: DeviceDescription) {
        let section = speed.isSuperSpeed ? "USB 3.2 §9.6.9" : "USB 2.0 §9.6.7"
        let table = description.strings
        let used = description.stringReferences
        if table.isEmpty {
            within("strings") { validator in
                validator.require(
                    used.isEmpty, section,
                    "\(used.count) descriptor fields name a string, the first of them \(used.first?.field ?? ""), but "
                        + "there are no strings")
            }
            return
        }
        for reference in used {
            within(reference.path) { validator in
                for language in table.languages
                where table.descriptor(index: reference.index, language: language) == nil {
                    validator.error(
                        section,
                        "\(reference.field) is \(reference.index), but there is no such string in language "
                            + hex(language.rawValue))
                }
            }
        }
        within("strings") { validator in
            validator.checkTable(table, section)
        }
    }

    private mutating func checkTable(_ table: StringTable, _ section: String) {
        require(
            table.languages.count <= DescriptorLimits.maxUnits, section,
            "there are \(table.languages.count) languages; a descriptor holds \(DescriptorLimits.maxUnits)")
        advise(
            Set(table.languages).count == table.languages.count, section, "a language is in the list twice")
        advise(
            !table.languages.contains(.unspecified), section, "language 0 is in the list, which is no language")
        for index in table.indices {
            for language in table.languages {
                guard let string = table.descriptor(index: index, language: language) else { continue }
                within("string \(index)") { validator in
                    validator.require(
                        string.units.count <= DescriptorLimits.maxUnits, section,
                        "it has \(string.units.count) UTF-16 units; a descriptor holds \(DescriptorLimits.maxUnits)")
                    validator.advise(
                        !string.hasUnpairedSurrogate, section, "it has half a surrogate pair and is no UTF-16 text")
                }
            }
        }
    }
}

/// A field that names a string.
struct StringReference {
    var path: String
    var field: String
    var index: UInt8
}

extension DeviceDescription {
    /// The fields that name a string, in the order of the descriptors, without those that are 0.
    ///
    /// The other speed's are left out: they are the same declaration's, and a host at this speed has no use for them.
    var stringReferences: [StringReference] {
        var references = [
            StringReference(path: "device", field: "iManufacturer", index: device.manufacturerIndex),
            StringReference(path: "device", field: "iProduct", index: device.productIndex),
            StringReference(path: "device", field: "iSerialNumber", index: device.serialNumberIndex),
        ]
        for configuration in configurations {
            let path = "configuration \(configuration.value)"
            references.append(StringReference(path: path, field: "iConfiguration", index: configuration.nameIndex))
            for item in configuration.items {
                switch item {
                case .interface(let setting):
                    references.append(
                        StringReference(
                            path: "\(path), interface \(setting.number) alternate \(setting.alternate)",
                            field: "iInterface", index: setting.nameIndex))
                case .association(let association):
                    references.append(
                        StringReference(
                            path: "\(path), association of interface \(association.firstInterface)",
                            field: "iFunction", index: association.nameIndex))
                }
            }
        }
        return references.filter { $0.index != 0 }
    }
}
