import CommandSupport
import DeviceModels
import Glibc
import Logging
import SCSITarget
import Synchronization
import Testing
import USBDeviceKit
import USBMassStorage

/// A drive with somebody at its controls, somebody who follows its events, and a host's commands.
final class DriveUnderControl {
    /// What a command came to.
    struct Outcome {
        let data: [UInt8]
        /// Key, additional sense code and qualifier; nil for a success.
        let sense: [UInt8]?
    }

    let made: ModelDevice
    let target: SCSITarget
    private let inbox: Inbox

    init(_ text: String, isWatched: Bool = true) throws {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var context = ModelContext(index: 0, logger: logger)
        let inbox = Inbox(isWatched: isWatched)
        self.inbox = inbox
        context.events = EventSink(isWatched: { inbox.isWatched }, { inbox.append($0) })
        made = try ModelRegistry.make(DeviceSpecification(parsing: text), context)
        let device = try #require(made.device as? GadgetDevice)
        target = try #require(device.gadget as? MassStorageGadget).target
        // The unit attention of power on.
        for lun in 0..<UInt8(target.units.count) { run([0x00], lun: lun) }
        inbox.clear()
    }

    /// What was sent since the last call.
    func events() -> [DeviceEvent] { inbox.take() }

    /// The kinds of what was sent since the last call, commands left out.
    func kinds() -> [String] { events().map(\.kind).filter { $0 != "scsi" } }

    // MARK: Control

    /// Does something; its answer as an object.
    @discardableResult
    func perform(_ name: String, _ arguments: [(String, JSON)] = []) throws -> JSON {
        let action = try #require(made.actions.first { $0.summary.name == name })
        let outcome = Mutex<ActionReply.Outcome?>(nil)
        action.perform(arguments, ActionReply { result in outcome.withLock { $0 = result } })
        return .object(try #require(outcome.withLock { $0 }, "an answer at once").get())
    }

    /// What is said of a unit by `media`.
    func medium(_ lun: Int = 0) throws -> JSON {
        guard case .array(let media) = try perform("media")["media"] else {
            Issue.record("media answers with an array")
            return .null
        }
        return try #require(media.indices.contains(lun) ? media[lun] : nil)
    }

    // MARK: The host

    @discardableResult
    func run(_ cdb: CDB, lun: UInt8 = 0, out: [UInt8] = []) -> Outcome {
        var task = target.begin(cdb, lun: lun)
        var data: [UInt8] = []
        if task.direction == .in {
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = unsafe buffer.withUnsafeMutableBytes({ unsafe target.produce(&task, into: $0) }),
                count > 0
            {
                data += buffer[..<count]
            }
        } else if task.direction == .out {
            _ = unsafe out.withUnsafeBytes { unsafe target.consume(&task, $0) }
        }
        _ = target.finish(&task)
        return Outcome(
            data: data, sense: task.sense.map { [$0.key.rawValue, $0.additional.code, $0.additional.qualifier] })
    }

    func read(_ block: UInt8, lun: UInt8 = 0) -> [UInt8] {
        run([0x28, 0, 0, 0, 0, block, 0, 0, 1], lun: lun).data
    }

    @discardableResult
    func write(_ block: UInt32, _ byte: UInt8, lun: UInt8 = 0) -> [UInt8]? {
        let address = (0..<4).map { UInt8(truncatingIfNeeded: block >> (24 - 8 * $0)) }
        return run(CDB([0x2A, 0] + address + [0, 0, 1]), lun: lun, out: [UInt8](repeating: byte, count: 512)).sense
    }

    func lock(lun: UInt8 = 0) { #expect(run([0x1E, 0, 0, 0, 1], lun: lun).sense == nil) }

    /// How many blocks READ CAPACITY tells.
    func capacity(lun: UInt8 = 0) -> UInt64 {
        let data = run([0x25], lun: lun).data
        return data.count == 8 ? data[..<4].reduce(0) { $0 << 8 | UInt64($1) } + 1 : 0
    }
}

/// Events as they came, from whichever thread.
private final class Inbox: Sendable {
    let isWatched: Bool
    private let log = Mutex<[DeviceEvent]>([])

    init(isWatched: Bool) { self.isWatched = isWatched }
    func append(_ event: DeviceEvent) { log.withLock { $0.append(event) } }
    func clear() { log.withLock { $0 = [] } }

    func take() -> [DeviceEvent] {
        log.withLock { log in
            defer { log = [] }
            return log
        }
    }
}

/// A folder with files that goes when the test ends.
final class DriveFolder {
    let path: String
    private var names: Set<String> = []

    init() throws {
        var template = "/tmp/ghostplug-drive-XXXXXX".utf8CString.map { $0 }
        try #require(unsafe mkdtemp(&template) != nil, "a folder under /tmp")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The path of a name, which goes with the folder.
    func file(_ name: String) -> String {
        names.insert(name)
        return "\(path)/\(name)"
    }

    /// Makes a file of so many bytes, all the same.
    @discardableResult
    func image(_ name: String, _ size: Int, _ byte: UInt8) throws -> String {
        let path = file(name)
        let file = unsafe creat(path, 0o600)
        defer { close(file) }
        let bytes = [UInt8](repeating: byte, count: size)
        try #require(unsafe Glibc.write(file, bytes, size) == size)
        return path
    }

    func size(_ name: String) -> Int {
        var status = stat()
        return unsafe stat(file(name), &status) == 0 ? Int(status.st_size) : -1
    }

    deinit {
        for name in names { unsafe remove("\(path)/\(name)") }
        unsafe rmdir(path)
    }
}
