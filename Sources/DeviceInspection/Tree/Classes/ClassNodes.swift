import USBCore

/// The descriptors of device classes, decoded as far as this library knows them; others are shown as bytes.
enum ClassNodes {
    /// A descriptor's name and the fields after `bLength` and `bDescriptorType`.
    struct Decoding {
        var title: String
        var layout: [FieldLayout] = []
    }

    static func node(_ entry: ConfigurationOutline.Entry) -> DescriptorNode {
        let item = entry.item
        switch (item.type, entry.owner?.code) {
        case (.endpointCompanion, _):
            return StandardNodes.companion(item, of: entry.transferType, path: entry.path)
        case (.hid, .hid?):
            return HIDReference.node(item, path: entry.path)
        default:
            break
        }
        if let special = AudioNodes.fields(entry) { return special }
        let decoding = decoding(entry)
        var reader = FieldReader(item.bytes)
        reader.read(decoding?.layout ?? [])
        return DescriptorNode(
            .descriptor, decoding?.title ?? plainTitle(item.type), path: entry.path,
            fields: reader.finish(rest: decoding == nil ? "data" : "further bytes"))
    }

    private static func plainTitle(_ type: DescriptorType) -> String {
        // Beyond the types of USB itself, a number means what the class says.
        switch type {
        case .hid: "Class-Specific Descriptor of type 0x21"
        case .classInterface: "Class-Specific Interface Descriptor"
        case .classEndpoint: "Class-Specific Endpoint Descriptor"
        default: type.name.map { "\($0) Descriptor" } ?? "Unknown Descriptor of type 0x\(digits(type.rawValue, 2))"
        }
    }

    private static func decoding(_ entry: ConfigurationOutline.Entry) -> Decoding? {
        let item = entry.item
        switch (item.type, entry.owner?.code) {
        case (.endpoint, _):
            return Decoding(
                title: "Endpoint Descriptor outside any interface",
                layout: [.bits("bEndpointAddress"), .bits("bmAttributes"), .bits("wMaxPacketSize", 2)])
        case (.isochronousCompanion, _):
            return Decoding(
                title: "SuperSpeedPlus Isochronous Endpoint Companion",
                layout: [.word("wReserved"), .long("dwBytesPerInterval")])
        case (.otg, _):
            return Decoding(title: "OTG Descriptor", layout: [.bits("bmAttributes"), .version("bcdOTG")])
        case (.hid, .smartCard?): return smartCard
        case (.hid, .applicationSpecific?) where entry.owner?.subclass == 1:
            return Decoding(
                title: "Device Firmware Upgrade Interface Descriptor",
                layout: [
                    .bits("bmAttributes"), .word("wDetachTimeout"), .word("wTransferSize"), .version("bcdDFUVersion"),
                ])
        case (.classInterface, .cdc?), (.classInterface, .cdcData?): return CDCNodes.decoding(item)
        case (.classInterface, .massStorage?) where entry.level == .endpoint:
            return Decoding(title: "Pipe Usage Descriptor", layout: [.byte("bPipeID"), .byte("bReserved")])
        case (.classInterface, .video?): return VideoNodes.decoding(entry)
        case (.classEndpoint, .video?):
            return Decoding(
                title: "VideoControl Endpoint Descriptor",
                layout: [.byte("bDescriptorSubtype"), .word("wMaxTransferSize")])
        default: return nil
        }
    }

    /// CCID 1.10 §5.1.
    private static let smartCard = Decoding(
        title: "ChipCard Interface Descriptor",
        layout: [
            .version("bcdCCID"), .byte("bMaxSlotIndex"), .byte("bVoltageSupport"), .long("dwProtocols"),
            .long("dwDefaultClock"), .long("dwMaximumClock"), .byte("bNumClockSupported"), .long("dwDataRate"),
            .long("dwMaxDataRate"), .byte("bNumDataRatesSupported"), .long("dwMaxIFSD"), .bits("dwSynchProtocols", 4),
            .bits("dwMechanical", 4), .bits("dwFeatures", 4), .long("dwMaxCCIDMessageLength"),
            .byte("bClassGetResponse"), .byte("bClassEnvelope"), .bits("wLcdLayout", 2), .byte("bPINSupport"),
            .byte("bMaxCCIDBusySlots"),
        ])
}

/// Communications: the functional descriptors (CDC 1.2 §5.2.3 and its subclasses).
enum CDCNodes {
    static func decoding(_ item: DescriptorWalk.Item) -> ClassNodes.Decoding? {
        guard item.bytes.count >= 3, let decoding = subtypes[item.byte(2)] else {
            return ClassNodes.Decoding(title: "CDC Functional Descriptor", layout: [.byte("bDescriptorSubtype")])
        }
        return ClassNodes.Decoding(
            title: decoding.title, layout: [.byte("bDescriptorSubtype")] + decoding.layout)
    }

    private static let subtypes: [UInt8: ClassNodes.Decoding] = [
        0x00: .init(title: "CDC Header", layout: [.version("bcdCDC")]),
        0x01: .init(title: "CDC Call Management", layout: [.bits("bmCapabilities"), .byte("bDataInterface")]),
        0x02: .init(title: "CDC ACM", layout: [.bits("bmCapabilities")]),
        0x06: .init(title: "CDC Union", layout: [.byte("bControlInterface"), .list("bSubordinateInterface", 1)]),
        0x07: .init(
            title: "CDC Country Selection", layout: [.string("iCountryCodeRelDate"), .list("wCountryCode", 2)]),
        0x0f: .init(
            title: "CDC Ethernet",
            layout: [
                .string("iMACAddress"), .bits("bmEthernetStatistics", 4), .word("wMaxSegmentSize"),
                .bits("wNumberMCFilters", 2), .byte("bNumberPowerFilters"),
            ]),
        0x12: .init(title: "CDC MDLM", layout: [.version("bcdCDC")]),
        0x13: .init(title: "CDC MDLM detail", layout: [.byte("bGuidDescriptorType")]),
        0x1a: .init(title: "CDC NCM", layout: [.version("bcdNcmVersion"), .bits("bmNetworkCapabilities")]),
        0x1b: .init(
            title: "CDC MBIM",
            layout: [
                .version("bcdMBIMVersion"), .word("wMaxControlMessage"), .byte("bNumberFilters"),
                .byte("bMaxFilterSize"), .word("wMaxSegmentSize"), .bits("bmNetworkCapabilities"),
            ]),
    ]
}

/// Video: the names of the class's descriptors, and the headers' fields (UVC 1.5 §3.7 and §3.9).
enum VideoNodes {
    static func decoding(_ entry: ConfigurationOutline.Entry) -> ClassNodes.Decoding {
        let isControl = entry.owner?.subclass == 1
        let subtype = entry.item.byte(2)
        let name = (isControl ? controlNames : streamingNames)[subtype].map { " (\($0))" } ?? ""
        var layout = [FieldLayout.byte("bDescriptorSubtype")]
        if isControl, subtype == 1 {
            layout += [
                .version("bcdUVC"), .word("wTotalLength"), .long("dwClockFrequency"), .byte("bInCollection"),
                .list("baInterfaceNr", 1, "(", ")"),
            ]
        }
        return ClassNodes.Decoding(
            title: "\(isControl ? "VideoControl" : "VideoStreaming") Interface Descriptor\(name)", layout: layout)
    }

    private static let controlNames: [UInt8: String] = [
        1: "HEADER", 2: "INPUT_TERMINAL", 3: "OUTPUT_TERMINAL", 4: "SELECTOR_UNIT", 5: "PROCESSING_UNIT",
        6: "EXTENSION_UNIT", 7: "ENCODING_UNIT",
    ]
    private static let streamingNames: [UInt8: String] = [
        1: "INPUT_HEADER", 2: "OUTPUT_HEADER", 3: "STILL_IMAGE_FRAME", 4: "FORMAT_UNCOMPRESSED",
        5: "FRAME_UNCOMPRESSED", 6: "FORMAT_MJPEG", 7: "FRAME_MJPEG", 0x0d: "COLORFORMAT",
        0x10: "FORMAT_FRAME_BASED", 0x11: "FRAME_FRAME_BASED",
    ]
}
