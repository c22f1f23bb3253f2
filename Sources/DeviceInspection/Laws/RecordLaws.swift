import USBCore

/// The server's words against the device's own.
enum RecordLaws {
    private static let path = "import record"
    private static let clause = "USB/IP 1.1.1 OP_REP_IMPORT"

    static func check(_ raw: RawDevice, _ issues: inout IssueList) {
        checkSpeed(raw, &issues)
        guard let bytes = raw.device.bytes, bytes.count >= 18 else { return }
        let record = raw.record
        func word(_ index: Int) -> UInt16 { UInt16(bytes[index]) | UInt16(bytes[index + 1]) << 8 }
        let words: [(String, UInt16, UInt16)] = [
            ("idVendor", record.vendorID, word(8)), ("idProduct", record.productID, word(10)),
            ("bcdDevice", record.release, word(12)),
        ]
        for (name, said, found) in words where said != found {
            issues.error(
                path, "\(name) is 0x\(digits(said, 4)), but the device descriptor has 0x\(digits(found, 4))", clause)
        }
        let names = ["bDeviceClass", "bDeviceSubClass", "bDeviceProtocol"]
        for (index, said) in record.deviceClass.prefix(3).enumerated() where said != bytes[4 + index] {
            issues.error(
                path, "\(names[index]) is \(said), but the device descriptor has \(bytes[4 + index])", clause)
        }
        if record.configurationCount != bytes[17] {
            issues.error(
                path, "bNumConfigurations is \(record.configurationCount), but the device descriptor has \(bytes[17])",
                clause)
        }
        checkSelection(raw, &issues)
    }

    private static func checkSpeed(_ raw: RawDevice, _ issues: inout IssueList) {
        let assumed = AssumedSpeed(raw)
        if assumed.isGuess {
            issues.error(
                path,
                "the speed is \(raw.record.speed), which is none; the laws of \(assumed.speed.words) were held "
                    + "against the device, as its descriptors suggest", clause)
            return
        }
        guard let bytes = raw.device.bytes, bytes.count > 7 else { return }
        let isFast = bytes[7] == 9 && bytes[3] >= 3
        let isSlow = [8, 16, 32, 64].contains(bytes[7]) && bytes[3] < 3
        if assumed.speed.isSuperSpeed ? isSlow : isFast {
            issues.error(
                path,
                "the speed is \(assumed.speed.words), but bcdUSB \(digits(bytes[3], 1)).\(digits(bytes[2], 2)) "
                    + "with bMaxPacketSize0 \(bytes[7]) is what a device \(isFast ? "at SuperSpeed" : "below SuperSpeed")"
                    + " says", clause)
        }
    }

    private static func checkSelection(_ raw: RawDevice, _ issues: inout IssueList) {
        guard let selected = raw.selectedValue else { return }
        let said = raw.record.configurationValue
        guard said == selected else {
            issues.warning(
                path, "bConfigurationValue is \(said), but the device has configuration \(selected) selected", clause)
            return
        }
        let bytes = raw.configurations.compactMap(\.bytes).first { $0.count > 5 && $0[5] == selected }
        if let bytes, selected != 0, raw.record.interfaceCount != bytes[4] {
            issues.warning(
                path, "bNumInterfaces is \(raw.record.interfaceCount), but configuration \(selected) has \(bytes[4])",
                clause)
        }
    }
}

extension Speed {
    /// The speed in words.
    var words: String {
        switch self {
        case .low: "low speed"
        case .full: "full speed"
        case .high: "high speed"
        case .super: "SuperSpeed"
        case .superPlus: "SuperSpeedPlus"
        }
    }
}
