import ArgumentParser
import CommandSupport
import Measurement
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
        let progress = BenchProgress()
        // An hour of measuring is not to be lost over a folder that does not exist.
        if let plot { try WholeFile.checkWritable(plot) }
        var server: ServerProcess?
        var report: BenchReport
        let device: RemoteDevice
        switch settings.target {
        case .server(let address, let busID):
            report = BenchReport(target: "\(address) \(busID)", settings: settings)
            device = try attempt { () throws(HostError) in try RemoteDevice.attach(to: address, busID: busID) }
        case .model(let specification):
            report = BenchReport(target: "\(specification)", settings: settings)
            progress.show("starting a server")
            let process = try ServerProcess(specification) { signals.wait(nanoseconds: 0) }
            server = process
            device = try attempt { () throws(HostError) in
                try RemoteDevice.attach(to: process.address, busID: process.busID)
            }
        }
        defer { progress.clear() }
        let plan = try plan(for: device, progress, &report)
        let lost: HostError?
        do throws(HostError) {
            lost = try measure(plan, on: device, server, signals, progress, &report)
        } catch {
            throw Self.failure(error)
        }
        progress.clear()
        device.close()
        let complaint = server?.end()
        try publish(report)
        if let lost { throw Self.failure(lost) }
        if let complaint { throw Failure(complaint, .failure) }
        if report.isInterrupted {
            throw Failure("interrupted by signal \(signals.received ?? 0)", .failure)
        }
        try judge(report)
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
    /// - Returns: why the connection ended in the middle; nil where it did not.
    private func measure(
        _ plan: BenchPlan, on device: RemoteDevice, _ server: ServerProcess?, _ signals: BenchSignals,
        _ progress: BenchProgress, _ report: inout BenchReport
    ) throws(HostError) -> HostError? {
        try device.select(configuration: plan.configuration)
        let count = plan.cases.count
        var silent: [EndpointAddress: Int] = [:]
        defer {
            for (endpoint, number) in silent.sorted(by: { $0.key.rawValue < $1.key.rawValue }) where number > 0 {
                report.notes.append("endpoint 0x\(hex(endpoint.rawValue)) gives nothing: \(number) more cases left out")
            }
        }
        for step in plan.steps {
            if let setting = step.setting {
                try device.select(interface: setting.interface, alternate: setting.alternate)
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
                if let error = outcome.connectionError { return error }
                if outcome.isInterrupted { return nil }
                if outcome.wasSilent { silent[item.endpoint] = 0 }
                // The next case may have better luck; if the device refuses, that case will say so.
                if outcome.result.failures[TransferStatus.stalled.rawValue] != nil, item.type != .control {
                    try? device.clearHalt(item.endpoint)
                }
            }
        }
        return nil
    }

    // MARK: The end

    private func publish(_ report: BenchReport) throws(Failure) {
        StandardOutput.print(isJSON ? report.json(date: BenchClock.date()).text : report.text)
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

    private static func failure(_ error: HostError) -> Failure {
        switch error {
        case .socket, .refused, .violation, .disconnected, .unresponsive, .closed: Failure("\(error)", .unavailable)
        case .transferFailed, .invalidRequest, .malformedDescriptors: Failure("\(error)", .failure)
        }
    }
}
