import HIDReports
import USBCore

/// Writes a report in the manner of `lsusb -v`.
struct TextReport {
    private let raw: RawDevice
    private let tree: DescriptorTree
    private let issues: [InspectionIssue]

    init(_ raw: RawDevice, _ tree: DescriptorTree, _ issues: [InspectionIssue]) {
        self.raw = raw
        self.tree = tree
        self.issues = issues
    }

    /// The column at which values end, as `lsusb` has it.
    private static let valueEnd = 25

    /// Of a longer report descriptor only the bytes are shown; hosts read no such.
    private static let listingLimit = 4096

    var text: String {
        var lines = Lines()
        lines.add(0, headline)
        writeDevice(&lines)
        if let bos = tree.bos { write(bos, 0, &lines) }
        writePlatforms(&lines)
        if let qualifier = tree.qualifier { write(qualifier, 0, &lines) }
        for (index, answer) in raw.otherConfigurations.enumerated() {
            writeConfiguration(answer, index, tree.otherConfigurations, "Other Speed Configuration", 1, &lines)
        }
        writeStrings(&lines)
        writeStatus(&lines)
        writeIssues(&lines)
        return lines.text
    }

    private var headline: String {
        let record = raw.record
        let names = [14, 15].compactMap { place -> String? in
            guard let bytes = raw.device.bytes, bytes.count > place, bytes[place] != 0 else { return nil }
            return raw.text(bytes[place]).map(PrintableText.of)
        }
        let ids = "\(digits(record.vendorID, 4)):\(digits(record.productID, 4))"
        let speed = Speed(rawValue: record.speed)?.words ?? "unknown speed (\(record.speed))"
        return ([PrintableText.of(record.busID), ids] + names).joined(separator: " ") + ", \(speed), "
            + PrintableText.of(record.path)
    }

    // MARK: - Descriptors

    private func writeDevice(_ lines: inout Lines) {
        if let device = tree.device {
            write(device, 0, &lines)
        } else {
            lines.add(0, "Device Descriptor: \(raw.device.failure ?? "")")
        }
        for (index, answer) in raw.configurations.enumerated() {
            writeConfiguration(answer, index, tree.configurations, "Configuration", 1, &lines)
        }
    }

    private func writeConfiguration(
        _ answer: ControlAnswer, _ index: Int, _ nodes: [(index: Int, node: DescriptorNode)], _ title: String,
        _ depth: Int, _ lines: inout Lines
    ) {
        if let node = nodes.first(where: { $0.index == index })?.node {
            write(node, depth, &lines, value: answer.bytes.flatMap { $0.count > 5 ? $0[5] : nil })
        } else {
            lines.add(depth, "\(title) Descriptor at index \(index): \(answer.failure ?? "")")
        }
    }

    /// Writes a node and what is below it.
    ///
    /// - Parameters:
    ///   - value: the value of the configuration around it.
    ///   - interface: the number of the interface around it.
    private func write(
        _ node: DescriptorNode, _ depth: Int, _ lines: inout Lines, value: UInt8? = nil, interface: UInt8? = nil
    ) {
        let isEntry = node.title.isEmpty
        if !isEntry { lines.add(depth, "\(node.title):") }
        let inner = isEntry ? depth : depth + 1
        for field in node.fields { write(field, inner, &lines) }
        var number = interface
        if node.kind == .interface,
            case .number(let found)? = node.fields.first(where: { $0.name == "bInterfaceNumber" })?
                .value
        {
            number = UInt8(truncatingIfNeeded: found)
        }
        for child in node.children { write(child, inner, &lines, value: value, interface: number) }
        if isEntry, value != nil, value == raw.classConfiguration, let number {
            writeReport(node, number, depth, &lines)
        }
    }

    /// A descriptor that a HID descriptor names, where it was read.
    private func writeReport(_ entry: DescriptorNode, _ interface: UInt8, _ depth: Int, _ lines: inout Lines) {
        guard case .number(let number)? = entry.fields.first?.value else { return }
        let type = UInt8(truncatingIfNeeded: number)
        let key = RawDevice.InterfaceKey(interface: interface, type: type)
        guard let answer = raw.classDescriptors[key] else { return }
        let name = HIDReference.name(type)
        guard let bytes = answer.bytes else {
            return lines.add(depth, "\(name) Descriptor: \(answer.failure ?? "")")
        }
        // All settings of an interface have the same, and a hostile one names it thousands of times.
        guard lines.isFirst(key) else {
            return lines.add(depth, "\(name) Descriptor of \(bytes.count) bytes: as above")
        }
        lines.add(depth, "\(name) Descriptor of \(bytes.count) bytes:")
        if type == HIDReference.report, bytes.count <= Self.listingLimit {
            for line in ReportDescriptor(bytes: bytes).listing.split(separator: "\n") { lines.add(depth + 1, line) }
        } else {
            Self.writeBytes(bytes, depth + 1, &lines)
        }
    }

    private func write(_ field: DescriptorField, _ depth: Int, _ lines: inout Lines) {
        let name = field.shown?.name ?? field.name
        var meaning = field.meaning
        let value: String
        switch field.value {
        case .number(let number): value = field.shown?.value ?? "\(number)"
        case .hex(let number, let count): value = "0x" + digits(number, count)
        case .identifier(let number): value = "0x" + digits(number, 4)
        case .version(let number): value = "\(digits(number >> 8, 1)).\(digits(number & 0xff, 2))"
        case .text(let text): value = PrintableText.of(text)
        case .string(let index):
            value = "\(index)"
            if index != 0 { meaning = raw.text(index).map(PrintableText.of) ?? "(no such string)" }
        case .bytes(let bytes):
            lines.add(depth, "\(name):")
            Self.writeBytes(bytes, depth + 1, &lines)
            return
        case .numbers(let numbers, let open, let close):
            for (index, number) in numbers.enumerated() {
                let place = index < 10 ? " \(index)" : "\(index)"
                lines.add(depth, Self.aligned("\(name)\(open)\(place)\(close)", "\(number)"))
            }
            return
        }
        lines.add(depth, Self.aligned(name, value) + (meaning.isEmpty ? "" : " \(meaning)"))
        for remark in field.remarks { lines.add(depth + 1, remark) }
    }

    private static func aligned(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, valueEnd - name.count - value.count)) + value
    }

    private static func writeBytes(_ bytes: [UInt8], _ depth: Int, _ lines: inout Lines) {
        for start in stride(from: 0, to: bytes.count, by: 16) {
            lines.add(
                depth, bytes[start..<min(start + 16, bytes.count)].map { digits($0, 2) }.joined(separator: " "))
        }
    }

    private func writePlatforms(_ lines: inout Lines) {
        for (title, answer) in [
            ("WebUSB Landing Page", raw.webUSBPage), ("Microsoft OS 2.0 Descriptors", raw.microsoftSet),
        ] {
            guard let answer else { continue }
            if title.hasPrefix("WebUSB"), let address = WebUSBPage.address(answer.bytes ?? []) {
                lines.add(0, "\(title): \(PrintableText.of(address))")
            } else if let bytes = answer.bytes {
                lines.add(0, "\(title):")
                Self.writeBytes(bytes, 1, &lines)
            } else {
                lines.add(0, "\(title): \(answer.failure ?? "")")
            }
        }
    }

    // MARK: - The rest

    /// The strings in every language but the one that fields are shown in.
    private func writeStrings(_ lines: inout Lines) {
        let languages = raw.languageList
        guard !languages.isEmpty else { return }
        let names = languages.map { "0x\(digits($0.rawValue, 4))" + ($0.name.map { " \($0)" } ?? "") }
        lines.add(0, "Languages: \(names.joined(separator: ", "))")
        let keys = raw.strings.keys.filter { $0.language != raw.shownLanguage }
            .sorted { ($0.language.rawValue, $0.index) < ($1.language.rawValue, $1.index) }
        for key in keys {
            guard let text = raw.strings[key]?.bytes.flatMap(RawDevice.text) else { continue }
            lines.add(1, "0x\(digits(key.language.rawValue, 4)) string \(key.index): \(PrintableText.of(text))")
        }
    }

    private func writeStatus(_ lines: inout Lines) {
        if let value = raw.selectedValue {
            lines.add(0, value == 0 ? "Configured: no" : "Configured: configuration \(value)")
        }
        guard let bytes = raw.status.bytes, bytes.count >= 2 else {
            lines.add(0, "Device Status: \(raw.status.failure ?? "unreadable")")
            return
        }
        lines.add(0, "Device Status:     0x\(digits(bytes[1], 2))\(digits(bytes[0], 2))")
        lines.add(1, bytes[0] & 0x01 != 0 ? "Self Powered" : "(Bus Powered)")
        if bytes[0] & 0x02 != 0 { lines.add(1, "Remote Wakeup Enabled") }
        guard tree.speed.isSuperSpeed else { return }
        for (bit, name) in [(0x04, "U1"), (0x08, "U2"), (0x10, "Latency Tolerance Messaging (LTM)")]
        where bytes[0] & UInt8(bit) != 0 { lines.add(1, "\(name) Enabled") }
    }

    private func writeIssues(_ lines: inout Lines) {
        guard !issues.isEmpty else {
            lines.add(0, "Issues: none")
            return
        }
        let counts = [InspectionIssue.Severity.error, .warning, .notice].compactMap { severity -> String? in
            let count = issues.count { $0.severity == severity }
            return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        lines.add(0, "Issues: \(counts.joined(separator: ", "))")
        for issue in issues {
            lines.add(1, "\(issue.severity.rawValue): \(PrintableText.of(issue.path))")
            lines.add(2, "\(PrintableText.of(issue.message)) (\(issue.clause))")
        }
    }

    /// Indented lines.
    private struct Lines {
        private(set) var text = ""
        /// The class descriptors that are among them.
        private var written: Set<RawDevice.InterfaceKey> = []

        mutating func add(_ depth: Int, _ line: some StringProtocol) {
            text += String(repeating: "  ", count: depth) + line + "\n"
        }

        /// Whether a class descriptor comes for the first time.
        mutating func isFirst(_ key: RawDevice.InterfaceKey) -> Bool { written.insert(key).inserted }
    }
}
