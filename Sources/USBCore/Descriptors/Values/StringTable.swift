/// The strings of a device by index and language (USB 2.0 §9.6.7).
///
/// Index 0 is the list of languages and holds no string.
public struct StringTable: Hashable, Sendable {
    /// The languages, in the order of the list that index 0 answers; the first one answers a host that names none.
    public var languages: [LanguageID]

    private var entries: [Key: StringDescriptor] = [:]

    private struct Key: Hashable {
        var index: UInt8
        var language: LanguageID
    }

    /// Makes a table without strings.
    public init(languages: [LanguageID] = []) { self.languages = languages }

    /// The text at an index in a language, nil where there is none.
    ///
    /// Setting a text in a new language adds the language to ``languages``. A text at index 0 is not kept.
    public subscript(index: UInt8, language: LanguageID) -> String? {
        get { descriptor(index: index, language: language)?.text }
        set { setDescriptor(newValue.map { StringDescriptor($0) }, index: index, language: language) }
    }

    /// The text at an index in the first language.
    public subscript(index: UInt8) -> String? { self[index, .unspecified] }

    /// The string at an index in a language, nil where there is none.
    ///
    /// - Parameters:
    ///   - index: 1 to 255.
    ///   - language: a language of the table; ``LanguageID/unspecified`` means the first one.
    public func descriptor(index: UInt8, language: LanguageID) -> StringDescriptor? {
        let meant = language == .unspecified ? languages.first ?? language : language
        return entries[Key(index: index, language: meant)]
    }

    /// Puts a string at an index in a language, or removes it with nil; index 0 is left alone.
    public mutating func setDescriptor(_ string: StringDescriptor?, index: UInt8, language: LanguageID) {
        guard index != 0 else { return }
        entries[Key(index: index, language: language)] = string
        if string != nil, !languages.contains(language) { languages.append(language) }
    }

    /// The indices that have a string in any language, ascending.
    public var indices: [UInt8] { Set(entries.keys.map(\.index)).sorted() }

    /// Whether there is neither a language nor a string.
    public var isEmpty: Bool { languages.isEmpty && entries.isEmpty }

    /// The list of languages that index 0 answers; more than 126 do not fit and are left out.
    public var languageListBytes: [UInt8] {
        StringDescriptor(units: languages.prefix(DescriptorLimits.maxUnits).map(\.rawValue)).bytes
    }

    /// Reads the list of languages that index 0 answers.
    ///
    /// - Throws: ``DescriptorError/malformed(offset:reason:)`` where the bytes are no string descriptor.
    public static func parseLanguages(_ bytes: [UInt8]) throws(DescriptorError) -> [LanguageID] {
        try StringDescriptor(parsing: bytes).units.map { LanguageID(rawValue: $0) }
    }
}
