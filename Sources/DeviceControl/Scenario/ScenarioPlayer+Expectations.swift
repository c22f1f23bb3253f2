import CommandSupport

extension ScenarioPlayer {
    func wait(_ busID: String, _ state: HostState, _ timeout: Duration) throws(Refusal) {
        let members: [(String, JSON)] = [
            ("busid", .string(busID)), ("for", .string(state.rawValue)),
            ("timeout", .decimal(timeout.inSeconds, digits: 6)),
        ]
        do throws(ControlError) {
            _ = try stage.control.perform(ControlRequest("wait", members), cancellation)
        } catch {
            throw Refusal("expected \(state.rawValue): \(error.message)")
        }
    }

    mutating func expect(_ pattern: ScenarioEventPattern, _ timeout: Duration) throws(Refusal) {
        let busID = pattern.device.flatMap { busIDs[$0] }
        let found = events.take(until: .now + timeout, cancellation) { pattern.matches($0, busID: busID) }
        guard found == nil else { return }
        throw Refusal("expected \(pattern.words) within \(timeout.words); instead: \(happened())")
    }

    mutating func expectNone(_ pattern: ScenarioEventPattern, _ time: Duration) throws(Refusal) {
        let busID = pattern.device.flatMap { busIDs[$0] }
        let found = events.take(until: .now + time, cancellation) { pattern.matches($0, busID: busID) }
        guard found == nil else { throw Refusal("expected no \(pattern.words); there was one") }
        guard !cancellation.isCancelled else { throw Refusal("given up") }
        guard events.lost == 0 else {
            throw Refusal("expected no \(pattern.words); \(events.lost) events came too fast to know")
        }
    }

    /// What happened since the last step that did something.
    private mutating func happened() -> String {
        let names = Dictionary(busIDs.map { ($0.value, $0.key) }) { first, _ in first }
        return events.words { names[$0] }
    }
}
