import USBCore

/// Short names of what devices and interfaces are (usb.org, "Defined Class Codes").
enum FunctionNames {
    /// What an interface is, such as `HID keyboard` or `mass storage`.
    static func name(_ code: USBClass, _ subclass: UInt8, _ protocol: UInt8) -> String {
        switch (code, subclass, `protocol`) {
        case (.audio, 1, _): "audio control"
        case (.audio, 2, _): "audio streaming"
        case (.audio, 3, _): "MIDI"
        case (.audio, _, _): "audio"
        case (.cdc, 2, _): "CDC ACM"
        case (.cdc, 6, _): "CDC Ethernet"
        case (.cdc, 13, _): "CDC NCM"
        case (.cdc, 14, _): "CDC MBIM"
        case (.cdc, _, _): "communications"
        case (.hid, 1, 1): "HID keyboard"
        case (.hid, 1, 2): "HID mouse"
        case (.hid, _, _): "HID"
        case (.image, _, _): "imaging"
        case (.printer, _, _): "printer"
        case (.massStorage, _, 0x50): "mass storage"
        case (.massStorage, _, 0x62): "mass storage (UAS)"
        case (.massStorage, _, _): "mass storage (not Bulk-Only)"
        case (.hub, _, _): "hub"
        case (.cdcData, _, _): "CDC data"
        case (.smartCard, _, _): "smart card"
        case (.video, 1, _): "video control"
        case (.video, 2, _): "video streaming"
        case (.video, _, _): "video"
        case (.wireless, 1, 1): "Bluetooth"
        case (.wireless, _, _): "wireless"
        case (.applicationSpecific, 1, _): "firmware update (DFU)"
        case (.applicationSpecific, 3, _): "test and measurement"
        case (.vendorSpecific, _, _): "vendor"
        default: code.name?.lowercased() ?? "class \(hex(code.rawValue))"
        }
    }

    /// What a device is: the class of the device, or those of its interfaces, each once.
    static func words(_ device: [UInt8], _ settings: [FunctionSetting]) -> String {
        var names: [String] = []
        for setting in settings {
            let name = name(setting.code, setting.subclass, setting.protocol)
            if !names.contains(name), names.count < 8 { names.append(name) }
        }
        // CDC functions come with a data interface that says no more.
        if names.contains(where: { $0.hasPrefix("CDC ") && $0 != "CDC data" }) { names.removeAll { $0 == "CDC data" } }
        if !names.isEmpty { return names.joined(separator: ", ") }
        guard device.count > 6 else { return "unknown" }
        let code = USBClass(rawValue: device[4])
        return code == .perInterface ? "by interface" : name(code, device[5], device[6])
    }
}
