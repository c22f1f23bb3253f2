import Glibc

/// Linux's virtual USB host controller, `vhci_hcd`, through its files in sysfs.
///
/// It takes one end of a connected stream socket, speaks USB/IP over it, and shows the device at the other end on one of
/// its ports as if it had been plugged in. Any stream socket will do: one of a pair needs no network. The module may make
/// several controllers, each with a high-speed and a SuperSpeed half; all are driven by the files of the first.
public struct VHCI: Sendable {
    let root: String
    let deviceRoot: String
    let state: StateFolder
    let calls: SystemCalls

    /// Finds the controller; it need not be loaded.
    ///
    /// - Parameters:
    ///   - root: where sysfs is.
    ///   - devices: where device nodes are.
    ///   - state: where the `usbip` tool keeps what each port is connected to.
    public init(root: String = "/sys", devices: String = "/dev", state: String = StateFolder.usual) {
        self.init(root: root, devices: devices, state: state, calls: .live)
    }

    init(root: String, devices: String, state: String, calls: SystemCalls) {
        self.root = root
        deviceRoot = devices
        self.state = StateFolder(path: state)
        self.calls = calls
    }

    /// The folder of the controllers' files, which is the first one's.
    var controllerFolder: String { "\(root)/devices/platform/vhci_hcd.0" }

    /// The most controllers that Linux can be built with (`CONFIG_USBIP_VHCI_NR_HCS`).
    private static let controllerLimit = 128

    /// Every port of every controller, by number.
    ///
    /// - Throws: ``VHCIError/notLoaded(_:)``, ``VHCIError/malformed(file:line:reason:)`` or
    ///   ``VHCIError/file(path:code:)``.
    public func ports() throws(VHCIError) -> [Port] {
        guard isLoaded else { throw Self.absent }
        var ports: [Port] = []
        for controller in 0..<Self.controllerLimit {
            if controller > 0, !FileAccess.exists(statusFile(controller)) { break }
            ports += try self.ports(of: controller)
        }
        ports.sort { $0.number < $1.number }
        for (port, next) in zip(ports, ports.dropFirst()) where port.number == next.number {
            throw .malformed(
                file: statusFile(next.controller), line: 1,
                reason: "it has port \(next.number), as \(statusFile(port.controller)) does")
        }
        return ports
    }

    /// The ports that are not free.
    ///
    /// - Throws: as ``ports()``.
    public func portsInUse() throws(VHCIError) -> [Port] { try ports().filter { $0.state != .free } }

    /// One port.
    ///
    /// - Throws: ``VHCIError/noPort(_:)``, or as ``ports()``.
    public func port(_ number: PortNumber) throws(VHCIError) -> Port {
        guard let port = try ports().first(where: { $0.number == number }) else { throw .noPort(number) }
        return port
    }

    /// A port again, from the one file that shows it.
    func refreshed(_ port: Port) throws(VHCIError) -> Port {
        guard let now = try ports(of: port.controller).first(where: { $0.number == port.number }) else {
            throw .noPort(port.number)
        }
        return now
    }

    private func ports(of controller: Int) throws(VHCIError) -> [Port] {
        let file = statusFile(controller)
        return try StatusFile.parse(try FileAccess.read(file), name: file, controller: controller)
    }

    private func statusFile(_ controller: Int) -> String {
        "\(controllerFolder)/status" + (controller == 0 ? "" : ".\(controller)")
    }
}
