import Measurement
import Testing

@Suite("A chart")
struct ChartTests {
    private let chart = Chart(
        title: "Throughput", x: .init("size (bytes)", scale: .log2, unit: .bytes), y: .init("MB/s"),
        series: [
            .init("depth 1", [.init(64, 1), .init(1024, 10), .init(65_536, 400)]),
            .init("depth 32", [.init(64, 8), .init(1024, 90), .init(65_536, 1600)]),
        ])

    private func lines(_ svg: String, with element: String) -> [Substring] {
        svg.split(separator: "\n").filter { $0.hasPrefix("<\(element) ") }
    }

    /// The coordinates of the polyline of a series, which come in the order of the series.
    private func places(_ svg: String, _ index: Int) -> [(x: Double, y: Double)] {
        let strokes = lines(svg, with: "polyline")
        guard index < strokes.count, let start = strokes[index].firstRange(of: "points=\"")?.upperBound,
            let end = strokes[index][start...].firstIndex(of: "\"")
        else { return [] }
        return strokes[index][start..<end].split(separator: " ").compactMap { pair in
            let parts = pair.split(separator: ",").compactMap { Double($0) }
            return parts.count == 2 ? (parts[0], parts[1]) : nil
        }
    }

    @Test("is well-formed XML with a name, and needs nothing from outside")
    func document() throws {
        let svg = ChartPage(charts: [chart]).svg
        try WellFormed.check(svg)
        #expect(svg.contains("<title>Throughput</title>"))
        for word in ["<script", "href", "@import", "@font-face", "url("] { #expect(!svg.contains(word)) }
        // The one address is the name of the language.
        #expect(svg.ranges(of: "http").count == 1)
    }

    @Test("is readable on light and on dark pages")
    func darkMode() {
        let svg = ChartPage(charts: [chart]).svg
        #expect(svg.contains("@media (prefers-color-scheme:dark)"))
        // Whatever has a colour has a class that the dark sheet knows.
        for line in svg.split(separator: "\n") where line.contains("=\"#") {
            guard let start = line.firstRange(of: "class=\"")?.upperBound,
                let end = line[start...].firstIndex(of: "\"")
            else {
                Issue.record("no class: \(line)")
                continue
            }
            #expect(svg.contains(".\(line[start..<end]){"), "no dark colour for \(line)")
        }
    }

    @Test("spaces doublings evenly on an axis that doubles")
    func log2Axis() {
        let points = places(ChartPage(charts: [chart]).svg, 0)
        #expect(points.count == 3)
        // 64 to 1024 are 4 doublings, 1024 to 65536 are 6.
        let ratio = (points[2].x - points[1].x) / (points[1].x - points[0].x)
        #expect(abs(ratio - 1.5) < 0.01)
    }

    @Test("draws more further up, from zero, and never beyond its own frame")
    func vertical() {
        let svg = ChartPage(charts: [chart]).svg
        let (low, high) = (places(svg, 0), places(svg, 1))
        #expect(low.count == 3 && high.count == 3)
        for (one, many) in zip(low, high) { #expect(many.y < one.y) }
        for point in low + high {
            #expect((84...820).contains(point.x) && (0...420).contains(point.y))
        }
        #expect(svg.contains(">0</text>"))
    }

    @Test("writes sizes as sizes, and every line's name")
    func labels() {
        let svg = ChartPage(charts: [chart]).svg
        for text in [">64</text>", ">1K</text>", ">64K</text>", ">size (bytes)</text>", ">MB/s</text>"] {
            #expect(svg.contains(text), "no \(text)")
        }
        #expect(svg.contains(">depth 1</text>") && svg.contains(">depth 32</text>"))
    }

    @Test("escapes what it is given, and replaces what XML cannot hold")
    func escapes() throws {
        let hostile = "</text><script>&\"'\u{1}\u{fffe}]]>\n"
        let svg = ChartPage(
            title: hostile,
            charts: [
                Chart(
                    title: hostile, subtitle: hostile, x: .init(hostile), y: .init(hostile),
                    series: [.init(hostile, [.init(1, 1)])])
            ]
        ).svg
        try WellFormed.check(svg)
        #expect(!svg.contains("<script") && !svg.contains("\u{1}") && !svg.contains("\u{fffe}"))
        #expect(svg.contains("&lt;script&gt;&amp;&quot;&#39;"))
    }

    @Test("has no place for zero on a logarithmic axis, nor for what is no number")
    func invisible() {
        var chart = chart
        chart.series = [
            .init("odd", [.init(0, 1), .init(64, .nan), .init(.infinity, 2), .init(64, 3), .init(128, 4)])
        ]
        #expect(places(ChartPage(charts: [chart]).svg, 0).count == 2)
    }

    @Test("shows a single point, and says when there is none")
    func fewPoints() throws {
        var chart = chart
        chart.series = [.init("one", [.init(64, 5)])]
        let one = ChartPage(charts: [chart]).svg
        try WellFormed.check(one)
        // In the plot and in the legend.
        #expect(lines(one, with: "circle").count == 2)
        chart.series = []
        let none = ChartPage(charts: [chart]).svg
        try WellFormed.check(none)
        #expect(none.contains("nothing to show"))
    }

    @Test("survives numbers at the ends of what a number can be", arguments: Chart.Scale.allCases)
    func extremes(_ scale: Chart.Scale) throws {
        let numbers: [Double] = [
            -.greatestFiniteMagnitude, -1, 0, .leastNonzeroMagnitude, 1e-300, 1, 1e300, .greatestFiniteMagnitude,
        ]
        for first in numbers {
            for second in numbers {
                let chart = Chart(
                    title: "", x: .init("", scale: scale), y: .init("", scale: scale),
                    series: [.init("", [.init(first, second), .init(second, first)])])
                let svg = ChartPage(charts: [chart]).svg
                try WellFormed.check(svg)
                #expect(svg.utf8.count < 100_000)
            }
        }
    }

    @Test("keeps many names inside its height")
    func manySeries() {
        var chart = chart
        chart.series = (0..<60).map { .init("series \($0)", [.init(64, Double($0))]) }
        let svg = ChartPage(charts: [chart]).svg
        for line in lines(svg, with: "text") {
            guard let start = line.firstRange(of: " y=\"")?.upperBound, let end = line[start...].firstIndex(of: "\"")
            else { continue }
            #expect((Double(line[start..<end]) ?? .infinity) <= 420)
        }
    }

    @Test("stands below the one before it on a page of several")
    func page() throws {
        let svg = ChartPage(title: "All", charts: [chart, chart]).svg
        try WellFormed.check(svg)
        #expect(svg.contains("<title>All</title>"))
        // Two lines and two legend strokes of each chart.
        let strokes = lines(svg, with: "polyline")
        #expect(strokes.count == 8)
        #expect(places(svg, 4).first?.y == (places(svg, 0).first?.y).map { $0 + 420 })
    }
}
