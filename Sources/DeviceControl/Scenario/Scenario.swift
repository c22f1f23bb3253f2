package import DeviceModels

/// Devices, and what happens with them in which order: what `ghostplug play` plays.
package struct Scenario: Sendable {
    /// A device, by the name that steps use.
    package struct Device: Sendable {
        /// The name: letters, digits and `_`.
        package let name: String
        /// What it is.
        package let specification: DeviceSpecification
        /// Whether a step plugs it in, rather than the beginning.
        package let isLater: Bool
        /// Where it stands in the file.
        package let line: Int
    }

    /// The most devices of a scenario.
    package static let deviceLimit = 128
    /// The most steps that a file may have.
    package static let stepLimit = 10_000
    /// The most steps that may be played, with every round of every `repeat`.
    package static let playedLimit = 1_000_000
    /// How deep a `repeat` may stand in others.
    package static let repeatDepthLimit = 8

    /// The file's name, for messages.
    package let file: String
    /// The devices, in the order of the file.
    package let devices: [Device]
    /// What happens.
    package let steps: [ScenarioStep]

    /// How many steps are played, with every round of every `repeat`.
    package var playedCount: Int { ScenarioStep.playedCount(steps) }

    /// Whether a step expects events that come by the thousand, or that there are none.
    var expectsFrequentEvents: Bool { ScenarioStep.expectFrequentEvents(steps) }

    func device(_ name: String) -> Device? { devices.first { $0.name == name } }
}

/// Something that a scenario does, or expects.
package struct ScenarioStep: Sendable {
    /// What it is.
    package indirect enum Kind: Sendable {
        /// Waits until a device's host has come so far.
        case wait(device: String, state: HostState, timeout: Duration)
        /// Lets time pass.
        case pause(Duration)
        /// Waits until so much time has passed since the first step.
        case at(Duration)
        /// Plugs a device in, and waits until it is ready.
        case plug(device: String, timeout: Duration?)
        /// Pulls a device out.
        case unplug(device: String)
        /// Does something to a device, by the name and with the arguments that the control protocol has.
        case act(String, device: String, arguments: [ScenarioArgument])
        /// Runs a shell command.
        case run(ScenarioCommand)
        /// Expects an event, since the last step that did something.
        case expect(ScenarioEventPattern, timeout: Duration)
        /// Expects that an event does not come: not since the last step that did something, and not for so long.
        case expectNone(ScenarioEventPattern, during: Duration)
        /// Plays steps several times.
        case `repeat`(times: Int, [ScenarioStep])
    }

    /// Where it stands in the file.
    package let line: Int
    /// What it is.
    package let kind: Kind

    static func expectFrequentEvents(_ steps: [ScenarioStep]) -> Bool {
        steps.contains { step in
            switch step.kind {
            case .expect(let pattern, _), .expectNone(let pattern, _): EventHub.frequentKinds.contains(pattern.kind)
            case .repeat(_, let inner): expectFrequentEvents(inner)
            default: false
            }
        }
    }

    static func playedCount(_ steps: [ScenarioStep]) -> Int {
        steps.reduce(0) { sum, step in
            guard case .repeat(let times, let inner) = step.kind else { return sum &+ 1 }
            let (product, overflows) = playedCount(inner).multipliedReportingOverflow(by: times)
            let (total, isTooMuch) = sum.addingReportingOverflow(overflows ? .max : product)
            return isTooMuch ? .max : total
        }
    }
}

/// An argument of an action.
package struct ScenarioArgument: Sendable {
    let name: String
    let value: ScenarioNode
}

/// A shell command, and how it is to end.
package struct ScenarioCommand: Sendable {
    /// The command as it stands in the file, with variables such as `${stick.node}`.
    let text: String
    /// The exit status that is expected; nil where any will do.
    let status: Int32?
    /// What the output must contain.
    let output: String?
    /// How long it may take.
    let timeout: Duration
    /// The variables of devices in it.
    let variables: [ScenarioVariable]
}

/// A variable of a device in a command.
package struct ScenarioVariable: Hashable, Sendable {
    /// What there may be to know of a device that is plugged in.
    static let known = [
        "busid", "node", "nodes", "local", "port", "sysfs", "disk", "partition", "scsi", "event", "input", "hidraw",
        "serial", "printer", "sound", "video", "network", "usb",
    ]

    let device: String
    let name: String

    /// What the shell knows it by.
    var environmentName: String { "\(device)_\(name)" }
}
