import CommandSupport

/// A part of a scenario's file, with its place.
package struct ScenarioNode: Sendable {
    /// What it is.
    package indirect enum Content: Sendable {
        /// A single value, as it is written.
        case text(String)
        /// Values in order.
        case list([ScenarioNode])
        /// Values by name, in order.
        case mapping([(key: ScenarioNode, value: ScenarioNode)])
    }

    /// The line, from 1.
    package let line: Int
    /// What it is.
    package let content: Content

    /// Makes a node.
    package init(line: Int, _ content: Content) {
        self.line = line
        self.content = content
    }

    /// The value, where it is a single one.
    package var text: String? { if case .text(let text) = content { text } else { nil } }

    /// The value as an action takes it: single values as texts, which it reads as what it needs.
    var json: JSON {
        switch content {
        case .text(let text): .string(text)
        case .list(let nodes): .array(nodes.map(\.json))
        case .mapping(let members): .object(members.map { ($0.key.text ?? "", $0.value.json) })
        }
    }

    /// The value in a line, for messages.
    var words: String {
        switch content {
        case .text(let text): text
        case .list(let nodes): "[" + nodes.map(\.words).joined(separator: ", ") + "]"
        case .mapping(let members):
            "{" + members.map { "\($0.key.words): \($0.value.words)" }.joined(separator: ", ") + "}"
        }
    }

    /// `yes` or `no` in the usual spellings; nil for anything else.
    static func bool(_ text: String) -> Bool? {
        switch text {
        case "yes", "true", "on": true
        case "no", "false", "off": false
        default: nil
        }
    }

    /// Whether a member of an event is what this says.
    ///
    /// Single values are compared as the member's kind: `5` with 5 and "5", `yes` with true. Of an object, only the
    /// members that are named are compared.
    func matches(_ value: JSON?) -> Bool {
        switch (content, value) {
        case (.text(let text), .some(.string(let other))): text == other
        case (.text(let text), .some(.bool(let other))): Self.bool(text) == other
        case (.text(let text), .some(.number(let other))): Int(text) == other || Double(text) == Double(other)
        case (.text(let text), .some(.decimal(let other, _))): Double(text) == other
        case (.text(let text), .some(.null)): ["null", "~", ""].contains(text)
        case (.list(let nodes), .some(.array(let others))):
            nodes.count == others.count && zip(nodes, others).allSatisfy { $0.matches($1) }
        case (.mapping(let members), .some(.object)):
            members.allSatisfy { member in member.value.matches(value?[member.key.text ?? ""]) }
        default: false
        }
    }
}

/// What is wrong with a scenario's file: the line, what it is, and what is allowed.
package struct ScenarioFileError: Error, Equatable, CustomStringConvertible {
    /// The message.
    package let description: String

    /// Makes an error.
    package init(_ file: String, _ line: Int, _ message: String) { description = "\(file):\(line): \(message)" }
}

/// A mapping whose members are taken one by one, so that those that nobody took can be refused.
struct ScenarioMembers {
    let file: String
    let line: Int
    /// What the mapping is, for messages.
    let what: String
    private var members: [(key: String, line: Int, value: ScenarioNode)] = []
    private var asked: [String] = []

    init(_ node: ScenarioNode, _ what: String, _ file: String) throws(ScenarioFileError) {
        guard case .mapping(let members) = node.content else {
            throw ScenarioFileError(file, node.line, "\(what): a mapping of settings is expected")
        }
        self.file = file
        self.what = what
        line = node.line
        for (key, value) in members {
            guard let name = key.text else {
                throw ScenarioFileError(file, key.line, "\(what): a name is expected before the colon")
            }
            guard !self.members.contains(where: { $0.key == name }) else {
                throw ScenarioFileError(file, key.line, "\(what): \(name.prefix(40)) is given twice")
            }
            self.members.append((name, key.line, value))
        }
    }

    mutating func take(_ name: String) -> ScenarioNode? {
        asked.append(name)
        guard let index = members.firstIndex(where: { $0.key == name }) else { return nil }
        return members.remove(at: index).value
    }

    /// What nobody has taken.
    mutating func takeRest() -> [(key: String, line: Int, value: ScenarioNode)] {
        defer { members = [] }
        return members
    }

    mutating func text(_ name: String) throws(ScenarioFileError) -> String? {
        guard let node = take(name) else { return nil }
        guard let text = node.text else {
            throw ScenarioFileError(file, node.line, "\(what): \(name) takes a single value")
        }
        return text
    }

    mutating func text(needed name: String, _ meaning: String) throws(ScenarioFileError) -> String {
        guard let text = try text(name), !text.isEmpty else {
            throw ScenarioFileError(file, line, "\(what) needs \(name): \(meaning)")
        }
        return text
    }

    mutating func seconds(_ name: String, default fallback: Duration) throws(ScenarioFileError) -> Duration {
        guard let node = take(name) else { return fallback }
        return try ScenarioSyntax.seconds(node, "\(what): \(name)", file)
    }

    mutating func bool(_ name: String, default fallback: Bool) throws(ScenarioFileError) -> Bool {
        guard let node = take(name) else { return fallback }
        guard let value = node.text.flatMap(ScenarioNode.bool) else {
            throw ScenarioFileError(file, node.line, "\(what): \(name) takes yes or no")
        }
        return value
    }

    /// Refuses what nobody has taken: a misspelt name must not be passed over.
    func end() throws(ScenarioFileError) {
        guard let (key, line, _) = members.first else { return }
        throw ScenarioFileError(
            file, line, "\(what) has no setting '\(key.prefix(40))'; it has: \(asked.joined(separator: ", "))")
    }
}
