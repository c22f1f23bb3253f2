import CommandSupport
import DeviceControl
import DeviceModels
import Synchronization
import Testing

/// A scenario of steps written in JSON; the first has line 10, the second 20.
func scenario(
    _ devices: String = #"{"disk": "drive", "later": {"model": "drive", "later": "yes"}}"#, _ steps: String...
) throws -> Scenario {
    var list: [ScenarioNode] = []
    for (index, text) in steps.enumerated() { list.append(node(try JSON(parsing: text.utf8), (index + 1) * 10)) }
    let root: [(key: ScenarioNode, value: ScenarioNode)] = [
        (ScenarioNode(line: 1, .text("devices")), node(try JSON(parsing: devices.utf8), 2)),
        (ScenarioNode(line: 9, .text("steps")), ScenarioNode(line: 9, .list(list))),
    ]
    return try Scenario(ScenarioNode(line: 1, .mapping(root)), file: "a.yaml")
}

private func node(_ value: JSON, _ line: Int) -> ScenarioNode {
    switch value {
    case .string(let text): ScenarioNode(line: line, .text(text))
    case .array(let values): ScenarioNode(line: line, .list(values.map { node($0, line) }))
    case .object(let members):
        ScenarioNode(
            line: line,
            .mapping(members.map { (ScenarioNode(line: line, .text($0.0)), node($0.1, line)) }))
    default: ScenarioNode(line: line, .text(value.text))
    }
}

/// A stage whose devices are names: it notes what it is asked, and a test says what happens then.
final class FakeStage: ScenarioStage, ControlTarget {
    let events = EventHub()
    private let asked = Mutex<[String]>([])
    private let plugged = Mutex<[String]>([])
    private let onRequest: @Sendable (FakeStage, ControlRequest) throws(ControlError) -> Void
    private let onReady: @Sendable (FakeStage, String) throws(ControlError) -> Void
    private let loss: String?

    init(
        loss: String? = nil,
        _ onRequest: @escaping @Sendable (FakeStage, ControlRequest) throws(ControlError) -> Void = { _, _ in },
        onReady: @escaping @Sendable (FakeStage, String) throws(ControlError) -> Void = { _, _ in }
    ) {
        self.loss = loss
        self.onReady = onReady
        self.onRequest = onRequest
    }

    var control: any ControlTarget { self }
    /// What was asked for, in order.
    var log: [String] { asked.withLock { $0 } }

    private func note(_ text: String) { asked.withLock { $0.append(text) } }

    func publish(_ kind: String, _ busID: String = "disk-bus", _ members: (String, JSON)...) {
        events.publish(DeviceEvent(kind, members), busID: busID)
    }

    func plug(_ device: Scenario.Device) throws(ControlError) -> String {
        note("plug \(device.name)")
        plugged.withLock { $0.append("\(device.name)-bus") }
        return "\(device.name)-bus"
    }

    func ready(
        _ busID: String, timeout: Duration?, _ cancellation: Cancellation
    ) throws(ControlError) -> [(name: String, value: String)] {
        note("ready \(busID)")
        try onReady(self, busID)
        return [("node", "/dev/\(busID)"), ("nodes", "/dev/\(busID) /dev/other")]
    }

    func unplug(_ busID: String) -> String? {
        note("unplug \(busID)")
        plugged.withLock { $0.removeAll { $0 == busID } }
        return loss
    }

    func perform(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        note(request.command + request.members.map { " \($0.0)=\($0.1.text)" }.joined())
        try onRequest(self, request)
        return []
    }

    /// Plays, and tells how each step went and the whole.
    func play(
        _ scenario: Scenario, keepsGoing: Bool = false, _ cancellation: Cancellation = Cancellation()
    ) -> (results: [ScenarioResult], summary: ScenarioSummary) {
        var results: [ScenarioResult] = []
        var player = ScenarioPlayer(scenario, on: self, keepsGoing: keepsGoing, cancellation) { results.append($0) }
        let summary = player.play()
        return (results, summary)
    }
}

extension [ScenarioResult] {
    /// Those of steps, without the devices plugged in at the beginning.
    var steps: [ScenarioResult] { filter { $0.number > 0 } }
    var outcomes: [ScenarioResult.Outcome] { steps.map(\.outcome) }
    /// What was said of the first failure.
    var complaint: String { first { $0.outcome == .failed }?.message ?? "" }
}
