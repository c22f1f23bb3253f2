import CBenchReference
import CommandSupport
import Glibc

/// One run: the cases that were asked for, under the conditions that were asked for.
struct Benchmark {
    let rounds: Int
    let seconds: Double
    let cases: [Case]
    let isJSON: Bool

    /// The drive whose rates are measured: as large as the reference's.
    private static let device = "drive:size=64M,format=none"

    /// Measures, and prints the report.
    ///
    /// - Parameter conditions: none means hot where that is permitted, and cold elsewhere.
    /// - Throws: ``Failure`` when an answer was wrong or a server failed.
    func run(_ conditions: [Condition]) throws {
        var report = Report(rounds: rounds, seconds: seconds)
        if cases.contains(where: { $0.load != nil }) {
            for condition in conditions.isEmpty ? [.hot] : conditions {
                report.conditions.append(try measureRates(condition, isRequired: !conditions.isEmpty))
            }
        }
        if cases.contains(.memoryImage) { report.memory.append(try measureImage()) }
        if cases.contains(.memory1000) { report.memory.append(try measureMany()) }
        if cases.contains(.polled200) {
            Output.progress("200 devices, each polled every 10 ms")
            report.polled = try PolledDevices.measure(seconds: max(seconds, 3))
        }
        if cases.contains(.keys200) {
            Output.progress("keys of 200 keyboards, through the control interface")
            report.keys = try ControlledKeys.measure()
        }
        if cases.contains(.capture) { report.captures = try CaptureCost.measure(rounds: rounds, seconds: seconds) }
        Output.result(isJSON ? report.json.text : report.text)
    }

    // MARK: Rates

    private typealias Servers = (ours: ChildProcess, reference: ChildProcess)

    private func startServers() throws -> Servers {
        (try ChildProcess(["serve", Self.device]), try ChildProcess(["reference", "--mebibytes", "64"]))
    }

    private func measureRates(_ wanted: Condition, isRequired: Bool) throws -> Report.Measured {
        let processors = Machine.processorNumbers
        defer { Condition.leave(processors) }
        var condition = wanted
        let servers: Servers
        var spinners: [ChildProcess] = []
        do {
            (servers, spinners) = try condition.enter(startServers)
        } catch let failure as Failure where !isRequired {
            Output.message("ghostbench: measuring cold, since hot is not possible here: \(failure)")
            Condition.leave(processors)
            condition = .cold
            servers = try startServers()
        }
        defer { withExtendedLifetime((servers, spinners)) {} }
        let hosts = (ours: try Host(servers.ours), reference: try Host(servers.reference))
        Output.progress("\(condition): checking every byte of both drives")
        try named("ghostplug") { try hosts.ours.checkDisk() }
        try named("the reference") { try hosts.reference.checkDisk() }
        var results: [Report.Rate] = []
        for item in cases {
            guard let load = item.load else { continue }
            Output.progress("\(condition): \(item.rawValue)")
            var oursRounds: [Figures] = []
            var referenceRounds: [Figures] = []
            for round in 0..<rounds {
                // Whoever goes first has the machine as the last case left it: they take turns at that, too.
                for isOurs in round % 2 == 0 ? [true, false] : [false, true] {
                    let (name, host) = isOurs ? ("ghostplug", hosts.ours) : ("the reference", hosts.reference)
                    let figures = try named("\(name), \(item.rawValue)") {
                        try host.measure(load, seconds: seconds)
                    }
                    if isOurs { oursRounds.append(figures) } else { referenceRounds.append(figures) }
                    ChildProcess.rest(spinners)
                }
            }
            results.append(
                Report.Rate(
                    item: item, ours: Figures(medianOf: oursRounds), reference: Figures(medianOf: referenceRounds)))
        }
        return Report.Measured(condition: condition, rates: results)
    }

    private func named<R>(_ name: String, _ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch let failure as Failure {
            throw Failure("\(name): \(failure)")
        }
    }

    // MARK: Memory

    private func measureImage() throws -> Report.Memory {
        Output.progress("memory: a 64 MiB image, wholly written and read")
        let file = bench_unnamed_file(64 << 20)
        guard file >= 0 else { throw Failure("cannot make an image: \(unsafe String(cString: strerror(-file)))") }
        defer { close(file) }
        let server = try ChildProcess(["serve", "drive:image=/proc/self/fd/\(ChildOptions.file)"], file: file)
        defer { withExtendedLifetime(server) {} }
        let host = try Host(server)
        try named("a drive with an image") { try host.checkDisk() }
        return Report.Memory(
            item: .memoryImage, peak: try server.peakMemory(), goal: Goal.imageMemory, startTime: server.startTime)
    }

    private func measureMany() throws -> Report.Memory {
        Output.progress("memory: 1,000 drives")
        let count = 1000
        let server = try ChildProcess(["serve", "drive", "--count", "\(count)"], timeout: 600_000)
        let listed = try Host.deviceCount(of: server)
        guard listed == count else { throw Failure("a server with \(count) drives lists \(listed)") }
        // Attached at once, so that clients count, too.
        let hosts = try [1, count / 2, count].map { try Host(server, busID: "1-\($0)") }
        defer { withExtendedLifetime((server, hosts)) {} }
        return Report.Memory(
            item: .memory1000, peak: try server.peakMemory(), goal: Goal.manyMemory, startTime: server.startTime)
    }
}
