public import Logging
public import USBDeviceKit

/// A kind of device that can be asked for by name, such as `drive:size=1G,label=BACKUP`.
///
/// A new one is a folder with a type that conforms, and a line in ``ModelRegistry``.
public protocol DeviceModel: SendableMetatype {
    /// The name on the command line.
    static var name: String { get }
    /// One line that says what it is.
    static var summary: String { get }
    /// The keys it takes, in the order of its documentation.
    static var keys: [ModelKey] { get }
    /// The key whose value may be written without it, for what the device is of or about: with `device`, `real:3-1.2` is
    /// `real:device=3-1.2`. One of ``keys``; nil, which it is unless a model says otherwise, for none.
    static var subject: String? { get }
    /// Specifications to copy, each with what it gives.
    static var examples: [(specification: String, meaning: String)] { get }

    /// Makes a device.
    ///
    /// - Parameters:
    ///   - options: keys already known to be among ``keys``.
    ///   - context: what the device is being made for.
    /// - Throws: ``ModelError`` that names the key and says what is allowed.
    static func make(_ options: ModelOptions, _ context: ModelContext) throws(ModelError) -> ModelDevice
}

extension DeviceModel {
    /// No key may be left out.
    public static var subject: String? { nil }
}

/// A key of a model.
public struct ModelKey: Hashable, Sendable {
    /// The key.
    public let name: String
    /// What values it takes, for people: `yes|no`, `BYTES (512, 64K, 1G, …)`.
    public let values: String
    /// What holds when the key is not given.
    public let fallback: String
    /// What it is for.
    public let summary: String
    /// Whether it may be given more than once.
    public let isRepeatable: Bool

    /// Makes a key.
    public init(_ name: String, _ values: String, default fallback: String, _ summary: String, repeats: Bool = false) {
        self.name = name
        self.values = values
        self.fallback = fallback
        self.summary = summary
        isRepeatable = repeats
    }

    /// The keys that every model takes.
    public static let common = [busID, pace]

    static let busID = ModelKey(
        "busid", "1 to 31 of 0-9 a-z A-Z . : _ -", default: "1-1, 1-2, … in order", "the name to attach it by")

    static let pace = ModelKey(
        "pace", "bus|free", default: "the server's --pace",
        "whether interrupt and isochronous transfers end when a bus would serve them, or at once")
}

/// What a device is being made for.
public struct ModelContext: Sendable {
    /// The device's place among those of this server, from 0: what keeps equal ones apart.
    public let index: Int
    /// Where the device reports what its user should know.
    public let logger: Logger
    /// Where the device tells what happens to it.
    package var events = EventSink.none

    /// Makes a context.
    public init(index: Int, logger: Logger) {
        self.index = index
        self.logger = logger
    }
}

/// A device, ready to be exported.
public struct ModelDevice {
    /// The device.
    public var device: any USBDevice
    /// What backs it, for people: `64 MiB in memory, FAT "GHOSTPLUG"`.
    public var backing: String
    /// Called on a connection's thread before a client is given the device; throws why it cannot have it.
    public var onImport: (@Sendable () throws(ImportRefusal) -> Void)?
    /// Called on a connection's thread whenever a client has gone.
    public var onRelease: (@Sendable () -> Void)?
    /// When periodic transfers end; nil for what the server says.
    public var pace: Pace?
    /// Whether real hardware is behind the device.
    public var isHardware = false
    /// What can be done to the device while it runs.
    package var actions: [DeviceAction] = []
    /// Of a replayed device, how the replay has gone up to now; called on the device's executor.
    package var verdict: (() -> ReplayVerdict)?
    /// Called on the device's executor when the server ends: finishes writes.
    ///
    /// Returns what could not be finished; nil when all was.
    public var close: () -> String?

    /// Makes a device.
    public init(
        device: any USBDevice, backing: String, onRelease: (@Sendable () -> Void)? = nil,
        close: @escaping () -> String? = { nil }
    ) {
        self.device = device
        self.backing = backing
        self.onRelease = onRelease
        self.close = close
    }
}

/// Why a device cannot be made, in one line that says what to do.
public struct ModelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line.
    public let description: String
    /// The key at fault, where it is one.
    public let key: String?
    /// Whether the specification is wrong, rather than what it names in the world: a file that is in use, a full disk.
    public let isMistake: Bool

    /// Makes the error of a wrong specification.
    public init(_ description: String, key: String? = nil) {
        self.description = description
        self.key = key
        isMistake = true
    }

    /// Makes the error of a right specification that cannot be had now.
    public init(unavailable description: String) {
        self.description = description
        key = nil
        isMistake = false
    }
}
