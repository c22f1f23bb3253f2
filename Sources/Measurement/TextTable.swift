/// Rows of text in columns that line up.
package struct TextTable: Sendable {
    /// Where a column's text stands.
    package enum Alignment: Sendable {
        /// At the left, as words do.
        case leading
        /// At the right, as numbers do.
        case trailing
    }

    private let columns: [(title: String, alignment: Alignment)]
    private var rows: [[String]] = []

    /// Makes a table.
    package init(_ columns: [(title: String, alignment: Alignment)]) { self.columns = columns }

    /// Adds a row; cells beyond the columns are dropped, missing ones are empty.
    package mutating func add(_ cells: [String]) {
        rows.append(columns.indices.map { $0 < cells.count ? cells[$0] : "" })
    }

    /// Whether there is a row under the titles.
    package var isEmpty: Bool { rows.isEmpty }

    /// The lines, without spaces at their ends, joined by newlines.
    ///
    /// A column whose cells are all empty is left out with its title.
    package var text: String {
        let shown = columns.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let lines = [columns.map(\.title)] + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { cells in
            var line = shown.map { column in
                let space = String(repeating: " ", count: widths[column] - cells[column].count)
                return columns[column].alignment == .leading ? cells[column] + space : space + cells[column]
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
