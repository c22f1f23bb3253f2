import HIDReports

/// Says what the reports of one interface mean, and remembers them, so that a line tells what is new.
struct ReportWords {
    /// Of a report with more values only the bytes are shown: nobody reads them, and a descriptor can declare millions.
    private static let valueLimit = 512

    private struct Key: Hashable {
        var kind: ReportKind
        var id: UInt8
    }

    /// What a report held when it came last.
    private struct State {
        var pressed: [Usage] = []
        var values: [Int32]?
    }

    /// A report, each of its fields as a report of its own, so that values are known by their field.
    private struct Reader {
        var fields: [(field: ReportLayout.Field, report: ReportLayout.Report)]
    }

    private let layout: ReportLayout
    private var readers: [Key: Reader?] = [:]
    private var states: [Key: State] = [:]

    /// Takes a report descriptor; nil where it cannot be read.
    init?(_ descriptor: [UInt8]) {
        do throws(ReportDescriptorError) {
            layout = try ReportDescriptor(bytes: descriptor).layout()
        } catch {
            return nil
        }
    }

    /// What changed with a report; nil where its values cannot be told in a line.
    mutating func describe(_ kind: ReportKind, _ bytes: [UInt8]) -> String? {
        guard let report = layout.report(kind, of: bytes) else { return nil }
        let key = Key(kind: kind, id: report.id)
        let reader: Reader?
        if let known = readers[key] {
            reader = known
        } else {
            reader = Self.reader(report)
            readers[key] = .some(reader)
        }
        guard let reader else { return nil }
        var next = State(pressed: [], values: [])
        let last = states[key]
        var words: [String] = []
        let isInput = kind == .input
        for (field, single) in reader.fields {
            for (usage, value) in single.decode(bytes) {
                if field.isArray || isInput && field.isSwitch {
                    if value != 0 { next.pressed.append(usage) }
                    continue
                }
                let index = next.values?.count ?? 0
                next.values?.append(value)
                let before = last?.values.flatMap { index < $0.count ? $0[index] : nil }
                if field.flags.contains(.relative) {
                    if value != 0 { words.append("\(usage.label) \(value > 0 ? "+" : "")\(value)") }
                } else if value != before {
                    words.append(Self.words(usage, value, field))
                }
            }
        }
        let before = last?.pressed ?? []
        let keys =
            before.filter { !next.pressed.contains($0) }.map { "\($0.label) released" }
            + next.pressed.filter { !before.contains($0) }.map { "\($0.label) pressed" }
        words = keys + words
        states[key] = next
        let prefix = layout.usesReportIDs ? "report \(report.id): " : ""
        if words.isEmpty { return prefix + (next.pressed.isEmpty && last == nil ? "at rest" : "nothing new") }
        return prefix + words.joined(separator: ", ")
    }

    private static func words(_ usage: Usage, _ value: Int32, _ field: ReportLayout.Field) -> String {
        if field.isSwitch { return "\(usage.label) \(value == 0 ? "off" : "on")" }
        if field.flags.contains(.nullState), !field.logical.contains(value) { return "\(usage.label) none" }
        return "\(usage.label) \(value)"
    }

    private static func reader(_ report: ReportLayout.Report) -> Reader? {
        let fields = report.fields.filter { !$0.isPadding }
        var count = 0
        for field in fields {
            count += field.count
            // What vendors keep to themselves, and streams of bytes, say nothing as numbers.
            let isOpaque =
                field.flags.contains(.bufferedBytes) || field.count > 16 && field.bitSize == 8 && !field.isArray
            if isOpaque || field.usages.allSatisfy({ $0.page >= 0xff00 }) || field.bitSize > 32 { return nil }
        }
        guard count > 0, count <= valueLimit else { return nil }
        return Reader(
            fields: fields.map { field in
                var single = report
                single.fields = [field]
                return (field, single)
            })
    }
}

extension ReportLayout.Field {
    /// Whether its values are no more than off and on.
    fileprivate var isSwitch: Bool { !isArray && logical == 0...1 }
}

extension Usage {
    /// The control's name, by page and number where it has none.
    fileprivate var label: String { name ?? "\(self)" }
}
