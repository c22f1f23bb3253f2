/// A device as it is written on the command line: `MODEL[:KEY=VALUE[,KEY=VALUE…]]`.
///
/// A key without `=` means `yes`. A comma or a backslash within a value is written with a backslash before it.
public struct DeviceSpecification: Hashable, Sendable, CustomStringConvertible {
    /// A key and its value.
    public struct Option: Hashable, Sendable {
        /// The key.
        public var key: String
        /// The value, without escapes.
        public var value: String

        /// Makes an option.
        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// The model's name.
    public var model: String
    /// The options in the order given.
    public var options: [Option]

    /// Makes a specification.
    public init(model: String, options: [Option] = []) {
        self.model = model
        self.options = options
    }

    /// Reads a specification.
    ///
    /// - Throws: ``ModelError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ModelError) {
        let colon = text.firstIndex(of: ":")
        model = String(text[..<(colon ?? text.endIndex)])
        options = []
        guard !model.isEmpty else {
            throw ModelError("'\(text)' names no model; write MODEL or MODEL:KEY=VALUE,… such as drive:size=1G")
        }
        guard let colon else { return }
        for part in Self.split(text[text.index(after: colon)...]) {
            guard !part.isEmpty else {
                throw ModelError("'\(text)' has an empty option; write KEY=VALUE between commas")
            }
            let equals = part.firstIndex(of: "=")
            let key = String(part[..<(equals ?? part.endIndex)])
            guard !key.isEmpty else { throw ModelError("'\(part)' has no key; write KEY=VALUE") }
            options.append(Option(key, equals.map { String(part[part.index(after: $0)...]) } ?? "yes"))
        }
    }

    private static func split(_ text: Substring) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }

    /// The bus id that is asked for.
    public var busID: String? { options.last { $0.key == "busid" }?.value }

    /// The specification as it would be written.
    public var description: String {
        guard !options.isEmpty else { return model }
        let texts = options.map { option in
            let value = option.value.replacing("\\", with: "\\\\").replacing(",", with: "\\,")
            return "\(option.key)=\(value)"
        }
        return "\(model):\(texts.joined(separator: ","))"
    }
}
