public import USBCore

/// Descriptors by which Windows 8.1 and later choose a driver without an INF file (Microsoft OS 2.0 Descriptors).
///
/// A device with one function puts its features into the set itself; a composite one into a function's subset.
/// Everything together may have 65535 bytes, since lengths are sixteen bits wide: lengths beyond that saturate.
public struct MicrosoftOS2DescriptorSet: Hashable, Sendable {
    /// `dwWindowsVersion`: the least version that the set is for; 0x06030000 is Windows 8.1.
    public var windowsVersion: UInt32
    /// What holds for the whole device.
    public var features: [MicrosoftOS2Feature]
    /// What holds for configurations and their functions; of composite devices only.
    public var configurations: [Configuration]

    /// A configuration's subset.
    public struct Configuration: Hashable, Sendable {
        /// `bConfigurationValue`, which Windows reads as the configuration's index from 0.
        public var index: UInt8
        /// The functions.
        public var functions: [Function]

        /// Makes a subset.
        public init(index: UInt8, functions: [Function]) {
            self.index = index
            self.functions = functions
        }
    }

    /// A function's subset.
    public struct Function: Hashable, Sendable {
        /// The function's first interface.
        public var firstInterface: UInt8
        /// What holds for the function.
        public var features: [MicrosoftOS2Feature]

        /// Makes a subset.
        public init(firstInterface: UInt8, features: [MicrosoftOS2Feature]) {
            self.firstInterface = firstInterface
            self.features = features
        }
    }

    /// Makes a set.
    public init(
        windowsVersion: UInt32 = 0x0603_0000, features: [MicrosoftOS2Feature] = [], configurations: [Configuration] = []
    ) {
        self.windowsVersion = windowsVersion
        self.features = features
        self.configurations = configurations
    }

    /// Makes the set of a device with one function that Windows gives to WinUSB.
    ///
    /// - Parameter interfaces: the interface classes by which programs find the device.
    public init(winUSB interfaces: [USBUUID]) { self.init(features: MicrosoftOS2Feature.winUSB(interfaces)) }

    /// The set as the vendor request reads it: a header of 10 bytes, features, subsets with headers of 8 bytes.
    public var bytes: [UInt8] {
        var body = features.flatMap(\.bytes)
        for configuration in configurations {
            let functions = configuration.functions.flatMap { function in
                Self.subset(type: 2, function.firstInterface, function.features.flatMap(\.bytes))
            }
            body += Self.subset(type: 1, configuration.index, functions)
        }
        let version = UInt16(truncatingIfNeeded: windowsVersion)
        let versionHigh = UInt16(truncatingIfNeeded: windowsVersion >> 16)
        return words(10, 0, version, versionHigh, UInt16(clamping: 10 + body.count)) + body
    }

    private static func subset(type: UInt16, _ number: UInt8, _ body: [UInt8]) -> [UInt8] {
        words(8, type) + [number, 0] + words(UInt16(clamping: 8 + body.count)) + body
    }
}

/// One thing that Microsoft OS 2.0 descriptors say of a device or function.
public enum MicrosoftOS2Feature: Hashable, Sendable {
    /// Which driver of Windows' own fits, such as `WINUSB`: two ids of up to 8 ASCII characters, what exceeds is cut.
    case compatibleID(String, sub: String = "")
    /// A value of the device's registry key.
    case registryProperty(name: String, MicrosoftOS2RegistryValue)
    /// Windows loads its generic parent driver, so that the functions of a device with one configuration get drivers.
    case genericParent
    /// Raised when the descriptors change, so that Windows reads them again.
    case vendorRevision(UInt16)

    /// WinUSB as the driver, and the interface classes by which programs find the device.
    public static func winUSB(_ interfaces: [USBUUID]) -> [MicrosoftOS2Feature] {
        let names = interfaces.map { "{\($0.description.uppercased())}" }
        return [.compatibleID("WINUSB"), .registryProperty(name: "DeviceInterfaceGUIDs", .strings(names))]
    }

    /// The descriptor: wLength, wDescriptorType and the rest.
    public var bytes: [UInt8] {
        switch self {
        case .compatibleID(let id, let sub):
            return words(20, 3) + Self.padded(id) + Self.padded(sub)
        case .registryProperty(let name, let value):
            let name = utf16(name) + [0, 0]
            let data = value.bytes
            let body =
                words(value.type, UInt16(clamping: name.count)) + name + words(UInt16(clamping: data.count)) + data
            return words(UInt16(clamping: 4 + body.count), 4) + body
        case .genericParent:
            return words(4, 7)
        case .vendorRevision(let revision):
            return words(6, 8, revision)
        }
    }

    private static func padded(_ id: String) -> [UInt8] {
        let ascii = id.utf8.prefix(8)
        return Array(ascii) + [UInt8](repeating: 0, count: 8 - ascii.count)
    }
}

/// The value of a registry property, of the registry's type of the same number.
public enum MicrosoftOS2RegistryValue: Hashable, Sendable {
    /// REG_SZ.
    case string(String)
    /// REG_BINARY.
    case binary([UInt8])
    /// REG_DWORD_LITTLE_ENDIAN.
    case number(UInt32)
    /// REG_MULTI_SZ.
    case strings([String])

    /// `wPropertyDataType`.
    var type: UInt16 {
        switch self {
        case .string: 1
        case .binary: 3
        case .number: 4
        case .strings: 7
        }
    }

    /// `PropertyData`: strings in UTF-16 with their terminators, one more behind several.
    var bytes: [UInt8] {
        switch self {
        case .string(let text): utf16(text) + [0, 0]
        case .binary(let bytes): bytes
        case .number(let number):
            words(UInt16(truncatingIfNeeded: number), UInt16(truncatingIfNeeded: number >> 16))
        case .strings(let texts): texts.flatMap { utf16($0) + [0, 0] } + [0, 0]
        }
    }
}

private func words(_ values: UInt16...) -> [UInt8] {
    values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
}

private func utf16(_ text: String) -> [UInt8] {
    text.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
}
