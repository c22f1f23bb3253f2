import CommandSupport
import USBCore

/// Writes a report as JSON, with the specification's names for fields.
struct JSONReport {
    private let raw: RawDevice
    private let tree: DescriptorTree
    private let issues: [InspectionIssue]

    init(_ raw: RawDevice, _ tree: DescriptorTree, _ issues: [InspectionIssue]) {
        self.raw = raw
        self.tree = tree
        self.issues = issues
    }

    var json: JSON {
        var members: [(String, JSON)] = [("import", record)]
        if let device = tree.device { members.append(("device", object(device))) }
        members.append(("configurations", .array(tree.configurations.map { configuration($0.node) })))
        if let bos = tree.bos { members.append(("bos", object(bos))) }
        if let url = raw.webUSBPage.flatMap({ WebUSBPage.address($0.bytes ?? []) }) {
            members.append(("webUSBLandingPage", .string(url)))
        }
        if let set = raw.microsoftSet?.bytes { members.append(("microsoftOS2Descriptors", .string(Self.hex(set)))) }
        if let qualifier = tree.qualifier {
            members.append(("qualifier", object(qualifier)))
            members.append(
                ("otherSpeedConfigurations", .array(tree.otherConfigurations.map { object($0.node) })))
        }
        members.append(("languages", .array(raw.languageList.map { .string(digits($0.rawValue, 4)) })))
        members.append(("strings", .array(strings)))
        if let value = raw.selectedValue { members.append(("selectedConfiguration", .number(Int(value)))) }
        if let bytes = raw.status.bytes, bytes.count >= 2 {
            members.append(("status", .number(Int(bytes[0]) | Int(bytes[1]) << 8)))
        }
        members.append(("issues", .array(issues.map(Self.issue))))
        return .object(members)
    }

    private var record: JSON {
        let record = raw.record
        return .object([
            ("busid", .string(record.busID)), ("path", .string(record.path)),
            ("speed", Speed(rawValue: record.speed).map { .string($0.words) } ?? .number(Int(record.speed))),
            ("idVendor", .string(digits(record.vendorID, 4))), ("idProduct", .string(digits(record.productID, 4))),
            ("bcdDevice", .string(digits(record.release, 4))),
            ("bConfigurationValue", .number(Int(record.configurationValue))),
            ("bNumConfigurations", .number(Int(record.configurationCount))),
            ("bNumInterfaces", .number(Int(record.interfaceCount))),
        ])
    }

    private var strings: [JSON] {
        raw.strings.keys.sorted { ($0.language.rawValue, $0.index) < ($1.language.rawValue, $1.index) }
            .compactMap { key in
                guard let bytes = raw.strings[key]?.bytes else { return nil }
                var members: [(String, JSON)] = [
                    ("index", .number(Int(key.index))), ("language", .string(digits(key.language.rawValue, 4))),
                ]
                if let text = RawDevice.text(of: bytes) { members.append(("text", .string(text))) }
                members.append(("bytes", .string(Self.hex(bytes))))
                return .object(members)
            }
    }

    private static func issue(_ issue: InspectionIssue) -> JSON {
        .object([
            ("severity", .string(issue.severity.rawValue)), ("path", .string(issue.path)),
            ("message", .string(issue.message)), ("clause", .string(issue.clause)),
        ])
    }

    // MARK: - Descriptors

    /// A configuration, with the report descriptors where they were asked of it.
    private func configuration(_ node: DescriptorNode) -> JSON {
        guard case .object(var members) = object(node) else { return object(node) }
        let value = node.fields.first { $0.name == "bConfigurationValue" }
        guard case .number(let number)? = value?.value, UInt8(truncatingIfNeeded: number) == raw.classConfiguration
        else {
            return .object(members)
        }
        let keys = raw.classDescriptors.keys.sorted { ($0.interface, $0.type) < ($1.interface, $1.type) }
        let reports: [JSON] = keys.compactMap { key in
            guard let bytes = raw.classDescriptors[key]?.bytes else { return nil }
            let members: [(String, JSON)] = [
                ("bInterfaceNumber", .number(Int(key.interface))), ("bDescriptorType", .number(Int(key.type))),
                ("bytes", .string(Self.hex(bytes))),
            ]
            return .object(members + (key.type == HIDReference.report ? ReportLayoutJSON.members(of: bytes) : []))
        }
        if !reports.isEmpty { members.append(("classDescriptors", .array(reports))) }
        return .object(members)
    }

    private func object(_ node: DescriptorNode) -> JSON {
        var members: [(String, JSON)] = []
        if !node.title.isEmpty { members.append(("name", .string(node.title))) }
        for field in node.fields { append(field, to: &members) }
        let lists: [(String, DescriptorNode.Kind)] = [
            ("descriptors", .descriptor), ("associations", .association), ("interfaces", .interface),
            ("endpoints", .endpoint), ("capabilities", .capability),
        ]
        for (name, kind) in lists {
            let children = node.children.filter { $0.kind == kind }
            if !children.isEmpty { members.append((name, .array(children.map(object)))) }
        }
        return .object(members)
    }

    private func append(_ field: DescriptorField, to members: inout [(String, JSON)]) {
        switch field.value {
        case .number(let number), .hex(let number, _): members.append((field.name, .number(Int(number))))
        case .identifier(let number), .version(let number): members.append((field.name, .string(digits(number, 4))))
        case .text(let text): members.append((field.name, .string(text)))
        case .bytes(let bytes): members.append((field.name, .string(Self.hex(bytes))))
        case .numbers(let numbers, _, _): members.append((field.name, .array(numbers.map { .number(Int($0)) })))
        case .string(let index):
            members.append((field.name, .number(Int(index))))
            if index != 0, let text = raw.text(index) { members.append(("\(field.name)Text", .string(text))) }
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String { bytes.map { digits($0, 2) }.joined(separator: " ") }
}
