import CBenchReference
import Glibc

/// Where the report goes, and where messages for people go.
enum Output {
    static func result(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

    static func message(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

    /// What long work is doing now; only people at a terminal want to know.
    static func progress(_ text: String) {
        if isatty(STDERR_FILENO) == 1 { message("ghostbench: \(text)") }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 || errno == EINTR else { return }
            bytes = bytes.dropFirst(max(0, count))
        }
    }
}

/// A number with so many digits behind the point.
func decimal(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    guard let scaled = Int(exactly: (value * scale).rounded()) else { return "0" }
    guard digits > 0 else { return "\(scaled)" }
    let text = String(scaled.magnitude)
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return (scaled < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
}

/// Rows of text in columns: the first to the left, the others to the right.
enum Table {
    static func text(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// What the run ran on.
enum Machine {
    /// The processors that this process may use.
    static var processorNumbers: [Int32] {
        var list = [Int32](repeating: 0, count: 1024)
        let count = unsafe bench_processors(&list, Int32(list.count))
        return Array(list.prefix(Int(count)))
    }

    static var kernel: String {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return "unknown" }
        return unsafe withUnsafeBytes(of: name.release) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    static var description: String { "\(processorNumbers.count) processors, Linux \(kernel)" }
}
