import CommandSupport
package import DeviceModels
package import Logging
import SocketIO
import Synchronization
package import USBDeviceKit
package import USBIPServer

/// The devices that this process serves; they can be added and removed while it runs.
package final class RunningDevices: Sendable {
    private struct State {
        var devices: [RunningDevice] = []
        /// Those that were removed, and whose writes are not finished.
        var leaving: [Departure] = []
        /// Bus ids of devices that are being made or removed: nobody else's.
        var busy: Set<String> = []
        /// How the hosts of replayed devices did that were removed.
        var verdicts: [ReplayVerdict] = []
        /// Bus ids that devices will ask for: not for those that ask for none.
        var reserved: Set<String> = []
        /// How many there have been: what keeps equal ones apart.
        var count = 0
    }

    /// Serves them.
    package let server: USBIPServer
    /// What happens to them.
    package let events = EventHub()
    let logger: Logger
    let onStop: @Sendable () -> Void
    /// What else is done with a device that a client adds, such as to plug it in; before the client is told.
    package let onAdd: @Sendable (RunningDevice) throws(ModelError) -> Void
    private let decorator: DeviceDecorator?
    private let state = Mutex(State())

    /// Makes an empty set.
    ///
    /// - Parameters:
    ///   - decorator: puts something around each device that is made; nil for nothing.
    ///   - onAdd: what else is done with a device that a client adds, such as to plug it in.
    ///   - onStop: ends the process in order; called when a client asks for it.
    package init(
        _ server: USBIPServer, logger: Logger, decorator: DeviceDecorator? = nil,
        onAdd: @escaping @Sendable (RunningDevice) throws(ModelError) -> Void = { _ in },
        onStop: @escaping @Sendable () -> Void
    ) {
        self.decorator = decorator
        self.onAdd = onAdd
        self.server = server
        self.logger = logger
        self.onStop = onStop
    }

    /// The devices, in the order in which they were added.
    package var all: [RunningDevice] { state.withLock { $0.devices } }

    /// The device of a bus id; nil when there is none.
    package func device(_ busID: String) -> RunningDevice? { all.first { $0.busID == busID } }

    /// Keeps bus ids that are asked for from being given to devices that have none.
    package func reserve(_ busIDs: some Sequence<String>) {
        state.withLock { $0.reserved.formUnion(busIDs) }
    }

    /// Makes a device and offers it.
    ///
    /// - Throws: ``ModelError``, also when the bus id is taken.
    @discardableResult
    package func add(_ specification: DeviceSpecification) throws(ModelError) -> RunningDevice {
        try ModelRegistry.check(specification)
        let (index, busID) = try claim(specification.busID)
        defer {
            state.withLock { state in
                state.busy.remove(busID)
                state.reserved.remove(busID)
            }
        }
        var log = logger
        log[metadataKey: "device"] = "\(specification)"
        let watch = DeviceWatch(busID: busID, events: events)
        var context = ModelContext(index: index, logger: log)
        context.events = watch.sink
        let made = try ModelRegistry.make(specification, context)
        let box = Handover(made)
        var options = ExportOptions()
        options.pace = made.pace
        options.isHardware = made.isHardware
        options.onImport = made.onImport
        options.onRelease = made.onRelease
        if let decorator {
            options.decorate = { decorator($0, MadeDevice(specification: specification, busID: busID, index: index)) }
        }
        let export: Export
        do throws(ExportError) {
            export = try server.export(
                busID: busID, device: box.takeDevice(), options: options, onEvent: { watch.note($0) })
        } catch {
            // What the model took from the world is nobody else's until it lets go.
            _ = made.close()
            throw ModelError(error.description)
        }
        let device = RunningDevice(specification, made, export, watch)
        state.withLock { $0.devices.append(device) }
        events.publish(DeviceEvent("added", [("device", .string("\(specification)"))]), busID: busID)
        return device
    }

    private func claim(_ wanted: String?) throws(ModelError) -> (index: Int, busID: String) {
        let claimed = state.withLock { state -> (Int, String)? in
            var taken = state.busy.union(state.devices.map(\.busID))
            // One that was asked for is kept for whoever asked.
            if wanted == nil { taken.formUnion(state.reserved) }
            var number = 1
            while wanted == nil, taken.contains("1-\(number)") { number += 1 }
            let busID = wanted ?? "1-\(number)"
            guard !taken.contains(busID) else { return nil }
            state.busy.insert(busID)
            defer { state.count += 1 }
            return (state.count, busID)
        }
        guard let claimed else {
            throw ModelError(
                "bus id \(wanted ?? "") is used by another device; give each its own with busid=", key: "busid")
        }
        return claimed
    }

    /// How long a removed device's connection may take to end.
    private static let patience: Int32 = 10_000

    /// Takes a device away, as if it were pulled out, and finishes its writes.
    ///
    /// - Returns: what could not be finished; nil when all was.
    package func remove(_ device: RunningDevice) -> String? {
        let departure = Departure(device)
        let isMine = state.withLock { state in
            guard let index = state.devices.firstIndex(where: { $0 === device }) else { return false }
            state.devices.remove(at: index)
            state.leaving.append(departure)
            state.busy.insert(device.busID)
            return true
        }
        guard isMine else { return nil }
        server.remove(device.export)
        // Its connection's thread still has what it was doing to finish, and holds the device until then.
        let hasEnded = server.waitUntilReleased(device.export, milliseconds: Self.patience)
        let failure = hasEnded ? device.finish() : "its connection did not end"
        if let failure { logger.error("data may be lost: \(failure)", metadata: ["busid": "\(device.busID)"]) }
        if let verdict = device.verdict { state.withLock { $0.verdicts.append(verdict) } }
        device.markRemoved()
        events.publish(DeviceEvent("removed"), busID: device.busID)
        state.withLock { state in
            state.busy.remove(device.busID)
            state.leaving.removeAll { $0 === departure }
        }
        departure.end(failure)
        return failure
    }

    /// How the hosts of replayed devices did, those included that were removed.
    package var verdicts: [ReplayVerdict] {
        let (removed, devices) = state.withLock { ($0.verdicts, $0.devices) }
        return removed + devices.compactMap(\.verdict)
    }

    /// Finishes every device's writes, once the server has stopped; those of devices that are being removed as well.
    ///
    /// - Returns: what could not be finished, with the bus id in front.
    package func finish() -> [String] {
        let (devices, leaving) = state.withLock { ($0.devices, $0.leaving) }
        let failures = devices.compactMap { device in device.finish().map { "\(device.busID): \($0)" } }
        return failures
            + leaving.compactMap { departure in departure.wait().map { "\(departure.device.busID): \($0)" } }
    }
}

/// A device that has just been made, for whoever puts something around it.
package struct MadeDevice: Sendable {
    /// The device as it was asked for.
    package let specification: DeviceSpecification
    /// The device's name at the server.
    package let busID: String
    /// What keeps equal ones apart: serial numbers follow from it.
    package let index: Int
}

/// Puts something around a device that sees what hosts see of it, such as a recorder; or gives it back as it is.
package typealias DeviceDecorator = @Sendable (any USBDevice, MadeDevice) -> any USBDevice

/// A device that is being removed.
private final class Departure: Sendable {
    private enum Outcome: Sendable {
        case finished
        case failed(String)
    }

    let device: RunningDevice
    private let outcome = Monitor<Outcome?>(nil)

    init(_ device: RunningDevice) { self.device = device }

    /// Says that its writes are finished, or what of them is not.
    func end(_ failure: String?) {
        let ended: Outcome = if let failure { .failed(failure) } else { .finished }
        outcome.change { $0 = ended }
    }

    /// Waits for that.
    func wait() -> String? { if case .failed(let failure) = outcome.wait({ $0 }) { failure } else { nil } }
}

/// Gives a model's device away.
private struct Handover {
    private let made: ModelDevice
    init(_ made: ModelDevice) { self.made = made }

    func takeDevice() -> sending any USBDevice {
        // Unsafe only to the compiler: it cannot see that a model gives each device away whole, that this is called once,
        // and that what else `made` holds (actions, close) is used on the device's executor alone.
        nonisolated(unsafe) let device = made.device
        return unsafe device
    }
}
