import USBCore

/// A descriptor that a HID descriptor names, to be read by itself (HID 1.11 §6.2.1).
struct HIDReference: Hashable {
    /// The type of report descriptors (HID 1.11 §7.1).
    static let report: UInt8 = 0x22

    /// `bInterfaceNumber` of the interface that it is asked of.
    var interface: UInt8
    /// `bDescriptorType`, such as ``report``.
    var type: UInt8
    /// `wDescriptorLength`.
    var length: UInt16
    /// Where the HID descriptor is.
    var path: String

    /// The descriptors that a configuration's HID descriptors name; an interface's each once for each setting.
    static func all(in configuration: [UInt8]) -> [HIDReference] {
        var references: [HIDReference] = []
        var interface: UInt8 = 0
        for entry in ConfigurationOutline(configuration, index: 0).entries {
            if entry.isHead, entry.level == .interface { interface = entry.item.byte(2) }
            guard entry.item.type == .hid, entry.owner?.code == .hid else { continue }
            references += list(entry.item).map {
                HIDReference(interface: interface, type: $0.type, length: $0.length, path: entry.path)
            }
        }
        return references
    }

    /// The entries of a HID descriptor's list that are whole.
    static func list(_ item: DescriptorWalk.Item) -> [(type: UInt8, length: UInt16)] {
        stride(from: 6, to: item.bytes.count - 2, by: 3).map { (item.byte($0), item.word($0 + 1)) }
    }

    static func node(_ item: DescriptorWalk.Item, path: String) -> DescriptorNode {
        var reader = FieldReader(item.bytes)
        reader.read(.version("bcdHID"))
        reader.read(.byte("bCountryCode")) { value, field in field.meaning = value == 0 ? "Not supported" : "" }
        reader.read(.byte("bNumDescriptors"))
        let entries = list(item)
        var children: [DescriptorNode] = []
        for entry in entries {
            // Inside, these are fields of one descriptor; JSON needs an object for each, as their names repeat.
            children.append(
                DescriptorNode(
                    .descriptor, "", path: path,
                    fields: [
                        DescriptorField("bDescriptorType", .number(UInt32(entry.type)), name(entry.type)),
                        DescriptorField("wDescriptorLength", .number(UInt32(entry.length))),
                    ]))
            reader.replace(3, by: nil)
        }
        var node = DescriptorNode(.descriptor, "HID Device Descriptor", path: path, fields: reader.finish())
        node.children = children
        return node
    }

    /// A descriptor type of the HID class.
    static func name(_ type: UInt8) -> String {
        switch type {
        case report: "Report"
        case 0x23: "Physical"
        default: ""
        }
    }
}
