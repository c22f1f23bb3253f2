public import HIDReports

/// Keys that are pressed together, such as `ctrl+alt+delete`.
public struct KeyChord: Hashable, Sendable {
    /// The keys, in the order in which they go down; up they go the other way round.
    public var keys: [Usage]

    /// The most keys of one chord.
    public static let maximumCount = 32

    /// Makes a chord.
    public init(_ keys: [Usage]) { self.keys = keys }

    /// Reads a chord: names of ``KeyNames`` with `+` in between.
    ///
    /// - Throws: ``KeyNameError`` that names what is no key, and what may have been meant.
    public init(parsing text: String) throws(KeyNameError) {
        keys = []
        for part in text.split(separator: "+", omittingEmptySubsequences: false) {
            let name = String(part)
            guard let key = KeyNames.key(name) else { throw KeyNameError(name) }
            guard !keys.contains(key) else {
                throw KeyNameError(description: "'\(name)' is twice in one chord")
            }
            keys.append(key)
        }
        guard keys.count <= Self.maximumCount else {
            throw KeyNameError(description: "a chord has at most \(Self.maximumCount) keys")
        }
    }
}

/// Why a text names no keys, in one line that says what to do.
public struct KeyNameError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String

    init(description: String) { self.description = description }

    init(_ name: String) {
        guard !name.isEmpty else {
            description = "a key is missing; write names with + in between, such as ctrl+alt+delete"
            return
        }
        let shown = String(
            name.unicodeScalars.prefix(40).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) })
        let near = KeyNames.near(name)
        description =
            "there is no key '\(shown)'"
            + (near.isEmpty
                ? "; names are such as a, 7, f5, enter, space, minus, leftbracket, kp1, ctrl, altgr, volumeup"
                : "; did you mean \(near.joined(separator: " or "))?")
    }
}
