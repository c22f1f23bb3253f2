package import CommandSupport
package import DeviceModels
import Synchronization
import USBCore
import USBDeviceKit
package import USBIPServer

/// A device that is served: what it is, who has it, and what can be done to it.
///
/// `@unchecked Sendable`: `performers`, `close`, `judge` and `finished` are only used on the device's executor, but `close` of
/// hardware, which may be called from anywhere; the rest does not change or is guarded.
package final class RunningDevice: @unchecked Sendable {
    /// The device as it was asked for.
    package let specification: DeviceSpecification
    /// What backs it, for people.
    package let backing: String
    /// What can be done to it.
    package let actions: [DeviceAction.Summary]
    /// The device at the server.
    package let export: Export
    private let performers: [DeviceAction]
    private let close: () -> String?
    private let judge: (() -> ReplayVerdict)?
    /// What finishing came to, once it was done.
    private var finished: String??
    private let watch: DeviceWatch

    /// The device's name at the server.
    package var busID: String { export.busID }

    /// Takes over what a model has made; its device has been exported.
    init(_ specification: DeviceSpecification, _ made: ModelDevice, _ export: Export, _ watch: DeviceWatch) {
        self.specification = specification
        backing = made.backing
        performers = made.actions
        actions = made.actions.map(\.summary)
        close = made.close
        judge = made.verdict
        self.export = export
        self.watch = watch
    }

    /// How far its host has come.
    package var state: HostState { watch.state }

    /// What its host asked for and did not get.
    package var unhandled: UnhandledRequests { watch.unhandled }

    /// Where it is plugged in on this machine, as members of its description; none while it is not.
    package var place: [(String, JSON)] {
        get { watch.place }
        set { watch.place = newValue }
    }

    /// Does something to the device.
    ///
    /// - Returns: false when it has no such action.
    func perform(_ name: String, _ arguments: [(String, JSON)], _ reply: ActionReply) -> Bool {
        guard actions.contains(where: { $0.name == name }) else { return false }
        export.executor.post { [self] in
            performers.first { $0.summary.name == name }?.perform(arguments, reply)
        }
        return true
    }

    /// Finishes writes, once the device is removed and its host has gone; the first time only.
    ///
    /// - Returns: what could not be finished; nil when all was.
    func finish() -> String? {
        // Hardware has nothing to finish, and may hold the executor for as long as it hangs.
        guard !export.isHardware else { return close() }
        return export.executor.run {
            if let finished { return finished }
            let failure = close()
            finished = .some(failure)
            return failure
        }
    }

    /// How a replayed device's host has done up to now; nil for other devices.
    package var verdict: ReplayVerdict? {
        guard let judge else { return nil }
        var verdict = export.executor.run { judge() }
        // The same capture may be replayed twice.
        verdict.name += " as \(busID)"
        return verdict
    }

    /// Whether the device was removed, and its writes finished.
    var isRemoved: Bool { watch.isRemoved }

    /// Says that it was, before followers are told.
    func markRemoved() { watch.markRemoved() }

    /// The device as the control protocol has it.
    package var json: JSON {
        let identity = export.identity
        var members: [(String, JSON)] = [
            ("busid", .string(busID)), ("model", .string(specification.model)),
            ("device", .string("\(specification)")), ("name", .string(identity.name)),
            ("idVendor", .string(RequestWords.hex(identity.vendorID, 4))),
            ("idProduct", .string(RequestWords.hex(identity.productID, 4))), ("speed", .string("\(identity.speed)")),
            ("backing", .string(backing)), ("state", .string(watch.state.rawValue)),
        ]
        if let peer = watch.peer { members.append(("peer", .string(peer))) }
        members += watch.place
        members.append(("actions", .array(actions.map { .string($0.name) })))
        return .object(members)
    }
}

/// What is known of a device from what happens to it.
///
/// Made before the device, since a model may have something to tell while it makes it.
final class DeviceWatch: Sendable {
    private struct State {
        var host = HostState.detached
        var peer: String?
        var unhandled = UnhandledRequests()
        var place: [(String, JSON)] = []
        var isRemoved = false
    }

    private let busID: String
    private let events: EventHub
    private let current = Mutex(State())

    init(busID: String, events: EventHub) {
        self.busID = busID
        self.events = events
    }

    var state: HostState { current.withLock { $0.host } }
    var isRemoved: Bool { current.withLock { $0.isRemoved } }
    var peer: String? { current.withLock { $0.peer } }
    var unhandled: UnhandledRequests { current.withLock { $0.unhandled } }
    var place: [(String, JSON)] {
        get { current.withLock { $0.place } }
        set { current.withLock { $0.place = newValue } }
    }

    func markRemoved() { current.withLock { $0.isRemoved = true } }

    /// Where the model's events go.
    var sink: EventSink {
        let sink = events.sink(busID: busID)
        return EventSink(isWatched: { sink.isWatched }) { event in
            if event.kind == "unhandled" { self.note(unhandled: event) } else { sink.send(event.kind, event.members) }
        }
    }

    private func publish(_ event: DeviceEvent) { events.publish(event, busID: busID) }

    /// Takes what happened between device and host.
    func note(_ event: ExportEvent) {
        let told = current.withLock { state in
            if case .attached(let peer) = event { state.peer = peer }
            if case .detached = event {
                state.peer = nil
                state.place = []
            }
            return state.host.apply(event)
        }
        if let told { publish(DeviceEvent(told.kind, told.members)) }
        switch event {
        case .request(let setup, .stalled):
            note(unhandled: RequestWords.name(setup), RequestWords.hint(setup))
        case .unknownEndpoint(let endpoint):
            note(
                unhandled: "a transfer for endpoint 0x\(RequestWords.hex(endpoint.rawValue, 2))",
                "no interface has this endpoint in the settings that were selected")
        default: break
        }
    }

    private func note(unhandled event: DeviceEvent) {
        let text = { (name: String) -> String in
            if case .string(let text) = event.members.last(where: { $0.0 == name })?.1 { text } else { "" }
        }
        note(unhandled: text("request"), text("hint"))
    }

    private func note(unhandled request: String, _ hint: String) {
        guard current.withLock({ $0.unhandled.note(request, hint) }) else { return }
        publish(DeviceEvent("unhandled", [("request", .string(request)), ("hint", .string(hint))]))
    }
}
