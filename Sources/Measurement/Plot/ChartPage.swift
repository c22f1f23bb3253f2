/// Charts below each other in one SVG document.
package struct ChartPage: Sendable {
    /// What stands above all of them; empty for none.
    package var title: String
    /// The charts, from top to bottom.
    package var charts: [Chart]

    /// Makes a page.
    package init(title: String = "", charts: [Chart]) {
        self.title = title
        self.charts = charts
    }

    /// The document: well-formed XML in UTF-8 without fonts, scripts or anything else from outside.
    package var svg: String {
        let top = title.isEmpty ? 0.0 : 40.0
        let height = top + ChartStyle.height * Double(max(1, charts.count))
        let size = (SVGText.number(ChartStyle.width), SVGText.number(height))
        var out = SVGText()
        out.markup("<?xml version=\"1.0\" encoding=\"UTF-8\"?>")
        out.markup(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"\(size.0)\" height=\"\(size.1)\" "
                + "viewBox=\"0 0 \(size.0) \(size.1)\" font-family=\"\(SVGText.escaped(ChartStyle.fonts))\" "
                + "font-size=\"\(SVGText.number(ChartStyle.fontSize))\">")
        out.element("title", [], content: title.isEmpty ? charts.first?.title ?? "No charts" : title)
        out.markup(ChartStyle.sheet)
        out.element(
            "rect",
            [("class", "bg"), ("width", size.0), ("height", size.1), ("fill", ChartStyle.background.light)])
        if !title.isEmpty {
            out.element(
                "text",
                [
                    ("class", "fg"), ("x", "24"), ("y", "30"), ("font-size", "18"), ("font-weight", "600"),
                    ("fill", ChartStyle.text.light),
                ], content: title)
        }
        for (index, chart) in charts.enumerated() {
            ChartDrawing(chart, top: top + ChartStyle.height * Double(index)).draw(&out)
        }
        out.markup("</svg>")
        return out.text
    }
}
