/// A descriptor as it is shown: its fields, and the descriptors that belong to it.
struct DescriptorNode: Sendable {
    /// Where a descriptor is listed by the one that it belongs to.
    enum Kind: Sendable {
        case association
        case interface
        case endpoint
        case capability
        /// Any other, the class's own among them.
        case descriptor
    }

    var kind: Kind
    /// The heading; empty for entries of a list inside the descriptor above.
    var title: String
    var fields: [DescriptorField] = []
    var children: [DescriptorNode] = []
    /// Where it is, such as `configuration 1, interface 0 alternate 0`.
    var path: String

    init(_ kind: Kind, _ title: String, path: String, fields: [DescriptorField] = []) {
        self.kind = kind
        self.title = title
        self.path = path
        self.fields = fields
    }
}

/// One field of a descriptor.
struct DescriptorField: Sendable {
    /// What a field holds, which decides how it is written.
    enum Value: Sendable {
        case number(UInt32)
        /// A number whose bits say something: shown with so many hexadecimal digits.
        case hex(UInt32, digits: Int)
        /// An id of sixteen bits, a string of four digits in JSON.
        case identifier(UInt16)
        /// A binary-coded decimal, a string of four digits in JSON.
        case version(UInt16)
        /// The index of a string.
        case string(UInt8)
        case text(String)
        case bytes([UInt8])
        /// Equal fields in a row; the index stands between the two brackets.
        case numbers([UInt32], open: String, close: String)
    }

    /// The specification's name.
    var name: String
    var value: Value
    /// What the value means.
    var meaning = ""
    /// Lines below the field in text.
    var remarks: [String] = []
    /// How text has it, where that is not the specification's way.
    var shown: Shown?

    /// A field's name and value as `lsusb` writes them.
    struct Shown: Sendable {
        var name: String
        var value: String?
    }

    init(
        _ name: String, _ value: Value, _ meaning: String = "", remarks: [String] = [], shown: Shown? = nil
    ) {
        self.name = name
        self.value = value
        self.meaning = meaning
        self.remarks = remarks
        self.shown = shown
    }
}

/// A number's hexadecimal digits, at least so many.
func digits(_ value: some BinaryInteger, _ count: Int) -> String {
    let text = String(UInt64(truncatingIfNeeded: value), radix: 16)
    return String(repeating: "0", count: max(0, count - text.count)) + text
}
