import CommandSupport

extension ChartPage {
    /// Reads charts from JSON.
    ///
    /// One chart is an object with `title`, `x`, `y` and `series`; several are an object with `charts` and, where
    /// wanted, `title`. An axis has `label`, `scale` (`linear`, `log2` or `log10`; default linear) and `unit` (`plain`
    /// or `bytes`; default plain). A line has `name`, `points` ([[x, y], …]), and where wanted `dashed` and `color`
    /// (a number; equal numbers have equal colours). Members that are not known are passed over.
    ///
    /// - Throws: ``ChartFileError`` that says which member is wrong, or in which line the text is no JSON.
    package init(parsing text: some Sequence<UInt8>) throws(ChartFileError) {
        let root: JSON
        do throws(JSONError) {
            root = try JSON(parsing: text)
        } catch {
            throw ChartFileError(description: error.description)
        }
        guard let list = root["charts"] else {
            self.init(charts: [try Member(root, "the chart").chart()])
            return
        }
        var charts: [Chart] = []
        for member in try Member(list, "charts").elements() { charts.append(try member.chart()) }
        self.init(title: try Member(root, "the page").text("title", default: ""), charts: charts)
    }
}

/// What is wrong with a file of charts, in words.
package struct ChartFileError: Error, Equatable, CustomStringConvertible {
    /// Where and what.
    package let description: String
}

/// A value and what it is called in messages.
private struct Member {
    private let value: JSON
    private let path: String

    init(_ value: JSON, _ path: String) {
        self.value = value
        self.path = path
    }

    func chart() throws(ChartFileError) -> Chart {
        var series: [Chart.Series] = []
        for member in try member("series").elements() { series.append(try member.series()) }
        return Chart(
            title: try text("title", default: ""), subtitle: try text("subtitle", default: ""),
            x: try member("x").axis(), y: try member("y").axis(), series: series)
    }

    private func axis() throws(ChartFileError) -> Chart.Axis {
        Chart.Axis(
            try text("label", default: ""), scale: try word("scale", default: .linear),
            unit: try word("unit", default: .plain))
    }

    private func series() throws(ChartFileError) -> Chart.Series {
        var points: [Chart.Point] = []
        for point in try member("points").elements() {
            let place = try point.elements()
            guard place.count == 2 else { throw point.error("is not two numbers, [x, y]") }
            points.append(Chart.Point(try place[0].number(), try place[1].number()))
        }
        var dashed = false
        if let value = value["dashed"] {
            guard case .bool(let answer) = value else { throw error("has a \"dashed\" that is neither true nor false") }
            dashed = answer
        }
        var color: Int?
        if let value = value["color"] {
            guard let number = Int(exactly: try Member(value, "\(path).color").number()), (0...1000).contains(number)
            else { throw error("has a \"color\" that is not a number from 0 to 1000") }
            color = number
        }
        return Chart.Series(try text("name", default: ""), points, isDashed: dashed, color: color)
    }

    // MARK: Values

    private func error(_ what: String) -> ChartFileError { ChartFileError(description: "\(path) \(what)") }

    private func member(_ name: String) throws(ChartFileError) -> Member {
        guard let member = value[name] else { throw error("has no \"\(name)\"") }
        return Member(member, path == "the chart" ? name : "\(path).\(name)")
    }

    func elements() throws(ChartFileError) -> [Member] {
        guard case .array(let values) = value else { throw error("is no array") }
        return values.enumerated().map { Member($1, "\(path)[\($0)]") }
    }

    private func number() throws(ChartFileError) -> Double {
        guard let number = value.double else { throw error("is no number") }
        return number
    }

    func text(_ name: String, default fallback: String) throws(ChartFileError) -> String {
        guard let member = value[name] else { return fallback }
        guard case .string(let text) = member else { throw error("has a \"\(name)\" that is no string") }
        return text
    }

    private func word<W: RawRepresentable & CaseIterable>(
        _ name: String, default fallback: W
    ) throws(ChartFileError) -> W where W.RawValue == String {
        let text = try text(name, default: fallback.rawValue)
        guard let word = W(rawValue: text) else {
            let all = W.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("has the \(name) \"\(text)\"; there is: \(all)")
        }
        return word
    }
}
