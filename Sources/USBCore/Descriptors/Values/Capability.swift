/// One capability of a device, as its binary device object store lists them (USB 3.2 §9.6.2).
public enum Capability: Hashable, Sendable {
    /// What a device can do at USB 2.0 speeds: bit 1 is link power management (USB 3.2 §9.6.2.1).
    case usb2Extension(attributes: UInt32)
    /// SuperSpeed: speeds and latencies (USB 3.2 §9.6.2.2).
    case superSpeed(SuperSpeedCapability)
    /// SuperSpeedPlus: lanes and rates (USB 3.2 §9.6.2.5).
    case superSpeedPlus(SuperSpeedPlusCapability)
    /// The same on every device of one product, so that hosts see them as one (USB 3.2 §9.6.2.3).
    case containerID(USBUUID)
    /// What a platform defines, at most 235 bytes (USB 3.2 §9.6.2.4).
    case platform(USBUUID, data: [UInt8])
    /// Any other capability, or a known one of unusual shape: its type and what follows, at most 252 bytes.
    case other(type: UInt8, data: [UInt8])
    /// A descriptor in the store that is no capability.
    case foreign(ClassDescriptor)
}

/// What a device can do at SuperSpeed (USB 3.2 §9.6.2.2).
public struct SuperSpeedCapability: Hashable, Sendable {
    /// `bmAttributes`: bit 1 is latency tolerance messages.
    public var attributes: UInt8
    /// `wSpeedsSupported`: bit 0 low, 1 full, 2 high, 3 SuperSpeed.
    public var speedsSupported: UInt16
    /// `bFunctionalitySupport`: the lowest speed at which all of the device works, numbered as the bits of the speeds.
    public var functionalitySupport: UInt8
    /// `bU1DevExitLat` in microseconds, 0 to 10.
    public var u1ExitLatency: UInt8
    /// `wU2DevExitLat` in microseconds, 0 to 2047.
    public var u2ExitLatency: UInt16

    /// Makes a capability from its fields; the defaults are those of a device that works from full speed on.
    public init(
        attributes: UInt8 = 0, speedsSupported: UInt16 = 0x000e, functionalitySupport: UInt8 = 1,
        u1ExitLatency: UInt8 = 10, u2ExitLatency: UInt16 = 2047
    ) {
        self.attributes = attributes
        self.speedsSupported = speedsSupported
        self.functionalitySupport = functionalitySupport
        self.u1ExitLatency = u1ExitLatency
        self.u2ExitLatency = u2ExitLatency
    }
}

/// What a device can do at SuperSpeedPlus (USB 3.2 §9.6.2.5).
public struct SuperSpeedPlusCapability: Hashable, Sendable {
    /// `bmAttributes`: the number of sublink speed attributes less one in bits 4:0, of their ids less one in bits 8:5.
    public var attributes: UInt32
    /// `wFunctionalitySupport`: the least at which all of the device works: an id in bits 3:0, lanes from bit 8 on.
    public var functionalitySupport: UInt16
    /// `bmSublinkSpeedAttr`: id, exponent, type, protocol and mantissa of each rate.
    public var sublinkSpeeds: [UInt32]

    /// Makes a capability from its fields; the defaults are one lane of 10 Gb/s both ways.
    public init(
        attributes: UInt32 = 0x0000_0001, functionalitySupport: UInt16 = 0x1100,
        sublinkSpeeds: [UInt32] = [0x000a_4030, 0x000a_40b0]
    ) {
        self.attributes = attributes
        self.functionalitySupport = functionalitySupport
        self.sublinkSpeeds = sublinkSpeeds
    }
}

extension Capability {
    /// What a device has at a speed unless it says otherwise: nothing below SuperSpeed.
    ///
    /// - Returns: at SuperSpeed link power management at USB 2.0 speeds and the SuperSpeed capability, at
    ///   SuperSpeedPlus its capability too.
    public static func defaults(at speed: Speed) -> [Capability]? {
        switch speed {
        case .low, .full, .high: nil
        case .super: [.usb2Extension(attributes: 0x02), .superSpeed(SuperSpeedCapability())]
        case .superPlus:
            [
                .usb2Extension(attributes: 0x02), .superSpeed(SuperSpeedCapability()),
                .superSpeedPlus(SuperSpeedPlusCapability()),
            ]
        }
    }

    /// The capability that tells browsers of a device's page (WebUSB §3.1).
    ///
    /// - Parameters:
    ///   - vendorCode: `bRequest` of the vendor request that reads URLs.
    ///   - landingPage: the index of the page's URL, 0 for none.
    public static func webUSB(vendorCode: UInt8, landingPage: UInt8 = 0) -> Capability {
        .platform(.webUSB, data: [0x00, 0x01, vendorCode, landingPage])
    }

    /// The capability that tells Windows of a device's Microsoft OS 2.0 descriptors (Microsoft OS 2.0 §"Platform").
    ///
    /// - Parameters:
    ///   - setLength: the bytes of the descriptor set.
    ///   - vendorCode: `bRequest` of the vendor request that reads the set.
    ///   - windowsVersion: the least version that the set is for; 0x06030000 is Windows 8.1.
    ///   - alternateEnumeration: nonzero where the device may enumerate in another way.
    public static func microsoftOS2(
        setLength: UInt16, vendorCode: UInt8, windowsVersion: UInt32 = 0x0603_0000, alternateEnumeration: UInt8 = 0
    ) -> Capability {
        var data: [UInt8] = []
        data.append(littleEndian: windowsVersion)
        data.append(littleEndian: setLength)
        return .platform(.microsoftOS2, data: data + [vendorCode, alternateEnumeration])
    }
}

extension USBUUID {
    /// The platform of WebUSB: 3408b638-09a9-47a0-8bfd-a0768815b665.
    public static let webUSB = USBUUID(high: 0x3408_b638_09a9_47a0, low: 0x8bfd_a076_8815_b665)
    /// The platform of Microsoft OS 2.0 descriptors: d8dd60df-4589-4cc7-9cd2-659d9e648a9f.
    public static let microsoftOS2 = USBUUID(high: 0xd8dd_60df_4589_4cc7, low: 0x9cd2_659d_9e64_8a9f)
}
