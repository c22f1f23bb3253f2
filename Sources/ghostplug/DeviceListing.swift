import CommandSupport
import Measurement
import USBCore
import USBPassthrough

/// How the USB devices of this machine are shown.
struct DeviceListing {
    /// A device, and what keeps it from being exported.
    struct Entry {
        var device: HostDevice
        var obstacles: [Obstacle]
    }

    /// The devices, in the order of their places.
    let entries: [Entry]

    /// Asks for the devices that meet any of some conditions; without conditions for all.
    ///
    /// - Throws: ``InventoryError/unlisted(_:hasBus:)``.
    init(_ inventory: Inventory, matching matches: [DeviceMatch]) throws(InventoryError) {
        entries = try inventory.devices().filter { device in
            matches.isEmpty || matches.contains { $0.matches(device) }
        }.map { Entry(device: $0, obstacles: inventory.obstacles(of: $0)) }
    }

    init(_ entries: [Entry]) { self.entries = entries }

    // MARK: For people

    /// A line for each device, indented as it hangs on hubs, what is in the way, and what to do.
    var text: String {
        var table = TextTable([
            ("PATH", .leading), ("ID", .leading), ("SPEED", .leading), ("NAME", .leading), ("SERIAL", .leading),
            ("DRIVERS", .leading), ("", .leading),
        ])
        let shown = entries.filter { !isEmptyVirtualBus($0.device) }
        for entry in shown { table.add(Self.cells(entry)) }
        let rows = table.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var lines = [rows[0]]
        for (entry, row) in zip(shown, rows.dropFirst()) {
            lines.append(row)
            guard !entry.device.isHub else { continue }
            let indent = Self.indent(entry.device) + "    "
            lines += entry.obstacles.map { "\(indent)not now: \($0.message)" }
        }
        return (lines + advice + ["", conclusion]).joined(separator: "\n")
    }

    /// `vhci_hcd` has up to sixteen buses from the start, which say nothing while nothing hangs on them.
    private func isEmptyVirtualBus(_ device: HostDevice) -> Bool {
        device.isRootHub && device.isVirtual
            && !entries.contains { !$0.device.isRootHub && $0.device.listed.bus == device.listed.bus }
    }

    private static func indent(_ device: HostDevice) -> String {
        String(repeating: "  ", count: device.listed.ports.count)
    }

    private static func cells(_ entry: Entry) -> [String] {
        let device = entry.device
        return [
            indent(device) + device.path, device.ids, device.listed.speed.map(SpeedWord.of) ?? "",
            device.name == device.ids ? "" : shortened(device.name),
            shortened(PrintableText.of(device.serialNumber ?? "")), drivers(of: device),
            device.isHub ? "hub: not exportable" : device.isVirtual ? "attached over USB/IP" : "",
        ]
    }

    /// No device is to push the others' columns off the screen.
    private static func shortened(_ text: String) -> String { text.count <= 40 ? text : "\(text.prefix(39))…" }

    private static func drivers(of device: HostDevice) -> String {
        if let driver = device.driver, driver != "usb" { return PrintableText.of(driver) }
        guard device.configurationValue != 0 else { return "not configured" }
        let names = device.drivers.map { $0.driver.map(PrintableText.of) ?? "-" }
        guard names.count != 1 else { return names[0] }
        return zip(device.drivers, names).map { "\($0.number):\($1)" }.joined(separator: " ")
    }

    /// What to do about each kind of obstacle, once.
    private var advice: [String] {
        var lines: [String] = []
        for kind in Obstacle.Kind.allCases {
            let places = entries.filter { $0.obstacles.contains { $0.kind == kind } }.map(\.device.path)
            var commands = entries.flatMap(\.obstacles).filter { $0.kind == kind }.flatMap(\.advice)
            guard !commands.isEmpty else { continue }
            // What several devices need comes after what each of them needs: rules are read once all are written.
            var later: Set<String> = []
            commands = Array(commands.reversed().filter { later.insert($0).inserted }.reversed())
            lines += ["", "\(Self.words(for: kind)) (\(places.joined(separator: ", "))):"] + commands.map { "  \($0)" }
        }
        return lines
    }

    private static func words(for kind: Obstacle.Kind) -> String {
        switch kind {
        case .rootHub, .hub: "Hubs"
        case .mounted: "To unmount it"
        case .swap: "To stop swapping"
        case .held: "To take apart what is built on it"
        case .usbipHost: "To take it from the kernel's server"
        case .claimed: "To end the program"
        case .nodeMissing: "To pass USB into the container"
        case .permission: "To be allowed"
        }
    }

    private var conclusion: String {
        let devices = entries.filter { !$0.device.isHub }
        let free = devices.filter { $0.obstacles.isEmpty }
        // What comes from a server is best exported there.
        if let free = free.first(where: { !$0.device.isVirtual }) ?? free.first {
            return "Export a device with: ghostplug serve real:\(free.device.path)"
        }
        return devices.first.map { "Then export it with: ghostplug serve real:\($0.device.path)" }
            ?? "Nothing is plugged in but hubs."
    }

    // MARK: For programs

    /// An array with an object for each device.
    var json: JSON { .array(entries.map(Self.object)) }

    private static func object(_ entry: Entry) -> JSON {
        let (device, listed) = (entry.device, entry.device.listed)
        var members: [(String, JSON)] = [
            ("path", .string(device.path)), ("busnum", .number(Int(listed.bus))),
            ("devnum", .number(Int(listed.address))), ("ports", .array(listed.ports.map { .number(Int($0)) })),
            ("speed", .string(speedName(listed.speed?.rawValue ?? 0))), ("idVendor", .string(hex(listed.vendorID))),
            ("idProduct", .string(hex(listed.productID))), ("bcdDevice", .string(hex(listed.release))),
        ]
        members += zip(["bDeviceClass", "bDeviceSubClass", "bDeviceProtocol"], listed.deviceClass).map {
            ($0, .number(Int($1)))
        }
        let strings = [
            ("manufacturer", device.manufacturer), ("product", device.product), ("serial", device.serialNumber),
        ]
        for case (let name, let text?) in strings { members.append((name, .string(text))) }
        members += [
            ("node", .string(device.node)), ("bConfigurationValue", .number(Int(device.configurationValue))),
            ("driver", device.driver.map(JSON.string) ?? .null),
            ("interfaces", .array(device.drivers.map { object($0, of: device) })), ("hub", .bool(device.isHub)),
            ("virtual", .bool(device.isVirtual)), ("exportable", .bool(entry.obstacles.isEmpty)),
            ("obstacles", .array(entry.obstacles.map(object))),
        ]
        return .object(members)
    }

    private static func object(_ interface: HostDevice.Interface, of device: HostDevice) -> JSON {
        let configuration = device.listed.configurations.first { $0.value == device.configurationValue }
        let setting = configuration?.settings.first { $0.interface == interface.number }
        var members: [(String, JSON)] = [("number", .number(Int(interface.number)))]
        members += zip(
            ["bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"], setting?.classTriple ?? []
        ).map { ($0, .number(Int($1))) }
        members += [
            ("sysfs", .string(interface.systemName)), ("driver", interface.driver.map(JSON.string) ?? .null),
        ]
        return .object(members)
    }

    private static func object(_ obstacle: Obstacle) -> JSON {
        .object([
            ("kind", .string(obstacle.kind.rawValue)), ("message", .string(obstacle.message)),
            ("advice", .array(obstacle.advice.map(JSON.string))),
        ])
    }
}
