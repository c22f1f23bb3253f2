extension DescriptorPrinter {
    mutating func printDevice(_ device: DeviceDescriptor, strings: StringTable) {
        section("Device Descriptor:") { printer in
            printer.header(.device, length: 18, extra: device.extra)
            printer.versionField("bcdUSB", device.usbVersion)
            printer.classField("bDeviceClass", device.deviceClass)
            printer.field("bDeviceSubClass", device.deviceSubclass)
            printer.field("bDeviceProtocol", device.deviceProtocol)
            printer.packetSize0(device.maxPacketSize0)
            printer.field("idVendor", hex(device.vendorID))
            printer.field("idProduct", hex(device.productID))
            printer.versionField("bcdDevice", device.deviceVersion)
            printer.stringField("iManufacturer", device.manufacturerIndex)
            printer.stringField("iProduct", device.productIndex)
            printer.stringField("iSerial", device.serialNumberIndex)
            printer.field("bNumConfigurations", device.configurationCount)
            printer.bytes("further bytes:", device.extra)
        }
        if !strings.languages.isEmpty {
            let languages = strings.languages.map { language in
                hex(language.rawValue) + (language.name.map { " \($0)" } ?? "")
            }
            line("Languages: \(languages.joined(separator: ", "))")
        }
    }

    mutating func printOtherSpeed(_ other: OtherSpeedDescription) {
        let qualifier = other.qualifier
        let here = speed
        speed = other.speed
        section("Device Qualifier (for \(other.speed.title)):") { printer in
            printer.header(.deviceQualifier, length: 9, extra: qualifier.extra)
            printer.versionField("bcdUSB", qualifier.usbVersion)
            printer.classField("bDeviceClass", qualifier.deviceClass)
            printer.field("bDeviceSubClass", qualifier.deviceSubclass)
            printer.field("bDeviceProtocol", qualifier.deviceProtocol)
            printer.packetSize0(qualifier.maxPacketSize0)
            printer.field("bNumConfigurations", qualifier.configurationCount)
        }
        for configuration in other.configurations {
            printConfiguration(configuration, type: .otherSpeedConfiguration)
        }
        speed = here
    }

    /// Writes the two fields that every descriptor begins with.
    mutating func header(_ type: DescriptorType, length: Int, extra: [UInt8]) {
        field("bLength", min(length + extra.count, 255))
        field("bDescriptorType", type.rawValue)
    }

    private mutating func packetSize0(_ size: UInt8) {
        field("bMaxPacketSize0", size, speed.isSuperSpeed && size < 16 ? "\(1 << Int(size)) bytes" : "")
    }

    // MARK: - Capabilities

    mutating func printStore(_ bos: BOSDescriptor) {
        section("Binary Object Store Descriptor:") { printer in
            printer.header(.bos, length: 5, extra: bos.extra)
            printer.field("wTotalLength", hex(bos.declaredTotalLength ?? UInt16(clamping: bos.totalLength)))
            printer.field("bNumDeviceCaps", bos.capabilityCount)
            printer.bytes("further bytes:", bos.extra)
            for capability in bos.capabilities { printer.printCapability(capability) }
        }
    }

    private mutating func printCapability(_ capability: Capability) {
        if case .foreign(let descriptor) = capability {
            printClassDescriptor(descriptor, in: nil)
            return
        }
        section("\(capability.title) Device Capability:") { printer in
            printer.field("bLength", min(capability.data.count + 3, 255))
            printer.field("bDescriptorType", DescriptorType.deviceCapability.rawValue)
            printer.field("bDevCapabilityType", capability.type ?? 0)
            printer.printFields(of: capability)
        }
    }

    private mutating func printFields(of capability: Capability) {
        switch capability {
        case .usb2Extension(let attributes):
            field("bmAttributes", hex(attributes))
            if attributes & 0x02 != 0 { line("  Link Power Management (LPM) Supported") }
        case .superSpeed(let superSpeed):
            field("bmAttributes", hex(superSpeed.attributes))
            field("wSpeedsSupported", hex(superSpeed.speedsSupported))
            for (bit, speed) in [Speed.low, .full, .high, .super].enumerated()
            where superSpeed.speedsSupported >> UInt16(bit) & 1 == 1 {
                line("  Device can operate at \(speed.title)")
            }
            field("bFunctionalitySupport", superSpeed.functionalitySupport)
            field("bU1DevExitLat", superSpeed.u1ExitLatency, "micro seconds")
            field("bU2DevExitLat", superSpeed.u2ExitLatency, "micro seconds")
        case .superSpeedPlus(let plus):
            field("bmAttributes", hex(plus.attributes))
            field("wFunctionalitySupport", hex(plus.functionalitySupport))
            for (index, attribute) in plus.sublinkSpeeds.enumerated() {
                field("bmSublinkSpeedAttr[\(index)]", hex(attribute), Self.sublink(attribute))
            }
        case .containerID(let uuid):
            field("ContainerID", "{\(uuid)}")
        case .platform(let uuid, let data):
            field("PlatformCapabilityUUID", "{\(uuid)}", Self.platformName(uuid))
            bytes("CapabilityData:", data)
        case .other(_, let data):
            bytes("data:", data)
        case .foreign: break
        }
    }

    private static func sublink(_ attribute: UInt32) -> String {
        let unit = ["", "K", "M", "G"][Int(attribute >> 4 & 3)]
        let direction = attribute & 0x80 == 0 ? "RX" : "TX"
        return "id \(attribute & 0x0f), \(attribute >> 16) \(unit)b/s \(direction)"
    }

    private static func platformName(_ uuid: USBUUID) -> String {
        switch uuid {
        case .webUSB: "WebUSB"
        case .microsoftOS2: "Microsoft OS 2.0"
        default: ""
        }
    }
}

extension Capability {
    /// The capability's name as a heading has it.
    fileprivate var title: String {
        switch self {
        case .usb2Extension: "USB 2.0 Extension"
        case .superSpeed: "SuperSpeed USB"
        case .superSpeedPlus: "SuperSpeedPlus USB"
        case .containerID: "Container ID"
        case .platform: "Platform"
        case .other: "Other"
        case .foreign: "Foreign"
        }
    }
}
