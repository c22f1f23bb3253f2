import USBCore

/// What class specifications ask of the bytes, where hosts depend on it.
enum ClassLaws {
    static func check(_ raw: RawDevice, _ issues: inout IssueList) {
        for (index, answer) in raw.configurations.enumerated() {
            guard let bytes = answer.bytes else { continue }
            let outline = ConfigurationOutline(bytes, index: index)
            checkHID(outline, &issues)
            checkAudio(outline, &issues)
            checkUnions(outline, &issues)
        }
        checkReports(raw, &issues)
        checkPlatforms(raw, &issues)
    }

    // MARK: - HID (HID 1.11)

    private static func checkHID(_ outline: ConfigurationOutline, _ issues: inout IssueList) {
        var open: String?
        func close() {
            if let open {
                issues.error(
                    open, "an interface of class HID has no HID descriptor",
                    "HID 1.11 §7.1")
            }
        }
        for entry in outline.entries {
            if entry.isHead, entry.level == .interface {
                close()
                open = entry.owner?.code == .hid ? entry.path : nil
            }
            guard entry.item.type == .hid, entry.owner?.code == .hid else { continue }
            open = nil
            checkHIDDescriptor(entry, &issues)
        }
        if !outline.isCut { close() }
    }

    private static func checkHIDDescriptor(_ entry: ConfigurationOutline.Entry, _ issues: inout IssueList) {
        let clause = "HID 1.11 §6.2.1"
        let length = entry.item.bytes.count
        if length < 9 {
            issues.error(entry.path, "the HID descriptor has bLength \(length); it has 9 bytes at least", clause)
        } else if length != 6 + 3 * Int(entry.item.byte(5)) {
            issues.error(
                entry.path,
                "bNumDescriptors of the HID descriptor is \(entry.item.byte(5)), but its \(length) bytes "
                    + "have room for \((length - 6) / 3)", clause)
        }
        if length >= 9, entry.item.word(2) < 0x0100 {
            issues.warning(
                entry.path, "bcdHID is \(digits(entry.item.word(2), 4)); the first release of the class is 1.00", clause
            )
        }
        if length >= 9, !HIDReference.list(entry.item).contains(where: { $0.type == HIDReference.report }) {
            issues.error(
                entry.path, "the HID descriptor names no report descriptor, which each HID interface has",
                clause)
        }
        if entry.level == .endpoint {
            issues.warning(
                entry.path,
                "the HID descriptor stands behind the endpoint, as HID 1.0 had it; hosts look for it "
                    + "between interface and endpoint", "HID 1.11 §7.1")
        }
    }

    private static func checkReports(_ raw: RawDevice, _ issues: inout IssueList) {
        for bytes in raw.configurations.compactMap(\.bytes) where bytes.count > 5 && bytes[5] == raw.classConfiguration
        {
            var seen: Set<RawDevice.InterfaceKey> = []
            for reference in HIDReference.all(in: bytes) {
                let key = RawDevice.InterfaceKey(interface: reference.interface, type: reference.type)
                guard seen.insert(key).inserted, let answer = raw.classDescriptors[key] else { continue }
                let name =
                    reference.type == HIDReference.report
                    ? "report descriptor" : "descriptor 0x\(digits(reference.type, 2))"
                guard let found = answer.bytes else {
                    if raw.isUnconfigured {
                        issues.notice(
                            reference.path,
                            "the \(name) cannot be read while no configuration is selected: "
                                + (answer.failure ?? ""), "HID 1.11 §7.1.1")
                        continue
                    }
                    AnswerLaws.report(
                        answer, at: reference.path, "the \(name) cannot be read", "HID 1.11 §7.1.1", &issues)
                    continue
                }
                if found.count != Int(reference.length) {
                    issues.error(
                        reference.path,
                        "wDescriptorLength of the \(name) is \(reference.length), but the device sends "
                            + "\(found.count)\(found.count > Int(reference.length) ? " or more" : "") bytes",
                        "HID 1.11 §6.2.1")
                } else if reference.type == HIDReference.report {
                    ReportDescriptorLaws.check(found, at: reference.path, &issues)
                }
            }
        }
    }

    // MARK: - Audio and communications

    /// Audio 1.0 §4.3.2: the header counts itself and all units and terminals of its interface.
    private static func checkAudio(_ outline: ConfigurationOutline, _ issues: inout IssueList) {
        var header: (said: Int, path: String)?
        var sum = 0
        func close() {
            guard let header, header.said != sum else { return }
            issues.error(
                header.path,
                "wTotalLength of the audio control header is \(header.said), but header, units and "
                    + "terminals have \(sum) bytes", "Audio 1.0 §4.3.2")
        }
        for entry in outline.entries {
            if entry.isHead, entry.level == .interface {
                close()
                header = nil
                sum = 0
                checkAudioProtocol(entry, &issues)
            }
            guard entry.item.type == .classInterface, entry.level == .interface, let owner = entry.owner,
                owner.code == .audio, owner.subclass == 1, owner.protocol != 0x30
            else { continue }
            sum += entry.item.bytes.count
            let place = owner.isFirstAudio ? 5 : 6
            if entry.item.byte(2) == 1, entry.item.bytes.count > place + 1 {
                header = (Int(entry.item.word(place)), entry.path)
            }
        }
        if !outline.isCut { close() }
    }

    private static func checkAudioProtocol(_ entry: ConfigurationOutline.Entry, _ issues: inout IssueList) {
        guard let owner = entry.owner, owner.isFirstAudio, owner.protocol != 0 else { return }
        issues.error(
            entry.path, "bInterfaceProtocol is \(owner.protocol); of Audio 1.0 it is 0, of later ones 32 or 48",
            "Audio 1.0 §4.3.1")
    }

    /// CDC 1.2 §5.2.3.2: a union names interfaces of its configuration.
    private static func checkUnions(_ outline: ConfigurationOutline, _ issues: inout IssueList) {
        guard !outline.isCut else { return }
        let numbers = Set(outline.entries.filter { $0.isHead && $0.level == .interface }.map { $0.item.byte(2) })
        for entry in outline.entries
        where entry.item.type == .classInterface && entry.owner?.code == .cdc && entry.item.byte(2) == 6 {
            for number in entry.item.bytes.dropFirst(3) where !numbers.contains(number) {
                issues.error(
                    entry.path, "the CDC union names interface \(number), which is not there", "CDC 1.2 §5.2.3.2")
            }
        }
    }

    // MARK: - Platforms

    private static func checkPlatforms(_ raw: RawDevice, _ issues: inout IssueList) {
        if let page = raw.webUSBPage {
            let clause = "WebUSB §4.2"
            if let bytes = page.bytes {
                if bytes.count < 3 || bytes[1] != 3 || Int(bytes[0]) != bytes.count {
                    issues.error("BOS", "the landing page's \(bytes.count) bytes are no URL descriptor", clause)
                }
            } else {
                AnswerLaws.report(page, at: "BOS", "the WebUSB landing page cannot be read", clause, &issues)
            }
        }
        if let set = raw.microsoftSet {
            let clause = "Microsoft OS 2.0, Descriptor Set"
            let promised = PlatformOffers(raw.bos.bytes ?? []).microsoftSet.map { Int($0.length) } ?? 0
            if let bytes = set.bytes {
                let said = bytes.count >= 10 ? Int(bytes[8]) | Int(bytes[9]) << 8 : 0
                if bytes.count != promised || said != promised {
                    issues.error(
                        "BOS",
                        "the capability promises \(promised) bytes of Microsoft OS 2.0 descriptors; the device "
                            + "sends \(bytes.count), whose wTotalLength is \(said)", clause)
                }
            } else {
                AnswerLaws.report(
                    set, at: "BOS", "the Microsoft OS 2.0 descriptors cannot be read", clause, &issues)
            }
        }
    }
}
