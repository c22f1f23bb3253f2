import USBCore

/// The binary device object store and its capabilities (USB 3.2 §9.6.2).
enum CapabilityNodes {
    static func store(_ bytes: [UInt8]) -> DescriptorNode {
        let length = min(Int(bytes.first ?? 0), bytes.count)
        var reader = FieldReader(bytes.prefix(max(length, 2)))
        reader.read([.bits("wTotalLength", 2), .byte("bNumDeviceCaps")])
        var node = DescriptorNode(
            .descriptor, "Binary Object Store Descriptor", path: "BOS", fields: reader.finish())
        let walk = DescriptorWalk(bytes.dropFirst(max(length, 2)))
        node.children = walk.items.map(capability)
        if !walk.rest.isEmpty {
            node.children.append(
                DescriptorNode(
                    .descriptor, "Unreadable Bytes", path: "BOS",
                    fields: [DescriptorField("data", .bytes([UInt8](walk.rest)))]))
        }
        return node
    }

    private static func capability(_ item: DescriptorWalk.Item) -> DescriptorNode {
        guard item.type == .deviceCapability else {
            return DescriptorNode(
                .capability, "Descriptor of type 0x\(digits(item.type.rawValue, 2))", path: "BOS",
                fields: FieldReader(item.bytes).finish(rest: "data"))
        }
        var reader = FieldReader(item.bytes)
        reader.read(.byte("bDevCapabilityType"))
        var title = names[item.byte(2)].map { "\($0) Device Capability" } ?? "Unknown Device Capability"
        switch item.byte(2) {
        case 0x02:
            reader.read(.bits("bmAttributes", 4)) { value, field in
                if value & 0x02 != 0 {
                    field.remarks.append(
                        "\(value & 0x04 != 0 ? "BESL" : "HIRD") Link Power Management (LPM) Supported")
                }
                if value & 0x08 != 0 { field.remarks.append("Recommended Baseline BESL: \(value >> 8 & 15)") }
                if value & 0x10 != 0 { field.remarks.append("Recommended Deep BESL: \(value >> 12 & 15)") }
            }
        case 0x03: readSuperSpeed(&reader)
        case 0x04:
            reader.read(.byte("bReserved"))
            readUUID("ContainerID", &reader)
        case 0x05:
            reader.read(.byte("bReserved"))
            if readUUID("PlatformCapabilityUUID", &reader) == .webUSB {
                title = "WebUSB Platform Capability"
                reader.read([.version("bcdVersion"), .byte("bVendorCode"), .byte("iLandingPage")])
            } else if item.bytes.count >= 20, uuid(item.bytes.dropFirst(4)) == .microsoftOS2 {
                title = "Microsoft OS 2.0 Platform Capability"
                reader.read([
                    .bits("dwWindowsVersion", 4), .word("wMSOSDescriptorSetTotalLength"), .byte("bMS_VendorCode"),
                    .byte("bAltEnumCode"),
                ])
            } else {
                reader.readBytes("CapabilityData")
            }
        case 0x0a: readSuperSpeedPlus(&reader)
        default: reader.readBytes("data")
        }
        return DescriptorNode(.capability, title, path: "BOS", fields: reader.finish())
    }

    private static let names: [UInt8: String] = [
        0x01: "Wireless USB", 0x02: "USB 2.0 Extension", 0x03: "SuperSpeed USB", 0x04: "Container ID",
        0x05: "Platform", 0x06: "Power Delivery", 0x07: "Battery Info", 0x08: "PD Consumer Port",
        0x09: "PD Provider Port", 0x0a: "SuperSpeedPlus USB", 0x0b: "Precision Time Measurement",
        0x0c: "Wireless USB Extension", 0x0d: "Billboard", 0x0e: "Authentication", 0x0f: "Billboard Extended",
        0x10: "Configuration Summary",
    ]

    private static func readSuperSpeed(_ reader: inout FieldReader) {
        reader.read(.bits("bmAttributes")) { value, field in
            if value & 0x02 != 0 { field.remarks = ["Latency Tolerance Messages (LTM) Supported"] }
        }
        let speeds = [
            "Low Speed (1Mbps)", "Full Speed (12Mbps)", "High Speed (480Mbps)", "SuperSpeed (5Gbps)",
        ]
        reader.read(.bits("wSpeedsSupported", 2)) { value, field in
            field.remarks = speeds.indices.filter { value >> UInt32($0) & 1 == 1 }
                .map { "Device can operate at \(speeds[$0])" }
        }
        reader.read(.byte("bFunctionalitySupport")) { value, field in
            guard value < speeds.count else { return }
            field.remarks = ["Lowest fully-functional device speed is \(speeds[Int(value)])"]
        }
        reader.read(.byte("bU1DevExitLat")) { _, field in field.meaning = "micro seconds" }
        reader.read(.word("wU2DevExitLat")) { _, field in field.meaning = "micro seconds" }
    }

    private static func readSuperSpeedPlus(_ reader: inout FieldReader) {
        reader.read([.byte("bReserved"), .bits("bmAttributes", 4), .bits("wFunctionalitySupport", 2)])
        reader.read([.word("wReserved"), .list("bmSublinkSpeedAttr", 4)])
    }

    /// Reads sixteen bytes as an id, and gives it.
    @discardableResult
    private static func readUUID(_ name: String, _ reader: inout FieldReader) -> USBUUID? {
        guard let uuid = uuid(reader.left) else {
            reader.readBytes(name)
            return nil
        }
        reader.replace(16, by: DescriptorField(name, .text("{\(uuid)}")))
        return uuid
    }

    private static func uuid(_ bytes: ArraySlice<UInt8>) -> USBUUID? { USBUUID(bytes: [UInt8](bytes.prefix(16))) }
}
