import CommandSupport
import DeviceModels
import DirectHost
import Glibc
import Logging
import Synchronization
import Testing
import USBCore
import USBDeviceKit

/// A HID device with a host that asks for its reports, somebody at its controls, and somebody who follows its events.
final class HIDUnderControl {
    /// Answers and events as they came.
    private final class Log: Sendable {
        let outcomes = Mutex<[Int: ActionReply.Outcome]>([:])
        let events = Mutex<[DeviceEvent]>([])
    }

    let made: ModelDevice
    let device: GadgetDevice
    let host: DirectHost
    private let log = Log()
    private var asked = 0
    private var reports: [UInt8: [[UInt8]]] = [:]
    private var polled: Set<UInt8> = []

    init(_ text: String, isConfigured: Bool = true) throws {
        let log = log
        made = try Self.make(text, EventSink(isWatched: { true }) { event in log.events.withLock { $0.append(event) } })
        device = try #require(made.device as? GadgetDevice)
        host = DirectHost(device)
        if isConfigured { try configure() }
        host.onCompletion = { [unowned self] completion in
            let number = completion.endpoint.number
            guard completion.endpoint.direction == .in, polled.contains(number), completion.status == .success else {
                return
            }
            reports[number, default: []].append(completion.data)
            host.submitIn(.in(number), 64)
        }
    }

    static func make(_ text: String, _ events: EventSink = .none) throws -> ModelDevice {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var context = ModelContext(index: 0, logger: logger)
        context.events = events
        return try ModelRegistry.make(DeviceSpecification(parsing: text), context)
    }

    /// What a specification is refused with.
    static func refusal(_ text: String) throws -> ModelError {
        try #require(throws: ModelError.self) { _ = try make(text) }
    }

    func configure() throws {
        try #require(host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
    }

    // MARK: The host

    /// Asks for reports as a driver does, again after each answer.
    func poll(_ number: UInt8 = 1) {
        polled.insert(number)
        host.submitIn(.in(number), 64)
    }

    /// Takes what polling has brought.
    func take(_ number: UInt8 = 1) -> [[UInt8]] { reports.removeValue(forKey: number) ?? [] }

    func setReport(_ type: UInt8, _ id: UInt8, _ bytes: [UInt8]) -> Bool {
        let setup = SetupPacket(
            requestType: 0x21, request: 9, value: UInt16(type) << 8 | UInt16(id), length: UInt16(bytes.count))
        return host.control(setup, bytes)?.status == .success
    }

    func getReport(_ type: UInt8, _ id: UInt8) -> [UInt8]? {
        let setup = SetupPacket(requestType: 0xa1, request: 1, value: UInt16(type) << 8 | UInt16(id), length: 64)
        let outcome = host.control(setup)
        return outcome?.status == .success ? outcome?.data : nil
    }

    func advance(milliseconds: UInt64) { host.clock.advance(by: milliseconds * 1_000_000) }

    // MARK: Control

    /// Asks for an action; its answer comes from ``answer(_:)`` or ``error(_:)`` when there is one.
    @discardableResult
    func ask(_ name: String, _ arguments: [(String, JSON)] = []) throws -> Int {
        let action = try #require(made.actions.first { $0.summary.name == name }, "an action \(name)")
        asked += 1
        let (number, log) = (asked, log)
        action.perform(arguments, ActionReply { result in log.outcomes.withLock { $0[number] = result } })
        return number
    }

    /// Whether an action has been answered.
    func isAnswered(_ number: Int) -> Bool { log.outcomes.withLock { $0[number] != nil } }

    /// The answer of an action that succeeded.
    func answer(_ number: Int) throws -> JSON {
        .object(try #require(log.outcomes.withLock { $0[number] }, "an answer").get())
    }

    /// The error of an action that failed.
    func error(_ number: Int) throws -> ModelError {
        let outcome = try #require(log.outcomes.withLock { $0[number] }, "an answer")
        guard case .failure(let error) = outcome else {
            Issue.record("the action succeeded")
            return ModelError("")
        }
        return error
    }

    /// The events since the last call.
    func events() -> [DeviceEvent] {
        log.events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

/// A file that goes when the test ends.
final class HIDFile {
    let path: String

    init(_ bytes: [UInt8]) throws {
        var template = "/tmp/ghostplug-hid-XXXXXX".utf8CString.map { $0 }
        let file = unsafe mkstemp(&template)
        try #require(file >= 0)
        defer { close(file) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try #require(unsafe Glibc.write(file, bytes, bytes.count) == bytes.count)
    }

    convenience init(_ text: String) throws { try self.init(Array(text.utf8)) }

    deinit { unsafe unlink(path) }
}
