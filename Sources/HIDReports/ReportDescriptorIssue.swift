/// One place where a report descriptor departs from the specification or from what hosts take.
public struct ReportDescriptorIssue: Hashable, Sendable {
    /// How much a departure matters.
    public enum Severity: Hashable, Sendable {
        /// The specification forbids it, and hosts may refuse the device or read its reports wrongly.
        case error
        /// Hosts take it, but it is unwise or rarely meant.
        case warning
    }

    /// What is broken.
    public var law: ReportDescriptorLaw
    /// How much it matters.
    public var severity: Severity
    /// The section that says so, such as `HID 1.11 §6.2.2.7`.
    public var section: String
    /// The byte at which the item starts that breaks the law; the descriptor's length for what is missing at its end.
    public var offset: Int
    /// What is wrong and what is allowed.
    public var message: String

    /// Makes an issue from its parts.
    public init(law: ReportDescriptorLaw, severity: Severity, section: String, offset: Int, message: String) {
        self.law = law
        self.severity = severity
        self.section = section
        self.offset = offset
        self.message = message
    }
}

extension ReportDescriptorIssue: CustomStringConvertible {
    /// The issue on one line, such as `error: byte 12: report id 0 is reserved; … (HID 1.11 §6.2.2.7)`.
    public var description: String {
        "\(severity == .error ? "error" : "warning"): byte \(offset): \(message) (\(section))"
    }
}

/// The laws that a report descriptor is checked against.
public enum ReportDescriptorLaw: Hashable, Sendable, CaseIterable {
    /// An item ends before the descriptor does.
    case truncatedItem
    /// A descriptor has at most 4096 bytes.
    case descriptorLength
    /// Each collection is closed once.
    case collectionBalance
    /// A collection has a usage.
    case collectionUsage
    /// A field stands in an application collection.
    case outsideApplication
    /// A report belongs to one application collection.
    case reportSpansApplications
    /// A data field has usages.
    case missingUsage
    /// A field has as many usages as values.
    case usageCount
    /// A range of usages has both ends, in order, on one page.
    case usageRange
    /// A data field has a page, a logical range, a size and a count.
    case missingGlobal
    /// Least is not more than greatest.
    case logicalRange
    /// A logical range fits into the bits of a value.
    case logicalSize
    /// A maximum reads alike on every host.
    case ambiguousMaximum
    /// Physical least is not more than greatest.
    case physicalRange
    /// A field with a null state has a value for it.
    case nullValue
    /// A report id is 1 to 255.
    case reportID
    /// All reports have an id, or none has.
    case mixedReportIDs
    /// A value has at most 256 bits.
    case reportSize
    /// A field has at most 12288 values.
    case reportCount
    /// A report has at most 256 fields.
    case fieldCount
    /// A report has at most 16384 bytes.
    case reportLength
    /// A report is a whole number of bytes.
    case wholeBytes
    /// A value touches at most four bytes.
    case valueSpan
    /// An item has a tag that the specification defines.
    case reservedItem
    /// No long items.
    case longItem
    /// A local item is followed by a main item that uses it.
    case unusedLocals
    /// Each Pop has its Push, and at most four Pushes wait.
    case globalStack
    /// Delimiters open and close in turn, around usages.
    case delimiter
}

/// Why a report descriptor cannot be read.
public struct ReportDescriptorError: Error, Hashable, Sendable {
    /// The place and the law.
    public var issue: ReportDescriptorIssue
    /// Makes an error from the issue that stops the reading.
    public init(issue: ReportDescriptorIssue) { self.issue = issue }
}

extension ReportDescriptorError: CustomStringConvertible {
    /// The place and the law in words.
    public var description: String {
        "The report descriptor cannot be read at byte \(issue.offset): \(issue.message) (\(issue.section))."
    }
}
