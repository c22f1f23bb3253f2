import CommandSupport
import DeviceModels
import Logging

/// Checks what can be known of a scenario before any of its devices is made.
///
/// There is one way through a scenario, so what is plugged in at each step is known.
struct ScenarioCheck {
    private let scenario: Scenario
    private var plugged: Set<String>
    /// Those that have been plugged in at some time: what has happened to them can be asked.
    private var known: Set<String>
    private var actions: [String: [DeviceAction.Summary]] = [:]
    private var time = Duration.zero
    private var depth = 0

    init(_ scenario: Scenario) {
        self.scenario = scenario
        plugged = Set(scenario.devices.filter { !$0.isLater }.map(\.name))
        known = plugged
    }

    mutating func run() throws(ScenarioFileError) {
        guard scenario.playedCount <= Scenario.playedLimit else {
            throw ScenarioFileError(
                scenario.file, scenario.steps.first?.line ?? 1,
                "with every round of every repeat there are more than \(Scenario.playedLimit) steps")
        }
        // Equal ones can do the same.
        var known: [DeviceSpecification: [DeviceAction.Summary]?] = [:]
        for device in scenario.devices {
            let (specification, isHarmless) = Self.trial(device.specification)
            let actions: [DeviceAction.Summary]?
            if let before = known[specification] {
                actions = before
            } else {
                actions = try Self.actions(of: specification, isHarmless: isHarmless, device, scenario.file)
                known[specification] = .some(actions)
            }
            if let actions { self.actions[device.name] = actions }
        }
        try check(scenario.steps)
    }

    private mutating func check(_ steps: [ScenarioStep]) throws(ScenarioFileError) {
        for step in steps { try check(step) }
    }

    private mutating func check(_ step: ScenarioStep) throws(ScenarioFileError) {
        switch step.kind {
        case .pause: break
        case .at(let point):
            guard depth == 0 else {
                throw error(step, "at: a repeat would come too late from the second round on; use pause")
            }
            guard point >= time else { throw error(step, "at: the step before is later; times go up") }
            time = point
        case .plug(let device, _):
            try exists(device, step)
            guard plugged.insert(device).inserted else { throw error(step, "\(device) is plugged in already") }
            known.insert(device)
        case .unplug(let device):
            try isPlugged(device, step)
            plugged.remove(device)
        case .wait(let device, _, _): try isPlugged(device, step)
        case .act(let name, let device, let arguments): try check(name, device, arguments, step)
        case .run(let command):
            for variable in command.variables { try isPlugged(variable.device, step) }
        case .expect(let pattern, _), .expectNone(let pattern, _):
            guard let device = pattern.device else { break }
            try exists(device, step)
            guard known.contains(device) else {
                throw error(step, "\(device) was not plugged in before; nothing can have happened to it")
            }
        case .repeat(let times, let inner):
            depth += 1
            defer { depth -= 1 }
            try check(inner)
            // What holds at the end of one round must do for the next.
            if times > 1 { try check(inner) }
        }
    }

    private func check(
        _ name: String, _ device: String, _ arguments: [ScenarioArgument], _ step: ScenarioStep
    ) throws(ScenarioFileError) {
        guard scenario.device(device) != nil else {
            // A misspelt keyword is likelier than a device that is missing.
            let all = Set(actions.values.joined().map(\.name))
            guard all.contains(name) else { throw unknown(name, all.sorted(), step) }
            throw missing(device, step)
        }
        if let known = actions[device] {
            guard let summary = known.first(where: { $0.name == name }) else {
                throw unknown(name, known.map(\.name), step)
            }
            do throws(ModelError) {
                _ = try ActionArguments(arguments.map { ($0.name, $0.value.json) }, of: summary)
            } catch {
                throw self.error(step, error.description)
            }
        }
        try isPlugged(device, step)
    }

    private func unknown(_ name: String, _ actions: [String], _ step: ScenarioStep) -> ScenarioFileError {
        let words = (ScenarioSyntax.keywords + actions).joined(separator: ", ")
        return error(step, "there is no step '\(name.prefix(40))' here; there is: \(words)")
    }

    private func exists(_ device: String, _ step: ScenarioStep) throws(ScenarioFileError) {
        guard scenario.device(device) == nil else { return }
        throw missing(device, step)
    }

    private func missing(_ device: String, _ step: ScenarioStep) -> ScenarioFileError {
        let names = scenario.devices.map(\.name).joined(separator: ", ")
        return error(step, "there is no device '\(device.prefix(40))'; there is: \(names)")
    }

    private func isPlugged(_ device: String, _ step: ScenarioStep) throws(ScenarioFileError) {
        try exists(device, step)
        guard !plugged.contains(device) else { return }
        throw error(step, "\(device) is not plugged in at this step; '- plug: \(device)' does it")
    }

    private func error(_ step: ScenarioStep, _ message: String) -> ScenarioFileError {
        ScenarioFileError(scenario.file, step.line, message)
    }

    // MARK: What devices can do

    /// What is made to learn what can be done to a device.
    ///
    /// A model tells only through a device. Making one that is not exported does nothing to the world, except that
    /// drives open and make files: of those a small plain one, which can do the same, is made instead.
    private static func trial(_ wanted: DeviceSpecification) -> (DeviceSpecification, isHarmless: Bool) {
        guard !HIDModels.all.contains(where: { $0.name == wanted.model }), wanted.model != "composite" else {
            return (wanted, true)
        }
        let options: [DeviceSpecification.Option] =
            wanted.model == "drive" ? [.init("size", "1M"), .init("format", "none")] : []
        return (DeviceSpecification(model: wanted.model, options: options), false)
    }

    /// What can be done to a device; nil where that is not known before it is made in earnest.
    private static func actions(
        of specification: DeviceSpecification, isHarmless: Bool, _ device: Scenario.Device, _ file: String
    ) throws(ScenarioFileError) -> [DeviceAction.Summary]? {
        do throws(ModelError) {
            let context = ModelContext(index: 0, logger: Logger(label: "ghostplug") { _ in SwiftLogNoOpLogHandler() })
            let made = try ModelRegistry.make(specification, context)
            _ = made.close()
            return made.actions.map(\.summary)
        } catch {
            guard error.isMistake, isHarmless else { return nil }
            throw ScenarioFileError(file, device.line, error.description)
        }
    }
}
