import CommandSupport
import Measurement
import Statistics
import USBCore
import USBIPClient

extension BenchReport {
    /// Tables for people.
    var text: String {
        var parts = [
            "\(target): \(hex(vendorID)):\(hex(productID)), \(speedName(speed.rawValue)); \(BenchMachine.current.text)"
        ]
        if results.contains(where: { $0.urbs > 0 }) { parts.append(rates) }
        let intervals = intervals
        if !intervals.isEmpty { parts.append("interval between completions\n\(intervals)") }
        let remarks =
            notes + results.compactMap { result in result.remark.map { "\(result.benchCase.description): \($0)" } }
        if !remarks.isEmpty { parts.append(remarks.map { "note: \($0)" }.joined(separator: "\n")) }
        if isInterrupted { parts.append("interrupted: the last case is what was measured until then") }
        return parts.joined(separator: "\n\n")
    }

    private var rates: String {
        var table = TextTable([
            ("type", .leading), ("ep", .leading), ("size", .trailing), ("packets", .trailing), ("depth", .trailing),
            ("URB/s", .trailing), ("MB/s", .trailing), ("mean µs", .trailing), ("p50", .trailing),
            ("p99", .trailing), ("p99.9", .trailing), ("max", .trailing), ("client CPU µs/URB", .trailing),
            ("server", .trailing), ("failed", .trailing),
        ])
        for result in results where result.urbs > 0 {
            let item = result.benchCase
            let latency = result.latency
            table.add([
                item.type.rawValue, "0x\(hex(item.endpoint.rawValue))", ByteSize.text(item.size),
                item.packets > 0 ? "\(item.packets)" : "", "\(item.depth)", decimal(result.urbsPerSecond, 0),
                significant(result.megabytesPerSecond), microseconds(latency.mean),
                microseconds(latency.quantile(50, of: 100)), microseconds(latency.quantile(99, of: 100)),
                microseconds(latency.quantile(999, of: 1000)), microseconds(latency.greatest),
                decimal(result.clientCPUPerURB, 2), result.serverCPUPerURB.map { decimal($0, 2) } ?? "",
                result.failureCount > 0 ? "\(result.failureCount)" : "",
            ])
        }
        return table.text
    }

    private var intervals: String {
        var table = TextTable([
            ("type", .leading), ("packets", .trailing), ("depth", .trailing), ("nominal ms", .trailing),
            ("mean ms", .trailing), ("sd µs", .trailing), ("p99 ms", .trailing), ("worst deviation µs", .trailing),
            ("packet errors", .trailing), ("empty", .trailing), ("lost", .trailing), ("repeated", .trailing),
            ("mean age ms", .trailing), ("worst", .trailing),
        ])
        for result in results {
            guard let meter = result.intervals, meter.count > 0 else { continue }
            let item = result.benchCase
            let isIso = item.packets > 0
            table.add([
                item.type.rawValue, isIso ? "\(item.packets)" : "", "\(item.depth)",
                decimal(Double(meter.nominal) / 1e6, 3), decimal(meter.mean / 1e6, 3),
                decimal(meter.standardDeviation / 1e3, 1),
                decimal(Double(meter.histogram.quantile(99, of: 100)) / 1e6, 3),
                (meter.worstDeviation > 0 ? "+" : "") + decimal(meter.worstDeviation / 1e3, 1),
                isIso ? "\(result.packetErrors)" : "", isIso ? "\(result.emptyPackets)" : "",
                result.counter.map { "\($0.lost)" } ?? "", result.counter.map { "\($0.repeated)" } ?? "",
                result.ages.histogram.map { decimal($0.mean / 1e6, 3) } ?? "",
                result.ages.histogram.map { decimal(Double($0.greatest) / 1e6, 3) } ?? "",
            ])
        }
        return table.isEmpty ? "" : table.text
    }

    private func microseconds(_ nanoseconds: UInt64) -> String { microseconds(Double(nanoseconds)) }

    private func microseconds(_ nanoseconds: Double) -> String { decimal(nanoseconds / 1e3, 1) }
}

extension BenchResult {
    /// What the figures alone do not say; nil when they say it all.
    var remark: String? {
        var parts: [String] = trouble.map { [$0] } ?? []
        for (status, count) in failures.sorted(by: { $0.key > $1.key }) where trouble == nil || count > 1 {
            let words = "\(TransferStatus(rawValue: status).words) (\(status))"
            parts.append(count == 1 ? "a URB failed: \(words)" : "\(count) URBs failed: \(words)")
        }
        if let counter, counter.received > 2, counter.repeated == counter.received - 1 {
            parts.append("all reports have the same number; perhaps the device does not number them")
        }
        if let counter, counter.unnumbered > 0 {
            parts.append("\(counter.unnumbered) reports were too short for a number")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
