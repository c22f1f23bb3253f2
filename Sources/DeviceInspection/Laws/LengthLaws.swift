import USBCore

/// What the bytes themselves must hold to, before they mean anything: lengths, types, order (USB 2.0 §9.5).
enum LengthLaws {
    /// The least length of a descriptor and the clause that sets it.
    struct Size {
        var least: Int
        var clause: String
    }

    /// The sizes of USB's own descriptors, nil for a class's.
    static func size(_ type: DescriptorType, _ issues: IssueList) -> Size? {
        switch type {
        case .device: Size(least: 18, clause: issues.clause("9.6.1"))
        case .configuration: Size(least: 9, clause: issues.clause("9.6.3"))
        case .otherSpeedConfiguration: Size(least: 9, clause: "USB 2.0 §9.6.4")
        case .interface: Size(least: 9, clause: issues.clause("9.6.5"))
        case .endpoint: Size(least: 7, clause: issues.clause("9.6.6"))
        case .deviceQualifier: Size(least: 10, clause: "USB 2.0 §9.6.2")
        case .interfaceAssociation: Size(least: 8, clause: "USB 3.2 §9.6.4")
        case .bos: Size(least: 5, clause: "USB 3.2 §9.6.2")
        case .deviceCapability: Size(least: 3, clause: "USB 3.2 §9.6.2")
        case .endpointCompanion: Size(least: 6, clause: "USB 3.2 §9.6.7")
        default: nil
        }
    }

    /// A descriptor that is read by itself: its length, its type, and that all of it came.
    static func checkSingle(_ bytes: [UInt8], _ type: DescriptorType, at path: String, _ issues: inout IssueList) {
        guard let size = size(type, issues) else { return }
        guard bytes.count >= 2 else {
            issues.error(path, "the device answered with \(bytes.count) bytes", size.clause)
            return
        }
        let length = Int(bytes[0])
        if bytes[1] != type.rawValue {
            issues.error(
                path,
                "bDescriptorType is 0x\(digits(bytes[1], 2)); a descriptor of type 0x\(digits(type.rawValue, 2)) "
                    + "was asked for", issues.clause("9.4.3"))
        }
        if length < size.least {
            issues.error(
                path, "bLength is \(length); the descriptor has \(size.least) bytes, and hosts reject a shorter one",
                size.clause)
        } else if length > size.least {
            issues.notice(
                path, "bLength is \(length); the specification has \(size.least) bytes, and hosts ignore the others",
                issues.clause("9.5"))
        }
        if bytes.count < max(size.least, min(length, 255)) {
            issues.error(
                path, "the device sent \(bytes.count) bytes of a descriptor whose bLength is \(length)",
                issues.clause("9.4.3"))
        }
    }

    /// A length that makes no sense, at the start of what it leaves unread.
    static func checkRest(_ rest: ArraySlice<UInt8>, at path: String, _ issues: inout IssueList) {
        guard let length = rest.first else { return }
        let place = "at byte \(rest.startIndex)"
        if length < 2 {
            issues.error(
                path,
                "bLength is \(length) \(place); no descriptor is shorter than 2 bytes, and hosts stop there: "
                    + "\(rest.count) bytes stay unread", issues.clause("9.5"))
        } else {
            let type = rest.count > 1 ? DescriptorType(rawValue: rest[rest.startIndex + 1]).name : nil
            issues.error(
                path,
                "the last descriptor\(type.map { " (\($0))" } ?? "") is cut off: bLength is \(length) \(place), "
                    + "but only \(rest.count) bytes are left", issues.clause("9.5"))
        }
    }

    // MARK: - Configurations

    /// A configuration's total length, and the length and order of the descriptors in it.
    static func checkConfiguration(
        _ outline: ConfigurationOutline, _ type: DescriptorType, _ issues: inout IssueList
    ) {
        let clause = size(type, issues)?.clause ?? ""
        guard let header = outline.header else {
            if outline.rest.isEmpty {
                issues.error(outline.path, "the device answered with no bytes", clause)
            } else {
                checkRest(outline.rest, at: outline.path, &issues)
            }
            return
        }
        checkHeader(header, type, outline, clause, &issues)
        for entry in outline.entries { checkEntry(entry, &issues) }
        checkRest(outline.rest, at: outline.entries.last?.path ?? outline.path, &issues)
        guard let promised = outline.promised else { return }
        if promised < header.bytes.count {
            issues.error(
                outline.path,
                "wTotalLength is \(promised), the configuration descriptor alone has \(header.bytes.count) bytes",
                clause)
        } else if promised > outline.count {
            issues.error(
                outline.path,
                "wTotalLength is \(promised), but the device sends \(outline.count) bytes, however many are asked for",
                clause)
        }
        if !outline.beyond.isEmpty, promised >= header.bytes.count {
            issues.error(
                outline.path,
                "wTotalLength is \(promised), but the device sends more: \(outline.beyond.count) bytes "
                    + "follow when 255 are asked for", clause)
        }
    }

    private static func checkHeader(
        _ header: DescriptorWalk.Item, _ type: DescriptorType, _ outline: ConfigurationOutline, _ clause: String,
        _ issues: inout IssueList
    ) {
        if header.type != type {
            issues.error(
                outline.path,
                "bDescriptorType is 0x\(digits(header.type.rawValue, 2)); a descriptor of type "
                    + "0x\(digits(type.rawValue, 2)) was asked for", clause)
        }
        if header.bytes.count < 9 {
            issues.error(
                outline.path,
                "bLength is \(header.bytes.count); the descriptor has 9 bytes, and hosts reject a "
                    + "shorter one", clause)
        } else if header.bytes.count > 9 {
            noteLong(header, 9, at: outline.path, &issues)
        }
    }

    private static func checkEntry(_ entry: ConfigurationOutline.Entry, _ issues: inout IssueList) {
        let length = entry.item.bytes.count
        if entry.item.type == .endpoint, !entry.isHead {
            issues.error(
                entry.path,
                "an endpoint descriptor (0x\(digits(entry.item.byte(2), 2))) stands at byte "
                    + "\(entry.item.offset), before any interface; it follows the interface that has it",
                issues.clause("9.4.3"))
        }
        guard let size = size(entry.item.type, issues) else { return }
        if length < size.least {
            issues.error(
                entry.path,
                "the \(entry.item.type.name ?? "") descriptor at byte \(entry.item.offset) has bLength "
                    + "\(length); it has \(size.least) bytes, and hosts reject a shorter one", size.clause)
        } else if length > size.least, !(entry.item.type == .endpoint && entry.owner?.code == .audio && length == 9) {
            noteLong(entry.item, size.least, at: entry.path, &issues)
        }
    }

    private static func noteLong(
        _ item: DescriptorWalk.Item, _ least: Int, at path: String, _ issues: inout IssueList
    ) {
        issues.notice(
            path,
            "the \(item.type.name ?? "") descriptor has bLength \(item.bytes.count); the specification has "
                + "\(least) bytes, and hosts ignore the others", issues.clause("9.5"))
    }

    // MARK: - The binary device object store

    static func checkStore(_ bytes: [UInt8], _ issues: inout IssueList) {
        let clause = "USB 3.2 §9.6.2"
        let before = issues.issues.count
        if bytes.count < 5 || bytes[0] < 5 || bytes[1] != DescriptorType.bos.rawValue {
            checkSingle(bytes, .bos, at: "BOS", &issues)
            if issues.issues.count > before { return }
        }
        let total = Int(bytes[2]) | Int(bytes[3]) << 8
        if total < Int(bytes[0]) {
            issues.error("BOS", "wTotalLength is \(total), the BOS descriptor alone has \(bytes[0]) bytes", clause)
            return
        }
        if total > bytes.count {
            issues.error("BOS", "wTotalLength is \(total), but the device sends \(bytes.count) bytes", clause)
        }
        let walk = DescriptorWalk(bytes[min(Int(bytes[0]), bytes.count)...])
        for item in walk.items where item.type == .deviceCapability && item.bytes.count < 3 {
            issues.error(
                "BOS", "a capability at byte \(item.offset) has bLength \(item.bytes.count); it has 3 at least",
                clause)
        }
        checkRest(walk.rest, at: "BOS", &issues)
    }
}
