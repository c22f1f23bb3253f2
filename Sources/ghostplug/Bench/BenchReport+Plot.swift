import CommandSupport
import Measurement
import Statistics

extension BenchReport {
    /// Throughput, latency and intervals, each where there is something to compare.
    var plot: ChartPage {
        var charts: [Chart] = []
        for type in BenchType.allCases {
            let results = results.filter { $0.benchCase.type == type && $0.urbs > 0 }
            guard !results.isEmpty else { continue }
            charts.append(Self.throughput(type, results))
            charts.append(Self.latency(type, results))
            if results.contains(where: { ($0.intervals?.count ?? 0) > 0 }) {
                charts.append(Self.intervals(type, results))
            }
        }
        return ChartPage(title: "\(target), \(BenchMachine.current.text)", charts: charts)
    }

    /// Against the size, a line for each depth; with a single size, against the depth.
    private static func throughput(_ type: BenchType, _ results: [BenchResult]) -> Chart {
        let sizes = distinct(results.map(\.benchCase.size))
        guard sizes.count > 1 else {
            let points = results.map { Chart.Point(Double($0.benchCase.depth), $0.urbsPerSecond) }
            return Chart(
                title: "\(type.rawValue): rate", subtitle: "URBs of \(sizes.first.map(ByteSize.text) ?? "") bytes",
                x: .init("URBs in flight", scale: .log2), y: .init("URB/s"),
                series: [.init(type.rawValue, points)])
        }
        return Chart(
            title: "\(type.rawValue): throughput", x: .init("URB size (bytes)", scale: .log2, unit: .bytes),
            y: .init("MB/s"),
            series: distinct(results.map(\.benchCase.depth)).map { depth in
                .init(
                    "\(depth) in flight",
                    results.filter { $0.benchCase.depth == depth }.map {
                        .init(Double($0.benchCase.size), $0.megabytesPerSecond)
                    })
            })
    }

    /// Against the depth, the median and the 99th percentile of each size.
    private static func latency(_ type: BenchType, _ results: [BenchResult]) -> Chart {
        let sizes = distinct(results.map(\.benchCase.size))
        var series: [Chart.Series] = []
        for (color, size) in sizes.enumerated() {
            let results = results.filter { $0.benchCase.size == size }
            for (name, part, isDashed) in [("p50", 50, false), ("p99", 99, true)] as [(String, UInt64, Bool)] {
                series.append(
                    .init(
                        "\(ByteSize.text(size)), \(name)",
                        results.map {
                            .init(
                                Double($0.benchCase.depth), Double($0.latency.quantile(part, of: 100)) / 1e3)
                        }, isDashed: isDashed, color: color))
            }
        }
        return Chart(
            title: "\(type.rawValue): latency", subtitle: "from submission to completion, by URB size",
            x: .init("URBs in flight", scale: .log2), y: .init("µs", scale: .log10), series: series)
    }

    /// Against the depth, the mean and the longest interval of each size, and what it should be.
    private static func intervals(_ type: BenchType, _ results: [BenchResult]) -> Chart {
        var series: [Chart.Series] = []
        for (color, size) in distinct(results.map(\.benchCase.size)).enumerated() {
            let meters = results.filter { $0.benchCase.size == size }.compactMap { result in
                result.intervals.map { (depth: Double(result.benchCase.depth), meter: $0) }
            }
            series.append(
                .init(
                    "\(ByteSize.text(size)), mean", meters.map { .init($0.depth, $0.meter.mean / 1e6) }, color: color))
            series.append(
                .init(
                    "\(ByteSize.text(size)), longest",
                    meters.map { .init($0.depth, Double($0.meter.histogram.greatest) / 1e6) }, isDashed: true,
                    color: color))
            series.append(
                .init(
                    "\(ByteSize.text(size)), nominal",
                    meters.map { .init($0.depth, Double($0.meter.nominal) / 1e6) }, color: 7))
        }
        return Chart(
            title: "\(type.rawValue): interval between completions", x: .init("URBs in flight", scale: .log2),
            y: .init("ms"), series: series)
    }

    private static func distinct(_ numbers: [Int]) -> [Int] { Set(numbers).sorted() }
}
