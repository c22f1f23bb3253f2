/// The main items (HID 1.11 §6.2.2.4), by their tags.
enum MainItem: UInt8 {
    case input = 8
    case output = 9
    case collection = 0xa
    case feature = 0xb
    case endCollection = 0xc

    init(_ kind: ReportKind) {
        switch kind {
        case .input: self = .input
        case .output: self = .output
        case .feature: self = .feature
        }
    }

    /// The first byte of the item, with a size of none.
    var prefix: UInt8 { rawValue << 4 }

    var title: String {
        switch self {
        case .input: "Input"
        case .output: "Output"
        case .collection: "Collection"
        case .feature: "Feature"
        case .endCollection: "End Collection"
        }
    }
}

/// The global items (HID 1.11 §6.2.2.7), by their tags.
enum GlobalItem: UInt8 {
    case usagePage = 0
    case logicalMinimum = 1
    case logicalMaximum = 2
    case physicalMinimum = 3
    case physicalMaximum = 4
    case unitExponent = 5
    case unit = 6
    case reportSize = 7
    case reportID = 8
    case reportCount = 9
    case push = 0xa
    case pop = 0xb

    /// The first byte of the item, with a size of none.
    var prefix: UInt8 { rawValue << 4 | 4 }

    var title: String {
        switch self {
        case .usagePage: "Usage Page"
        case .logicalMinimum: "Logical Minimum"
        case .logicalMaximum: "Logical Maximum"
        case .physicalMinimum: "Physical Minimum"
        case .physicalMaximum: "Physical Maximum"
        case .unitExponent: "Unit Exponent"
        case .unit: "Unit"
        case .reportSize: "Report Size"
        case .reportID: "Report ID"
        case .reportCount: "Report Count"
        case .push: "Push"
        case .pop: "Pop"
        }
    }
}

/// The local items (HID 1.11 §6.2.2.8), by their tags.
enum LocalItem: UInt8 {
    case usage = 0
    case usageMinimum = 1
    case usageMaximum = 2
    case designatorIndex = 3
    case designatorMinimum = 4
    case designatorMaximum = 5
    case stringIndex = 7
    case stringMinimum = 8
    case stringMaximum = 9
    case delimiter = 0xa

    /// The first byte of the item, with a size of none.
    var prefix: UInt8 { rawValue << 4 | 8 }

    var title: String {
        switch self {
        case .usage: "Usage"
        case .usageMinimum: "Usage Minimum"
        case .usageMaximum: "Usage Maximum"
        case .designatorIndex: "Designator Index"
        case .designatorMinimum: "Designator Minimum"
        case .designatorMaximum: "Designator Maximum"
        case .stringIndex: "String Index"
        case .stringMinimum: "String Minimum"
        case .stringMaximum: "String Maximum"
        case .delimiter: "Delimiter"
        }
    }
}
