import HIDReports
import USBCore

/// Descriptors in a line.
enum DescriptorWords {
    /// The types of report descriptors (HID 1.11 §7.1) and of hubs (USB 2.0 §11.23.2.1, USB 3.2 §10.15.2.1).
    private static let report: UInt8 = 0x22
    private static let hub: UInt8 = 0x29
    private static let superSpeedHub: UInt8 = 0x2a

    /// A type's name in requests.
    static func name(of type: UInt8) -> String {
        switch DescriptorType(rawValue: type) {
        case .device: "device"
        case .configuration: "configuration"
        case .string: "string"
        case .interface: "interface"
        case .endpoint: "endpoint"
        case .deviceQualifier: "device qualifier"
        case .otherSpeedConfiguration: "other speed configuration"
        case .otg: "OTG"
        case .debug: "debug"
        case .bos: "BOS"
        case .hid: "HID"
        case DescriptorType(rawValue: report): "report"
        case DescriptorType(rawValue: 0x23): "physical"
        case DescriptorType(rawValue: hub): "hub"
        case DescriptorType(rawValue: superSpeedHub): "SuperSpeed hub"
        default: "type \(hex(type))"
        }
    }

    /// A descriptor in words; nil where it is of another type than was asked for, or of one without words here.
    static func describe(_ type: UInt8, _ bytes: [UInt8]) -> String? {
        if type == report { return reportDescriptor(bytes) }
        guard bytes.count >= 2, bytes[1] == type else { return nil }
        switch DescriptorType(rawValue: type) {
        case .device: return device(bytes)
        case .configuration, .otherSpeedConfiguration: return configuration(bytes)
        case .string: return string(bytes)
        case .deviceQualifier:
            guard bytes.count >= 10 else { return cut(bytes) }
            return "USB \(version(bytes.little16(2))), EP0 \(counted(bytes[7], "byte")), "
                + counted(bytes[8], "configuration")
        case .bos:
            guard bytes.count >= 5 else { return cut(bytes) }
            return (bytes[4] == 1 ? "1 capability, " : "\(bytes[4]) capabilities, ")
                + "\(counted(bytes.little16(2), "byte"))" + part(bytes)
        case DescriptorType(rawValue: hub), DescriptorType(rawValue: superSpeedHub):
            return bytes.count >= 3 ? counted(bytes[2], "port") : cut(bytes)
        default: return nil
        }
    }

    private static func device(_ bytes: [UInt8]) -> String {
        guard bytes.count >= 18 else {
            return "USB \(version(bytes.little16(2)))"
                + (bytes.count >= 8 ? ", EP0 \(controlPacketSize(bytes)) bytes" : "") + ", the first \(bytes.count)"
        }
        let code = USBClass(rawValue: bytes[4])
        let kind = code == .perInterface ? "class by interface" : FunctionNames.name(code, bytes[5], bytes[6])
        return "\(hex(bytes.little16(8))):\(hex(bytes.little16(10))), USB \(version(bytes.little16(2))), \(kind), "
            + "release \(version(bytes.little16(12))), EP0 \(controlPacketSize(bytes)) bytes, "
            + counted(bytes[17], "configuration")
    }

    /// From USB 3.0 on, the field is an exponent (USB 3.2 §9.6.1).
    private static func controlPacketSize(_ bytes: [UInt8]) -> Int {
        let size = Int(bytes.byte(7))
        return bytes.little16(2) >= 0x0300 && size < 16 ? 1 << size : size
    }

    private static func configuration(_ bytes: [UInt8]) -> String {
        guard bytes.count >= 9 else { return cut(bytes) }
        var words = "value \(bytes[5]), \(counted(bytes[4], "interface"))"
        let settings = FunctionMap.settings(of: bytes)
        var seen: [String] = []
        for setting in settings where setting.alternate == 0 && seen.count < 16 {
            seen.append(
                "\(setting.number) \(FunctionNames.name(setting.code, setting.subclass, setting.protocol))")
        }
        if !seen.isEmpty { words += " (\(seen.joined(separator: ", ")))" }
        return words + ", " + (bytes[7] & 0x40 != 0 ? "self-powered" : "bus-powered")
            + ", \(counted(bytes.little16(2), "byte"))" + part(bytes)
    }

    /// Whether the answer has less than `wTotalLength`, at 2 of both who have it.
    private static func part(_ bytes: [UInt8]) -> String {
        bytes.count < Int(bytes.little16(2)) ? " of which here \(bytes.count)" : ""
    }

    private static func string(_ bytes: [UInt8]) -> String {
        let length = min(Int(bytes[0]), bytes.count)
        guard length >= 2 else { return cut(bytes) }
        let units = stride(from: 2, to: length - 1, by: 2).map { bytes.little16($0) }
        return quoted(String(decoding: units, as: UTF16.self)) + (bytes.count < Int(bytes[0]) ? ", cut" : "")
    }

    /// The languages of string 0 (USB 2.0 §9.6.7).
    static func languages(_ bytes: [UInt8]) -> String {
        let end = min(Int(bytes.byte(0)), bytes.count)
        let languages = stride(from: 2, to: max(2, end - 1), by: 2).map { bytes.little16($0) }
        guard !languages.isEmpty else { return bytes.byte(0) > 2 ? "languages, cut" : "no languages" }
        return "languages "
            + languages.map { language in
                hex(language) + (LanguageID(rawValue: language).name.map { " \($0)" } ?? "")
            }.joined(separator: ", ")
    }

    private static func reportDescriptor(_ bytes: [UInt8]) -> String {
        do throws(ReportDescriptorError) {
            let layout = try ReportDescriptor(bytes: bytes).layout()
            let applications = layout.applications.prefix(8).map { "\($0)" }.joined(separator: ", ")
            return "\(applications); \(counted(layout.reports.count, "report"))"
        } catch {
            return "\(counted(bytes.count, "byte")), unreadable at byte \(error.issue.offset)"
        }
    }

    private static func cut(_ bytes: [UInt8]) -> String { "only \(counted(bytes.count, "byte"))" }

    private static func version(_ value: UInt16) -> String {
        "\(String(value >> 8, radix: 16)).\(hex(UInt8(truncatingIfNeeded: value)))"
    }
}
