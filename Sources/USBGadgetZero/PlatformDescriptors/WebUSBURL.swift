/// A URL as a device hands it to browsers (WebUSB §4.3.1).
public struct WebUSBURL: Hashable, Sendable {
    /// How the URL begins.
    public enum Scheme: UInt8, Sendable {
        /// `http://`.
        case http = 0
        /// `https://`.
        case https = 1
        /// The scheme is part of the rest.
        case other = 255

        /// What the scheme stands for.
        public var prefix: String {
            switch self {
            case .http: "http://"
            case .https: "https://"
            case .other: ""
            }
        }
    }

    /// How the URL begins.
    public let scheme: Scheme
    /// What follows the scheme: 1 to 252 bytes of UTF-8.
    public let rest: String

    /// The most bytes after the scheme: bLength counts to 255.
    public static let maximumLength = 252

    /// Makes a URL from its text; nil where nothing follows the scheme, or more than 252 bytes do.
    public init?(_ text: String) {
        let known = [Scheme.https, .http].first { text.lowercased().hasPrefix($0.prefix) }
        scheme = known ?? .other
        rest = String(text.dropFirst(scheme.prefix.count))
        guard (1...Self.maximumLength).contains(rest.utf8.count) else { return nil }
    }

    /// The URL as people write it.
    public var text: String { scheme.prefix + rest }

    /// The URL descriptor: bLength, bDescriptorType 3, bScheme and the rest in UTF-8; 4 to 255 bytes.
    public var bytes: [UInt8] {
        [UInt8(clamping: 3 + rest.utf8.count), 0x03, scheme.rawValue] + Array(rest.utf8)
    }
}
