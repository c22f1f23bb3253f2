import Logging
import Synchronization
import USBCore
import USBDeviceKit

/// Where a real device is looked for, and what is there.
///
/// Hardware comes and goes: the place stays, and says so to whoever offers the device.
final class DevicePlace: Sendable {
    private struct State {
        var host: HostDevice?
        var identity: DeviceIdentity
        var port: (any DevicePort)?
        /// A device that has come and is not ready; how often it was looked at.
        var arriving: (path: String, looks: Int)?
        var hasWarned = false
    }

    let selector: DeviceSelector
    let inventory: Inventory
    private let logger: Logger
    private let onChange: @Sendable (HostDevice?) -> Void
    private let state: Mutex<State>
    private let hasWarnedOfRoom = Atomic(false)

    /// - Parameters:
    ///   - host: what is there now; nil for nothing.
    ///   - onChange: called when the device has come (with it) or gone (nil).
    init(
        _ selector: DeviceSelector, _ inventory: Inventory, host: HostDevice?, logger: Logger,
        onChange: @escaping @Sendable (HostDevice?) -> Void
    ) {
        self.selector = selector
        self.inventory = inventory
        self.logger = logger
        self.onChange = onChange
        state = Mutex(State(host: host, identity: host.map { $0.identity } ?? Self.nothing(selector)))
    }

    /// What is shown of a device that has never been there.
    private static func nothing(_ selector: DeviceSelector) -> DeviceIdentity {
        DeviceIdentity(
            speed: .high, vendorID: 0, productID: 0, release: 0, deviceClass: .init(0, 0, 0), configurationValue: 0,
            configurationCount: 0, interfaces: [], name: "\(selector), not plugged in")
    }

    /// What is there; nil for nothing.
    var host: HostDevice? { state.withLock { $0.host } }

    /// What is there, or was last.
    var identity: DeviceIdentity { state.withLock { $0.identity } }

    func attach(_ port: any DevicePort) {
        // Told under the lock, here and below, so that the last that is told is what holds.
        state.withLock { state in
            state.port = port
            if state.host == nil { port.present(nil) }
        }
    }

    /// Notes that a device has gone, as somebody found who used it.
    func lost(_ device: HostDevice) {
        let wasThere = state.withLock { state in
            guard let host = state.host, host.isSame(as: device) else { return false }
            state.host = nil
            state.port?.present(nil)
            state.port?.unplug()
            return true
        }
        guard wasThere else { return }
        logger.notice("\(device.path) was unplugged; it is offered again when it comes back")
        onChange(nil)
    }

    /// How often a device that has come is looked at until its driver's configuration is there.
    private static let looks = 20

    /// Looks whether the device is still there, or is there again.
    ///
    /// - Parameters:
    ///   - others: paths that belong to other places.
    ///   - all: every device there is now; read when needed.
    /// - Returns: false when it is worth looking again soon.
    func check(others: Set<String>, _ all: () -> [HostDevice]) -> Bool {
        if let host {
            let address = inventory.address(ofPath: host.path)
            // While a device is being reset it has none.
            if let address, address.address == 0 { return false }
            guard let address, address.bus == host.listed.bus, address.address == host.listed.address else {
                lost(host)
                return check(others: others, all)
            }
            return true
        }
        guard let found = find(others: others, all()) else {
            state.withLock { $0.arriving = nil }
            return true
        }
        // The kernel selects a configuration a moment after it shows the device.
        let isReady = state.withLock { state in
            let looks = state.arriving?.path == found.path ? (state.arriving?.looks ?? 0) + 1 : 0
            state.arriving = (found.path, looks)
            return found.configurationValue != 0 || looks >= Self.looks
        }
        guard isReady else { return false }
        take(found)
        return true
    }

    private func take(_ device: HostDevice) {
        let identity = device.identity
        state.withLock { state in
            state.host = device
            state.identity = identity
            state.arriving = nil
            state.hasWarned = false
            state.port?.present(identity)
        }
        logger.notice("\(device.path) is plugged in: \(device.name)")
        onChange(device)
    }

    private func find(others: Set<String>, _ devices: [HostDevice]) -> HostDevice? {
        var candidates = devices.filter { selector.matches($0) && !$0.isHub && !others.contains($0.path) }
        // As Inventory.find: hardware comes before what was attached over USB/IP.
        if candidates.contains(where: { !$0.isVirtual }) { candidates.removeAll(where: \.isVirtual) }
        guard candidates.count > 1 else { return candidates.first }
        let paths = candidates.map(\.path).joined(separator: ", ")
        let isNews = state.withLock { state in
            defer { state.hasWarned = true }
            return !state.hasWarned
        }
        if isNews { warn("\(selector) is more than one device now (\(paths)); none of them is offered") }
        return nil
    }

    func warn(_ text: String) { logger.warning("\(text)") }

    /// Says once that the system has too little room for what the host wants at once.
    func warnOfRoom() {
        guard !hasWarnedOfRoom.exchange(true, ordering: .relaxed) else { return }
        warn(
            """
            the kernel has no room for all transfers at once, so that some fail; more, in MiB and for all programs \
            together: echo 256 | sudo tee /sys/module/usbcore/parameters/usbfs_memory_mb
            """)
    }

    /// The device as it is at this moment: its drivers may be others than when it came.
    ///
    /// - Throws: ``ImportRefusal`` when it is not there, or must not be taken.
    func current() throws(ImportRefusal) -> HostDevice {
        guard let host else { throw ImportRefusal(.absent, "\(selector) is not plugged in") }
        guard let found = inventory.refreshed(host) else {
            lost(host)
            throw ImportRefusal(.absent, "\(selector) is not plugged in")
        }
        if let obstacle = inventory.obstacles(of: found).first {
            throw ImportRefusal(obstacle.kind.isTaken ? .busy : .error, "\(obstacle)")
        }
        return found
    }
}

extension Obstacle.Kind {
    /// Whether somebody else has the device, who may let go of it.
    fileprivate var isTaken: Bool {
        switch self {
        case .mounted, .swap, .held, .usbipHost, .claimed: true
        case .rootHub, .hub, .nodeMissing, .permission: false
        }
    }
}

extension HostDevice {
    /// Whether it is the same device, and plugged in once only.
    func isSame(as other: HostDevice) -> Bool {
        path == other.path && listed.bus == other.listed.bus && listed.address == other.listed.address
    }

    /// What a list of devices shows of it.
    var identity: DeviceIdentity {
        let selected =
            listed.configurations.first { $0.value == configurationValue }
            ?? listed.configurations.first
        let settings = (selected?.settings ?? []).filter { $0.alternate == 0 }
        return DeviceIdentity(
            speed: listed.speed ?? .full, vendorID: listed.vendorID, productID: listed.productID,
            release: listed.release, deviceClass: Self.triple(listed.deviceClass),
            configurationValue: configurationValue, configurationCount: UInt8(clamping: listed.configurations.count),
            interfaces: settings.map { Self.triple($0.classTriple) }, name: name)
    }

    private static func triple(_ bytes: [UInt8]) -> DeviceIdentity.ClassTriple {
        bytes.count == 3 ? .init(bytes[0], bytes[1], bytes[2]) : .init(0, 0, 0)
    }
}
