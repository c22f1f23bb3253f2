import CommandSupport
import USBCore
import VHCI

/// How devices on ports are shown.
enum PortOutput {
    /// A port's line, and one for each node.
    static func lines(_ device: PluggedDevice, half: VHCI.Half, remote: VHCI.RemoteRecord?) -> [String] {
        var title =
            "port \(device.port)  \(half.rawValue)  \(device.busID)  \(speedName(device.speed?.rawValue ?? 0))  "
        title += "\(hex(device.vendorID)):\(hex(device.productID))"
        if let name = name(of: device) { title += "  \(name)" }
        if let remote { title += "  from \(PrintableText.of(place(of: remote)))" }
        return [title] + device.nodes.map { "     \($0.path)  \($0.kind.rawValue)" }
    }

    /// What the device calls itself: printable, and in one line.
    private static func name(of device: PluggedDevice) -> String? {
        let parts = [device.manufacturer, device.product].compactMap(\.self).filter { !$0.isEmpty }
        return parts.isEmpty ? nil : PrintableText.of(parts.joined(separator: " "))
    }

    /// A server, a port and a bus id, as one word.
    private static func place(of remote: VHCI.RemoteRecord) -> String {
        let host = remote.host.contains(":") ? "[\(remote.host)]" : remote.host
        return "\(host):\(remote.service)/\(remote.busID)"
    }

    /// The members that tell of a port.
    static func members(_ port: VHCI.Port) -> [(String, JSON)] {
        [
            ("port", .number(Int(port.number.rawValue))), ("controller", .number(port.controller)),
            ("half", .string(port.half.rawValue)),
        ]
    }

    /// The members that tell of a device.
    static func members(_ device: PluggedDevice, remote: VHCI.RemoteRecord?) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("busid", .string(device.busID)), ("speed", .string(speedName(device.speed?.rawValue ?? 0))),
            ("busnum", .number(device.busNumber)), ("devnum", .number(device.deviceNumber)),
            ("idVendor", .string(hex(device.vendorID))), ("idProduct", .string(hex(device.productID))),
        ]
        let strings = [
            ("manufacturer", device.manufacturer), ("product", device.product), ("serial", device.serialNumber),
        ]
        for case (let name, let text?) in strings { members.append((name, .string(text))) }
        if let remote {
            let parts = [("host", remote.host), ("port", remote.service), ("busid", remote.busID)]
            members.append(("remote", .object(parts.map { ($0.0, .string($0.1)) })))
        }
        members.append(("sysfs", .string(device.systemPath)))
        members.append(("interfaces", .array(device.interfaces.map(object))))
        members.append(("nodes", .array(device.nodes.map(object))))
        return members
    }

    private static func object(_ interface: PluggedDevice.Interface) -> JSON {
        var members: [(String, JSON)] = [
            ("number", .number(Int(interface.number))), ("bInterfaceClass", .number(Int(interface.classCode))),
            ("bInterfaceSubClass", .number(Int(interface.subclass))),
            ("bInterfaceProtocol", .number(Int(interface.protocol))),
        ]
        if let driver = interface.driver { members.append(("driver", .string(driver))) }
        return .object(members)
    }

    private static func object(_ node: PluggedDevice.Node) -> JSON {
        var members: [(String, JSON)] = [
            ("path", .string(node.path)), ("kind", .string(node.kind.rawValue)),
            ("subsystem", .string(node.subsystem)),
        ]
        if let interface = node.interface { members.append(("interface", .number(Int(interface)))) }
        return .object(members)
    }
}
