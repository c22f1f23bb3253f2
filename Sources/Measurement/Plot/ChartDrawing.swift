/// One chart being drawn.
struct ChartDrawing {
    private let chart: Chart
    private let top: Double
    private let x: AxisTicks
    private let y: AxisTicks
    private let lines: [[Chart.Point]]
    private let legendWidth: Double

    // The plot area.
    private let left = 84.0
    private var right: Double { ChartStyle.width - 24 - legendWidth }
    private var upper: Double { top + (chart.subtitle.isEmpty ? 52 : 70) }
    private var lower: Double { top + ChartStyle.height - 58 }

    /// Lays out a chart.
    ///
    /// - Parameter top: the upper edge, in the document's units.
    init(_ chart: Chart, top: Double) {
        self.chart = chart
        self.top = top
        lines = chart.series.map(chart.visiblePoints)
        let points = lines.flatMap { $0 }
        x = AxisTicks(chart.x, for: points.map(\.x), includesZero: false, limit: 10)
        y = AxisTicks(chart.y, for: points.map(\.y), includesZero: true, limit: 6)
        let longest = chart.series.map { ChartStyle.width(of: $0.name) }.max() ?? 0
        legendWidth = chart.series.isEmpty ? 0 : min(240, longest + 56)
    }

    func draw(_ out: inout SVGText) {
        drawText(
            &out, chart.title, x: 24, y: top + 30, ChartStyle.text, "fg",
            [("font-size", "15"), ("font-weight", "600")])
        drawText(&out, chart.subtitle, x: 24, y: top + 50, ChartStyle.muted, "mu")
        drawAxes(&out)
        drawSeries(&out)
        drawLegend(&out)
    }

    // MARK: Axes

    private func drawAxes(_ out: inout SVGText) {
        for value in y.values {
            let place = height(value)
            drawLine(&out, (left, place), (right, place))
            drawText(
                &out, y.label(value), x: left - 8, y: place + 4, ChartStyle.muted, "mu", [("text-anchor", "end")])
        }
        for value in x.values {
            let place = across(value)
            drawLine(&out, (place, upper), (place, lower))
            drawText(
                &out, x.label(value), x: place, y: lower + 18, ChartStyle.muted, "mu", [("text-anchor", "middle")])
        }
        drawText(
            &out, chart.x.label, x: (left + right) / 2, y: lower + 42, ChartStyle.text, "fg",
            [("text-anchor", "middle")])
        let middle = (upper + lower) / 2
        drawText(
            &out, chart.y.label, x: 26, y: middle, ChartStyle.text, "fg",
            [
                ("text-anchor", "middle"),
                ("transform", "rotate(-90 26 \(SVGText.number(middle)))"),
            ])
    }

    private func across(_ value: Double) -> Double { left + (right - left) * x.position(value) }

    private func height(_ value: Double) -> Double { lower - (lower - upper) * y.position(value) }

    // MARK: Lines

    private func color(_ index: Int) -> Int {
        ChartStyle.cycle(chart.series[index].color ?? index, ChartStyle.palette.count)
    }

    private func drawSeries(_ out: inout SVGText) {
        guard lines.contains(where: { !$0.isEmpty }) else {
            drawText(
                &out, "nothing to show", x: (left + right) / 2, y: (upper + lower) / 2, ChartStyle.muted, "mu",
                [("text-anchor", "middle")])
            return
        }
        for (index, points) in lines.enumerated() {
            let places = points.map { (across($0.x), height($0.y)) }
            if places.count > 1 { drawStroke(&out, places, index) }
            for place in places { drawMark(&out, place, index) }
        }
    }

    private func drawStroke(_ out: inout SVGText, _ places: [(Double, Double)], _ index: Int) {
        let path = places.map { "\(SVGText.number($0.0)),\(SVGText.number($0.1))" }.joined(separator: " ")
        var attributes = [
            ("class", "l\(color(index))"), ("points", path), ("fill", "none"),
            ("stroke", ChartStyle.color(color(index)).light), ("stroke-width", "2"), ("stroke-linejoin", "round"),
        ]
        if chart.series[index].isDashed { attributes.append(("stroke-dasharray", "6 4")) }
        out.element("polyline", attributes)
    }

    /// A circle, a square, a triangle or a diamond, so that lines differ in print as well.
    private func drawMark(_ out: inout SVGText, _ place: (Double, Double), _ index: Int) {
        let fill = [("class", "m\(color(index))"), ("fill", ChartStyle.color(color(index)).light)]
        let corners: [(Double, Double)]
        switch color(index) % 4 {
        case 0:
            out.element(
                "circle",
                fill + [("cx", SVGText.number(place.0)), ("cy", SVGText.number(place.1)), ("r", "3.5")])
            return
        case 1: corners = [(-3.2, -3.2), (3.2, -3.2), (3.2, 3.2), (-3.2, 3.2)]
        case 2: corners = [(0, -4.2), (4, 3.2), (-4, 3.2)]
        default: corners = [(0, -4.4), (4.4, 0), (0, 4.4), (-4.4, 0)]
        }
        let path = corners.map { "\(SVGText.number(place.0 + $0.0)),\(SVGText.number(place.1 + $0.1))" }
        out.element("polygon", fill + [("points", path.joined(separator: " "))])
    }

    private func drawLegend(_ out: inout SVGText) {
        // Many names move closer together rather than out of the chart.
        let step = min(20, (lower - upper - 10) / Double(max(1, chart.series.count)))
        let letters = max(4, Int((legendWidth - 52) / ChartStyle.width(of: "n")))
        for (index, series) in chart.series.enumerated() {
            let place = upper + 10 + Double(index) * step
            let start = right + 18
            drawStroke(&out, [(start, place), (start + 24, place)], index)
            drawMark(&out, (start + 12, place), index)
            let name =
                series.name.count > letters ? series.name.prefix(max(1, letters - 1)) + "…" : series.name[...]
            drawText(&out, String(name), x: start + 31, y: place + 4, ChartStyle.text, "fg")
        }
    }

    // MARK: Elements

    private func drawLine(_ out: inout SVGText, _ from: (Double, Double), _ to: (Double, Double)) {
        out.element(
            "line",
            [
                ("class", "gr"), ("x1", SVGText.number(from.0)), ("y1", SVGText.number(from.1)),
                ("x2", SVGText.number(to.0)), ("y2", SVGText.number(to.1)), ("stroke", ChartStyle.grid.light),
            ])
    }

    private func drawText(
        _ out: inout SVGText, _ text: String, x: Double, y: Double, _ color: ChartStyle.Color, _ name: String,
        _ attributes: [(String, String)] = []
    ) {
        guard !text.isEmpty else { return }
        out.element(
            "text",
            [("class", name), ("x", SVGText.number(x)), ("y", SVGText.number(y)), ("fill", color.light)]
                + attributes, content: text)
    }
}
