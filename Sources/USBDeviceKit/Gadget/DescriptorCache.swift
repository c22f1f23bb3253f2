import USBCore

/// A description's descriptors as bytes, made once: hosts ask for the same few again and again.
struct DescriptorCache {
    private let description: DeviceDescription
    private let device: [UInt8]
    private let configurations: [[UInt8]]

    init(_ description: DeviceDescription) {
        self.description = description
        device = description.deviceDescriptorBytes
        configurations = description.configurations.indices.compactMap { description.configurationBytes(index: $0) }
    }

    /// The descriptor, or nil when the device has none of the kind and answers STALL.
    func descriptor(type: DescriptorType, index: UInt8, language: LanguageID) -> [UInt8]? {
        switch type {
        case .device: index == 0 ? device : nil
        case .configuration: configurations.indices.contains(Int(index)) ? configurations[Int(index)] : nil
        default: description.descriptorBytes(type: type, index: index, language: language)
        }
    }
}
