/// A device as it is written on the command line: `MODEL[:KEY=VALUE[,KEY=VALUE…]]`.
///
/// A key without `=` means `yes`. A comma or a backslash within a value is written with a backslash before it. Of a model
/// that has a subject (``DeviceModel/subject``), the first option that begins with none of its keys is the subject's value:
/// `real:3-1.2` is `real:device=3-1.2`.
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
    /// - Parameter models: those whose subjects may be written without their keys.
    /// - Throws: ``ModelError`` that says what is wrong with the text.
    public init(
        parsing text: String, models: [any DeviceModel.Type] = ModelRegistry.models
    ) throws(ModelError) {
        let scalars = text.unicodeScalars
        let colon = scalars.firstIndex(of: ":")
        model = String(scalars[..<(colon ?? scalars.endIndex)])
        options = []
        guard !model.isEmpty else {
            throw ModelError("'\(text)' names no model; write MODEL or MODEL:KEY=VALUE,… such as drive:size=1G")
        }
        guard let colon else { return }
        guard scalars.index(after: colon) < scalars.endIndex else {
            throw ModelError(
                "'\(text)' has nothing behind its colon; 'ghostplug models \(model)' lists what can be there")
        }
        var shorthand = SubjectShorthand(of: model, among: models)
        for part in Self.split(scalars[scalars.index(after: colon)...]) {
            guard !part.isEmpty else {
                throw ModelError("'\(text)' has an empty option; write KEY=VALUE between commas")
            }
            let equals = part.firstIndex(of: "=")
            let key = String(part[..<(equals ?? part.endIndex)])
            if let subject = shorthand?.take(key) {
                options.append(Option(subject, String(part)))
                continue
            }
            guard !key.isEmpty else { throw ModelError("'\(String(part))' has no key; write KEY=VALUE") }
            options.append(Option(key, equals.map { String(part[part.index(after: $0)...]) } ?? "yes"))
        }
    }

    /// By scalars rather than characters: what combines with a comma does not make it another sign.
    private static func split(_ text: Substring.UnicodeScalarView) -> [String.UnicodeScalarView] {
        var parts = ["".unicodeScalars]
        var isEscaped = false
        for scalar in text {
            if isEscaped {
                parts[parts.count - 1].append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if scalar == "," {
                parts.append("".unicodeScalars)
            } else {
                parts[parts.count - 1].append(scalar)
            }
        }
        return parts
    }

    /// The bus id that is asked for.
    public var busID: String? { options.last { $0.key == "busid" }?.value }

    /// The specification as it would be written, in its shortest form.
    public var description: String { text(ModelRegistry.models) }

    /// The specification as it would be written, where these are the models there are.
    func text(_ models: [any DeviceModel.Type]) -> String {
        guard !options.isEmpty else { return model }
        var shorthand = SubjectShorthand(of: model, among: models)
        let texts = options.map { option in
            let value = Self.escaped(option.value)
            return shorthand?.canWrite(option) == true ? value : "\(option.key)=\(value)"
        }
        return "\(model):\(texts.joined(separator: ","))"
    }

    private static func escaped(_ value: String) -> String {
        var text = "".unicodeScalars
        for scalar in value.unicodeScalars {
            if scalar == "\\" || scalar == "," { text.append("\\") }
            text.append(scalar)
        }
        return String(text)
    }
}

/// Which option of a specification goes without its key.
private struct SubjectShorthand {
    private let subject: String
    private let keys: Set<String>
    /// Whether an option before this one was the subject already.
    private var isTaken = false

    /// Nil for a model that has no subject, or does not exist.
    init?(of model: String, among models: [any DeviceModel.Type]) {
        guard let model = models.first(where: { $0.name == model }), let subject = model.subject else { return nil }
        self.subject = subject
        keys = Set((model.keys + ModelKey.common).map(\.name))
    }

    /// The key that an option stands for whose text begins with `key`; nil where that is its key.
    mutating func take(_ key: String) -> String? {
        let isKey = keys.contains(key)
        defer { isTaken = isTaken || !isKey || key == subject }
        return isKey || isTaken ? nil : subject
    }

    /// Whether the next option can be written without its key, so that it is read as the same again.
    mutating func canWrite(_ option: DeviceSpecification.Option) -> Bool {
        let isKey = keys.contains(option.key)
        defer { isTaken = isTaken || !isKey || option.key == subject }
        guard option.key == subject, !isTaken, !option.value.isEmpty else { return false }
        let scalars = option.value.unicodeScalars
        return !keys.contains(String(scalars[..<(scalars.firstIndex(of: "=") ?? scalars.endIndex)]))
    }
}
