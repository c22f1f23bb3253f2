import CommandSupport

/// Plays a scenario, once.
package struct ScenarioPlayer {
    let scenario: Scenario
    let stage: any ScenarioStage
    let cancellation: Cancellation
    private let keepsGoing: Bool
    private let report: (ScenarioResult) -> Void

    var events: ScenarioEvents
    /// The bus ids of what is plugged in, in order.
    private(set) var plugged: [(device: String, busID: String)] = []
    /// The bus ids that devices have, or had last.
    private(set) var busIDs: [String: String] = [:]
    private var variables: [ScenarioVariable: String] = [:]
    private var summary = ScenarioSummary()
    private var start: ContinuousClock.Instant?

    /// Why a step did not go as it should.
    struct Refusal: Error {
        let message: String
        init(_ message: String) { self.message = message }
    }

    /// Makes a player.
    ///
    /// - Parameters:
    ///   - keepsGoing: whether the steps after one that failed are played.
    ///   - cancellation: ends the play early; devices are unplugged all the same.
    ///   - report: is told of each step once it is over.
    package init(
        _ scenario: Scenario, on stage: any ScenarioStage, keepsGoing: Bool, _ cancellation: Cancellation,
        report: @escaping (ScenarioResult) -> Void
    ) {
        self.scenario = scenario
        self.stage = stage
        self.keepsGoing = keepsGoing
        self.cancellation = cancellation
        self.report = report
        events = ScenarioEvents(stage.control.events, frequent: scenario.expectsFrequentEvents ? .all : .none)
    }

    /// Plugs the devices in, plays the steps, and unplugs what is plugged in, however it went.
    package mutating func play() -> ScenarioSummary {
        if plugFirst() {
            let start = ContinuousClock.now
            self.start = start
            _ = play(scenario.steps)
            summary.time = .now - start
        }
        for (device, busID) in plugged.reversed() { forget(device, busID) }
        summary.isInterrupted = cancellation.isCancelled
        return summary
    }

    // MARK: Devices

    /// Plugs in what is not for later: all first, so that their host gets ready for them side by side.
    private mutating func plugFirst() -> Bool {
        let devices = scenario.devices.filter { !$0.isLater }
        let began = ContinuousClock.now
        for device in devices {
            let isDone = note(0, device.line, "plug \(device.name)", silent: true) { player throws(Refusal) in
                try player.begin(device)
            }
            guard isDone || (keepsGoing && !cancellation.isCancelled) else { return false }
        }
        for device in devices where plugged.contains(where: { $0.device == device.name }) {
            let isDone = note(0, device.line, "plug \(device.name)", since: began) { player throws(Refusal) in
                try player.finishPlugging(device, nil)
            }
            guard isDone || (keepsGoing && !cancellation.isCancelled) else { return false }
        }
        return !cancellation.isCancelled
    }

    private mutating func begin(_ device: Scenario.Device) throws(Refusal) {
        let busID = try refusing { () throws(ControlError) in try stage.plug(device) }
        plugged.append((device.name, busID))
        busIDs[device.name] = busID
        variables[ScenarioVariable(device: device.name, name: "busid")] = busID
    }

    private mutating func finishPlugging(_ device: Scenario.Device, _ timeout: Duration?) throws(Refusal) {
        let busID = try self.busID(device.name)
        let known = try refusing { () throws(ControlError) in try stage.ready(busID, timeout: timeout, cancellation) }
        for (name, value) in known { variables[ScenarioVariable(device: device.name, name: name)] = value }
    }

    private mutating func forget(_ device: String, _ busID: String) {
        if let failure = stage.unplug(busID) { summary.lost.append("\(device): \(failure)") }
        plugged.removeAll { $0.device == device }
        variables = variables.filter { $0.key.device != device }
    }

    private func busID(_ device: String) throws(Refusal) -> String {
        guard let busID = plugged.first(where: { $0.device == device })?.busID else {
            // Only after a failure that was passed over.
            throw Refusal("\(device) is not plugged in")
        }
        return busID
    }

    private func refusing<R>(_ body: () throws(ControlError) -> R) throws(Refusal) -> R {
        do throws(ControlError) {
            return try body()
        } catch {
            throw Refusal(error.message)
        }
    }

    // MARK: Steps

    /// - Returns: whether to go on.
    private mutating func play(_ steps: [ScenarioStep]) -> Bool {
        for step in steps {
            guard !cancellation.isCancelled else { return false }
            if case .repeat(let times, let inner) = step.kind {
                for _ in 0..<times { guard play(inner) else { return false } }
                continue
            }
            summary.steps += 1
            let isDone = note(summary.steps, step.line, step.words) { player throws(Refusal) in
                try player.perform(step)
            }
            guard isDone || keepsGoing else { return false }
        }
        return true
    }

    /// Does something, and tells how it went.
    ///
    /// - Parameter silent: tell of failures only.
    private mutating func note(
        _ number: Int, _ line: Int, _ what: String, since began: ContinuousClock.Instant = .now, silent: Bool = false,
        _ body: (inout ScenarioPlayer) throws(Refusal) -> (outcome: ScenarioResult.Outcome, message: String?)
    ) -> Bool {
        var outcome: ScenarioResult.Outcome
        var message: String?
        do throws(Refusal) {
            (outcome, message) = try body(&self)
        } catch {
            outcome = cancellation.isCancelled ? .interrupted : .failed
            message = ScenarioStep.short(error.message, to: 4000)
        }
        if outcome == .failed { summary.failures += 1 }
        let isDone = outcome == .done || outcome == .held
        if !silent || !isDone {
            report(
                ScenarioResult(
                    number: number, line: line, what: what, outcome: outcome, start: start.map { began - $0 },
                    time: .now - began, message: message))
        }
        return isDone
    }

    private mutating func note(
        _ number: Int, _ line: Int, _ what: String, since began: ContinuousClock.Instant = .now, silent: Bool = false,
        _ body: (inout ScenarioPlayer) throws(Refusal) -> Void
    ) -> Bool {
        note(number, line, what, since: began, silent: silent) { player throws(Refusal) in
            try body(&player)
            return (.done, nil)
        }
    }

    private mutating func perform(
        _ step: ScenarioStep
    ) throws(Refusal) -> (outcome: ScenarioResult.Outcome, message: String?) {
        switch step.kind {
        case .pause(let time): try sleep(until: .now + time)
        case .at(let time):
            guard let start else { break }
            let late = ContinuousClock.now - (start + time)
            guard late <= .milliseconds(1) else { return (.done, "\(late.words) late") }
            try sleep(until: start + time)
        case .plug(let name, let timeout):
            events.begin()
            guard let device = scenario.device(name), !plugged.contains(where: { $0.device == name }) else {
                throw Refusal("\(name) is plugged in already")
            }
            try begin(device)
            try finishPlugging(device, timeout)
        case .unplug(let name):
            events.begin()
            forget(name, try busID(name))
        case .act(let name, let device, let arguments):
            events.begin()
            let members = [("busid", JSON.string(try busID(device)))] + arguments.map { ($0.name, $0.value.json) }
            _ = try refusing { () throws(ControlError) in
                try stage.control.perform(ControlRequest(name, members), cancellation)
            }
        case .run(let command):
            events.begin()
            try run(command)
            return (.held, nil)
        case .wait(let device, let state, let timeout):
            try wait(try busID(device), state, timeout)
            return (.held, nil)
        case .expect(let pattern, let timeout):
            try expect(pattern, timeout)
            return (.held, nil)
        case .expectNone(let pattern, let time):
            try expectNone(pattern, time)
            return (.held, nil)
        case .repeat: break
        }
        return (.done, nil)
    }

    private func sleep(until point: ContinuousClock.Instant) throws(Refusal) {
        let monitor = Monitor(())
        cancellation.withHandler({ monitor.change { _ in } }) {
            _ = monitor.wait(until: point) { _ in cancellation.isCancelled ? true : nil }
        }
        if cancellation.isCancelled { throw Refusal("given up") }
    }

    private func run(_ command: ScenarioCommand) throws(Refusal) {
        var environment: [(String, String)] = []
        for variable in command.variables where variables[variable] == nil {
            throw Refusal("\(variable.device) has no \(variable.name)")
        }
        for (variable, value) in variables { environment.append((variable.environmentName, value)) }
        let ended = try ShellCommand(command.shellText, environment).run(timeout: command.timeout, cancellation)
        if let complaint = command.complaint(ended) { throw Refusal(complaint) }
    }
}
