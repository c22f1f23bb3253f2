/// What the reports of a device hold, as its report descriptor says.
public struct ReportLayout: Hashable, Sendable {
    /// True where each report starts with a byte that is its id (HID 1.11 §5.6).
    public var usesReportIDs: Bool
    /// The reports in the order in which the descriptor first names them.
    public var reports: [Report]
    /// The usages of the application collections in order; a host gives each to one driver.
    public var applications: [Usage]

    /// Makes a layout from its parts.
    public init(usesReportIDs: Bool, reports: [Report], applications: [Usage]) {
        self.usesReportIDs = usesReportIDs
        self.reports = reports
        self.applications = applications
    }

    /// The report of a type and an id, 0 where ids are not used; nil if there is none.
    public func report(_ kind: ReportKind, id: UInt8) -> Report? {
        reports.first { $0.kind == kind && $0.id == id }
    }

    /// The report that bytes of a type are: by their first byte where ids are used; nil if there is none.
    public func report(_ kind: ReportKind, of bytes: [UInt8]) -> Report? {
        usesReportIDs ? bytes.first.flatMap { report(kind, id: $0) } : report(kind, id: 0)
    }

    /// The bytes of the longest report of a type, its id included; 0 if there is none.
    public func longestReport(_ kind: ReportKind) -> Int {
        reports.reduce(0) { $1.kind == kind ? max($0, $1.byteCount) : $0 }
    }
}

extension ReportLayout {
    /// A report: fields in successive bits, lowest bit of each byte first (HID 1.11 §8.4).
    public struct Report: Hashable, Sendable {
        /// The type.
        public var kind: ReportKind
        /// The id, 0 where ids are not used.
        public var id: UInt8
        /// True where the first byte is the id.
        public var hasIDByte: Bool
        /// The bits of all fields, padding included and the id's byte not.
        public var bitCount: Int
        /// The fields in order, padding included.
        public var fields: [Field]

        /// Makes a report from its parts.
        public init(kind: ReportKind, id: UInt8, hasIDByte: Bool, bitCount: Int, fields: [Field]) {
            self.kind = kind
            self.id = id
            self.hasIDByte = hasIDByte
            self.bitCount = bitCount
            self.fields = fields
        }

        /// The bytes of the report, its id included where it has one.
        public var byteCount: Int { (bitCount + 7) / 8 + (hasIDByte ? 1 : 0) }
    }

    /// The values that one Input, Output or Feature item declares.
    public struct Field: Hashable, Sendable {
        /// The usages: of a variable field one for each value, of an array those its slots may name.
        ///
        /// With fewer than ``count`` values' worth the last usage stands for all that remain. Padding has none.
        public var usages: [UsageRange]
        /// The usages of the collections around it, outermost first; nil for one without.
        public var collections: [Usage?]
        /// Where the first value starts, in bits from the first bit of the report, its id's byte included.
        public var bitOffset: Int
        /// The bits of one value, 0 to 256.
        public var bitSize: Int
        /// How many values, 0 to 12288.
        public var count: Int
        /// Least and greatest value.
        public var logical: ClosedRange<Int32>
        /// What ``logical`` stands for in units; nil where it stands for itself.
        public var physical: ClosedRange<Int32>?
        /// What ``physical`` is measured in.
        public var unit: ReportUnit
        /// The power of ten by which ``unit`` is multiplied, -8 to 7.
        public var unitExponent: Int8
        /// What kind of value.
        public var flags: FieldFlags

        /// Makes a field from its parts.
        public init(
            usages: [UsageRange], collections: [Usage?], bitOffset: Int, bitSize: Int, count: Int,
            logical: ClosedRange<Int32>, physical: ClosedRange<Int32>? = nil, unit: ReportUnit = .none,
            unitExponent: Int8 = 0, flags: FieldFlags
        ) {
            self.usages = usages
            self.collections = collections
            self.bitOffset = bitOffset
            self.bitSize = bitSize
            self.count = count
            self.logical = logical
            self.physical = physical
            self.unit = unit
            self.unitExponent = unitExponent
            self.flags = flags
        }

        /// True where each value names one of the usages, false where each has its own.
        public var isArray: Bool { !flags.contains(.variable) }

        /// True where the values mean nothing: constants, and what has no usage.
        public var isPadding: Bool { flags.contains(.constant) || usages.isEmpty }

        /// How many usages there are, however many values.
        public var usageCount: Int { usages.reduce(0) { $0 + $1.count } }

        /// The usage of a value of a variable field, or of an array's index counted from its least value.
        ///
        /// - Parameter index: from 0; below ``count`` of a variable field, below ``usageCount`` of an array.
        /// - Returns: nil beyond those, and for padding without usages.
        /// - Complexity: O(usages.count).
        public func usage(at index: Int) -> Usage? {
            guard index >= 0, isArray || index < count else { return nil }
            var remaining = index
            for range in usages {
                if remaining < range.count { return range.usage(at: remaining) }
                remaining -= range.count
            }
            return isArray ? nil : usages.last.flatMap { $0.usage(at: $0.count - 1) }
        }
    }
}
