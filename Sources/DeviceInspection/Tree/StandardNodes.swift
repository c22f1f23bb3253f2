import USBCore

/// The descriptors of USB itself, field by field (USB 2.0 §9.6, USB 3.2 §9.6).
enum StandardNodes {
    static func device(_ bytes: [UInt8]) -> DescriptorNode {
        var reader = FieldReader(bytes)
        reader.read(.version("bcdUSB"))
        readClass(&reader, "bDevice")
        reader.read([.byte("bMaxPacketSize0"), .identifier("idVendor"), .identifier("idProduct")])
        reader.read([.version("bcdDevice"), .string("iManufacturer"), .string("iProduct")])
        reader.read(.string("iSerialNumber")) { _, field in field.shown = .init(name: "iSerial") }
        reader.read(.byte("bNumConfigurations"))
        return DescriptorNode(.descriptor, "Device Descriptor", path: "device", fields: reader.finish())
    }

    static func qualifier(_ bytes: [UInt8]) -> DescriptorNode {
        var reader = FieldReader(bytes)
        reader.read(.version("bcdUSB"))
        readClass(&reader, "bDevice")
        reader.read([.byte("bMaxPacketSize0"), .byte("bNumConfigurations"), .byte("bReserved")])
        return DescriptorNode(
            .descriptor, "Device Qualifier (for other device speed)", path: "device qualifier",
            fields: reader.finish())
    }

    static func configuration(_ item: DescriptorWalk.Item, at speed: Speed, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read([
            .bits("wTotalLength", 2), .byte("bNumInterfaces"), .byte("bConfigurationValue"),
            .string("iConfiguration"),
        ])
        reader.read(.bits("bmAttributes")) { value, field in
            if value & 0x80 == 0 { field.remarks.append("(Missing must-be-set bit!)") }
            field.remarks.append(value & 0x40 != 0 ? "Self Powered" : "(Bus Powered)")
            if value & 0x20 != 0 { field.remarks.append("Remote Wakeup") }
        }
        reader.read(.byte("bMaxPower")) { value, field in
            field.shown = .init(name: "MaxPower", value: "\(value * (speed.isSuperSpeed ? 8 : 2))mA")
        }
        let title = item.type == .otherSpeedConfiguration ? "Other Speed Configuration" : "Configuration"
        return DescriptorNode(.descriptor, "\(title) Descriptor", path: path, fields: reader.finish())
    }

    static func association(_ item: DescriptorWalk.Item, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read([.byte("bFirstInterface"), .byte("bInterfaceCount")])
        readClass(&reader, "bFunction")
        reader.read(.string("iFunction"))
        return DescriptorNode(.association, "Interface Association", path: path, fields: reader.finish())
    }

    static func interface(_ item: DescriptorWalk.Item, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read([.byte("bInterfaceNumber"), .byte("bAlternateSetting"), .byte("bNumEndpoints")])
        readClass(&reader, "bInterface")
        reader.read(.string("iInterface"))
        return DescriptorNode(.interface, "Interface Descriptor", path: path, fields: reader.finish())
    }

    static func endpoint(_ item: DescriptorWalk.Item, at speed: Speed, isAudio: Bool, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read(.bits("bEndpointAddress")) { value, field in
            field.meaning = " \(EndpointAddress(rawValue: UInt8(truncatingIfNeeded: value)))"
        }
        reader.read(.byte("bmAttributes")) { value, field in
            let transfer = ["Control", "Isochronous", "Bulk", "Interrupt"][Int(value & 3)]
            let synch = ["None", "Asynchronous", "Adaptive", "Synchronous"][Int(value >> 2 & 3)]
            let usage = ["Data", "Feedback", "Implicit feedback Data", "(reserved)"][Int(value >> 4 & 3)]
            field.remarks = [
                "Transfer Type            \(transfer)", "Synch Type               \(synch)",
                "Usage Type               \(usage)",
            ]
        }
        reader.read(.bits("wMaxPacketSize", 2)) { value, field in
            field.meaning = " \((value >> 11 & 3) + 1)x \(value & 0x7ff) bytes"
        }
        reader.read(.byte("bInterval")) { _, field in field.meaning = period(item, at: speed) }
        // Audio 1.0 §4.6.1.1: endpoints of this class are two bytes longer.
        if isAudio, item.bytes.count >= 9 { reader.read([.byte("bRefresh"), .byte("bSynchAddress")]) }
        return DescriptorNode(.endpoint, "Endpoint Descriptor", path: path, fields: reader.finish())
    }

    /// A periodic endpoint's interval as a time.
    private static func period(_ item: DescriptorWalk.Item, at speed: Speed) -> String {
        let endpoint = EndpointDescriptor(
            address: .in(1), attributes: item.byte(3), maxPacketSize: 0, interval: item.byte(6))
        guard let microframes = endpoint.periodInMicroframes(at: speed) else { return "" }
        return microframes.isMultiple(of: 8) ? "every \(microframes / 8) ms" : "every \(microframes * 125) µs"
    }

    static func companion(_ item: DescriptorWalk.Item, of type: TransferType?, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read(.byte("bMaxBurst"))
        reader.read(.bits("bmAttributes")) { value, field in
            switch type {
            case .bulk where (1...16).contains(value & 0x1f): field.meaning = "MaxStreams \(1 << Int(value & 0x1f))"
            case .isochronous: field.meaning = "Mult \(value & 3)"
            default: break
            }
        }
        reader.read(.word("wBytesPerInterval"))
        return DescriptorNode(
            .descriptor, "SuperSpeed Endpoint Companion", path: path, fields: reader.finish())
    }

    /// Reads class, subclass and protocol, with their names.
    private static func readClass(_ reader: inout FieldReader, _ prefix: String) {
        let code = reader.read(.byte("\(prefix)Class")) { value, field in
            field.meaning = USBClass(rawValue: UInt8(truncatingIfNeeded: value)).name ?? ""
        }
        let subclass = reader.read(.byte("\(prefix)SubClass")) { value, field in
            field.meaning = ClassNames.subclass(code ?? 0, value)
        }
        reader.read(.byte("\(prefix)Protocol")) { value, field in
            field.meaning = ClassNames.protocol(code ?? 0, subclass ?? 0, value)
        }
    }
}
