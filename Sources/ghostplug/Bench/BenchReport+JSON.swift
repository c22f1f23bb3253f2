import CommandSupport
import Measurement
import Statistics
import USBCore

extension BenchReport {
    /// The version of the object that ``json(date:)`` makes: greater when a member changes its meaning or goes.
    static let schemaVersion = 1

    /// One object; `bench --help` says what is in it.
    ///
    /// What depends on the machine and the moment is in `machine`, `startedAt` and each case's `result`; all else is
    /// the same in every run with the same settings.
    func json(date: Int) -> JSON {
        .object([
            ("version", .number(Self.schemaVersion)), ("target", .string(target)),
            (
                "device",
                .object([
                    ("idVendor", .string(hex(vendorID))), ("idProduct", .string(hex(productID))),
                    ("speed", .string(speedName(speed.rawValue))), ("configuration", .number(Int(configuration))),
                ])
            ),
            (
                "settings",
                .object([
                    ("seconds", .decimal(settings.time, digits: 3)),
                    ("warmupSeconds", .decimal(settings.warmup, digits: 3)),
                    ("timeoutSeconds", .decimal(settings.timeout, digits: 3)), ("numbered", .bool(settings.isNumbered)),
                ])
            ),
            ("machine", BenchMachine.current.json), ("startedAt", .number(date)),
            ("complete", .bool(isWhole)), ("interrupted", .bool(isInterrupted)),
            ("notes", .array(notes.map { .string($0) })), ("cases", .array(results.map(\.json))),
        ])
    }
}

extension BenchResult {
    /// The case, and what came of it under `result`.
    var json: JSON {
        var members: [(String, JSON)] = [
            ("type", .string(benchCase.type.rawValue)), ("endpoint", .number(Int(benchCase.endpoint.rawValue))),
        ]
        if let setting {
            members += [
                ("interface", .number(Int(setting.interface))), ("alternate", .number(Int(setting.alternate))),
            ]
        }
        members += [("size", .number(benchCase.size)), ("depth", .number(benchCase.depth))]
        if benchCase.packets > 0 { members.append(("packets", .number(benchCase.packets))) }
        if let interval = benchCase.interval {
            members.append(("nominalIntervalMicroseconds", .decimal(Double(interval) / 1e3, digits: 3)))
        }
        return .object(members + [("result", result)])
    }

    private var result: JSON {
        var members: [(String, JSON)] = [
            ("seconds", .decimal(seconds, digits: 6)), ("urbs", .number(Int(clamping: urbs))),
            ("bytes", .number(Int(clamping: bytes))), ("urbsPerSecond", .decimal(urbsPerSecond, digits: 2)),
            ("megabytesPerSecond", .decimal(megabytesPerSecond, digits: 4)),
            (
                "latencyMicroseconds",
                .object([
                    ("mean", .decimal(latency.mean / 1e3, digits: 3)), ("min", Self.microseconds(latency.least)),
                    ("p50", Self.microseconds(latency.quantile(50, of: 100))),
                    ("p99", Self.microseconds(latency.quantile(99, of: 100))),
                    ("p999", Self.microseconds(latency.quantile(999, of: 1000))),
                    ("max", Self.microseconds(latency.greatest)),
                ])
            ),
            ("clientCPUMicrosecondsPerURB", .decimal(clientCPUPerURB, digits: 4)),
        ]
        if let serverCPUPerURB {
            members.append(("serverCPUMicrosecondsPerURB", .decimal(serverCPUPerURB, digits: 4)))
        }
        members.append(
            (
                "failures",
                .array(
                    failures.sorted { $0.key > $1.key }.map { status, count in
                        .object([("status", .number(Int(status))), ("count", .number(Int(clamping: count)))])
                    })
            ))
        members += periodic
        if let trouble { members.append(("trouble", .string(trouble))) }
        return .object(members)
    }

    private var periodic: [(String, JSON)] {
        var members: [(String, JSON)] = []
        if let intervals {
            members.append(
                (
                    "intervalMicroseconds",
                    .object([
                        ("count", .number(Int(clamping: intervals.count))),
                        ("mean", .decimal(intervals.mean / 1e3, digits: 3)),
                        ("standardDeviation", .decimal(intervals.standardDeviation / 1e3, digits: 3)),
                        ("p99", Self.microseconds(intervals.histogram.quantile(99, of: 100))),
                        ("min", Self.microseconds(intervals.histogram.least)),
                        ("max", Self.microseconds(intervals.histogram.greatest)),
                        ("worstDeviation", .decimal(intervals.worstDeviation / 1e3, digits: 3)),
                    ])
                ))
        }
        if benchCase.packets > 0 {
            members += [
                ("packetsReturned", .number(Int(clamping: packets))),
                ("packetErrors", .number(Int(clamping: packetErrors))),
                ("emptyPackets", .number(Int(clamping: emptyPackets))),
            ]
        }
        if let counter {
            var numbered: [(String, JSON)] = [
                ("received", .number(Int(clamping: counter.received))), ("lost", .number(Int(clamping: counter.lost))),
                ("gaps", .number(Int(clamping: counter.gaps))),
                ("repeated", .number(Int(clamping: counter.repeated))),
                ("tooShort", .number(Int(clamping: counter.unnumbered))),
            ]
            if let ages = ages.histogram {
                numbered.append(
                    (
                        "ageMicroseconds",
                        .object([
                            ("mean", .decimal(ages.mean / 1e3, digits: 3)), ("min", Self.microseconds(ages.least)),
                            ("p50", Self.microseconds(ages.quantile(50, of: 100))),
                            ("p99", Self.microseconds(ages.quantile(99, of: 100))),
                            ("max", Self.microseconds(ages.greatest)),
                        ])
                    ))
            }
            members.append(("numbered", .object(numbered)))
        }
        return members
    }

    private static func microseconds(_ nanoseconds: UInt64) -> JSON {
        .decimal(Double(nanoseconds) / 1e3, digits: 3)
    }
}
