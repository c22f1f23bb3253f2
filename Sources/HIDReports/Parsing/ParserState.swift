/// What Linux and this parser take at most; a descriptor beyond one of these is refused.
enum ReportLimits {
    /// Bytes of a descriptor.
    static let descriptorLength = 4096
    /// Bits of one value.
    static let reportSize: UInt32 = 256
    /// Values of one field.
    static let reportCount: UInt32 = 12288
    /// Fields with usages in one report.
    static let fields = 256
    /// Bytes of a report, with room for an id whether there is one or not.
    static let reportLength = 16384
    /// Pushes that wait for their Pops.
    static let pushes = 4
}

/// The global items' values; nil where none was given.
struct ParserGlobals {
    var usagePage: UInt16?
    var logicalMinimum: Int32?
    var logicalMaximum: Int32?
    var physicalMinimum: Int32 = 0
    var physicalMaximum: Int32 = 0
    var unitExponent: Int8 = 0
    var unit = ReportUnit.none
    var reportSize: Int?
    var reportCount: Int?
    var reportID: UInt8?
}

/// The local items since the last main item.
struct ParserLocals {
    /// One Usage item, or a pair of minimum and maximum.
    struct Entry {
        var range: UsageRange
        /// True where the item held the page.
        var hasPage: Bool
    }

    /// An end of a range that waits for the other.
    struct RangeEnd {
        var id: UInt16
        /// The page, if the item held it.
        var page: UInt16?
        var offset: Int

        init(_ item: DescriptorItem) {
            id = UInt16(truncatingIfNeeded: item.value)
            page = item.size == 4 ? UInt16(truncatingIfNeeded: item.value >> 16) : nil
            offset = item.offset
        }
    }

    var entries: [Entry] = []
    var minimum: RangeEnd?
    var maximum: RangeEnd?
    /// Where the first local item stands, nil if there is none.
    var firstOffset: Int?
    var isDelimiterOpen = false
    /// True from the first usage in an open delimiter: the others are alternatives to it.
    var hasPreferred = false

    /// Adds usages; of alternatives between delimiters only the first, which is the preferred one.
    mutating func add(_ entry: Entry) {
        if isDelimiterOpen, hasPreferred { return }
        entries.append(entry)
        hasPreferred = isDelimiterOpen
    }

    /// Gives usages that hold no page the page in force at the main item.
    ///
    /// Hosts look back from the main item: where the last page was already in force at a usage, those before keep
    /// theirs, so that a field may have usages of several pages; where a page came after all usages, it is theirs.
    mutating func settlePages(_ page: UInt16) {
        for index in entries.indices.reversed() where !entries[index].hasPage {
            if entries[index].range.page == page { break }
            entries[index].range.page = page
        }
    }
}

/// A report as it is being collected.
struct ReportDraft {
    var report: ReportLayout.Report
    /// Which application collection the first field was in, by number.
    var application: Int?
    /// Fields with usages.
    var usedFields = 0
    /// Where the last main item of the report stands.
    var lastOffset: Int
    var isSpanReported = false
}
