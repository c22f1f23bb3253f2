/// A part that stands between the braces of a declared report descriptor.
public protocol ReportPart {
    /// The part as an item.
    var item: ReportItem { get }
}

/// Fields of one of the three types of report: ``Input``, ``Output`` and ``Feature``.
///
///     Input(.x, .y, .wheel, logical: -127...127, size: 8, flags: [.variable, .relative])
///     Input(.buttons(1...5))
///     Input(.keyboard(0...0x65), logical: 0...0x65, size: 8, count: 6, flags: .array)
public protocol FieldPart: ReportPart {
    /// The type of report.
    static var kind: ReportKind { get }
    /// What is declared.
    var field: FieldDeclaration { get }
    /// Makes a part from a declaration.
    init(field: FieldDeclaration)
}

extension FieldPart {
    /// Declares values by their usages.
    ///
    /// - Parameters:
    ///   - usages: the usages in order. With fewer than `count` the last stands for all that remain, as in a block of
    ///     vendor bytes.
    ///   - logical: least and greatest value in a report.
    ///   - physical: what `logical` stands for in units; nil where it stands for itself.
    ///   - unit: what `physical` is measured in.
    ///   - unitExponent: the power of ten by which `unit` is multiplied, -8 to 7.
    ///   - size: bits of a value, 1 to 256.
    ///   - count: how many values, 1 to 12288; nil for one of each usage, or of an array for one slot.
    ///   - flags: what kind of value; an array wants ``FieldFlags/array``.
    public init(
        _ usages: Usage..., logical: ClosedRange<Int32> = 0...1, physical: ClosedRange<Int32>? = nil,
        unit: ReportUnit = .none, unitExponent: Int8 = 0, size: Int = 1, count: Int? = nil,
        flags: FieldFlags = .variable
    ) {
        self.init(
            usages.map { UsageRange($0) }, logical: logical, physical: physical, unit: unit,
            unitExponent: unitExponent, size: size, count: count, flags: flags)
    }

    /// Declares values of a range of usages, see ``init(_:logical:physical:unit:unitExponent:size:count:flags:)``.
    public init(
        _ range: UsageRange, logical: ClosedRange<Int32> = 0...1, physical: ClosedRange<Int32>? = nil,
        unit: ReportUnit = .none, unitExponent: Int8 = 0, size: Int = 1, count: Int? = nil,
        flags: FieldFlags = .variable
    ) {
        self.init(
            [range], logical: logical, physical: physical, unit: unit, unitExponent: unitExponent, size: size,
            count: count, flags: flags)
    }

    /// Declares values of ranges of usages, see ``init(_:logical:physical:unit:unitExponent:size:count:flags:)``.
    public init(
        _ ranges: [UsageRange], logical: ClosedRange<Int32> = 0...1, physical: ClosedRange<Int32>? = nil,
        unit: ReportUnit = .none, unitExponent: Int8 = 0, size: Int = 1, count: Int? = nil,
        flags: FieldFlags = .variable
    ) {
        let usual = flags.contains(.variable) ? ranges.reduce(0) { $0 + $1.count } : 1
        self.init(
            field: FieldDeclaration(
                usages: ranges, logical: logical, physical: physical, unit: unit, unitExponent: unitExponent,
                size: size, count: count ?? usual, flags: flags))
    }

    /// The part as an item.
    public var item: ReportItem { .field(Self.kind, field) }
}

/// Fields of an input report (HID 1.11 §6.2.2.5).
public struct Input: FieldPart, Hashable, Sendable {
    /// The type of report.
    public static let kind = ReportKind.input
    /// What is declared.
    public var field: FieldDeclaration
    /// Makes a part from a declaration.
    public init(field: FieldDeclaration) { self.field = field }
}

/// Fields of an output report (HID 1.11 §6.2.2.5).
public struct Output: FieldPart, Hashable, Sendable {
    /// The type of report.
    public static let kind = ReportKind.output
    /// What is declared.
    public var field: FieldDeclaration
    /// Makes a part from a declaration.
    public init(field: FieldDeclaration) { self.field = field }
}

/// Fields of a feature report (HID 1.11 §6.2.2.5).
public struct Feature: FieldPart, Hashable, Sendable {
    /// The type of report.
    public static let kind = ReportKind.feature
    /// What is declared.
    public var field: FieldDeclaration
    /// Makes a part from a declaration.
    public init(field: FieldDeclaration) { self.field = field }
}

/// Constant bits, which bring what follows to a byte's boundary.
public struct Padding: ReportPart, Hashable, Sendable {
    /// The type of report.
    public var kind: ReportKind
    /// How many bits.
    public var bits: Int

    /// Declares so many constant bits.
    public init(_ kind: ReportKind, bits: Int) {
        self.kind = kind
        self.bits = bits
    }

    /// The part as an item.
    public var item: ReportItem { .padding(kind, bits: bits) }
}

/// The id of the reports whose fields follow, up to the next id (HID 1.11 §6.2.2.7).
public struct ReportID: ReportPart, Hashable, Sendable {
    /// The id, 1 to 255.
    public var id: UInt8
    /// Declares that the fields which follow are in the reports of this id.
    public init(_ id: UInt8) { self.id = id }
    /// The part as an item.
    public var item: ReportItem { .reportID(id) }
}

/// A collection (HID 1.11 §6.2.2.6); the outermost are of kind ``CollectionKind/application``.
///
/// It is not called `Collection`, which would hide the standard library's protocol from whoever imports this module.
public struct ReportCollection: ReportPart, Hashable, Sendable {
    /// What it groups.
    public var kind: CollectionKind
    /// What it is for; hosts want a usage for each.
    public var usage: Usage?
    /// What it holds.
    public var items: [ReportItem]

    /// Declares a collection.
    public init(_ kind: CollectionKind, _ usage: Usage?, @ReportDescriptorBuilder _ content: () -> [ReportItem]) {
        self.kind = kind
        self.usage = usage
        items = content()
    }

    /// The part as an item.
    public var item: ReportItem { .collection(kind, usage, items) }
}

/// Items as they stand, for what the other parts cannot say; whole items, which may change globals as they like.
public struct RawItems: ReportPart, Hashable, Sendable {
    /// The bytes of the items.
    public var bytes: [UInt8]
    /// Declares items by their bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// The part as an item.
    public var item: ReportItem { .raw(bytes) }
}

/// Collects the parts that a report descriptor lists between braces, with `if`, `switch` and `for` among them.
@resultBuilder
public enum ReportDescriptorBuilder {
    /// A part by itself.
    public static func buildExpression(_ part: some ReportPart) -> [ReportItem] { [part.item] }
    /// An item by itself.
    public static func buildExpression(_ item: ReportItem) -> [ReportItem] { [item] }
    /// Items that were collected elsewhere.
    public static func buildExpression(_ items: [ReportItem]) -> [ReportItem] { items }
    /// The items of a block in order.
    public static func buildBlock(_ items: [ReportItem]...) -> [ReportItem] { items.flatMap { $0 } }
    /// The items of an `if` without `else`.
    public static func buildOptional(_ items: [ReportItem]?) -> [ReportItem] { items ?? [] }
    /// The items of the branch taken.
    public static func buildEither(first items: [ReportItem]) -> [ReportItem] { items }
    /// The items of the other branch.
    public static func buildEither(second items: [ReportItem]) -> [ReportItem] { items }
    /// The items of a loop in order.
    public static func buildArray(_ items: [[ReportItem]]) -> [ReportItem] { items.flatMap { $0 } }
    /// The items behind an availability check.
    public static func buildLimitedAvailability(_ items: [ReportItem]) -> [ReportItem] { items }
}
