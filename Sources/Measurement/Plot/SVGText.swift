import CommandSupport

/// Elements of an SVG document, written one after the other.
struct SVGText {
    private(set) var text = ""

    /// Writes an element.
    ///
    /// - Parameters:
    ///   - attributes: in order; values are escaped here.
    ///   - content: text, escaped here; nil for an empty element.
    mutating func element(_ name: String, _ attributes: [(String, String)], content: String? = nil) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(Self.escaped(value))\"" }
        text += content.map { ">\(Self.escaped($0))</\(name)>\n" } ?? "/>\n"
    }

    /// Writes something that is already markup.
    mutating func markup(_ markup: String) { text += markup + "\n" }

    /// A coordinate.
    static func number(_ value: Double) -> String { decimal(value, 2) }

    /// Text as it may stand in XML 1.0, in content as in attributes.
    ///
    /// Characters that XML cannot have, such as most control characters, become U+FFFD.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            case "\t", "\n", "\r": escaped += " "
            case _ where scalar.value < 0x20 || scalar.value & 0xfffe == 0xfffe && scalar.value <= 0xffff:
                escaped += "\u{fffd}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
