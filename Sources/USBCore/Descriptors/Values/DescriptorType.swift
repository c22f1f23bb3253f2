/// What a descriptor is: its second byte, `bDescriptorType` (USB 2.0 §9.4, USB 3.2 §9.4).
public struct DescriptorType: RawRepresentable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    /// `bDescriptorType`.
    public let rawValue: UInt8

    /// Makes a type from `bDescriptorType`.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Makes a type from a number in the source, so that class descriptors can be written as their specification does.
    public init(integerLiteral value: UInt8) { self.rawValue = value }

    /// The device (USB 2.0 §9.6.1).
    public static let device: Self = 0x01
    /// A configuration (USB 2.0 §9.6.3).
    public static let configuration: Self = 0x02
    /// A string (USB 2.0 §9.6.7).
    public static let string: Self = 0x03
    /// One alternate setting of an interface (USB 2.0 §9.6.5).
    public static let interface: Self = 0x04
    /// An endpoint (USB 2.0 §9.6.6).
    public static let endpoint: Self = 0x05
    /// What the device would be at its other speed (USB 2.0 §9.6.2).
    public static let deviceQualifier: Self = 0x06
    /// A configuration at the device's other speed (USB 2.0 §9.6.4).
    public static let otherSpeedConfiguration: Self = 0x07
    /// Power states of an interface (Interface Power Management, never widely used).
    public static let interfacePower: Self = 0x08
    /// On-The-Go abilities (OTG supplement §6.4).
    public static let otg: Self = 0x09
    /// The debug device (USB 2.0 debug device §2.3).
    public static let debug: Self = 0x0a
    /// Interfaces that make one function (USB 3.2 §9.6.4).
    public static let interfaceAssociation: Self = 0x0b
    /// The binary device object store (USB 3.2 §9.6.2).
    public static let bos: Self = 0x0f
    /// One capability in the binary device object store (USB 3.2 §9.6.2).
    public static let deviceCapability: Self = 0x10
    /// The HID class's own descriptor (HID 1.11 §6.2.1).
    public static let hid: Self = 0x21
    /// A class's words about an interface, as CDC, audio and video use it.
    public static let classInterface: Self = 0x24
    /// A class's words about an endpoint.
    public static let classEndpoint: Self = 0x25
    /// The SuperSpeed endpoint companion (USB 3.2 §9.6.7).
    public static let endpointCompanion: Self = 0x30
    /// The SuperSpeedPlus isochronous endpoint companion (USB 3.2 §9.6.8).
    public static let isochronousCompanion: Self = 0x31

    /// Whether this library has a value of its own for the type, so that a ``ClassDescriptor`` must not carry it.
    var isStructural: Bool {
        switch self {
        case .device, .configuration, .string, .interface, .endpoint, .deviceQualifier, .otherSpeedConfiguration,
            .interfaceAssociation, .bos, .deviceCapability, .endpointCompanion:
            true
        default: false
        }
    }

    /// The type's name in the specification's words, or nil where this library knows none.
    public var name: String? {
        switch self {
        case .device: "Device"
        case .configuration: "Configuration"
        case .string: "String"
        case .interface: "Interface"
        case .endpoint: "Endpoint"
        case .deviceQualifier: "Device Qualifier"
        case .otherSpeedConfiguration: "Other Speed Configuration"
        case .interfacePower: "Interface Power"
        case .otg: "OTG"
        case .debug: "Debug"
        case .interfaceAssociation: "Interface Association"
        case .bos: "Binary Object Store"
        case .deviceCapability: "Device Capability"
        case .hid: "HID"
        case .classInterface: "Class-Specific Interface"
        case .classEndpoint: "Class-Specific Endpoint"
        case .endpointCompanion: "SuperSpeed Endpoint Companion"
        case .isochronousCompanion: "SuperSpeedPlus Isochronous Endpoint Companion"
        default: nil
        }
    }
}
