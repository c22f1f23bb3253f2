import HIDReports

/// How long a function's reports are, and whether they have ids.
struct ReportSizes {
    /// Nil when the report descriptor cannot be read: then any report may be.
    let layout: ReportLayout?

    /// The most bytes of a report when nothing says how many: Linux's limit.
    static let unknownLimit = 16_384

    init(_ descriptor: ReportDescriptor) { layout = try? descriptor.layout() }

    var usesIDs: Bool { layout?.usesReportIDs ?? false }

    /// The ids of the input reports; 0 alone where there are none.
    var inputIDs: [UInt8] {
        guard let layout, usesIDs else { return [0] }
        return layout.reports.filter { $0.kind == .input }.map(\.id)
    }

    /// The bytes of a report, its id included; nil when there is no such report.
    func limit(_ kind: ReportKind, _ id: UInt8) -> Int? {
        guard let layout else { return Self.unknownLimit }
        return layout.report(kind, id: id)?.byteCount
    }

    /// The bytes of the longest report; nil when the descriptor does not say.
    func longest(_ kind: ReportKind) -> Int? { layout?.longestReport(kind) }
}
