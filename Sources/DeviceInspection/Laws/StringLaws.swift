import USBCore

/// The strings: the list of languages, each string that a descriptor names, and its text (USB 2.0 §9.6.7).
enum StringLaws {
    static func check(_ raw: RawDevice, _ references: [DescriptorTree.StringReference], _ issues: inout IssueList) {
        let clause = issues.specification == "USB 2.0" ? "USB 2.0 §9.6.7" : "USB 3.2 §9.6.9"
        guard !references.isEmpty else { return }
        checkLanguages(raw, clause, &issues)
        var users: [UInt8: [DescriptorTree.StringReference]] = [:]
        for reference in references { users[reference.index, default: []].append(reference) }
        let keys = raw.strings.keys.sorted { ($0.language.rawValue, $0.index) < ($1.language.rawValue, $1.index) }
        for key in keys {
            guard let answer = raw.strings[key] else { continue }
            let name = "string \(key.index) in language 0x\(digits(key.language.rawValue, 4))"
            if let bytes = answer.bytes {
                checkString(bytes, at: name, clause, &issues)
                continue
            }
            for user in users[key.index] ?? [] {
                AnswerLaws.report(
                    answer, at: user.path, "\(user.field) is \(key.index), but \(name) cannot be read", clause, &issues)
            }
        }
    }

    private static func checkLanguages(_ raw: RawDevice, _ clause: String, _ issues: inout IssueList) {
        let path = "list of languages"
        guard let bytes = raw.languages.bytes else {
            AnswerLaws.report(
                raw.languages, at: path, "descriptors name strings, but string 0 cannot be read", clause, &issues)
            return
        }
        guard checkFrame(bytes, at: path, clause, &issues) else { return }
        let languages = raw.languageList
        if languages.isEmpty {
            issues.error(path, "it has no language, but descriptors name strings", clause)
        }
        if Set(languages).count != languages.count {
            issues.warning(path, "a language is in the list twice", clause)
        }
        if languages.contains(.unspecified) {
            issues.warning(path, "language 0 is in the list, which is no language", clause)
        }
        if languages.count > DeviceReading<Never>.languageLimit {
            issues.notice(
                path,
                "it has \(languages.count) languages; strings were read in the first "
                    + "\(DeviceReading<Never>.languageLimit)", clause)
        }
    }

    private static func checkString(
        _ bytes: [UInt8], at path: String, _ clause: String, _ issues: inout IssueList
    ) {
        guard checkFrame(bytes, at: path, clause, &issues) else { return }
        let end = min(bytes.count, Int(bytes[0]))
        let units = stride(from: 2, to: end - 1, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
        if String(validating: units, as: UTF16.self) == nil {
            issues.warning(path, "it has half a surrogate pair and is no UTF-16 text", clause)
        }
        if units.last == 0 {
            issues.warning(path, "it ends with a zero; the length alone says where a string ends", clause)
        }
        guard let text = RawDevice.text(of: bytes) else { return }
        let isPlain = text.unicodeScalars.allSatisfy { PrintableText.isHarmless($0) || $0 == "\0" }
        if !isPlain {
            issues.warning(
                path, "it has characters that control a terminal or are none: \(PrintableText.of(text))",
                clause)
        }
    }

    /// Checks length and type; false where there is nothing to look at inside.
    private static func checkFrame(
        _ bytes: [UInt8], at path: String, _ clause: String, _ issues: inout IssueList
    ) -> Bool {
        guard bytes.count >= 2, bytes[0] >= 2 else {
            issues.error(
                path, "\(bytes.count) bytes with bLength \(bytes.first ?? 0) are no string descriptor", clause)
            return false
        }
        let length = Int(bytes[0])
        if bytes[1] != DescriptorType.string.rawValue {
            issues.error(path, "bDescriptorType is 0x\(digits(bytes[1], 2)); of a string it is 0x03", clause)
            return false
        }
        if !length.isMultiple(of: 2) {
            issues.error(path, "bLength is \(length), an odd number; a string has two bytes for each unit", clause)
        }
        if length > bytes.count {
            issues.error(path, "bLength is \(length), but the device sends \(bytes.count) bytes", clause)
        } else if length < bytes.count {
            issues.error(path, "bLength is \(length), but the device sends more: \(bytes.count) bytes", clause)
        }
        return true
    }
}
