/// Enough of an XML reader to refuse what no XML reader would take.
enum WellFormed {
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// Checks that elements nest, attributes are quoted, and entities are known.
    static func check(_ document: String) throws(Problem) {
        var rest = document[...]
        if rest.hasPrefix("<?xml"), let end = rest.firstRange(of: "?>") { rest = rest[end.upperBound...] }
        var open: [Substring] = []
        var roots = 0
        while let start = rest.firstIndex(of: "<") {
            try checkText(rest[..<start])
            guard let end = rest[start...].firstIndex(of: ">") else { throw Problem(description: "an open tag") }
            var tag = rest[rest.index(after: start)..<end]
            rest = rest[rest.index(after: end)...]
            if tag.hasPrefix("/") {
                let last = open.popLast()
                guard last == tag.dropFirst() else { throw Problem(description: "\(tag) closes \(last ?? "nothing")") }
                continue
            }
            let isEmpty = tag.hasSuffix("/")
            if isEmpty { tag = tag.dropLast() }
            if open.isEmpty { roots += 1 }
            let name = tag.prefix { $0 != " " }
            try checkAttributes(tag.dropFirst(name.count))
            if !isEmpty { open.append(name) }
        }
        guard open.isEmpty, roots == 1, rest.allSatisfy(\.isWhitespace) else {
            throw Problem(description: "\(roots) roots, \(open.count) open elements, and '\(rest)' at the end")
        }
    }

    private static func checkText(_ text: Substring) throws(Problem) {
        for scalar in text.unicodeScalars {
            guard scalar.value >= 0x20 || scalar == "\n", scalar.value != 0xfffe, scalar.value != 0xffff else {
                throw Problem(description: "U+\(String(scalar.value, radix: 16))")
            }
        }
        for part in text.split(separator: "&", omittingEmptySubsequences: false).dropFirst() {
            guard ["amp;", "lt;", "gt;", "quot;", "#39;"].contains(where: part.hasPrefix) else {
                throw Problem(description: "an entity in '\(text)'")
            }
        }
    }

    private static func checkAttributes(_ text: Substring) throws(Problem) {
        var rest = text
        var names: Set<Substring> = []
        while rest.contains(where: { !$0.isWhitespace }) {
            rest = rest.drop(while: \.isWhitespace)
            guard let equals = rest.firstIndex(of: "="), rest[rest.index(after: equals)...].hasPrefix("\"") else {
                throw Problem(description: "no value in '\(text)'")
            }
            let name = rest[..<equals]
            guard names.insert(name).inserted, !name.contains(" ") else {
                throw Problem(description: "the attribute '\(name)' in '\(text)'")
            }
            let value = rest[rest.index(equals, offsetBy: 2)...]
            guard let end = value.firstIndex(of: "\"") else { throw Problem(description: "an open value") }
            try checkText(value[..<end])
            rest = value[value.index(after: end)...]
        }
    }
}
