package import CommandSupport

/// What a client asks for.
package struct ControlRequest: Sendable {
    /// The command's name: the member `do`.
    package let command: String
    /// The other members, in order, without `id` and `do`.
    package let members: [(String, JSON)]

    /// Makes a request.
    package init(_ command: String, _ members: [(String, JSON)] = []) {
        self.command = command
        self.members = members
    }

    /// A member; nil where there is none, and where it is null.
    ///
    /// Of equal names the last counts.
    package subscript(name: String) -> JSON? {
        guard let value = members.last(where: { $0.0 == name })?.1, value != .null else { return nil }
        return value
    }

    /// The device that the request is for: the member `busid`.
    ///
    /// - Throws: ``ControlError`` (invalid) when it is no text, or not there.
    package func busID() throws(ControlError) -> String {
        guard let busID = try string("busid") else {
            throw ControlError(.invalid, "\(command) needs busid: which device; 'devices' lists them")
        }
        return busID
    }

    /// A text; nil when it was not given.
    ///
    /// - Throws: ``ControlError`` (invalid) when it is something else.
    package func string(_ name: String) throws(ControlError) -> String? {
        switch self[name] {
        case nil: nil
        case .string(let text): text
        case .some(let value): throw wrong(name, value, "a text")
        }
    }

    /// A text that must be given.
    ///
    /// - Parameter meaning: what it is for, to be said when it is missing.
    /// - Throws: ``ControlError`` (invalid) when it is something else, or not there.
    package func string(_ name: String, meaning: String) throws(ControlError) -> String {
        guard let text = try string(name) else {
            throw ControlError(.invalid, "\(command) needs \(name): \(meaning)")
        }
        return text
    }

    /// A whole number; nil when it was not given.
    ///
    /// Texts such as `"5"` count too.
    ///
    /// - Throws: ``ControlError`` (invalid) when it is something else, or out of range.
    package func integer(_ name: String, in range: ClosedRange<Int>) throws(ControlError) -> Int? {
        guard let value = self[name] else { return nil }
        let number: Int? =
            switch value {
            case .number(let number): number
            case .string(let text): Int(text)
            default: nil
            }
        guard let number, range.contains(number) else {
            throw wrong(name, value, "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A time in seconds, whole or not; nil when it was not given.
    ///
    /// Texts such as `"1.5"` count too.
    ///
    /// - Throws: ``ControlError`` (invalid) when it is something else, negative, or above a year.
    package func seconds(_ name: String) throws(ControlError) -> Duration? {
        guard let value = self[name] else { return nil }
        let number: Double? = if case .string(let text) = value { Double(text) } else { value.double }
        guard let number, (0...31_536_000).contains(number) else {
            throw wrong(name, value, "seconds, 0 to 31536000")
        }
        return .seconds(number)
    }

    /// Whether something is so.
    ///
    /// The texts `yes`, `true`, `no` and `false` count too.
    ///
    /// - Throws: ``ControlError`` (invalid) when it is something else.
    package func bool(_ name: String, default fallback: Bool) throws(ControlError) -> Bool {
        switch self[name] {
        case nil: return fallback
        case .bool(let value): return value
        case .string("yes"), .string("true"): return true
        case .string("no"), .string("false"): return false
        case .some(let value): throw wrong(name, value, "true or false")
        }
    }

    /// Refuses members that the command does not know: a misspelt one must not be passed over.
    ///
    /// - Throws: ``ControlError`` (invalid) that names it.
    package func allow(only names: [String]) throws(ControlError) {
        guard let other = members.first(where: { !names.contains($0.0) })?.0 else { return }
        let known = names.isEmpty ? "none" : names.joined(separator: ", ")
        throw ControlError(.invalid, "\(command) has no argument '\(other.prefix(100))'; it has: \(known)")
    }

    private func wrong(_ name: String, _ value: JSON, _ expected: String) -> ControlError {
        ControlError(.invalid, "\(name)=\(value.text.prefix(100)) cannot be; it takes \(expected)")
    }
}
