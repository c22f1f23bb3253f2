public import USBCore

/// Everything that a device was asked about itself: the bytes as they came, and what they mean.
public struct RemoteDescriptors: Sendable {
    /// A string's index and language.
    public struct StringKey: Hashable, Sendable {
        /// The index, 1 to 255.
        public var index: UInt8
        /// The language.
        public var language: LanguageID

        /// Makes a key.
        public init(index: UInt8, language: LanguageID) {
            self.index = index
            self.language = language
        }
    }

    /// The device descriptor.
    public var device: [UInt8]
    /// The configurations by index, each with everything in it; one that could not be read is empty.
    public var configurations: [[UInt8]] = []
    /// The binary device object store, nil where the device has none.
    public var bos: [UInt8]?
    /// The device qualifier, nil where the device has none.
    public var qualifier: [UInt8]?
    /// The other speed's configurations by index.
    public var otherSpeedConfigurations: [[UInt8]] = []
    /// The list of languages: string 0, nil where the device has no strings.
    public var languages: [UInt8]?
    /// The strings that other descriptors mention.
    public var strings: [StringKey: [UInt8]] = [:]
    /// The value of the selected configuration, 0 for none, nil where the device did not say.
    public var selectedConfiguration: UInt8?
    /// What those bytes mean, as far as they mean anything.
    public var description: DeviceDescription
    /// What could not be read or understood, in words, such as `configuration 1: EP 0 IN: STALL (-32)`.
    public var problems: [String] = []
}
