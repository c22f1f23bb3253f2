extension DescriptorPrinter {
    mutating func printConfiguration(
        _ configuration: ConfigurationDescription, type: DescriptorType = .configuration
    ) {
        section("\(type.name ?? "Configuration") Descriptor:") { printer in
            let total = configuration.declaredTotalLength ?? UInt16(clamping: configuration.totalLength)
            printer.header(type, length: 9, extra: configuration.extra)
            printer.field("wTotalLength", hex(total))
            printer.field("bNumInterfaces", configuration.interfaceCount)
            printer.field("bConfigurationValue", configuration.value)
            printer.stringField("iConfiguration", configuration.nameIndex)
            printer.field("bmAttributes", hex(configuration.attributes))
            printer.line(configuration.isSelfPowered ? "  Self Powered" : "  (Bus Powered)")
            if configuration.supportsRemoteWakeup { printer.line("  Remote Wakeup") }
            printer.field("MaxPower", "\(configuration.maxPowerMilliamps(at: printer.speed))mA")
            printer.bytes("further bytes:", configuration.extra)
            for descriptor in configuration.descriptors { printer.printClassDescriptor(descriptor, in: nil) }
            for item in configuration.items {
                switch item {
                case .interface(let setting): printer.printSetting(setting)
                case .association(let association): printer.printAssociation(association)
                }
            }
        }
    }

    private mutating func printAssociation(_ association: AssociationDescriptor) {
        section("Interface Association:") { printer in
            printer.header(.interfaceAssociation, length: 8, extra: association.extra)
            printer.field("bFirstInterface", association.firstInterface)
            printer.field("bInterfaceCount", association.interfaceCount)
            printer.classField("bFunctionClass", association.functionClass)
            printer.field("bFunctionSubClass", association.functionSubclass)
            printer.field("bFunctionProtocol", association.functionProtocol)
            printer.stringField("iFunction", association.nameIndex)
            printer.bytes("further bytes:", association.extra)
            for descriptor in association.descriptors {
                printer.printClassDescriptor(descriptor, in: association.functionClass)
            }
        }
    }

    private mutating func printSetting(_ setting: AlternateSetting) {
        section("Interface Descriptor:") { printer in
            printer.header(.interface, length: 9, extra: setting.extra)
            printer.field("bInterfaceNumber", setting.number)
            printer.field("bAlternateSetting", setting.alternate)
            printer.field("bNumEndpoints", setting.endpointCount)
            printer.classField("bInterfaceClass", setting.interfaceClass)
            printer.field("bInterfaceSubClass", setting.interfaceSubclass)
            printer.field("bInterfaceProtocol", setting.interfaceProtocol)
            printer.stringField("iInterface", setting.nameIndex)
            printer.bytes("further bytes:", setting.extra)
            for descriptor in setting.descriptors {
                printer.printClassDescriptor(descriptor, in: setting.interfaceClass)
            }
            for endpoint in setting.endpoints { printer.printEndpoint(endpoint, in: setting.interfaceClass) }
        }
    }

    private mutating func printEndpoint(_ endpoint: EndpointDescriptor, in code: USBClass) {
        section("Endpoint Descriptor:") { printer in
            printer.header(.endpoint, length: 7, extra: endpoint.extra)
            printer.field("bEndpointAddress", hex(endpoint.address.rawValue), " \(endpoint.address)")
            printer.field("bmAttributes", endpoint.attributes)
            printer.line("  Transfer Type            \(endpoint.type.title.capitalizedFirst)")
            if endpoint.type == .isochronous {
                printer.line("  Synch Type               \("\(endpoint.synchronization)".capitalizedFirst)")
                printer.line("  Usage Type               \(Self.usageName(endpoint.usage))")
            }
            printer.field(
                "wMaxPacketSize", hex(endpoint.maxPacketSize),
                " \(endpoint.transactionsPerMicroframe)x \(endpoint.packetSize) bytes")
            printer.field("bInterval", endpoint.interval, printer.period(of: endpoint))
            printer.bytes("further bytes:", endpoint.extra)
            if let companion = endpoint.companion { printer.printCompanion(companion, of: endpoint.type) }
            for descriptor in endpoint.descriptors { printer.printClassDescriptor(descriptor, in: code) }
        }
    }

    private mutating func printCompanion(_ companion: CompanionDescriptor, of type: TransferType) {
        section("SuperSpeed Endpoint Companion:") { printer in
            printer.header(.endpointCompanion, length: 6, extra: companion.extra)
            printer.field("bMaxBurst", companion.maxBurst)
            switch type {
            case .bulk:
                printer.field("bmAttributes", hex(companion.attributes), "MaxStreams \(companion.maxStreams)")
            case .isochronous:
                printer.field("bmAttributes", hex(companion.attributes), "Mult \(companion.mult)")
            case .control, .interrupt:
                printer.field("bmAttributes", hex(companion.attributes))
            }
            printer.field("wBytesPerInterval", companion.bytesPerInterval)
            printer.bytes("further bytes:", companion.extra)
        }
    }

    /// Writes a descriptor that is kept as bytes, with a name where the class gives it one.
    mutating func printClassDescriptor(_ descriptor: ClassDescriptor, in code: USBClass?) {
        // 0x21 and up mean what the class says; 0x21 is HID's only inside HID.
        let isHID = descriptor.type == .hid && code == .hid
        let name = descriptor.type == .hid && !isHID ? nil : descriptor.type.name
        section(name.map { "\($0) Descriptor:" } ?? "Descriptor of type \(hex(descriptor.type.rawValue)):") { printer in
            printer.header(descriptor.type, length: 2, extra: descriptor.body)
            if isHID, descriptor.body.count >= 4 {
                printer.printHID(descriptor.body)
            } else {
                printer.bytes("data:", descriptor.body)
            }
        }
    }

    /// HID 1.11 §6.2.1: version, country, and a list of type and length of the descriptors to read.
    private mutating func printHID(_ body: [UInt8]) {
        versionField("bcdHID", UInt16(body[0]) | UInt16(body[1]) << 8)
        field("bCountryCode", body[2])
        field("bNumDescriptors", body[3])
        var rest = body.dropFirst(4)
        while let type = rest.popFirst(), let low = rest.popFirst(), let high = rest.popFirst() {
            field("bDescriptorType", type, type == 0x22 ? "Report" : "")
            field("wDescriptorLength", UInt16(low) | UInt16(high) << 8)
        }
        // A list that ends in the middle of an entry shows all of it.
        if !(body.count - 4).isMultiple(of: 3) { bytes("data:", body) }
    }

    /// A periodic endpoint's `bInterval` as a time, such as `(every 1 ms)`.
    private func period(of endpoint: EndpointDescriptor) -> String {
        guard let microframes = endpoint.periodInMicroframes(at: speed) else { return "" }
        return microframes.isMultiple(of: 8)
            ? "(every \(microframes / 8) ms)" : "(every \(microframes * 125) us)"
    }

    private static func usageName(_ usage: EndpointUsage?) -> String {
        switch usage {
        case .data: "Data"
        case .feedback: "Feedback"
        case .implicitFeedback: "Implicit feedback Data"
        case nil: "(reserved)"
        }
    }
}

extension String {
    /// The text with its first letter in upper case.
    fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
