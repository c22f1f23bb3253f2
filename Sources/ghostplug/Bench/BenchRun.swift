import ArgumentParser
import CommandSupport
import Measurement
import SocketIO
import USBCore
import USBIPClient

/// One run of `ghostplug bench`: attach, choose, measure, report.
struct BenchRun {
    let settings: BenchSettings
    let isJSON: Bool
    /// Where the plot goes; nil for nowhere.
    let plot: String?

    func run() throws(Failure) {
        let signals = BenchSignals()
        do throws(SocketError) { try signals.start() } catch { throw Failure("\(error)", .failure) }
        let progress = BenchProgress()
        // An hour of measuring is not to be lost over a folder that does not exist.
        if let plot { try WholeFile.checkWritable(plot) }
        var server: ServerProcess?
        var report: BenchReport
        defer { signals.hasServer(0) }
        let device: RemoteDevice
        switch settings.target {
        case .server(let address, let busID):
            report = BenchReport(target: "\(address) \(busID)", settings: settings)
            device = try attach(to: address, busID, signals)
        case .model(let specification):
            report = BenchReport(target: "\(specification)", settings: settings)
            progress.show("starting a server")
            let process = try ServerProcess(
                specification, onSpawn: { signals.hasServer($0) }, isCancelled: { signals.received != nil })
            server = process
            device = try attach(to: process.address, process.busID, signals)
        }
        defer { progress.clear() }
        let plan: BenchPlan
        do throws(Failure) {
            plan = try signals.interruptible({ _ in device.close() }) { () throws(Failure) in
                try self.plan(for: device, progress, &report)
            }
        } catch {
            throw signals.received.map { Self.interruption($0) } ?? error
        }
        let lost = measure(plan, on: device, server, signals, progress, &report)
        progress.clear()
        device.close()
        let complaint = server?.end()
        try publish(report)
        if report.isInterrupted { throw Self.interruption(signals.received ?? 0) }
        if let lost { throw lost }
        if let complaint { throw Failure(complaint, .failure) }
        try judge(report)
    }

    /// Imports the device; nothing has been measured yet that a signal could have us show.
    private func attach(
        to server: HostAndPort, _ busID: String, _ signals: BenchSignals
    ) throws(Failure) -> RemoteDevice {
        try signals.interruptible({ signals.exit(by: $0) }) { () throws(Failure) in
            try attempt { () throws(HostError) in try RemoteDevice.attach(to: server, busID: busID) }
        }
    }

    private static func interruption(_ number: Int32) -> Failure {
        Failure("interrupted by signal \(number)", .failure)
    }

    // MARK: Measuring

    /// Asks the device what it is, and chooses what to measure.
    private func plan(
        for device: RemoteDevice, _ progress: BenchProgress, _ report: inout BenchReport
    ) throws(Failure) -> BenchPlan {
        progress.show("reading descriptors")
        let descriptors = try attempt { () throws(HostError) in try device.descriptors() }
        let description = descriptors.description
        report.vendorID = description.device.vendorID
        report.productID = description.device.productID
        report.speed = device.speed
        do throws(ConfigurationError) {
            let plan = try BenchPlan(settings, description.configurations, device.speed)
            report.configuration = plan.configuration
            report.notes = plan.notes
            return plan
        } catch {
            let problems = description.configurations.isEmpty ? descriptors.problems : []
            throw Failure(([error.description] + problems).joined(separator: "; "), .validationFailure)
        }
    }

    /// Measures all cases into `report`.
    ///
    /// - Returns: why not all was measured, where that is not a single case's trouble.
    private func measure(
        _ plan: BenchPlan, on device: RemoteDevice, _ server: ServerProcess?, _ signals: BenchSignals,
        _ progress: BenchProgress, _ report: inout BenchReport
    ) -> Failure? {
        do throws(HostError) {
            try signals.interruptible({ _ in device.close() }) { () throws(HostError) in
                try device.select(configuration: plan.configuration)
            }
        } catch {
            report.isInterrupted = signals.received != nil
            return Self.failure(error, in: "SET_CONFIGURATION \(plan.configuration)")
        }
        let count = plan.cases.count
        var silent: [EndpointAddress: Int] = [:]
        defer {
            for (endpoint, number) in silent.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where number > 0 {
                report.notes.append("endpoint 0x\(hex(endpoint.rawValue)) gives nothing: \(number) more cases left out")
            }
        }
        for step in plan.steps {
            do throws(HostError) {
                try signals.interruptible({ _ in device.close() }) { () throws(HostError) in
                    try select(step, plan, on: device)
                }
            } catch {
                report.isInterrupted = signals.received != nil
                let request = step.setting.map { "SET_INTERFACE \($0.interface) to \($0.alternate)" }
                let failure = Self.failure(error, in: request)
                if error.endsConnection { return failure }
                // The device refuses this setting; others may do.
                report.results += step.cases.map {
                    BenchResult(benchCase: $0, setting: step.setting, trouble: failure.description)
                }
                continue
            }
            for item in step.cases {
                if let number = silent[item.endpoint] {
                    silent[item.endpoint] = number + 1
                    continue
                }
                let title = "\(report.results.count + 1)/\(count) \(item.description)"
                progress.show(title)
                let outcome = CaseRun(item, step.setting, settings, server: server?.id)
                    .run(on: device, signals, progress, title)
                report.results.append(outcome.result)
                report.isInterrupted = outcome.isInterrupted
                if let error = outcome.connectionError { return Self.failure(error) }
                if outcome.isInterrupted { return nil }
                if outcome.wasSilent { silent[item.endpoint] = 0 }
                // The next case may have better luck; if the device refuses, that case will say so.
                if outcome.result.failures[TransferStatus.stalled.rawValue] != nil, item.type != .control {
                    signals.interruptible({ _ in device.close() }) { try? device.clearHalt(item.endpoint) }
                }
            }
        }
        return nil
    }

    private func select(_ step: BenchStep, _ plan: BenchPlan, on device: RemoteDevice) throws(HostError) {
        guard let setting = step.setting else { return }
        if setting.alternate == 0, plan.plainInterfaces.contains(setting.interface) { return }
        try device.select(interface: setting.interface, alternate: setting.alternate)
    }

    // MARK: The end

    private func publish(_ report: BenchReport) throws(Failure) {
        try WholeFile.printResult(isJSON ? report.json(date: BenchClock.date()).text : report.text)
        if let plot { try WholeFile.write(report.plot.svg, to: plot) }
    }

    /// What was asked for by name has to work; of what was found, something.
    private func judge(_ report: BenchReport) throws(Failure) {
        let failed = report.results.filter { $0.trouble != nil }
        guard let first = failed.first else { return }
        let isChoice = settings.types == nil && settings.endpoint == nil
        guard !isChoice || failed.count == report.results.count else { return }
        throw Failure(
            "\(failed.count) of \(report.results.count) cases failed: \(first.benchCase.description): "
                + (first.trouble ?? ""), .failure)
    }

    private func attempt<R>(_ body: () throws(HostError) -> R) throws(Failure) -> R {
        do throws(HostError) {
            return try body()
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: HostError, in request: String? = nil) -> Failure {
        let text = request.map { "\($0): \(error)" } ?? "\(error)"
        return error.endsConnection ? Failure(text, .unavailable) : Failure(text, .failure)
    }
}
