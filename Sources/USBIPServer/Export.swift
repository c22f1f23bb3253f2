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
    /// The device as it was when it was exported, for lists: an attached one is not listed.
    public let identity: DeviceIdentity
    let device: any USBDevice
    private let paced: PacedDevice?
    private let onRelease: (@Sendable () -> Void)?
    let onEvent: @Sendable (ExportEvent) -> Void
    /// Whether a client has gone, and what is done after it is not: copying files may take long.
    let isReleasing = Atomic(false)
    /// What has moved so far; touched on the executor only.
    let traffic = Traffic(clock: EventThread.shared)

    /// Takes over a device.
    ///
    /// - Parameters:
    ///   - onRelease: called on the connection's thread when a client has gone, before the next can come.
    ///   - onEvent: called on a connection's thread or the device's executor; must not block.
    init(
        busID: String, number: Int, device: sending any USBDevice, pace: Pace, onRelease: (@Sendable () -> Void)?,
        onEvent: @escaping @Sendable (ExportEvent) -> Void
    ) {
        self.busID = busID
        // Linux's attach tool keeps eight bits of each number.
        busNumber = 1
        deviceNumber = UInt32(2 + number % 250)
        executor = DeviceExecutor(clock: EventThread.shared)
        identity = device.identity
        paced = pace == .bus ? PacedDevice(device) : nil
        self.device = paced ?? device
        self.onRelease = onRelease
        self.onEvent = onEvent
        self.device.attach(to: executor)
    }

    /// Does what there is to do after a client, on the connection's thread.
    func released() {
        isReleasing.store(true, ordering: .releasing)
        onRelease?()
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
        DeviceRecord(
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
