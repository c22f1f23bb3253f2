import CommandSupport

extension Report {
    /// What ``CaptureCost`` gave for one load.
    struct Capture {
        let load: CaptureCost.Load
        /// Transfers in a second.
        let without: Double
        /// Transfers in a second.
        let with: Double
        /// The part of the transfers that the file has: less than 1 where it could not follow.
        let recorded: Double

        var ratio: Double { without > 0 ? with / without : 0 }
        var isMet: Bool { ratio >= load.goal }
    }

    static func captureTable(_ captures: [Capture]) -> String {
        var rows = [["bulk transfers of the test device", "alone", "recorded", "ratio", "goal", "", "in the file"]]
        for capture in captures {
            rows.append([
                capture.load.name, speed(capture.without, capture.load), speed(capture.with, capture.load),
                decimal(capture.ratio, 2), "≥ \(decimal(capture.load.goal, 2))", word(capture.isMet),
                "\(decimal(capture.recorded * 100, 0)) %",
            ])
        }
        return "what recording costs: rates with and without --capture, by turns\n" + Table.text(rows)
    }

    private static func speed(_ rate: Double, _ load: CaptureCost.Load) -> String {
        load.bytes > 64 ? "\(decimal(rate * Double(load.bytes) / 1e6, 0)) MB/s" : "\(decimal(rate, 0)) /s"
    }

    static func json(_ capture: Capture) -> JSON {
        .object([
            ("case", .string(Case.capture.rawValue)), ("direction", .string(capture.load.isIn ? "in" : "out")),
            ("bytes", .number(capture.load.bytes)), ("depth", .number(capture.load.depth)),
            ("alonePerSecond", .decimal(capture.without, digits: 1)),
            ("recordedPerSecond", .decimal(capture.with, digits: 1)),
            ("ratio", .decimal(capture.ratio, digits: 4)), ("goal", .decimal(capture.load.goal, digits: 2)),
            ("met", .bool(capture.isMet)), ("partInFile", .decimal(capture.recorded, digits: 4)),
        ])
    }
}
