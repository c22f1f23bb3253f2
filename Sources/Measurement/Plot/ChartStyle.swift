/// Colours, marks and sizes of charts.
///
/// Every element carries the colours for light backgrounds as attributes, which all viewers know; a style sheet
/// replaces them where the reader prefers dark. Neighbours in the palette differ for colour-blind readers, too, and
/// marks differ as well.
enum ChartStyle {
    static let width = 820.0
    static let height = 420.0
    static let fontSize = 12.0
    static let fonts = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

    /// A colour on light and on dark backgrounds.
    struct Color {
        let light: String
        let dark: String
    }

    static let background = Color(light: "#ffffff", dark: "#0d1117")
    static let text = Color(light: "#1f2328", dark: "#e6edf3")
    static let muted = Color(light: "#59636e", dark: "#9198a1")
    static let grid = Color(light: "#dde1e6", dark: "#2b323b")
    static let palette = [
        Color(light: "#0b63c5", dark: "#6cb2ff"), Color(light: "#c4500b", dark: "#ffa657"),
        Color(light: "#1a7f37", dark: "#56d364"), Color(light: "#8250df", dark: "#d2a8ff"),
        Color(light: "#b3156b", dark: "#ff8ad0"), Color(light: "#0e7c86", dark: "#4fd6df"),
        Color(light: "#7a5a00", dark: "#e3b341"), Color(light: "#59636e", dark: "#b1bac4"),
    ]

    static func color(_ index: Int) -> Color { palette[cycle(index, palette.count)] }

    static func cycle(_ index: Int, _ count: Int) -> Int { (index % count + count) % count }

    /// The style sheet: the dark colours, where the reader prefers them.
    static var sheet: String {
        var rules = [
            ".bg{fill:\(background.dark)}", ".fg{fill:\(text.dark)}", ".mu{fill:\(muted.dark)}",
            ".gr{stroke:\(grid.dark)}",
        ]
        for (index, color) in palette.enumerated() {
            rules.append(".l\(index){stroke:\(color.dark)}.m\(index){fill:\(color.dark)}")
        }
        return "<style>@media (prefers-color-scheme:dark){\(rules.joined())}</style>"
    }

    /// About how wide a text is; no font can be measured here.
    static func width(of text: String, size: Double = fontSize) -> Double { Double(text.count) * size * 0.56 }
}
