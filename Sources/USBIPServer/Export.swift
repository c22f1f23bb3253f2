import Synchronization
public import USBCore
public import USBDeviceKit
public import USBIPSession
import USBIPWire

/// A device that the server offers, with its bus id.
///
/// `@unchecked Sendable`: the device is only touched on its executor; the rest does not change.
public final class Export: @unchecked Sendable {
    /// The device's name at this server: 1 to 31 characters of `0-9 a-z A-Z . : _ -`.
    public let busID: String
    /// What serialises the device's work; also the way to it for other threads.
    public let executor: DeviceExecutor
    let busNumber: UInt32
    let deviceNumber: UInt32
    private let presence: Mutex<(identity: DeviceIdentity, isPresent: Bool)>
    let device: any USBDevice
    private let paced: PacedDevice?
    let options: ExportOptions
    let onEvent: @Sendable (ExportEvent) -> Void
    /// Whether a client has gone, and what is done after it is not: copying files may take long.
    let isReleasing = Atomic(false)
    /// What has moved so far; touched on the executor only.
    let traffic = Traffic(clock: EventThread.shared)

    /// Takes over a device.
    ///
    /// - Parameters:
    ///   - pace: when periodic transfers end.
    ///   - onEvent: called on a connection's thread or the device's executor; must not block.
    init(
        busID: String, number: Int, device: sending any USBDevice, pace: Pace, options: ExportOptions,
        onEvent: @escaping @Sendable (ExportEvent) -> Void
    ) {
        self.busID = busID
        // Linux's attach tool keeps eight bits of each number.
        busNumber = 1
        deviceNumber = UInt32(2 + number % 250)
        executor = DeviceExecutor(clock: EventThread.shared)
        presence = Mutex((device.identity, true))
        paced = pace == .bus && !options.isHardware ? PacedDevice(device) : nil
        let served: any USBDevice = paced ?? device
        self.device = options.decorate?(served) ?? served
        self.options = options
        self.onEvent = onEvent
        executor.setPresentation { [weak self] in self?.note($0) }
        self.device.attach(to: executor)
    }

    private func note(_ identity: DeviceIdentity?) {
        presence.withLock { $0 = (identity ?? $0.identity, identity != nil) }
    }

    /// What the device is, for lists: read when it was exported, or since it came back.
    public var identity: DeviceIdentity { presence.withLock { $0.identity } }

    /// Whether real hardware is behind the device.
    public var isHardware: Bool { options.isHardware }

    /// Whether the device is there to be imported: hardware can be unplugged.
    public var isPresent: Bool { presence.withLock { $0.isPresent } }

    /// Does what there is to do after a client, on the connection's thread.
    func released() {
        isReleasing.store(true, ordering: .releasing)
        options.onRelease?()
        isReleasing.store(false, ordering: .releasing)
    }

    /// How well time has been kept so far; nil where nobody keeps it.
    public var paceStatistics: PaceStatistics? { executor.run(mayBlock: false) { paced?.statistics } }

    /// Reads what has moved so far and how well time has been kept, as work of the device's: never waits for it.
    ///
    /// - Parameter body: called on the executor once it is free, which may be late: a client that does not read can hold
    ///   it up. The statistics are nil where nobody keeps time.
    public func postReading(_ body: @escaping @Sendable (Traffic, PaceStatistics?) -> Void) {
        executor.post { [self] in body(traffic, paced?.statistics) }
    }

    /// The id that clients put into their headers: the bus number in the upper half, the device's in the lower.
    public var deviceID: UInt32 { busNumber << 16 | deviceNumber }

    var record: DeviceRecord {
        let identity = identity
        return DeviceRecord(
            path: "/sys/devices/ghostplug/\(busID)", busID: busID, busNumber: busNumber, deviceNumber: deviceNumber,
            speed: identity.speed.rawValue, vendorID: identity.vendorID, productID: identity.productID,
            release: identity.release,
            deviceClass: ClassRecord(
                identity.deviceClass.code, identity.deviceClass.subclass, identity.deviceClass.protocol),
            configurationValue: identity.configurationValue, configurationCount: identity.configurationCount,
            interfaceCount: UInt8(clamping: identity.interfaces.count))
    }

    var listEntry: DeviceListEntry {
        DeviceListEntry(
            device: record,
            interfaces: identity.interfaces.map { ClassRecord($0.code, $0.subclass, $0.protocol) })
    }
}

/// What a server is to know of a device beyond the device itself.
public struct ExportOptions: Sendable {
    /// When periodic transfers end; nil for what the server's configuration says.
    public var pace: Pace?
    /// Whether real hardware is behind the device: it comes configured, keeps time by itself, and its calls can take
    /// long, so that no thread that others depend on makes them.
    public var isHardware = false
    /// Called on a connection's thread before its client is given the device, which it may take from whoever else has it.
    ///
    /// Throws why the client cannot have it; ``onRelease`` is not called then.
    public var onImport: (@Sendable () throws(ImportRefusal) -> Void)?
    /// Called on a connection's thread when its client has gone, before the next can import the device.
    public var onRelease: (@Sendable () -> Void)?
    /// Puts something around the device that sees what hosts see of it, its pace included; called once, before it is
    /// attached.
    public var decorate: (@Sendable (any USBDevice) -> any USBDevice)?

    /// Makes the options of a simulated device.
    public init() {}
}

/// Something that happened between an exported device and its host.
public enum ExportEvent: Sendable {
    /// A host has imported the device; its address, or how it came.
    case attached(String)
    /// The host has gone, and why.
    case detached(String)
    /// The bus was reset.
    case reset(ResetCause)
    /// A control request has been answered that changed the device's state, or that the device refused.
    case request(SetupPacket, TransferStatus)
    /// A transfer for an endpoint that the selected settings do not have.
    case unknownEndpoint(EndpointAddress)
}

/// Why a device cannot be exported.
public struct ExportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and what is allowed.
    public let description: String
}
