import CommandSupport

/// Sizes as people write them.
package enum ByteSize {
    private static let units: [(letter: Character, shift: Int)] = [("G", 30), ("M", 20), ("K", 10)]

    /// Reads `64`, `1K`, `64k`, `1M` or `2G`; nil for anything else, and for what does not fit.
    package static func parse(_ text: String) -> Int? {
        let shift = text.last.flatMap { last in
            units.first { String($0.letter) == last.uppercased() }?.shift
        }
        let digits = shift == nil ? text[...] : text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains),
            let number = Int(digits)
        else { return nil }
        let (value, overflow) = number.multipliedReportingOverflow(by: 1 << (shift ?? 0))
        return overflow ? nil : value
    }

    /// The shortest text that ``parse(_:)`` reads back as the same size: `1536` is `1536`, `65536` is `64K`.
    package static func text(_ bytes: Int) -> String {
        for unit in units where bytes > 0 && bytes & (1 << unit.shift - 1) == 0 {
            return "\(bytes >> unit.shift)\(unit.letter)"
        }
        return "\(bytes)"
    }
}

/// A number in as few digits as tell three significant ones apart, such as `0.125`, `12.5` or `1250`.
package func significant(_ value: Double) -> String {
    switch value.magnitude {
    case 0: "0"
    case 100...: decimal(value, 0)
    case 10...: decimal(value, 1)
    case 1...: decimal(value, 2)
    default: decimal(value, 3)
    }
}
