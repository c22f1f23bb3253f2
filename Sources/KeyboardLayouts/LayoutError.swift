/// Why a layout is not there or a text cannot be typed with it, in words that say what to do next.
public struct LayoutError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is, for callers that act on it.
    public enum Kind: Hashable, Sendable {
        /// There is no layout or variant of that name.
        case unknownLayout
        /// The layouts themselves are not installed.
        case dataMissing
        /// No key, and no dead key with another, gives this character, which is the text's `position`-th from 1.
        case unsupportedCharacter(Character, position: Int)
    }

    /// What kind of trouble it is.
    public let kind: Kind
    /// The layout's name as it was given.
    public let layout: String
    /// What is wrong, and what to do.
    public let description: String

    init(_ kind: Kind, layout: String, _ description: String) {
        self.kind = kind
        self.layout = layout
        self.description = description
    }
}
