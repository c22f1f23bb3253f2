extension ReportDescriptorParser {
    /// Takes an Input, Output or Feature item (HID 1.11 §6.2.2.5).
    mutating func readField(_ item: DescriptorItem, _ kind: ReportKind) {
        let minimum = globals.logicalMinimum ?? 0
        let maximum = globals.logicalMaximum ?? 0
        guard minimum <= maximum else {
            stop(
                .logicalRange, "HID 1.11 §6.2.2.7", at: item.offset,
                "the logical range is \(minimum) to \(maximum); the minimum is not more than the maximum")
            return
        }
        var field = ReportLayout.Field(
            usages: locals.entries.map(\.range), collections: path, bitOffset: 0, bitSize: globals.reportSize ?? 0,
            count: globals.reportCount ?? 0, logical: minimum...maximum, unit: globals.unit,
            unitExponent: globals.unitExponent, flags: FieldFlags(rawValue: UInt16(truncatingIfNeeded: item.value)))
        setPhysical(of: &field, at: item.offset)
        let index = draftIndex(kind, item.offset)
        place(&field, in: index, at: item.offset)
        guard fatal == nil else { return }
        checkPlace(of: index, at: item.offset)
        checkGlobals(of: field, at: item.offset)
        if !field.flags.contains(.constant) { checkData(field, at: item.offset) }
        drafts[index].report.fields.append(field)
        drafts[index].lastOffset = item.offset
    }

    private mutating func setPhysical(of field: inout ReportLayout.Field, at offset: Int) {
        // Both zero says that there is none (HID 1.11 §6.2.2.7).
        guard globals.physicalMinimum != 0 || globals.physicalMaximum != 0 else { return }
        guard globals.physicalMinimum <= globals.physicalMaximum else {
            error(
                .physicalRange, "HID 1.11 §6.2.2.7", at: offset,
                "the physical range is \(globals.physicalMinimum) to \(globals.physicalMaximum); the minimum is not "
                    + "more than the maximum")
            return
        }
        field.physical = globals.physicalMinimum...globals.physicalMaximum
    }

    /// The report that a field goes to, made where there is none yet.
    private mutating func draftIndex(_ kind: ReportKind, _ offset: Int) -> Int {
        if globals.reportID == nil, firstWithoutID == nil { firstWithoutID = offset }
        let id = globals.reportID ?? 0
        let key = UInt16(kind.rawValue) << 8 | UInt16(id)
        if let index = draftIndices[key] { return index }
        draftIndices[key] = drafts.count
        let report = ReportLayout.Report(kind: kind, id: id, hasIDByte: false, bitCount: 0, fields: [])
        drafts.append(ReportDraft(report: report, lastOffset: offset))
        return drafts.count - 1
    }

    /// Puts a field behind those that its report has, if there is room.
    private mutating func place(_ field: inout ReportLayout.Field, in index: Int, at offset: Int) {
        field.bitOffset = drafts[index].report.bitCount
        drafts[index].report.bitCount += field.bitSize * field.count
        let limit = (ReportLimits.reportLength - 1) * 8
        guard drafts[index].report.bitCount <= limit else {
            stop(
                .reportLength, "Linux", at: offset,
                "\(title(of: drafts[index].report)) has \(drafts[index].report.bitCount) bits; hosts take \(limit)")
            return
        }
        // Hosts keep no field for padding, so that it does not count.
        if !field.usages.isEmpty { drafts[index].usedFields += 1 }
        guard drafts[index].usedFields <= ReportLimits.fields else {
            stop(
                .fieldCount, "Linux", at: offset,
                "\(title(of: drafts[index].report)) has more than \(ReportLimits.fields) fields, which hosts take "
                    + "at most")
            return
        }
    }

    private mutating func checkPlace(of index: Int, at offset: Int) {
        guard openApplications > 0 else {
            error(
                .outsideApplication, "HID 1.11 §6.2.2.6", at: offset,
                "a field outside of every application collection; each stands in one")
            return
        }
        if drafts[index].application == nil { drafts[index].application = applicationCount }
        if drafts[index].application != applicationCount, !drafts[index].isSpanReported {
            drafts[index].isSpanReported = true
            error(
                .reportSpansApplications, "HID 1.11 §8.4", at: offset,
                "\(title(of: drafts[index].report)) has fields in two application collections; a report belongs to "
                    + "one, so give each its own report id")
        }
    }

    private mutating func checkGlobals(of field: ReportLayout.Field, at offset: Int) {
        var missing: [GlobalItem] = []
        if field.bitSize == 0 { missing.append(.reportSize) }
        if field.count == 0 { missing.append(.reportCount) }
        if !field.flags.contains(.constant) {
            if globals.logicalMinimum == nil { missing.append(.logicalMinimum) }
            if globals.logicalMaximum == nil { missing.append(.logicalMaximum) }
        }
        guard !missing.isEmpty else { return }
        error(
            .missingGlobal, "HID 1.11 §6.2.2.4", at: offset,
            "a field without \(missing.map(\.title).joined(separator: ", ")), or with a size or count of 0; "
                + "each field has them all")
    }

    /// Checks what holds for values that mean something.
    private mutating func checkData(_ field: ReportLayout.Field, at offset: Int) {
        if field.usages.isEmpty {
            error(
                .missingUsage, "HID 1.11 §6.2.2.8", at: offset,
                "a field without usages, which hosts take for padding; a Usage stands before it, or it is constant")
        }
        guard field.bitSize > 0, field.count > 0 else { return }
        if !field.usages.isEmpty { checkUsageCount(field, at: offset) }
        let holds = field.representable
        if !holds.contains(Int64(field.logical.lowerBound)) || !holds.contains(Int64(field.logical.upperBound)) {
            error(
                .logicalSize, "HID 1.11 §6.2.2.7", at: offset,
                "the logical range \(field.logical.lowerBound) to \(field.logical.upperBound) does not fit into "
                    + "\(field.bitSize) bits, which hold \(holds.lowerBound) to \(holds.upperBound)")
        } else if field.flags.contains(.nullState), field.outsideValue == nil {
            warning(
                .nullValue, "HID 1.11 §6.2.2.5", at: offset,
                "a field with a null state whose \(field.bitSize) bits hold no value outside of its logical range; "
                    + "one more bit gives it one")
        }
        checkSpan(field, at: offset)
    }

    private mutating func checkUsageCount(_ field: ReportLayout.Field, at offset: Int) {
        let usages = field.usageCount
        if field.isArray {
            let values = Int64(field.logical.upperBound) - Int64(field.logical.lowerBound) + 1
            if values > Int64(usages) {
                warning(
                    .usageCount, "HID 1.11 §6.2.2.5", at: offset,
                    "an array of \(values) logical values and \(usages) usages; the values beyond name nothing")
            }
        } else if usages > field.count {
            warning(
                .usageCount, "HID 1.11 §6.2.2.8", at: offset,
                "\(usages) usages for \(field.count) values; those beyond are in no report")
        } else if usages > 1, usages < field.count {
            // A single usage for many values is how blocks of bytes are declared.
            warning(
                .usageCount, "HID 1.11 §6.2.2.8", at: offset,
                "\(usages) usages for \(field.count) values; the last usage stands for all that remain")
        }
    }

    /// Checks that no value touches more than four bytes, whatever their places: these recur after eight values.
    private mutating func checkSpan(_ field: ReportLayout.Field, at offset: Int) {
        for index in 0..<min(field.count, 8) where (field.bitOffset + index * field.bitSize) % 8 + field.bitSize > 32 {
            warning(
                .valueSpan, "HID 1.11 §8.4", at: offset,
                "a value of \(field.bitSize) bits that begins at bit \((field.bitOffset + index * field.bitSize) % 8) "
                    + "of a byte; a value touches four bytes at most")
            return
        }
    }
}
