/// A JSON value with its members in order (RFC 8259).
package enum JSON: Sendable {
    case null
    case string(String)
    case number(Int)
    case decimal(Double, digits: Int)
    case bool(Bool)
    indirect case array([JSON])
    /// Members in order; of equal names the last counts.
    indirect case object([(String, JSON)])

    /// A member of an object; nil where there is none, and where this is none.
    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.0 == name }?.1
    }

    /// A number, whole or not; nil for anything else.
    package var double: Double? {
        switch self {
        case .number(let value): Double(value)
        case .decimal(let value, _): value
        default: nil
        }
    }

    /// The value in one line.
    package var text: String {
        switch self {
        case .null: "null"
        case .string(let value): Self.quote(value)
        case .number(let value): "\(value)"
        case .decimal(let value, let digits): CommandSupport.decimal(value, digits)
        case .bool(let value): value ? "true" : "false"
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { "\(Self.quote($0.0)):\($0.1.text)" }.joined(separator: ",") + "}"
        }
    }

    private static func quote(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension JSON: Equatable {
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.decimal(let a, _), .decimal(let b, _)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a.elementsEqual(b) { $0.0 == $1.0 && $0.1 == $1.1 }
        default: false
        }
    }
}
