package import CommandSupport

/// An action's arguments, read by type.
///
/// Values come as JSON or, from a command line, as texts; both mean the same: `5` and `"5"`, `true` and `"yes"`.
package struct ActionArguments {
    private let values: [String: JSON]
    private let summary: DeviceAction.Summary

    /// Takes arguments that the action knows, and has all that it needs.
    ///
    /// One that is null is as if not given.
    ///
    /// - Throws: ``ModelError`` that names the argument.
    package init(_ arguments: [(String, JSON)], of summary: DeviceAction.Summary) throws(ModelError) {
        self.summary = summary
        var values: [String: JSON] = [:]
        for (name, value) in arguments {
            guard summary.parameters.contains(where: { $0.name == name }) else {
                let known = summary.parameters.map(\.name).joined(separator: ", ")
                throw ModelError(
                    "\(summary.name) has no argument '\(name.prefix(100))'; it has: \(known.isEmpty ? "none" : known)",
                    key: name)
            }
            guard value != .null else { continue }
            guard values.updateValue(value, forKey: name) == nil else {
                throw ModelError("\(name) is given twice", key: name)
            }
        }
        for parameter in summary.parameters where parameter.fallback == nil && values[parameter.name] == nil {
            throw ModelError(
                "\(summary.name) needs \(parameter.name): \(parameter.summary); it takes \(parameter.values)",
                key: parameter.name)
        }
        self.values = values
    }

    /// Whether an argument was given.
    package func has(_ name: String) -> Bool { values[name] != nil }

    /// A text; nil when it was not given.
    package func string(_ name: String) throws(ModelError) -> String? {
        switch values[name] {
        case nil: nil
        case .string(let text): text
        case .number(let number): "\(number)"
        case .some(let value): throw error(name, value)
        }
    }

    /// A whole number; nil when it was not given.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(ModelError) -> Int? {
        let number: Int?
        switch values[name] {
        case nil: return nil
        case .number(let value): number = value
        case .string(let text): number = Int(text)
        default: number = nil
        }
        guard let number, range.contains(number) else { throw error(name, values[name] ?? .null) }
        return number
    }

    /// A number, whole or not; nil when it was not given.
    package func decimal(_ name: String, in range: ClosedRange<Double>) throws(ModelError) -> Double? {
        let number: Double?
        switch values[name] {
        case nil: return nil
        case .string(let text): number = Double(text)
        case .some(let value): number = value.double
        }
        guard let number, range.contains(number) else { throw error(name, values[name] ?? .null) }
        return number
    }

    /// Whether something is so.
    package func bool(_ name: String, default fallback: Bool) throws(ModelError) -> Bool {
        switch values[name] {
        case nil: return fallback
        case .bool(let value): return value
        case .string("yes"), .string("true"), .string("on"), .string("1"), .number(1): return true
        case .string("no"), .string("false"), .string("off"), .string("0"), .number(0): return false
        case .some(let value): throw error(name, value)
        }
    }

    /// One of several words; nil when it was not given.
    package func choice<T>(_ name: String, _ choices: [(String, T)]) throws(ModelError) -> T? {
        guard let word = try string(name) else { return nil }
        guard let choice = choices.first(where: { $0.0 == word }) else { throw error(name, .string(word)) }
        return choice.1
    }

    /// Several texts: a JSON array of them, or one text with commas in between.
    package func list(_ name: String) throws(ModelError) -> [String] {
        switch values[name] {
        case nil: return []
        case .array(let values):
            var texts: [String] = []
            for value in values {
                guard case .string(let text) = value else { throw error(name, value) }
                texts.append(text)
            }
            return texts
        case .some:
            return (try string(name) ?? "").split(separator: ",").map(String.init)
        }
    }

    /// The error of a value that an argument does not take.
    package func error(_ name: String, _ value: JSON) -> ModelError {
        let allowed = summary.parameters.first { $0.name == name }?.values ?? "nothing"
        return ModelError("\(name)=\(value.text.prefix(100)) cannot be; it takes \(allowed)", key: name)
    }
}
