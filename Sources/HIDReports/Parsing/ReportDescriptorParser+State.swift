extension ReportDescriptorParser {
    // MARK: - Globals (HID 1.11 §6.2.2.7)

    mutating func readGlobal(_ item: DescriptorItem, _ global: GlobalItem) {
        switch global {
        case .usagePage: globals.usagePage = UInt16(truncatingIfNeeded: item.value)
        case .logicalMinimum: globals.logicalMinimum = item.signed
        case .logicalMaximum: globals.logicalMaximum = maximum(item, over: globals.logicalMinimum ?? 0)
        case .physicalMinimum: globals.physicalMinimum = item.signed
        case .physicalMaximum: globals.physicalMaximum = maximum(item, over: globals.physicalMinimum)
        case .unitExponent: globals.unitExponent = item.exponent
        case .unit: globals.unit = ReportUnit(rawValue: item.value)
        case .reportSize: readSize(item)
        case .reportCount: readCount(item)
        case .reportID: readID(item)
        case .push:
            guard stack.count < ReportLimits.pushes else {
                stop(
                    .globalStack, "Linux", at: item.offset,
                    "Push where \(stack.count) wait for their Pops; hosts keep \(ReportLimits.pushes)")
                return
            }
            stack.append(globals)
        case .pop:
            guard let saved = stack.popLast() else {
                stop(
                    .globalStack, "HID 1.11 §6.2.2.7", at: item.offset,
                    "Pop where nothing was pushed; each takes back one Push")
                return
            }
            globals = saved
        }
    }

    /// A maximum: unsigned unless its minimum is negative, as Linux has it.
    ///
    /// Other hosts take the data as signed whatever the minimum, so that one with its highest bit set reads differently.
    private mutating func maximum(_ item: DescriptorItem, over minimum: Int32) -> Int32 {
        guard minimum >= 0, item.signed < 0 else { return item.signed }
        let values = item.size == 4 ? "2147483647 is the most that they agree on" : "more data bytes make it one value"
        warning(
            .ambiguousMaximum, "HID 1.11 §6.2.2.7", at: item.offset,
            "the maximum is \(item.value) to some hosts and \(item.signed) to others; \(values)")
        return Int32(clamping: item.value)
    }

    private mutating func readSize(_ item: DescriptorItem) {
        guard item.value <= ReportLimits.reportSize else {
            stop(
                .reportSize, "Linux", at: item.offset,
                "a value of \(item.value) bits; hosts take \(ReportLimits.reportSize) at most")
            return
        }
        globals.reportSize = Int(item.value)
    }

    private mutating func readCount(_ item: DescriptorItem) {
        guard item.value <= ReportLimits.reportCount else {
            stop(
                .reportCount, "Linux", at: item.offset,
                "a field of \(item.value) values; hosts take \(ReportLimits.reportCount) at most")
            return
        }
        globals.reportCount = Int(item.value)
    }

    private mutating func readID(_ item: DescriptorItem) {
        guard let id = UInt8(exactly: item.value), id != 0 else {
            stop(
                .reportID, "HID 1.11 §6.2.2.7", at: item.offset,
                "the report id \(item.value); ids are 1 to 255\(item.value == 0 ? ", and 0 is reserved" : "")")
            return
        }
        globals.reportID = id
        usesReportIDs = true
    }

    // MARK: - Locals (HID 1.11 §6.2.2.8)

    mutating func readLocal(_ item: DescriptorItem, _ local: LocalItem) {
        if locals.firstOffset == nil { locals.firstOffset = item.offset }
        switch local {
        case .usage:
            let end = ParserLocals.RangeEnd(item)
            let usage = Usage(page: end.page ?? globals.usagePage ?? 0, id: end.id)
            locals.add(.init(range: UsageRange(usage), hasPage: end.page != nil))
        case .usageMinimum:
            reportLoneEnd(locals.minimum)
            locals.minimum = ParserLocals.RangeEnd(item)
            completeRange()
        case .usageMaximum:
            reportLoneEnd(locals.maximum)
            locals.maximum = ParserLocals.RangeEnd(item)
            completeRange()
        case .delimiter:
            readDelimiter(item)
        case .designatorIndex, .designatorMinimum, .designatorMaximum, .stringIndex, .stringMinimum, .stringMaximum:
            break
        }
    }

    private mutating func readDelimiter(_ item: DescriptorItem) {
        let opens = item.value == 1
        guard item.value <= 1, opens != locals.isDelimiterOpen else {
            stop(
                .delimiter, "HID 1.11 §6.2.2.8", at: item.offset,
                "Delimiter (\(item.value)) where one is \(locals.isDelimiterOpen ? "open" : "not open"); they open "
                    + "(1) and close (0) in turn")
            return
        }
        locals.isDelimiterOpen = opens
        locals.hasPreferred = false
    }

    /// Makes a range as soon as both its ends are there.
    private mutating func completeRange() {
        guard let first = locals.minimum, let last = locals.maximum else { return }
        locals.minimum = nil
        locals.maximum = nil
        let page = first.page ?? last.page ?? globals.usagePage ?? 0
        guard first.id <= last.id, (last.page ?? page) == page else {
            error(
                .usageRange, "HID 1.11 §6.2.2.8", at: first.offset,
                "a range of usages from \(Usage(page: page, id: first.id)) to "
                    + "\(Usage(page: last.page ?? page, id: last.id)); both are on one page, the lower first")
            return
        }
        let hasPage = first.page != nil || last.page != nil
        locals.add(.init(range: UsageRange(page: page, ids: first.id...last.id), hasPage: hasPage))
    }

    private mutating func reportLoneEnd(_ end: ParserLocals.RangeEnd?) {
        guard let end else { return }
        error(
            .usageRange, "HID 1.11 §6.2.2.8", at: end.offset,
            "one end of a range of usages; Usage Minimum and Usage Maximum come in pairs")
    }

    /// Brings the locals to what a main item takes them for.
    mutating func settleLocals(at offset: Int) {
        reportLoneEnd(locals.minimum)
        reportLoneEnd(locals.maximum)
        if locals.isDelimiterOpen {
            error(
                .delimiter, "HID 1.11 §6.2.2.8", at: offset,
                "a main item where a delimiter is open; Delimiter (0) closes it first")
        }
        if let page = globals.usagePage {
            locals.settlePages(page)
        } else if locals.entries.contains(where: { !$0.hasPage }) {
            error(
                .missingGlobal, "HID 1.11 §6.2.2.4", at: offset,
                "a usage without a page; a Usage Page stands before the first usage")
        }
    }
}
