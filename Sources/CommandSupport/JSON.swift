/// A JSON value with its members in order (RFC 8259).
package enum JSON {
    case string(String)
    case number(Int)
    case decimal(Double, digits: Int)
    case bool(Bool)
    indirect case array([JSON])
    indirect case object([(String, JSON)])

    /// The value in one line.
    package var text: String {
        switch self {
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
