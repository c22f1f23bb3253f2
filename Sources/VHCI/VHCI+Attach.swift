import Glibc
public import USBCore

extension VHCI {
    /// Which of several free ports a device gets.
    public enum Placement: Hashable, Sendable {
        /// The one with the lowest number, as the `usbip` tool does.
        case lowestPort
        /// One of the controller with the fewest devices: Linux enumerates the devices of a root hub one after another,
        /// those of several at once.
        case leastUsedController
    }

    /// Hands a connected socket to the kernel, which from then on owns the connection.
    ///
    /// The caller closes its own copy of the descriptor: as long as that is open, the other end does not see the end of
    /// the connection. What the state file said of the port is forgotten; see ``record(_:for:)``.
    ///
    /// - Parameters:
    ///   - descriptor: a stream socket of any family. Its other end must answer from now on.
    ///   - deviceID: what the kernel puts into each request's header for the server.
    ///   - speed: decides the half; ``Speed/superPlus`` is enumerated as ``Speed/super``.
    ///   - placement: which port, where several are free.
    /// - Returns: the port, as `status` shows it.
    /// - Throws: ``VHCIError/noFreePort(half:ports:)``, ``VHCIError/notPermitted(file:)``,
    ///   ``VHCIError/readOnly(file:)``, ``VHCIError/refused(what:code:)``, or as ``ports()``.
    public func attach(
        descriptor: Int32, deviceID: UInt32, speed: Speed, placement: Placement = .lowestPort
    ) throws(VHCIError) -> PortNumber {
        let half = Half(for: speed)
        let file = "\(controllerFolder)/attach"
        var tried: Set<PortNumber> = []
        var lastCode: Int32 = EBUSY
        while true {
            // Read again each time: another process may have taken several.
            let ports = try ports()
            let free = ports.filter { $0.half == half && $0.state == .free && !tried.contains($0.number) }
            guard let port = Self.choose(from: free, of: ports, placement) else {
                if lastCode != EBUSY { throw .refused(what: "a device on every port", code: lastCode) }
                throw .noFreePort(half: half, ports: ports.count { $0.half == half })
            }
            // The kernel finds the controller by this number, and the half by the speed.
            let code = calls.write(file, "\(port.number) \(descriptor) \(deviceID) \(speed.rawValue)")
            switch code {
            case 0:
                state.remove(port.number)
                return port.number
            case EBUSY, EAGAIN:
                // Taken meanwhile; or its controller is just starting or stopping, and another may not be.
                lastCode = code
                tried.insert(port.number)
            default:
                throw failure(of: file, code: code, doing: "the connection on port \(port.number)")
            }
        }
    }

    private static func choose(from free: [Port], of all: [Port], _ placement: Placement) -> Port? {
        switch placement {
        case .lowestPort: return free.first
        case .leastUsedController:
            var used: [Int: Int] = [:]
            for port in all where port.state != .free { used[port.controller, default: 0] += 1 }
            return free.min { left, right in
                (used[left.controller, default: 0], left.number) < (used[right.controller, default: 0], right.number)
            }
        }
    }

    /// Notes what a port is connected to, where the `usbip` tool looks for it.
    ///
    /// - Throws: ``VHCIError/file(path:code:)``; the device stays attached all the same.
    public func record(_ remote: RemoteRecord, for port: PortNumber) throws(VHCIError) {
        try state.write(remote, for: port)
    }

    /// What a port is connected to; nil when nobody noted it, or this user may not read the note.
    public func remote(of port: PortNumber) -> RemoteRecord? { state.read(port) }
}
