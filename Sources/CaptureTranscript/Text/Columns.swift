/// Rows of text in columns that line up.
struct Columns {
    private let titles: [String]
    private let trailing: Set<Int>
    private var rows: [[String]] = []

    /// Makes a table; numbers stand at the right of their columns.
    init(_ titles: [String], numbers: Set<Int>) {
        self.titles = titles
        trailing = numbers
    }

    mutating func add(_ cells: [String]) { rows.append(cells) }

    /// The lines; a column without a cell that says something is left out.
    var lines: [String] {
        let shown = titles.indices.filter { column in rows.contains { column < $0.count && !$0[column].isEmpty } }
        let all = (titles.contains { !$0.isEmpty } ? [titles] : []) + rows
        let widths = titles.indices.map { column in all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return all.map { cells in
            var line = shown.map { column in
                let cell = column < cells.count ? cells[column] : ""
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return trailing.contains(column) ? space + cell : cell + space
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
