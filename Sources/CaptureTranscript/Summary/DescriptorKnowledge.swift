import CaptureTraces
import CommandSupport
import USBCapture
import USBCore

/// How much a capture knows of a device's descriptors.
struct DescriptorKnowledge {
    private let known: KnownDescriptors
    private let announcement: DeviceAnnouncement?
    let settings: [FunctionSetting]

    init(_ device: CapturedDevice) {
        known = device.descriptors
        announcement = device.announcement
        settings = device.descriptors.configurations.sorted { $0.key < $1.key }.flatMap {
            FunctionMap.settings(of: $0.value)
        }
    }

    /// A string of the device in words, in the first language that the capture has.
    func text(_ index: UInt8) -> String? {
        guard index != 0 else { return nil }
        let keys = known.strings.keys.filter { $0.index == index }.sorted { $0.language < $1.language }
        guard let bytes = keys.lazy.compactMap({ known.strings[$0] }).first(where: { $0.count >= 2 }) else {
            return nil
        }
        let length = min(Int(bytes[0]), bytes.count)
        let units = stride(from: 2, to: max(2, length - 1), by: 2).map { bytes.little16($0) }
        return String(decoding: units, as: UTF16.self)
    }

    /// Manufacturer, product and serial number, as far as they are known.
    var names: (manufacturer: String?, product: String?, serialNumber: String?) {
        func name(_ place: Int) -> String? { known.device.count >= 18 ? text(known.device[place]) : nil }
        return (
            name(14) ?? announcement?.manufacturer, name(15) ?? announcement?.product,
            name(16) ?? announcement?.serialNumber
        )
    }

    /// Vendor and product; nil where the capture does not say them.
    var ids: (vendor: UInt16, product: UInt16)? {
        if known.device.count >= 12 { return (known.device.little16(8), known.device.little16(10)) }
        guard let vendor = announcement?.vendorID, let product = announcement?.productID else { return nil }
        return (vendor, product)
    }

    /// The configurations that the capture has whole, and how many there are; nil where that is not known.
    var configurations: (whole: Int, all: Int?) {
        let whole = known.configurations.values.count { $0.count >= 9 && $0.count >= Int($0.little16(2)) }
        return (whole, known.device.count >= 18 ? Int(known.device[17]) : nil)
    }

    /// The strings of the capture beside the list of languages.
    var stringCount: Int { known.strings.keys.count { $0.index != 0 } }

    /// The HID interfaces whose report descriptors the capture has, and how many HID interfaces there are.
    var reports: (known: Int, all: Int) {
        let interfaces = Set(settings.filter { $0.code == .hid }.map(\.number))
        return (known.reports.count, max(interfaces.count, known.reports.count))
    }

    /// What is known, in words.
    var words: String {
        var parts: [String] = []
        switch known.device.count {
        case 18...: parts.append("device")
        case 1...: parts.append("device (the first \(known.device.count) bytes)")
        default: parts.append("no device descriptor")
        }
        let (whole, all) = configurations
        parts.append("configurations \(whole) of \(all.map { "\($0)" } ?? "?")")
        let parted = known.configurations.count - whole
        if parted > 0 { parts.append("\(parted) in part") }
        parts.append(counted(stringCount, "string"))
        if !known.objectStore.isEmpty { parts.append("BOS") }
        if !known.qualifier.isEmpty { parts.append("qualifier") }
        if !known.otherSpeed.isEmpty { parts.append("other speed \(known.otherSpeed.count)") }
        if reports.all > 0 { parts.append("report descriptors \(reports.known) of \(reports.all)") }
        return parts.joined(separator: ", ")
    }

    var json: JSON {
        let (whole, all) = configurations
        return .object([
            ("deviceBytes", .number(known.device.count)), ("configurations", .number(whole)),
            ("configurationsOf", all.map { .number($0) } ?? .null), ("strings", .number(stringCount)),
            ("bosBytes", .number(known.objectStore.count)), ("qualifier", .bool(!known.qualifier.isEmpty)),
            ("reportDescriptors", .number(reports.known)), ("reportDescriptorsOf", .number(reports.all)),
        ])
    }
}
