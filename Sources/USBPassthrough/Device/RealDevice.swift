public import Logging
import SocketIO
import Synchronization
public import USBDeviceKit

/// A real device on offer: finds it, takes it from the system for a host, and gives it back.
public final class RealDevice: Sendable {
    /// The device, for whoever offers it.
    public let device: LibUSBDevice
    private let place: DevicePlace
    private let libusb: LibUSBFunctions
    private let logger: Logger
    private let resets: Bool
    private let watch: PlugWatch
    private let context: OwnedContext
    /// A device that would not let go of its last host's transfers.
    private let stuck = Mutex<OpenDevice?>(nil)

    /// What a device is wanted for.
    public struct Options: Sendable {
        /// Whether a device that is not there is waited for.
        public var mayBeAbsent = false
        /// Whether hosts' resets, and the end of a host, reset the hardware.
        public var resets = true
        /// Called when the device has come (with its path) or gone (nil).
        public var onChange: @Sendable (String?) -> Void = { _ in }

        /// Makes the usual options.
        public init() {}
    }

    /// Why a device cannot be offered.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong, and what to do.
        public let description: String
        /// Whether what was asked for is wrong, rather than what it names not to be had.
        public let isMistake: Bool
    }

    /// Looks for a device, and watches it from now on.
    ///
    /// - Parameter libusb: what `inventory` was made with, too.
    /// - Throws: ``Failure`` when it is not there, not the only one, or cannot be exported.
    public convenience init(
        _ selector: DeviceSelector, _ inventory: Inventory = Inventory(), _ libusb: LibUSBFunctions = .live,
        options: Options = Options(), logger: Logger
    ) throws(Failure) {
        try self.init(selector, inventory, libusb, watch: .shared, options: options, logger: logger)
    }

    /// - Parameter watch: who looks whether the device is there; tests do so themselves.
    init(
        _ selector: DeviceSelector, _ inventory: Inventory, _ libusb: LibUSBFunctions, watch: PlugWatch,
        options: Options, logger: Logger
    ) throws(Failure) {
        var host: HostDevice?
        do throws(InventoryError) {
            host = try inventory.find(selector)
        } catch {
            guard options.mayBeAbsent, case .notFound = error else {
                throw Failure(description: "\(error)", isMistake: error.isMistake)
            }
        }
        if let host, let obstacle = inventory.obstacles(of: host).first {
            throw Failure(description: "\(obstacle)", isMistake: false)
        }
        let onChange = options.onChange
        place = DevicePlace(selector, inventory, host: host, logger: logger) { onChange($0?.path) }
        device = LibUSBDevice(place, libusb, resets: options.resets)
        self.libusb = libusb
        self.logger = logger
        resets = options.resets
        self.watch = watch
        do throws(LibUSBError) {
            context = try OwnedContext(libusb)
        } catch {
            throw Failure(description: "libusb cannot be used: \(error)", isMistake: false)
        }
        guard watch.add(place) else {
            throw Failure(
                description: "\(host?.path ?? "\(selector)") is exported already; each device can be once",
                isMistake: true)
        }
    }

    /// The place of the device on its bus, such as `3-1.2`; nil while it is not there.
    public var path: String? { place.host?.path }

    /// Takes the device from the system for a host.
    ///
    /// Called on a thread that may wait, before the device is connected.
    public func open() throws(ImportRefusal) {
        if let old = stuck.withLock({ $0 }) {
            throw ImportRefusal(
                .error, "\(old.host.path) still has transfers of its last host; unplug it and plug it in again")
        }
        let host = try place.current()
        let table = EndpointTable(host.listed.configurations, selected: host.configurationValue)
        guard host.configurationValue == 0 || table.has(configuration: host.configurationValue) else {
            throw ImportRefusal(
                .error, "the descriptors of \(host.path)'s configuration \(host.configurationValue) cannot be read")
        }
        let opened = try OpenDevice(
            host, place.inventory, libusb, context, interfaces: table.interfaces(of: host.configurationValue))
        announce(host, opened.interfaces.detached)
        device.opened.withLock { $0 = opened }
    }

    /// Says what was taken from whom, and how to give it back should this process not come to it.
    private func announce(_ host: HostDevice, _ detached: [UInt8]) {
        guard !detached.isEmpty else { return }
        let drivers = host.drivers.filter { detached.contains($0.number) }.map {
            "\($0.driver ?? "?") (\($0.systemName))"
        }
        logger.notice(
            """
            took \(host.path) from \(drivers.joined(separator: ", ")) until the client detaches; should this process be \
            killed: ghostplug devices --give-back \(host.path)
            """)
    }

    /// Gives the device back to the system when its host has gone.
    ///
    /// Called on a thread that may wait, after the device was disconnected.
    public func release() {
        let opened = device.opened.withLock { opened in
            defer { opened = nil }
            return opened
        }
        guard let opened else { return }
        if let failures = opened.close(resets: resets) {
            report(opened, failures)
            return
        }
        logger.error(
            """
            \(opened.host.path) does not let go of its host's transfers, and is not given back before it does; \
            unplugging it helps
            """)
        stuck.withLock { $0 = opened }
        // Without a thread it stays as it is until it is unplugged.
        try? startThread("give back") { [self] in giveBackLate(opened) }
    }

    /// Gives a device back that hangs, as soon as it no longer does.
    private func giveBackLate(_ opened: OpenDevice) {
        while true {
            if let failures = opened.close(resets: resets) {
                stuck.withLock { $0 = nil }
                report(opened, failures)
                return
            }
        }
    }

    private func report(_ opened: OpenDevice, _ failures: [String]) {
        for failure in failures { logger.error("\(failure); 'ghostplug devices' shows its state") }
        if failures.isEmpty { logger.info("gave \(opened.host.path) back") }
    }

    /// Looks for the device no longer.
    public func close() {
        watch.remove(place)
        guard let stuck = stuck.withLock({ $0 }) else { return }
        let path = stuck.host.path
        logger.error("\(path) was not given back; when it answers again: ghostplug devices --give-back \(path)")
    }

    deinit { watch.remove(place) }
}
