/// The language of a string descriptor: a LANGID (USB 2.0 §9.6.7, "Language Identifiers" of usb.org).
public struct LanguageID: RawRepresentable, Hashable, Sendable {
    /// The primary language in bits 9:0, the sublanguage in bits 15:10.
    public let rawValue: UInt16

    /// Makes a language from its LANGID.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// No language; the one that is asked for together with the language list.
    public static let unspecified = Self(rawValue: 0)
    /// English (United States), which nearly every device has and nearly every host asks for.
    public static let englishUS = Self(rawValue: 0x0409)
    /// English (United Kingdom).
    public static let englishUK = Self(rawValue: 0x0809)
    /// German.
    public static let german = Self(rawValue: 0x0407)
    /// French.
    public static let french = Self(rawValue: 0x040c)
    /// Spanish.
    public static let spanish = Self(rawValue: 0x040a)
    /// Italian.
    public static let italian = Self(rawValue: 0x0410)
    /// Japanese.
    public static let japanese = Self(rawValue: 0x0411)
    /// Korean.
    public static let korean = Self(rawValue: 0x0412)
    /// Russian.
    public static let russian = Self(rawValue: 0x0419)
    /// Chinese (People's Republic of China).
    public static let chinese = Self(rawValue: 0x0804)

    /// The language's name in English, or nil where this library knows none.
    public var name: String? {
        switch self {
        case .englishUS: "English (US)"
        case .englishUK: "English (UK)"
        case .german: "German"
        case .french: "French"
        case .spanish: "Spanish"
        case .italian: "Italian"
        case .japanese: "Japanese"
        case .korean: "Korean"
        case .russian: "Russian"
        case .chinese: "Chinese (PRC)"
        default: nil
        }
    }
}
