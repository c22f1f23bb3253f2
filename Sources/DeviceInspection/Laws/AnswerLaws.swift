import USBCore

/// What a device must answer, and how its answers fit together.
enum AnswerLaws {
    static func check(_ raw: RawDevice, _ speed: Speed, _ issues: inout IssueList) {
        checkDevice(raw, &issues)
        guard raw.device.bytes != nil else { return }
        checkConfigurations(raw, &issues)
        checkStore(raw, &issues)
        checkOtherSpeed(raw, speed, &issues)
        checkSelection(raw, &issues)
        checkStatus(raw, speed, &issues)
    }

    private static func checkDevice(_ raw: RawDevice, _ issues: inout IssueList) {
        if let bytes = raw.device.bytes {
            LengthLaws.checkSingle(bytes, .device, at: "device", &issues)
        } else if let failure = raw.device.failure {
            issues.error("device", "the device descriptor cannot be read: \(failure)", issues.clause("9.6.1"))
        }
    }

    private static func checkConfigurations(_ raw: RawDevice, _ issues: inout IssueList) {
        for (index, answer) in raw.configurations.enumerated() {
            if let bytes = answer.bytes {
                LengthLaws.checkConfiguration(ConfigurationOutline(bytes, index: index), .configuration, &issues)
            } else {
                report(
                    answer, at: "configuration at index \(index)",
                    "bNumConfigurations is \(raw.configurations.count), but this configuration cannot be read",
                    issues.clause("9.6.1"), &issues)
            }
        }
    }

    private static func checkStore(_ raw: RawDevice, _ issues: inout IssueList) {
        switch raw.bos {
        case .bytes(let bytes): LengthLaws.checkStore(bytes, &issues)
        // A missing one is a matter of the version: the laws of descriptions know it.
        case .stalled, .notAsked: break
        case .silent, .failed: reportNoStall(raw.bos, at: "BOS", "a BOS descriptor", &issues)
        }
    }

    private static func checkOtherSpeed(_ raw: RawDevice, _ speed: Speed, _ issues: inout IssueList) {
        switch raw.qualifier {
        case .bytes(let bytes): LengthLaws.checkSingle(bytes, .deviceQualifier, at: "device qualifier", &issues)
        case .stalled where speed == .high:
            issues.warning(
                "device qualifier",
                "there is none; a device at high speed has one unless it says the same of itself "
                    + "at full speed, and compliance tests ask for it", "USB 2.0 §9.6.2")
        case .stalled, .notAsked: break
        case .silent, .failed: reportNoStall(raw.qualifier, at: "device qualifier", "a device qualifier", &issues)
        }
        for (index, answer) in raw.otherConfigurations.enumerated() {
            if let bytes = answer.bytes {
                LengthLaws.checkConfiguration(
                    ConfigurationOutline(bytes, index: index, prefix: "other speed"), .otherSpeedConfiguration,
                    &issues)
            } else {
                report(
                    answer, at: "other speed, configuration at index \(index)",
                    "the qualifier's bNumConfigurations is \(raw.otherConfigurations.count), but this configuration "
                        + "cannot be read", "USB 2.0 §9.6.4", &issues)
            }
        }
    }

    private static func checkSelection(_ raw: RawDevice, _ issues: inout IssueList) {
        let clause = issues.clause("9.4.2")
        guard let bytes = raw.selectedConfiguration.bytes else {
            report(raw.selectedConfiguration, at: "device", "GET_CONFIGURATION fails", clause, &issues)
            return
        }
        guard let value = bytes.first else {
            issues.error("device", "GET_CONFIGURATION is answered with no bytes; it has 1", clause)
            return
        }
        let values = raw.configurations.compactMap(\.bytes).compactMap { $0.count > 5 ? $0[5] : nil }
        if value != 0, !values.contains(value), values.count == raw.configurations.count {
            issues.error(
                "device", "GET_CONFIGURATION says \(value), which is no configuration's bConfigurationValue", clause)
        }
    }

    private static func checkStatus(_ raw: RawDevice, _ speed: Speed, _ issues: inout IssueList) {
        let clause = issues.clause("9.4.5")
        guard let bytes = raw.status.bytes else {
            report(raw.status, at: "device", "GET_STATUS fails", clause, &issues)
            return
        }
        guard bytes.count == 2 else {
            issues.error("device", "GET_STATUS is answered with \(bytes.count) bytes; it has 2", clause)
            return
        }
        let status = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
        let reserved: UInt16 = speed.isSuperSpeed ? 0xffe0 : 0xfffc
        if status & reserved != 0 {
            issues.error(
                "device",
                "the device's status is 0x\(digits(status, 4)); bits 15:\(speed.isSuperSpeed ? 5 : 2) are "
                    + "reserved and 0", clause)
        }
        let selected = raw.configurations.compactMap(\.bytes).first { $0.count > 7 && $0[5] == raw.selectedValue }
        if let selected, status & 1 == 1, selected[7] & 0x40 == 0 {
            issues.warning(
                "device",
                "the device's status says self-powered, but bmAttributes of configuration \(selected[5]) "
                    + "is 0x\(digits(selected[7], 2)): powered by the bus alone", issues.clause("9.6.3"))
        }
    }

    /// Reports something necessary that the device did not give.
    static func report(
        _ answer: ControlAnswer, at path: String, _ message: String, _ clause: String, _ issues: inout IssueList
    ) {
        guard let failure = answer.failure else { return }
        if answer.isRefusal {
            issues.error(path, "\(message): \(failure)", clause)
        } else {
            issues.notice(path, failure, clause)
        }
    }

    /// Reports that a request that a device may refuse was not refused as it must be.
    private static func reportNoStall(
        _ answer: ControlAnswer, at path: String, _ what: String, _ issues: inout IssueList
    ) {
        issues.error(
            path, "asked for \(what), the device does neither answer nor STALL: \(answer.failure ?? "")",
            issues.clause("9.2.7"))
    }
}
