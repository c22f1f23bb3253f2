/// The USB devices of this machine.
///
/// Everything is read anew by each call. Reading needs no permission, and touches no device.
public struct Inventory: Sendable {
    let libusb: LibUSBFunctions
    let tree: SystemTree

    /// Makes an inventory.
    ///
    /// - Parameter root: what to put before `/sys`, `/proc`, `/dev` and `/etc`, for tests.
    public init(_ libusb: LibUSBFunctions = .live, root: String = "") {
        self.init(libusb, tree: SystemTree(root: root))
    }

    init(_ libusb: LibUSBFunctions, tree: SystemTree) {
        self.libusb = libusb
        self.tree = tree
    }

    /// Every device, hubs included, by bus and ports.
    ///
    /// - Throws: ``InventoryError/unlisted(_:hasBus:)``.
    public func devices() throws(InventoryError) -> [HostDevice] {
        let listed: [ListedDevice]
        do throws(LibUSBError) {
            listed = try libusb.list()
        } catch {
            throw .unlisted(error, hasBus: hasBus)
        }
        return listed.sorted { left, right in
            left.bus == right.bus ? left.ports.lexicographicallyPrecedes(right.ports) : left.bus < right.bus
        }.map(describe)
    }

    /// Whether the kernel has a USB bus at all.
    public var hasBus: Bool { tree.exists("/sys/bus/usb") }

    /// The one device that a selector stands for.
    ///
    /// Of several with the same ids, one that is plugged into this machine comes before those attached over USB/IP, which
    /// may be its own images.
    ///
    /// - Throws: ``InventoryError`` that says what there is, and what comes near.
    public func find(_ selector: DeviceSelector) throws(InventoryError) -> HostDevice {
        guard selector.form != .every else { throw .everything }
        let all = try devices()
        let matching = all.filter(selector.matches)
        let candidates = matching.filter { !$0.isHub }
        if let hub = matching.first, candidates.isEmpty { throw .hub(hub) }
        let real = candidates.filter { !$0.isVirtual }
        if real.count == 1 { return real[0] }
        guard let device = candidates.first else {
            throw .notFound("\(selector)", near: NearMisses(of: selector, among: all).words, all)
        }
        guard candidates.count == 1 else { throw .several(selector, candidates) }
        return device
    }

    /// The devices that meet any of some conditions; never a hub, and never one that was attached over USB/IP.
    ///
    /// - Throws: ``InventoryError/unlisted(_:hasBus:)``.
    public func all(matching matches: [DeviceMatch]) throws(InventoryError) -> [HostDevice] {
        try devices().filter { device in
            !device.isHub && !device.isVirtual && matches.contains { $0.matches(device) }
        }
    }

    /// The bus and the address of what is plugged in at a place now, from sysfs alone; nil when nothing is.
    ///
    /// Cheap enough to be called often. The address is another one each time that a device is plugged in.
    ///
    /// - Parameter path: a place such as `3-1.2`.
    public func address(ofPath path: String) -> (bus: UInt8, address: UInt8)? {
        // It becomes part of a file's name.
        guard let selector = try? DeviceSelector(parsing: path), case .place = selector.form else { return nil }
        guard let bus = tree.number("\(Self.folder(selector.description))/busnum"),
            let address = tree.number("\(Self.folder(selector.description))/devnum")
        else { return nil }
        return (bus, address)
    }

    /// A device as it is now, from sysfs alone: its drivers may be others; nil when it is no longer plugged in.
    ///
    /// Touches no other device, one of which may be hanging.
    public func refreshed(_ device: HostDevice) -> HostDevice? {
        guard let address = address(ofPath: device.path), address.bus == device.listed.bus,
            address.address == device.listed.address
        else { return nil }
        return describe(device.listed)
    }

    // MARK: What sysfs says

    static func folder(_ path: String) -> String { "/sys/bus/usb/devices/\(path)" }

    private func describe(_ listed: ListedDevice) -> HostDevice {
        let folder = Self.folder(listed.path)
        var device = HostDevice(listed: listed)
        // While one device leaves and another takes its place, what stands there is of neither.
        guard tree.number("\(folder)/devnum") == listed.address else { return device }
        device.manufacturer = tree.attribute("\(folder)/manufacturer")
        device.product = tree.attribute("\(folder)/product")
        device.serialNumber = tree.attribute("\(folder)/serial")
        device.configurationValue = tree.number("\(folder)/bConfigurationValue") ?? 0
        device.driver = tree.linkName("\(folder)/driver")
        device.drivers = interfaces(of: device)
        device.isVirtual =
            tree.resolved(folder)?.split(separator: "/").contains { $0.hasPrefix("vhci_hcd") } ?? false
        return device
    }

    private func interfaces(of device: HostDevice) -> [HostDevice.Interface] {
        let value = device.configurationValue
        guard value != 0, let configuration = device.listed.configurations.first(where: { $0.value == value }) else {
            return []
        }
        // A root hub's interfaces are called after port 0.
        let place = device.isRootHub ? "\(device.listed.bus)-0" : device.path
        return Set(configuration.settings.map(\.interface)).sorted().map { number in
            let name = "\(place):\(value).\(number)"
            return HostDevice.Interface(number: number, systemName: name, driver: driver(of: name))
        }
    }

    /// The driver that an interface has now.
    func driver(of systemName: String) -> String? { tree.linkName("\(Self.folder(systemName))/driver") }
}
