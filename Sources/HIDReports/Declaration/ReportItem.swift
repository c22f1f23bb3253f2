/// The three types of report (HID 1.11 §7.2.1), numbered as in GET_REPORT and SET_REPORT.
public enum ReportKind: UInt8, Hashable, Sendable, CaseIterable {
    /// From the device, on the interrupt IN endpoint or asked for.
    case input = 1
    /// To the device: lamps, forces.
    case output = 2
    /// Either way, by control requests only: settings.
    case feature = 3
}

/// What a collection groups (HID 1.11 §6.2.2.6).
public struct CollectionKind: RawRepresentable, Hashable, Sendable {
    /// The byte of the Collection item; 7 to 0x7F are reserved, 0x80 and above a vendor's.
    public let rawValue: UInt8
    /// Makes a kind from the item's byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Values measured at one point.
    public static let physical = Self(rawValue: 0)
    /// What a host gives to one driver: the outermost collections.
    public static let application = Self(rawValue: 1)
    /// Values that belong together.
    public static let logical = Self(rawValue: 2)
    /// All fields of a report.
    public static let report = Self(rawValue: 3)
    /// An array of selectors, named.
    public static let namedArray = Self(rawValue: 4)
    /// A switch that modifies what the usages in it mean.
    public static let usageSwitch = Self(rawValue: 5)
    /// A modifier of the usage attached to it.
    public static let usageModifier = Self(rawValue: 6)
}

/// A part of a declared report descriptor.
public indirect enum ReportItem: Hashable, Sendable {
    /// A collection and what it holds; hosts want a usage for each.
    case collection(CollectionKind, Usage?, [ReportItem])
    /// The id of the reports whose fields follow, 1 to 255.
    case reportID(UInt8)
    /// An Input, Output or Feature item.
    case field(ReportKind, FieldDeclaration)
    /// Constant bits.
    case padding(ReportKind, bits: Int)
    /// Items as they stand, whole ones.
    case raw([UInt8])
}

/// What an Input, Output or Feature item is declared with.
public struct FieldDeclaration: Hashable, Sendable {
    /// The usages in order.
    public var usages: [UsageRange]
    /// Least and greatest value in a report.
    public var logical: ClosedRange<Int32>
    /// What ``logical`` stands for in units; nil where it stands for itself.
    public var physical: ClosedRange<Int32>?
    /// What ``physical`` is measured in.
    public var unit: ReportUnit
    /// The power of ten by which ``unit`` is multiplied, -8 to 7.
    public var unitExponent: Int8
    /// Bits of a value, 1 to 256.
    public var size: Int
    /// How many values, 1 to 12288.
    public var count: Int
    /// What kind of value.
    public var flags: FieldFlags

    /// Makes a declaration from its parts.
    public init(
        usages: [UsageRange], logical: ClosedRange<Int32>, physical: ClosedRange<Int32>? = nil,
        unit: ReportUnit = .none, unitExponent: Int8 = 0, size: Int, count: Int, flags: FieldFlags
    ) {
        self.usages = usages
        self.logical = logical
        self.physical = physical
        self.unit = unit
        self.unitExponent = unitExponent
        self.size = size
        self.count = count
        self.flags = flags
    }
}
