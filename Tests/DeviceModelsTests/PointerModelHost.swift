import CommandSupport
import DeviceModels
import DirectHost
import HIDReports
import Logging
import Synchronization
import Testing
import USBCore
import USBDeviceKit

/// A device made of a specification, that a host has configured and asks for reports all the time.
final class PointerModelHost {
    let made: ModelDevice
    let host: DirectHost
    let layout: ReportLayout
    private(set) var reports: [[UInt8]] = []
    private let start: UInt64
    /// When each report came, in milliseconds since the host began.
    private(set) var times: [Int] = []

    init(_ text: String) throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var context = ModelContext(index: 0, logger: logger)
        let lines = EventLines()
        context.events = EventSink(isWatched: { true }, { lines.append($0) })
        made = try ModelRegistry.make(DeviceSpecification(parsing: text), context)
        self.lines = lines
        host = DirectHost(made.device)
        start = host.clock.now
        #expect(host.control(SetupPacket(requestType: 0, request: 9, value: 1))?.status == .success)
        let get = SetupPacket(requestType: 0x81, request: 6, value: 0x2200, length: 4096)
        layout = try ReportDescriptor(bytes: host.control(get)?.data ?? []).layout()
        host.onCompletion = { [unowned self] in completed($0) }
        host.submitIn(.in(1), 256)
    }

    private let lines: EventLines

    /// What the device told of.
    var told: [String] { lines.all }

    /// Does an action, runs what it began, and returns the answer as a line: JSON, or the error.
    @discardableResult
    func perform(
        _ name: String, _ arguments: [(String, JSON)], milliseconds: UInt64 = 10_000
    ) -> String {
        let outcome = Answer()
        guard let action = made.actions.first(where: { $0.summary.name == name }) else { return "no action \(name)" }
        action.perform(arguments, ActionReply { outcome.set($0) })
        host.clock.advance(by: milliseconds * 1_000_000)
        return outcome.text
    }

    /// Does an action with its arguments as on a command line.
    @discardableResult
    func perform(_ name: String, _ arguments: String..., milliseconds: UInt64 = 10_000) -> String {
        let pairs = arguments.map { argument in
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), JSON.string(parts.count > 1 ? String(parts[1]) : ""))
        }
        return perform(name, pairs, milliseconds: milliseconds)
    }

    /// Takes the reports that have come.
    func take() -> [[UInt8]] {
        defer {
            reports = []
            times = []
        }
        return reports
    }

    /// Takes the values of a usage in the reports that have come.
    func take(_ usage: Usage) throws -> [[Int]] {
        try take().map { bytes in
            try #require(layout.report(.input, of: bytes)).decode(bytes).filter { $0.0 == usage }.map { Int($0.1) }
        }
    }

    private func completed(_ transfer: DirectHost.Completion) {
        guard transfer.endpoint == .in(1), transfer.status == .success else { return }
        reports.append(transfer.data)
        times.append(Int((host.clock.now - start) / 1_000_000))
        host.submitIn(.in(1), 256)
    }
}

private final class EventLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ event: DeviceEvent) {
        let line = "\(event.kind) \(JSON.object(event.members).text)"
        lines.withLock { $0.append(line) }
    }
}

private final class Answer: Sendable {
    private let outcome = Mutex<ActionReply.Outcome?>(nil)
    func set(_ value: ActionReply.Outcome) { outcome.withLock { $0 = value } }
    var text: String {
        switch outcome.withLock({ $0 }) {
        case nil: "no answer"
        case .success(let members): JSON.object(members).text
        case .failure(let error): "\(error.key ?? "-"): \(error)"
        }
    }
}
