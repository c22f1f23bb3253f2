/// Writes items and remembers the globals, so that one is written only where its value changes.
struct ItemEncoder {
    private(set) var bytes: [UInt8] = []
    /// The value of each global by its item; nil where a host might hold anything.
    private var globals: [GlobalItem: Int64] = Self.initialGlobals

    // What hosts start from: no physical range, no unit. The others have no value until they are given one.
    private static let initialGlobals: [GlobalItem: Int64] = [
        .physicalMinimum: 0, .physicalMaximum: 0, .unitExponent: 0, .unit: 0,
    ]

    mutating func append(_ item: ReportItem) {
        switch item {
        case .collection(let kind, let usage, let items):
            if let usage {
                set(.usagePage, unsigned: UInt32(usage.page))
                write(LocalItem.usage.prefix, unsigned: UInt32(usage.id))
            }
            write(MainItem.collection.prefix, unsigned: UInt32(kind.rawValue))
            for item in items { append(item) }
            bytes.append(MainItem.endCollection.prefix)
        case .reportID(let id):
            set(.reportID, unsigned: UInt32(id))
        case .field(let kind, let field):
            append(field, kind)
        case .padding(let kind, let bits):
            appendPadding(bits, kind)
        case .raw(let raw):
            bytes += raw
            // They may have set, pushed or popped any global: each is written again where it is next needed.
            globals = [:]
        }
    }

    private mutating func append(_ field: FieldDeclaration, _ kind: ReportKind) {
        appendUsages(field.usages)
        set(.logicalMinimum, signed: field.logical.lowerBound)
        set(.logicalMaximum, signed: field.logical.upperBound)
        let physical = field.physical ?? 0...0
        set(.physicalMinimum, signed: physical.lowerBound)
        set(.physicalMaximum, signed: physical.upperBound)
        // The exponent is a four-bit number in two's complement.
        set(.unitExponent, unsigned: UInt32(truncatingIfNeeded: field.unitExponent) & 0xf)
        set(.unit, unsigned: field.unit.rawValue)
        appendMain(kind, size: field.size, count: field.count, field.flags)
    }

    /// Usages of other pages than the first one's carry their page, so that no host can attach another.
    private mutating func appendUsages(_ usages: [UsageRange]) {
        guard let page = usages.first?.page else { return }
        set(.usagePage, unsigned: UInt32(page))
        for range in usages {
            let high = range.page == page ? 0 : UInt32(range.page) << 16
            let first = high | UInt32(range.ids.lowerBound)
            let last = high | UInt32(range.ids.upperBound)
            if first == last {
                write(LocalItem.usage.prefix, unsigned: first)
            } else {
                write(LocalItem.usageMinimum.prefix, unsigned: first)
                write(LocalItem.usageMaximum.prefix, unsigned: last)
            }
        }
    }

    private mutating func appendPadding(_ bits: Int, _ kind: ReportKind) {
        if bits <= 32 {
            appendMain(kind, size: bits, count: 1, .constant)
        } else if bits % 8 == 0 {
            appendMain(kind, size: 8, count: bits / 8, .constant)
        } else {
            appendMain(kind, size: 1, count: bits, .constant)
        }
    }

    private mutating func appendMain(_ kind: ReportKind, size: Int, count: Int, _ flags: FieldFlags) {
        set(.reportSize, unsigned: UInt32(clamping: size))
        set(.reportCount, unsigned: UInt32(clamping: count))
        write(MainItem(kind).prefix, unsigned: UInt32(flags.rawValue))
    }

    private mutating func set(_ item: GlobalItem, signed value: Int32) {
        guard globals.updateValue(Int64(value), forKey: item) != Int64(value) else { return }
        let size = Int8(exactly: value) != nil ? 1 : Int16(exactly: value) != nil ? 2 : 4
        write(item.prefix, UInt32(bitPattern: value), size: size)
    }

    private mutating func set(_ item: GlobalItem, unsigned value: UInt32) {
        guard globals.updateValue(Int64(value), forKey: item) != Int64(value) else { return }
        write(item.prefix, unsigned: value)
    }

    private mutating func write(_ prefix: UInt8, unsigned value: UInt32) {
        write(prefix, value, size: value <= 0xff ? 1 : value <= 0xffff ? 2 : 4)
    }

    /// An item with data of 1, 2 or 4 bytes, little-endian (HID 1.11 §6.2.2.2).
    private mutating func write(_ prefix: UInt8, _ value: UInt32, size: Int) {
        bytes.append(prefix | UInt8(size == 4 ? 3 : size))
        for index in 0..<size { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
    }
}
