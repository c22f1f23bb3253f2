import Glibc
import Synchronization
import USBCore

@testable import USBPassthrough

/// A machine of a test's own: a folder with `/sys`, `/proc`, `/dev` and `/etc`, and a libusb that lists what is in it.
final class FakeMachine: Sendable {
    let root: String
    private let state = Mutex(State())

    private struct State {
        var listed: [ListedDevice] = []
        var failure: LibUSBError?
        var openFailure: LibUSBError?
        var onAttach: (@Sendable (UInt8) throws(LibUSBError) -> Void)?
        var calls: [String] = []
        var unusable: Set<String> = []
    }

    init() {
        var template = Array("/tmp/inventory-test-XXXXXX".utf8CString)
        _ = unsafe mkdtemp(&template)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        for name in ["sys/bus/usb/devices", "proc", "dev/bus/usb"] { makeFolder("/\(name)") }
    }

    deinit { Self.remove(root) }

    private static func remove(_ path: String) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in SystemTree(root: "").names(in: path) { remove("\(path)/\(name)") }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }

    // MARK: Files

    func makeFolder(_ path: String) {
        var whole = root
        for part in path.split(separator: "/") {
            whole += "/\(part)"
            unsafe mkdir(whole, 0o755)
        }
    }

    func write(_ bytes: [UInt8], to path: String) {
        if let end = path.lastIndex(of: "/") { makeFolder(String(path[..<end])) }
        guard let file = unsafe fopen(root + path, "w") else { return }
        unsafe fwrite(bytes, 1, bytes.count, file)
        unsafe fclose(file)
    }

    func write(_ text: String, to path: String) { write(Array(text.utf8), to: path) }

    /// - Parameter target: as it is written into the link; relative to the link's folder unless it begins with `/`.
    func link(_ path: String, to target: String) {
        if let end = path.lastIndex(of: "/") { makeFolder(String(path[..<end])) }
        unsafe unlink(root + path)
        unsafe symlink(target, root + path)
    }

    func removeFile(_ path: String) { Self.remove(root + path) }

    // MARK: Devices

    /// The folder that a device is in, without links.
    static func folder(_ path: String) -> String { "/sys/devices/pci0000:00/0000:00:04.0/\(path)" }

    /// Plugs a device in: into libusb's list, sysfs and `/dev`.
    ///
    /// - Parameters:
    ///   - path: `usb3`, or `3-1.2`.
    ///   - interfaces: of configuration 1, each a number, a class and a driver.
    ///   - controller: what it hangs on.
    @discardableResult
    func add(
        _ path: String, _ vendor: UInt16, _ product: UInt16, address: UInt8, class deviceClass: UInt8 = 0,
        interfaces: [(number: UInt8, class: UInt8, driver: String?)] = [(0, 8, "usb-storage")],
        maker: String? = nil, name: String? = nil, serial: String? = nil, speed: Speed = .high,
        configuration: String = "1\n", controller: String = "pci0000:00/0000:00:04.0"
    ) -> ListedDevice {
        let isRootHub = path.hasPrefix("usb")
        let parts = path.dropFirst(isRootHub ? 3 : 0).split(separator: "-")
        let bus = UInt8(parts[0]) ?? 0
        let ports = isRootHub ? [] : parts[1].split(separator: ".").map { UInt8($0) ?? 0 }
        let device = ListedDevice(
            bus: bus, address: address, ports: ports, speed: speed, vendorID: vendor, productID: product, release: 1,
            deviceClass: [deviceClass, 0, 0],
            configurations: [
                ListedDevice.Configuration(
                    value: 1,
                    settings: interfaces.map {
                        ListedDevice.Setting(
                            interface: $0.number, alternate: 0, classTriple: [$0.class, 0, 0], endpoints: [])
                    })
            ])
        state.withLock { $0.listed.append(device) }
        let folder = "/sys/devices/\(controller)/\(path)"
        makeFolder(folder)
        link("/sys/bus/usb/devices/\(path)", to: "../../../devices/\(controller)/\(path)")
        write("\(bus)\n", to: "\(folder)/busnum")
        write("\(address)\n", to: "\(folder)/devnum")
        write(configuration, to: "\(folder)/bConfigurationValue")
        link("\(folder)/driver", to: "/sys/bus/usb/drivers/usb")
        for case (let file, let text?) in [("manufacturer", maker), ("product", name), ("serial", serial)] {
            write(text + "\n", to: "\(folder)/\(file)")
        }
        for interface in interfaces {
            let systemName = "\(isRootHub ? "\(bus)-0" : path):1.\(interface.number)"
            makeFolder("\(folder)/\(systemName)")
            link(
                "/sys/bus/usb/devices/\(systemName)", to: "../../../devices/\(controller)/\(path)/\(systemName)")
            if let driver = interface.driver { setDriver(driver, of: systemName) }
        }
        write("", to: HostDevice(listed: device).node)
        return device
    }

    /// A bus with its root hub.
    func addBus(_ number: UInt8) {
        add("usb\(number)", 0x1d6b, 2, address: 1, class: 9, interfaces: [(0, 9, "hub")], name: "Root Hub")
    }

    func setDriver(_ driver: String, of systemName: String) {
        link("/sys/bus/usb/devices/\(systemName)/driver", to: "../../../bus/usb/drivers/\(driver)")
    }

    /// A disk or partition in a device's folder.
    func addBlock(_ name: String, _ number: String, of path: String, below: String = "") {
        let folder = "\(Self.folder(path))/\(path):1.0/host0/block/\(below)\(name)"
        write("\(number)\n", to: "\(folder)/dev")
        makeFolder("\(folder)/holders")
        link("/sys/class/block/\(name)", to: root + folder)
    }

    /// A block device that stands on another.
    func addHolder(_ name: String, _ number: String, on base: String, mapper: (name: String, uuid: String)? = nil) {
        let folder = "/sys/devices/virtual/block/\(name)"
        write("\(number)\n", to: "\(folder)/dev")
        makeFolder("\(folder)/holders")
        if let mapper {
            write(mapper.name + "\n", to: "\(folder)/dm/name")
            write(mapper.uuid + "\n", to: "\(folder)/dm/uuid")
        }
        link("/sys/class/block/\(name)", to: root + folder)
        link("/sys/class/block/\(base)/holders/\(name)", to: "../../\(name)")
    }

    // MARK: Libusb

    func fail(_ error: LibUSBError) { state.withLock { $0.failure = error } }
    func failOpening(_ error: LibUSBError) { state.withLock { $0.openFailure = error } }
    func lock(_ path: String) { state.withLock { _ = $0.unusable.insert(path) } }
    func onAttach(_ body: @escaping @Sendable (UInt8) throws(LibUSBError) -> Void) {
        state.withLock { $0.onAttach = body }
    }

    /// What was called that changes something, in order.
    var calls: [String] { state.withLock { $0.calls } }

    private func note(_ call: String) { state.withLock { $0.calls.append(call) } }

    var inventory: Inventory {
        var tree = SystemTree(root: root)
        let usual = tree.isUsable
        tree.isUsable = { path in usual(path) && !self.state.withLock { $0.unusable.contains(path) } }
        return Inventory(libusb, tree: tree)
    }

    private var libusb: LibUSBFunctions {
        var table = LibUSBFunctions.live
        table.list = { () throws(LibUSBError) in
            let (failure, listed) = self.state.withLock { ($0.failure, $0.listed) }
            if let failure { throw failure }
            return listed
        }
        table.makeContext = { () throws(LibUSBError) in
            guard let pointer = unsafe OpaquePointer(bitPattern: 8) else { throw .other }
            return unsafe LibUSBFunctions.Context(pointer)
        }
        table.freeContext = { _ in }
        table.open = { context, node throws(LibUSBError) in
            self.note("open \(node)")
            if let failure = self.state.withLock({ $0.openFailure }) { throw failure }
            guard let pointer = unsafe OpaquePointer(bitPattern: 16) else { throw .other }
            return unsafe LibUSBFunctions.Connection(context: context, handle: pointer, node: -1)
        }
        table.close = { _ in self.note("close") }
        table.attachDriver = { _, interface throws(LibUSBError) in
            self.note("attach \(interface)")
            try self.state.withLock { $0.onAttach }?(interface)
        }
        return table
    }
}
