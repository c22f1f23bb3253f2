/// Reads a descriptor once from end to end and collects both the layout and what is wrong.
///
/// Nothing is allocated beyond what the bytes themselves call for: ranges of usages stay ranges, counts stay counts.
struct ReportDescriptorParser {
    let bytes: [UInt8]
    private(set) var issues: [ReportDescriptorIssue] = []
    /// The issue that stopped the reading.
    private(set) var fatal: ReportDescriptorIssue?

    var globals = ParserGlobals()
    var stack: [ParserGlobals] = []
    var locals = ParserLocals()
    var drafts: [ReportDraft] = []
    /// Where in ``drafts`` the report of a type and an id is.
    var draftIndices: [UInt16: Int] = [:]
    /// The usages of the open collections, outermost first.
    var path: [Usage?] = []
    /// The kinds of the open collections and where they were opened.
    var open: [(kind: CollectionKind, offset: Int)] = []
    /// How many of the open collections are applications.
    var openApplications = 0
    var applications: [Usage] = []
    /// How many outermost application collections were opened.
    var applicationCount = 0
    var usesReportIDs = false
    /// Where the first field without an id stands.
    var firstWithoutID: Int?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func run() {
        if bytes.count > ReportLimits.descriptorLength {
            stop(
                .descriptorLength, "Linux", at: ReportLimits.descriptorLength,
                "the descriptor has \(bytes.count) bytes; hosts read \(ReportLimits.descriptorLength) at most")
            return
        }
        var position = 0
        while position < bytes.count, fatal == nil {
            guard let item = DescriptorItem(bytes, at: position) else {
                stop(
                    .truncatedItem, "HID 1.11 §6.2.2.2", at: position,
                    "the descriptor ends \(bytes.count - position) bytes into an item that is longer")
                return
            }
            read(item)
            position += item.length
        }
        if fatal == nil { finish() }
    }

    /// What was read, if nothing stopped it.
    func layout() -> ReportLayout {
        let reports = drafts.map { draft in
            var report = draft.report
            report.hasIDByte = usesReportIDs
            if usesReportIDs {
                for index in report.fields.indices { report.fields[index].bitOffset += 8 }
            }
            return report
        }
        return ReportLayout(usesReportIDs: usesReportIDs, reports: reports, applications: applications)
    }

    // MARK: - Issues

    mutating func error(_ law: ReportDescriptorLaw, _ section: String, at offset: Int, _ message: String) {
        issues.append(.init(law: law, severity: .error, section: section, offset: offset, message: message))
    }

    mutating func warning(_ law: ReportDescriptorLaw, _ section: String, at offset: Int, _ message: String) {
        issues.append(.init(law: law, severity: .warning, section: section, offset: offset, message: message))
    }

    /// Reports an error behind which nothing can be read, or for which Linux refuses the descriptor.
    mutating func stop(_ law: ReportDescriptorLaw, _ section: String, at offset: Int, _ message: String) {
        error(law, section, at: offset, message)
        fatal = issues.last
    }

    // MARK: - Items

    private mutating func read(_ item: DescriptorItem) {
        switch item.tag {
        case .main(let main):
            settleLocals(at: item.offset)
            switch main {
            case .input: readField(item, .input)
            case .output: readField(item, .output)
            case .feature: readField(item, .feature)
            case .collection: openCollection(item)
            case .endCollection: closeCollection(item)
            }
            locals = ParserLocals()
        case .global(let global): readGlobal(item, global)
        case .local(let local): readLocal(item, local)
        case .reserved:
            error(
                .reservedItem, "HID 1.11 §6.2.2.2", at: item.offset,
                "the item \(hex(bytes[item.offset])) has a type or tag that is reserved; hosts skip or refuse it")
        case .long:
            error(
                .longItem, "HID 1.11 §6.2.2.3", at: item.offset,
                "a long item; none is defined, and Linux refuses a descriptor with one")
        }
    }

    private mutating func openCollection(_ item: DescriptorItem) {
        let kind = CollectionKind(rawValue: UInt8(truncatingIfNeeded: item.value))
        let usage = locals.entries.first?.range.usage(at: 0)
        if usage == nil {
            let message = "a collection without a usage; a Usage item stands before each"
            if kind == .application {
                error(.collectionUsage, "HID 1.11 §6.2.2.6", at: item.offset, message)
            } else {
                warning(.collectionUsage, "HID 1.11 §6.2.2.6", at: item.offset, message)
            }
        }
        if kind == .application {
            if openApplications == 0 {
                applicationCount += 1
                if let usage { applications.append(usage) }
            }
            openApplications += 1
        }
        path.append(usage)
        open.append((kind, item.offset))
    }

    private mutating func closeCollection(_ item: DescriptorItem) {
        if let offset = locals.firstOffset { reportUnusedLocals(at: offset) }
        path.removeLast(min(1, path.count))
        guard let last = open.popLast() else {
            stop(
                .collectionBalance, "HID 1.11 §6.2.2.6", at: item.offset,
                "End Collection where none is open; each closes one Collection")
            return
        }
        if last.kind == .application { openApplications -= 1 }
    }

    private mutating func finish() {
        if let offset = locals.firstOffset { reportUnusedLocals(at: offset) }
        if let last = open.last {
            stop(
                .collectionBalance, "HID 1.11 §6.2.2.6", at: bytes.count,
                "\(open.count) \(open.count == 1 ? "collection is" : "collections are") open at the end, the last "
                    + "since byte \(last.offset); each is closed by End Collection")
            return
        }
        if usesReportIDs, let offset = firstWithoutID {
            error(
                .mixedReportIDs, "HID 1.11 §6.2.2.7", at: offset,
                "a field before the first report id; if one report has an id, each must have one")
        }
        for draft in drafts where draft.report.bitCount % 8 != 0 {
            warning(
                .wholeBytes, "HID 1.11 §8.4", at: draft.lastOffset,
                "\(title(of: draft.report)) has \(draft.report.bitCount) bits; reports are whole bytes, so "
                    + "\(8 - draft.report.bitCount % 8) constant bits are missing")
        }
    }

    private mutating func reportUnusedLocals(at offset: Int) {
        warning(
            .unusedLocals, "HID 1.11 §6.2.2.8", at: offset,
            "a local item that no main item uses; locals hold up to the next Input, Output, Feature or Collection")
    }

    func title(of report: ReportLayout.Report) -> String {
        "the \(report.kind) report\(report.id == 0 ? "" : " \(report.id)")"
    }
}

/// Two hexadecimal digits.
func hex(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16, uppercase: true)
    return text.count == 1 ? "0" + text : text
}
