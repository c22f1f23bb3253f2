import CommandSupport
import Glibc
import Statistics

/// What a run has found out, for people and for programs.
struct Report {
    struct Rate {
        let item: Case
        let ours: Figures
        let reference: Figures

        /// Ours in parts of the reference's.
        var ratio: Double { reference.perSecond > 0 ? ours.perSecond / reference.perSecond : 0 }
        /// Ours in parts of the reference's.
        var cpuRatio: Double { reference.cpu > 0 ? ours.cpu / reference.cpu : 0 }
        var isRateMet: Bool { ratio >= Goal.rate }
        var isCPUMet: Bool { cpuRatio <= Goal.cpu }
    }

    struct Measured {
        let condition: Condition
        let rates: [Rate]
    }

    struct Memory {
        let item: Case
        /// Bytes.
        let peak: Int64
        /// Bytes.
        let goal: Int64
        /// Nanoseconds until the server was ready.
        let startTime: Int64

        var isMet: Bool { peak < goal }
    }

    /// What ``PolledDevices`` gave.
    struct Polled {
        let reportsPerSecond: Double
        /// In processors.
        let cpu: Double
        /// Bytes.
        let peak: Int64

        var isMet: Bool { cpu < Goal.polledCPU && peak < Goal.polledMemory }
    }

    /// What ``ControlledKeys`` gave.
    struct Keys {
        /// Times in nanoseconds.
        struct Figures {
            /// From just before a key was asked for until the host had the report.
            let toHost: Histogram
            /// From the same moment until the control interface had answered.
            let roundTrip: Histogram
        }

        let free: Figures
        let bus: Figures

        var isFreeMet: Bool { free.toHost.quantile(1, of: 2) < Goal.keyTime }
        /// Nanoseconds: a key waits for its turn, and then takes what it takes when there is nothing to wait for.
        var busGoal: UInt64 { UInt64(ControlledKeys.interval) * 1_000_000 + free.toHost.quantile(99, of: 100) }
        var isBusMet: Bool { bus.toHost.quantile(99, of: 100) <= busGoal }
    }

    let rounds: Int
    let seconds: Double
    var conditions: [Measured] = []
    var memory: [Memory] = []
    var polled: Polled?
    var keys: Keys?
    var captures: [Capture] = []

    // MARK: Text

    /// Tables.
    var text: String {
        var parts: [String] = []
        for measured in conditions {
            parts.append(
                "\(measured.condition): medians of \(rounds) rounds of \(decimal(seconds, 2)) s, on \(Machine.description)\n"
                    + Self.table(measured.rates))
        }
        if !memory.isEmpty {
            var rows = [["case", "peak RSS", "goal", "", "ready after"]]
            for entry in memory {
                rows.append([
                    entry.item.rawValue, Self.mebibytes(entry.peak), "< \(Self.mebibytes(entry.goal))",
                    Self.word(entry.isMet), "\(decimal(Double(entry.startTime) / 1e6, 0)) ms",
                ])
            }
            parts.append("memory of a server's process\n" + Table.text(rows))
        }
        if let polled {
            parts.append(
                "200 devices, 4 interrupt transfers waiting in each, a report of 64 bytes every 10 ms\n"
                    + Table.text([
                        ["reports", "CPU of the server", "goal", "peak RSS", "goal", ""],
                        [
                            "\(decimal(polled.reportsPerSecond, 0)) /s", "\(decimal(polled.cpu * 100, 1)) % of one",
                            "< \(decimal(Goal.polledCPU * 100, 0)) %", Self.mebibytes(polled.peak),
                            "< \(Self.mebibytes(Goal.polledMemory))", Self.word(polled.isMet),
                        ],
                    ]))
        }
        if let keys { parts.append(keys.text) }
        if !captures.isEmpty { parts.append(Self.captureTable(captures)) }
        return parts.joined(separator: "\n\n")
    }

    private static func table(_ rates: [Rate]) -> String {
        var rows = [
            [
                "case", "ours", "reference", "ratio", "goal", "", "p50 µs", "p99 µs", "CPU µs", "reference", "ratio",
                "goal", "",
            ]
        ]
        for rate in rates {
            let has = rate.item.hasGoals
            rows.append([
                rate.item.rawValue, speed(rate.ours, rate.item), speed(rate.reference, rate.item),
                decimal(rate.ratio, 2), has ? "≥ \(decimal(Goal.rate, 2))" : "-", has ? word(rate.isRateMet) : "",
                decimal(rate.ours.p50, 1), decimal(rate.ours.p99, 1), decimal(rate.ours.cpu, 2),
                decimal(rate.reference.cpu, 2), decimal(rate.cpuRatio, 2), has ? "≤ \(decimal(Goal.cpu, 2))" : "-",
                has ? word(rate.isCPUMet) : "",
            ])
        }
        return Table.text(rows)
    }

    private static func speed(_ figures: Figures, _ item: Case) -> String {
        item.bytes >= 64 << 10
            ? "\(decimal(figures.perSecond * Double(item.bytes) / 1e6, 0)) MB/s"
            : "\(decimal(figures.perSecond, 0)) /s"
    }

    private static func mebibytes(_ bytes: Int64) -> String { "\(decimal(Double(bytes) / Double(1 << 20), 0)) MiB" }

    static func word(_ isMet: Bool) -> String { isMet ? "met" : "missed" }

    // MARK: JSON

    /// The same as one object.
    var json: JSON {
        .object([
            ("version", .number(1)),
            (
                "machine",
                .object([("processors", .number(Machine.processorNumbers.count)), ("kernel", .string(Machine.kernel))])
            ),
            ("rounds", .number(rounds)), ("secondsPerRound", .decimal(seconds, digits: 3)),
            ("conditions", .array(conditions.map(Self.json))), ("memory", .array(memory.map(Self.json))),
            ("polled", .array([polled].compactMap { $0 }.map(Self.json))),
            ("keys", .array(keys?.json ?? [])), ("capture", .array(captures.map(Self.json))),
        ])
    }

    private static func json(_ measured: Measured) -> JSON {
        .object([("condition", .string(measured.condition.rawValue)), ("cases", .array(measured.rates.map(json)))])
    }

    private static func json(_ rate: Rate) -> JSON {
        var members: [(String, JSON)] = [
            ("case", .string(rate.item.rawValue)), ("bytesPerCommand", .number(rate.item.bytes)),
            ("ours", json(rate.ours)), ("reference", json(rate.reference)),
            ("rateRatio", .decimal(rate.ratio, digits: 4)), ("cpuRatio", .decimal(rate.cpuRatio, digits: 4)),
        ]
        if rate.item.hasGoals {
            members += [
                ("rateGoal", .decimal(Goal.rate, digits: 2)), ("rateMet", .bool(rate.isRateMet)),
                ("cpuGoal", .decimal(Goal.cpu, digits: 2)), ("cpuMet", .bool(rate.isCPUMet)),
            ]
        }
        return .object(members)
    }

    private static func json(_ figures: Figures) -> JSON {
        .object([
            ("commandsPerSecond", .decimal(figures.perSecond, digits: 1)),
            ("p50Microseconds", .decimal(figures.p50, digits: 3)),
            ("p99Microseconds", .decimal(figures.p99, digits: 3)),
            ("cpuMicrosecondsPerCommand", .decimal(figures.cpu, digits: 3)),
        ])
    }

    private static func json(_ polled: Polled) -> JSON {
        .object([
            ("case", .string(Case.polled200.rawValue)),
            ("reportsPerSecond", .decimal(polled.reportsPerSecond, digits: 1)),
            ("processors", .decimal(polled.cpu, digits: 4)), ("peakBytes", .number(Int(polled.peak))),
            ("met", .bool(polled.isMet)),
        ])
    }

    private static func json(_ entry: Memory) -> JSON {
        .object([
            ("case", .string(entry.item.rawValue)), ("peakBytes", .number(Int(entry.peak))),
            ("goalBytes", .number(Int(entry.goal))), ("met", .bool(entry.isMet)),
            ("readyAfterMilliseconds", .decimal(Double(entry.startTime) / 1e6, digits: 1)),
        ])
    }
}
