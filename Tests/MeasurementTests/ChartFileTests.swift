import Measurement
import Testing

@Suite("A file of charts")
struct ChartFileTests {
    @Test("is one chart as JSON")
    func one() throws {
        let page = try ChartPage(
            parsing: """
                {"title": "Bulk \\u00b5s \\ud83d\\ude00", "x": {"label": "size", "scale": "log2", "unit": "bytes"},
                 "y": {"label": "MB/s"}, "note": [null, true],
                 "series": [{"name": "1 ms", "points": [[64, 1.5], [1e3, -2E-1]], "dashed": true, "color": 2}]}
                """.utf8)
        #expect(page.title.isEmpty)
        #expect(
            page.charts == [
                Chart(
                    title: "Bulk µs 😀", x: .init("size", scale: .log2, unit: .bytes), y: .init("MB/s"),
                    series: [.init("1 ms", [.init(64, 1.5), .init(1000, -0.2)], isDashed: true, color: 2)])
            ])
    }

    @Test("is several charts under a title")
    func several() throws {
        let chart = #"{"x":{},"y":{},"series":[]}"#
        let page = try ChartPage(parsing: #"{"title":"T","charts":[\#(chart),\#(chart)]}"#.utf8)
        #expect(page.title == "T" && page.charts.count == 2)
    }

    @Test(
        "that is no chart is met with the member that is wrong",
        arguments: [
            ("[]", "the chart has no \"series\""),
            (#"{"series":{}}"#, "series is no array"),
            (#"{"series":[]}"#, "the chart has no \"x\""),
            (#"{"series":[{}]}"#, "series[0] has no \"points\""),
            (#"{"series":[{"points":[[1]]}]}"#, "series[0].points[0] is not two numbers"),
            (#"{"series":[{"points":[[1,"2"]]}]}"#, "series[0].points[0][1] is no number"),
            (#"{"series":[],"x":{"scale":"ln"},"y":{}}"#, "x has the scale \"ln\"; there is: linear, log2, log10"),
            (#"{"series":[],"x":{"label":5},"y":{}}"#, "x has a \"label\" that is no string"),
            (#"{"charts":[{"series":[],"x":{}}]}"#, "charts[0] has no \"y\""),
            (#"{"series":[{"points":[],"color":1e300}]}"#, "color"),
        ])
    func wrongMember(_ json: String, words: String) {
        let error = #expect(throws: ChartFileError.self) { try ChartPage(parsing: json.utf8) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test(
        "that is no JSON is met with the line",
        arguments: [
            ("", 1), ("{", 1), ("{\n\"a\" 1}", 2), ("{\"a\":1,}", 1), ("[1,\n2,\n3", 3), ("\"abc", 1),
            ("\"a\nb\"", 1), (#""\x""#, 1), (#""\u12""#, 1), (#""\ud800\n""#, 1), ("nan", 1), ("+1", 1), ("1 2", 1),
            ("0x10", 1), ("1e999", 1), ("tru", 1), (String(repeating: "[", count: 100_000), 1),
        ])
    func notJSON(_ text: String, line: Int) {
        let error = #expect(throws: ChartFileError.self) { try ChartPage(parsing: text.utf8) }
        #expect(error?.description.hasPrefix("line \(line): ") == true, "\(error?.description ?? "")")
    }
}
