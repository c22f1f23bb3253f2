/// Lines over two axes: what a chart shows, not how.
package struct Chart: Hashable, Sendable {
    /// How an axis maps numbers to places.
    package enum Scale: String, Hashable, Sendable, CaseIterable {
        /// Equal steps.
        case linear
        /// Equal steps for each doubling; for sizes and depths.
        case log2
        /// Equal steps for each factor of ten; for latencies.
        case log10
    }

    /// How the numbers of an axis are written.
    package enum Unit: String, Hashable, Sendable, CaseIterable {
        /// As they are, thousands and millions shortened to k and M.
        case plain
        /// As sizes in bytes: 64, 1K, 1M.
        case bytes
    }

    /// One of the two axes.
    package struct Axis: Hashable, Sendable {
        /// What is shown along it, with its unit.
        package var label: String
        /// How it maps numbers to places.
        package var scale: Scale
        /// How its numbers are written.
        package var unit: Unit

        /// Makes an axis.
        package init(_ label: String, scale: Scale = .linear, unit: Unit = .plain) {
            self.label = label
            self.scale = scale
            self.unit = unit
        }
    }

    /// A place in the chart.
    package struct Point: Hashable, Sendable {
        /// Along the horizontal axis.
        package var x: Double
        /// Along the vertical axis.
        package var y: Double

        /// Makes a point.
        package init(_ x: Double, _ y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// A line and its name in the legend.
    package struct Series: Hashable, Sendable {
        /// What the legend calls it.
        package var name: String
        /// Its points, in any order.
        package var points: [Point]
        /// Whether the line is dashed: for a bound, or for the second of a pair.
        package var isDashed: Bool
        /// Which colour it has, nil for the next one; equal numbers make pairs.
        package var color: Int?

        /// Makes a line.
        package init(_ name: String, _ points: [Point], isDashed: Bool = false, color: Int? = nil) {
            self.name = name
            self.points = points
            self.isDashed = isDashed
            self.color = color
        }
    }

    /// What stands above it.
    package var title: String
    /// A line of explanation under the title; empty for none.
    package var subtitle: String
    /// The horizontal axis.
    package var x: Axis
    /// The vertical axis.
    package var y: Axis
    /// The lines, in the legend's order.
    package var series: [Series]

    /// Makes a chart.
    package init(title: String, subtitle: String = "", x: Axis, y: Axis, series: [Series]) {
        self.title = title
        self.subtitle = subtitle
        self.x = x
        self.y = y
        self.series = series
    }

    /// A line's points that the scales can show, from left to right.
    ///
    /// Logarithmic scales have no place for zero and below, and no scale has one for what is no number.
    func visiblePoints(of series: Series) -> [Point] {
        series.points.filter { x.scale.shows($0.x) && y.scale.shows($0.y) }.sorted { $0.x < $1.x }
    }
}

extension Chart.Scale {
    func shows(_ value: Double) -> Bool { value.isFinite && (self == .linear || value > 0) }
}
