public import HIDReports

/// The keys by their names.
///
/// Names are in small letters; the first of each key is the one to show. Keys of the keyboard page (HID Usage Tables
/// §10) whose namesake on the consumer page is what keyboards really have begin with `kb`.
public enum KeyNames {
    /// A key and what it may be called.
    struct Entry {
        let usage: UInt16
        let names: [String]

        init(_ usage: UInt16, _ names: String) {
            self.usage = usage
            self.names = names.split(separator: " ").map(String.init)
        }
    }

    /// The key of a name, with capitals or without; also a usage of the keyboard page in hexadecimal, such as `0x64`.
    ///
    /// - Returns: nil for a name that no key has.
    public static func key(_ name: String) -> Usage? {
        let name = name.lowercased()
        if let key = byName[name] { return key }
        guard name.hasPrefix("0x"), (3...4).contains(name.utf8.count),
            let usage = UInt8(name.dropFirst(2), radix: 16), name.utf8.dropFirst(2).first != UInt8(ascii: "+"),
            KeyState.usages.contains(usage) || KeyState.modifierUsages.contains(usage)
        else { return nil }
        return .keyboard(usage)
    }

    /// The first name of a key; nil for a key that has none.
    public static func name(of key: Usage) -> String? { byUsage[key] }

    /// Every first name, in the order of the usages: the keyboard's, the system's, the consumer page's.
    public static let all: [String] = table.map { $0.names[0] }

    /// Up to four names that a misspelt one may have meant, the nearest first.
    public static func near(_ name: String) -> [String] {
        let wanted = Array(name.lowercased().utf8.prefix(40))
        var ranked: [(distance: Int, name: String)] = []
        for key in table {
            // Of a key's names only the nearest is worth telling.
            let nearest = key.names.map { (distance: distance(wanted, Array($0.utf8)), name: $0) }
                .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
            if let nearest, nearest.distance <= max(1, wanted.count / 3) { ranked.append(nearest) }
        }
        return ranked.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(4).map(\.name)
    }

    private static let table: [(usage: Usage, names: [String])] =
        (keyboard + numbered).sorted { $0.usage < $1.usage }
        .map { (Usage(page: UsagePage.keyboard, id: $0.usage), $0.names) }
        + system.map { (.genericDesktop($0.usage), $0.names) } + consumer.map { (.consumer($0.usage), $0.names) }

    private static let byName = Dictionary(
        table.flatMap { key in key.names.map { ($0, key.usage) } }, uniquingKeysWith: { first, _ in first })

    private static let byUsage = Dictionary(
        table.map { ($0.usage, $0.names[0]) }, uniquingKeysWith: { first, _ in first })

    /// How many letters must be added, left out, exchanged or swapped with their neighbour.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var rows = [Array(0...right.count)]
        for (i, letter) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var cost = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (letter == other ? 0 : 1))
                if i > 0, j > 0, letter == right[j - 1], other == left[i - 1] {
                    cost = min(cost, rows[i - 1][j - 1] + 1)
                }
                row.append(cost)
            }
            rows.append(row)
        }
        return rows[left.count][right.count]
    }
}
