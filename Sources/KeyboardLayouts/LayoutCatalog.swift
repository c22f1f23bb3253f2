internal import Glibc

/// The layouts and variants that XKB's data lists: what its `rules/evdev.lst` says.
struct LayoutCatalog {
    /// In the file's order.
    private(set) var layouts: [String] = []
    private(set) var variants: [String: [String]] = [:]

    /// Layouts that many people have, for suggestions.
    static let common = ["us", "gb", "de", "fr", "es", "it", "pt", "br", "jp", "ru", "gr", "pl", "se", "tr"]

    /// Reads the list in the first of these folders that has one.
    init(folders: [String]) {
        for folder in folders {
            for name in ["evdev.lst", "base.lst"] {
                if let text = Self.text(of: "\(folder)/rules/\(name)") {
                    parse(text)
                    return
                }
            }
        }
    }

    /// Parses a list: sections that start with "! layout" and "! variant", and lines such as "  de  German" and
    /// "  nodeadkeys  de: German (no dead keys)" in them.
    private mutating func parse(_ text: String) {
        var section = ""[...]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 2)
            guard let first = words.first else { continue }
            if first == "!" {
                section = words.count > 1 ? words[1] : ""
            } else if section == "layout" {
                layouts.append(String(first))
            } else if section == "variant", words.count > 1, words[1].last == ":" {
                variants[String(words[1].dropLast()), default: []].append(String(first))
            }
        }
    }

    /// Whether a layout and variant are listed.
    func has(_ name: LayoutName) -> Bool {
        layouts.contains(name.layout) && (name.variant.isEmpty || variants[name.layout]?.contains(name.variant) == true)
    }

    /// What there is in place of a name that was not found: what is near it, or what many use.
    func suggestion(for name: LayoutName) -> String {
        guard layouts.contains(name.layout) else {
            let near = Self.nearest(to: name.layout, among: layouts)
            if !near.isEmpty { return "near it: \(near.joined(separator: ", "))" }
            return "common ones: \(Self.common.joined(separator: ", "))"
        }
        let variants = variants[name.layout] ?? []
        guard !variants.isEmpty else { return "\(name.layout) has no variants" }
        let near = Self.nearest(to: name.variant, among: variants)
        let list = near.isEmpty ? variants : near
        return "variants of \(name.layout)\(near.isEmpty ? "" : " near it"): \(list.joined(separator: ", "))"
    }

    /// The names that differ least from one that was given, the nearest first.
    private static func nearest(to name: String, among names: [String]) -> [String] {
        let given = name.lowercased()
        let limit = given.utf8.count < 5 ? 1 : given.utf8.count / 3
        let rated = names.map { ($0, distance(given, $0.lowercased())) }.filter { $0.1 <= limit }
        return rated.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.prefix(8).map(\.0)
    }

    /// How many bytes have to be changed, added or taken away to make one text the other.
    private static func distance(_ one: String, _ other: String) -> Int {
        let other = Array(other.utf8)
        var row = Array(0...other.count)
        for (line, byte) in one.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for column in other.indices {
                let changed = diagonal + (other[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, diagonal + 1, row[column] + 1)
            }
        }
        return row[other.count]
    }

    /// A file's text, or nothing; what is beyond a megabyte is left out.
    private static func text(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 1 << 20 {
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            bytes += chunk[..<min(count, chunk.count)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
