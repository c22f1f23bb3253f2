import CBenchReference
import CommandSupport
import Glibc

/// Where the report goes, and where messages for people go.
enum Output {
    static func result(_ text: String) { StandardOutput.print(text) }

    static func message(_ text: String) { StandardError.write(text + "\n") }

    /// What long work is doing now; only people at a terminal want to know.
    static func progress(_ text: String) {
        if isatty(STDERR_FILENO) == 1 { message("ghostbench: \(text)") }
    }
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
