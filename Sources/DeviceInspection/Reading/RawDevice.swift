package import USBCore

/// Everything that a device answered about itself, byte for byte, with what it did not answer.
package struct RawDevice: Sendable {
    /// Names a string.
    package struct StringKey: Hashable, Sendable {
        /// The index, 1 to 255.
        package var index: UInt8
        /// The language.
        package var language: LanguageID

        /// Makes a key.
        package init(index: UInt8, language: LanguageID) {
            self.index = index
            self.language = language
        }
    }

    /// Names a descriptor that an interface's class has.
    package struct InterfaceKey: Hashable, Sendable {
        /// `bInterfaceNumber`.
        package var interface: UInt8
        /// The descriptor's type.
        package var type: UInt8

        /// Makes a key.
        package init(interface: UInt8, type: UInt8) {
            self.interface = interface
            self.type = type
        }
    }

    /// What the server said.
    package var record: ImportRecord
    /// The device descriptor.
    package var device: ControlAnswer
    /// The configurations by index, each with everything in it.
    package var configurations: [ControlAnswer] = []
    /// The binary device object store.
    package var bos: ControlAnswer = .notAsked("bcdUSB is below 2.01")
    /// The device qualifier.
    package var qualifier: ControlAnswer = .notAsked("only devices at full and high speed have one")
    /// The other speed's configurations by index.
    package var otherConfigurations: [ControlAnswer] = []
    /// The list of languages: string 0.
    package var languages: ControlAnswer = .notAsked("no descriptor names a string")
    /// The strings that descriptors name.
    package var strings: [StringKey: ControlAnswer] = [:]
    /// The value of the selected configuration, one byte.
    package var selectedConfiguration: ControlAnswer = .notAsked("")
    /// The device's status, two bytes.
    package var status: ControlAnswer = .notAsked("")
    /// The value of the configuration that ``classDescriptors`` are of.
    package var classConfiguration: UInt8?
    /// The report descriptors, and other class descriptors that are read by themselves.
    package var classDescriptors: [InterfaceKey: ControlAnswer] = [:]
    /// The WebUSB landing page's descriptor.
    package var webUSBPage: ControlAnswer?
    /// The Microsoft OS 2.0 descriptor set.
    package var microsoftSet: ControlAnswer?

    /// Makes a device of which nothing but the device descriptor is known.
    package init(record: ImportRecord, device: ControlAnswer) {
        self.record = record
        self.device = device
    }

    /// The value of the selected configuration, nil where the device did not say.
    var selectedValue: UInt8? { selectedConfiguration.bytes?.first }

    /// Whether the device was asked for class descriptors while nothing obliged it to answer.
    var isUnconfigured: Bool { selectedValue == 0 }

    /// The language to show strings in: English (US) where the device has it, else its first.
    var shownLanguage: LanguageID {
        let languages = languageList
        return languages.contains(.englishUS) ? .englishUS : languages.first ?? .englishUS
    }

    /// The languages, as far as the list can be read; none where it cannot.
    var languageList: [LanguageID] {
        guard let bytes = languages.bytes, bytes.count >= 4 else { return [] }
        let end = min(bytes.count, Int(bytes[0]))
        return stride(from: 2, to: end - 1, by: 2).map {
            LanguageID(rawValue: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
        }
    }

    /// The text of a string in the language that strings are shown in, nil where it cannot be read.
    func text(_ index: UInt8) -> String? {
        guard let bytes = strings[StringKey(index: index, language: shownLanguage)]?.bytes else { return nil }
        return Self.text(of: bytes)
    }

    /// The text of a string descriptor, as much of it as is there.
    static func text(of bytes: [UInt8]) -> String? {
        guard bytes.count >= 2, bytes[1] == DescriptorType.string.rawValue else { return nil }
        let end = min(bytes.count, Int(bytes[0]))
        let units = stride(from: 2, to: end - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        return String(decoding: units, as: UTF16.self)
    }
}
