import USBCore

extension Inventory {
    /// What keeps a device from being exported, the worst first; nothing when it can be.
    ///
    /// A kernel driver is no obstacle: it is detached when a client imports the device, and given back. Which programs
    /// have a device open is seen of one's own processes only, except by root.
    public func obstacles(of device: HostDevice) -> [Obstacle] {
        if device.isRootHub {
            return [Obstacle(.rootHub, "\(device.path) is a bus's root hub; name what hangs on it")]
        }
        if device.isHub { return [Obstacle(.hub, "\(device.path) is a hub; name what hangs on it")] }
        var found: [Obstacle] = []
        if let folder = tree.resolved(Self.folder(device.path)) { found += BlockUse(tree, below: folder).obstacles }
        if device.driver == "usbip-host" {
            found.append(
                Obstacle(
                    .usbipHost, "the kernel's own USB/IP server (usbip-host) has it",
                    advice: ["sudo usbip unbind -b \(device.path)"]))
        }
        if let claim = claim(of: device) { found.append(claim) }
        if let closed = closedNode(of: device) { found.append(closed) }
        return found.enumerated().sorted { ($0.element.kind, $0.offset) < ($1.element.kind, $1.offset) }.map(\.element)
    }

    // MARK: Other programs

    /// What a driver is called that hands an interface to a program.
    static let userDriver = "usbfs"

    private func claim(of device: HostDevice) -> Obstacle? {
        let claimed = device.drivers.filter { $0.driver == Self.userDriver }.map { String($0.number) }
        guard !claimed.isEmpty else { return nil }
        let what = (claimed.count == 1 ? "interface " : "interfaces ") + claimed.joined(separator: ", ")
        let users = users(of: device.node)
        guard !users.isEmpty else {
            return Obstacle(
                .claimed, "a program has claimed \(what)",
                advice: ["sudo fuser -v \(device.node)  # shows which"])
        }
        let names = users.map { "\($0.name) (process \($0.id))" }.joined(separator: " or ")
        return Obstacle(
            .claimed, "\(names) has claimed \(what)", advice: ["kill \(users.map(\.id).joined(separator: " "))"])
    }

    private static let userLimit = 8

    /// The processes that have a node open, of those that may be asked.
    private func users(of node: String) -> [(id: String, name: String)] {
        var users: [(id: String, name: String)] = []
        for id in tree.names(in: "/proc") where id.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            let folder = "/proc/\(id)"
            guard tree.names(in: "\(folder)/fd").contains(where: { tree.link("\(folder)/fd/\($0)") == node }) else {
                continue
            }
            users.append((id, PrintableText.of(tree.attribute("\(folder)/comm") ?? "a program")))
            if users.count == Self.userLimit { break }
        }
        return users
    }

    // MARK: The node

    private func closedNode(of device: HostDevice) -> Obstacle? {
        guard tree.exists(device.node) else {
            let why =
                tree.exists("/dev/bus/usb")
                ? "\(device.node) does not exist: in a container, devices that come later must be let in"
                : "there is no /dev/bus/usb: a container sees the devices that are passed to it only"
            return Obstacle(
                .nodeMissing, why,
                advice: ["docker run -v /dev/bus/usb:/dev/bus/usb --device-cgroup-rule='c 189:* rmw' IMAGE"])
        }
        guard !tree.isUsable(device.node) else { return nil }
        return Obstacle(.permission, "this user may not open \(device.node)", advice: permitting(device.listed))
    }

    /// Commands that let users have a device, whenever it is plugged in.
    private func permitting(_ device: ListedDevice) -> [String] {
        let (vendor, product) = (HexDigits.of(device.vendorID), HexDigits.of(device.productID))
        let condition = "SUBSYSTEM==\"usb\", ATTR{idVendor}==\"\(vendor)\", ATTR{idProduct}==\"\(product)\""
        // Whoever is logged in at the machine itself; 73-seat-late.rules reads the tag, so the file comes before it.
        var rules = ["\(condition), MODE=\"0660\", TAG+=\"uaccess\""]
        // A line with a group that udev does not take is skipped as a whole, so that this needs one of its own.
        if hasGroup("plugdev") { rules.append("\(condition), GROUP=\"plugdev\"") }
        let lines = rules.map { "'\($0)'" }.joined(separator: " ")
        return [
            "printf '%s\\n' \(lines) | sudo tee /etc/udev/rules.d/70-ghostplug-\(vendor)-\(product).rules",
            "sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=usb",
            "# or run the command with sudo; over ssh, "
                + (rules.count == 2 ? "the user must be in the group plugdev" : "that is the only way"),
        ]
    }

    /// Whether there is a group that udev takes: since systemd 258, a system group only.
    private func hasGroup(_ name: String) -> Bool {
        tree.lines("/etc/group").contains { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            return fields.count > 2 && fields[0] == name && Int(fields[2]).map { $0 < 1000 } ?? false
        }
    }
}
