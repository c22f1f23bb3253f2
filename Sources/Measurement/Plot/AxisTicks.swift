import CommandSupport
import Glibc

/// Where an axis begins and ends, and the numbers that are written along it.
struct AxisTicks {
    /// The ends, in the axis's own measure: numbers, or their logarithms.
    let range: ClosedRange<Double>
    /// The numbers to write.
    let values: [Double]
    private let axis: Chart.Axis
    /// Digits behind the point.
    private let digits: Int

    /// Lays out an axis for numbers that its scale can show.
    ///
    /// - Parameters:
    ///   - includesZero: whether a linear axis begins at zero at the latest, so that heights can be compared.
    ///   - limit: about how many numbers there is room for.
    init(_ axis: Chart.Axis, for data: [Double], includesZero: Bool, limit: Int) {
        self.axis = axis
        let least = data.min() ?? (axis.scale == .linear ? 0 : 1)
        let greatest = data.max() ?? (axis.scale == .linear ? 1 : 10)
        switch axis.scale {
        case .linear: (range, values, digits) = Self.linear(least, greatest, includesZero, limit)
        case .log2: (range, values, digits) = Self.doublings(least, greatest, limit)
        case .log10: (range, values, digits) = Self.decades(least, greatest, limit)
        }
    }

    /// Where a number stands, from 0 at the beginning to 1 at the end.
    func position(_ value: Double) -> Double {
        let measure =
            switch axis.scale {
            case .linear: value
            case .log2: log2(value)
            case .log10: log10(value)
            }
        return (measure - range.lowerBound) / (range.upperBound - range.lowerBound)
    }

    /// How a number is written along the axis.
    func label(_ value: Double) -> String {
        if axis.unit == .bytes, let bytes = Int(exactly: value) { return ByteSize.text(bytes) }
        for (letter, size) in [("G", 1e9), ("M", 1e6), ("k", 1e3)] where value.magnitude >= 10_000 {
            if value.magnitude >= size { return Self.trimmed(decimal(value / size, 3)) + letter }
        }
        return axis.scale == .linear ? decimal(value, digits) : Self.trimmed(decimal(value, 6))
    }

    // MARK: The scales

    private typealias Layout = (ClosedRange<Double>, [Double], Int)

    private static func linear(
        _ least: Double, _ greatest: Double, _ includesZero: Bool, _ limit: Int
    ) -> Layout {
        let low = includesZero ? min(0, least) : least
        var high = includesZero ? max(0, greatest) : greatest
        // Halves, so that the span of numbers near the ends of Double does not overflow.
        if !(high / 2 - low / 2 > max(low.magnitude, high.magnitude) * 1e-9) { high = low + max(1, low.magnitude) }
        let step = niceStep(((high / 2 - low / 2) / Double(max(1, limit))) * 2)
        let first = (low / step).rounded(.down)
        let last = (high / step).rounded(.up)
        guard step.isFinite, step > 0, last - first < 1000 else { return (low...high, [], 0) }
        let values = stride(from: first, through: last, by: 1).map { $0 * step }
        var digits = 0
        while digits < 9, (step * pow(10, Double(digits))).rounded() / pow(10, Double(digits)) != step { digits += 1 }
        return (first * step...last * step, values, digits)
    }

    /// The least of 1, 2, 2.5 and 5 times a power of ten that is at least as long.
    private static func niceStep(_ length: Double) -> Double {
        let power = pow(10, log10(length).rounded(.down))
        return [1, 2, 2.5, 5].map { $0 * power }.first { $0 >= length } ?? 10 * power
    }

    private static func doublings(_ least: Double, _ greatest: Double, _ limit: Int) -> Layout {
        var low = log2(least).rounded(.down)
        var high = log2(greatest).rounded(.up)
        if low == high { (low, high) = (low - 1, high + 1) }
        let step = max(1, ((high - low) / Double(max(1, limit))).rounded(.up))
        return (low...high, stride(from: low, through: high, by: step).map { exp2($0) }, 0)
    }

    private static func decades(_ least: Double, _ greatest: Double, _ limit: Int) -> Layout {
        var low = log10(least).rounded(.down)
        var high = log10(greatest).rounded(.up)
        if low == high { (low, high) = (low - 1, high + 1) }
        let step = max(1, ((high - low) / Double(max(1, limit))).rounded(.up))
        let powers = stride(from: low, through: high, by: step)
        // Few decades leave room for what stands between.
        let factors: [Double] = high - low <= 3 ? [1, 2, 5] : [1]
        let ends = pow(10, high) * 1.000_001
        return (low...high, powers.flatMap { power in factors.map { $0 * pow(10, power) } }.filter { $0 <= ends }, 0)
    }

    /// Without zeros at the end of a fraction.
    private static func trimmed(_ text: String) -> String {
        guard text.contains(".") else { return text }
        var text = text[...]
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }
}
