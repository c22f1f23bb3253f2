package import CommandSupport
import DeviceModels
import Logging

extension RunningDevices: ControlTarget {
    /// See ``ControlTarget/perform(_:_:)``.
    package func perform(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        switch request.command {
        case "devices":
            try request.allow(only: [])
            return [("devices", .array(all.map(\.json)))]
        case "add": return try add(request)
        case "remove": return try remove(request)
        case "actions": return try actions(request)
        case "stats": return try statistics(request, cancellation)
        case "unhandled": return try unhandled(request)
        case "wait": return try wait(request, cancellation)
        case "stop":
            try request.allow(only: [])
            onStop()
            return []
        default: return try act(request, cancellation)
        }
    }

    // MARK: The set

    private func add(_ request: ControlRequest) throws(ControlError) -> [(String, JSON)] {
        try request.allow(only: ["device"])
        let text = try request.string("device", meaning: "which one, as 'serve' takes it, such as drive:size=1G")
        do throws(ModelError) {
            let device = try add(try DeviceSpecification(parsing: text))
            do throws(ModelError) {
                try onAdd(device)
            } catch {
                _ = remove(device)
                throw error
            }
            logger.info("added \(device.specification)", metadata: ["busid": "\(device.busID)"])
            return [("busid", .string(device.busID)), ("device", device.json)]
        } catch {
            throw ControlError(error)
        }
    }

    private func remove(_ request: ControlRequest) throws(ControlError) -> [(String, JSON)] {
        try request.allow(only: ["busid"])
        let device = try device(of: request)
        logger.info("removed", metadata: ["busid": "\(device.busID)"])
        if let failure = remove(device) { throw ControlError(.dataLoss, "data may be lost: \(failure)") }
        return [("busid", .string(device.busID))]
    }

    private func device(of request: ControlRequest) throws(ControlError) -> RunningDevice {
        let busID = try request.busID()
        guard let device = device(busID) else {
            let known = all.map(\.busID).joined(separator: ", ")
            throw ControlError(
                .unknownDevice,
                "there is no device '\(busID.prefix(40))'; there is: \(known.isEmpty ? "none" : known)")
        }
        return device
    }

    /// The device that was asked about, or all of them.
    private func devices(of request: ControlRequest) throws(ControlError) -> [RunningDevice] {
        try request.allow(only: ["busid"])
        return request["busid"] == nil ? all : [try device(of: request)]
    }

    // MARK: What there is to know

    private func actions(_ request: ControlRequest) throws(ControlError) -> [(String, JSON)] {
        let devices = try devices(of: request).map { device in
            JSON.object([
                ("busid", .string(device.busID)), ("actions", .array(device.actions.map(Self.describe))),
            ])
        }
        return [("devices", .array(devices))]
    }

    private static func describe(_ action: DeviceAction.Summary) -> JSON {
        .object([
            ("action", .string(action.name)), ("summary", .string(action.summary)),
            (
                "parameters",
                .array(
                    action.parameters.map {
                        .object([
                            ("name", .string($0.name)), ("values", .string($0.values)),
                            ("default", $0.fallback.map { .string($0) } ?? .null), ("summary", .string($0.summary)),
                        ])
                    })
            ),
        ])
    }

    /// How long devices may take to tell what has moved.
    private static let readingTime = Duration.seconds(2)

    private func statistics(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        // All are asked before the first is waited for.
        let asked = try devices(of: request).map { (device: $0, reading: TrafficReading(of: $0.export)) }
        let deadline = ContinuousClock.now + Self.readingTime
        let devices = asked.map { device, reading in
            JSON.object(
                [("busid", .string(device.busID)), ("state", .string(device.state.rawValue))]
                    + (reading.report(until: deadline, cancellation)?.members ?? [("busy", .bool(true))]))
        }
        return [("devices", .array(devices))]
    }

    private func unhandled(_ request: ControlRequest) throws(ControlError) -> [(String, JSON)] {
        let devices = try devices(of: request).map { device in
            JSON.object([("busid", .string(device.busID)), ("requests", device.unhandled.json)])
        }
        return [("devices", .array(devices))]
    }

    // MARK: What takes time

    private func wait(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        try request.allow(only: ["busid", "for", "timeout"])
        let device = try device(of: request)
        let word = try request.string("for", meaning: "which state")
        guard let wanted = HostState(rawValue: word) else {
            let known = HostState.allCases.map(\.rawValue).joined(separator: ", ")
            throw ControlError(.invalid, "there is no state '\(word.prefix(40))'; there is: \(known)")
        }
        let timeout = try request.seconds("timeout") ?? .seconds(30)
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let subscription = events.follow()
        while device.state != wanted {
            guard !device.isRemoved else {
                // Nobody has it, whatever became of its connection.
                if wanted == .detached { break }
                throw ControlError(.unknownDevice, "\(device.busID) was removed")
            }
            guard !cancellation.isCancelled else { throw ControlError(.cancelled, "nobody waits any more") }
            let news = subscription.next(until: deadline, cancellation: cancellation)
            if device.state == wanted || device.isRemoved { continue }
            guard !news.isEmpty || cancellation.isCancelled else {
                throw ControlError(
                    .timeout, "\(device.busID) is \(device.state.rawValue) and not \(wanted.rawValue) after \(timeout)")
            }
        }
        return [("state", .string(wanted.rawValue))]
    }

    private func act(
        _ request: ControlRequest, _ cancellation: Cancellation
    ) throws(ControlError) -> [(String, JSON)] {
        let known = all.contains { $0.actions.contains { $0.name == request.command } }
        guard known || request["busid"] != nil else { throw Self.unknown(request.command, []) }
        let device = try device(of: request)
        let arguments = request.members.filter { $0.0 != "busid" }
        let outcome = ActionCall.outcome(cancellation) { device.perform(request.command, arguments, $0) }
        switch outcome {
        case .success(let members): return members
        case .failure(let error): throw ControlError(error)
        case nil: throw Self.unknown(request.command, device.actions.map(\.name))
        }
    }

    private static func unknown(_ command: String, _ actions: [String]) -> ControlError {
        let can = actions.isEmpty ? "" : "; this device can: \(actions.joined(separator: ", "))"
        return ControlError(.unknownCommand, "there is no command '\(command.prefix(40))'\(can)")
    }
}

extension ControlError {
    /// The error of a model or an action.
    init(_ error: ModelError) { self.init(error.isMistake ? .invalid : .failed, error.description) }
}
