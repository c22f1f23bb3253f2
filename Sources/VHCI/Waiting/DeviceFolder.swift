import USBCore

/// Reads what sysfs shows of a device.
struct DeviceFolder {
    let path: String
    let deviceRoot: String
    private(set) var snapshot: DeviceSnapshot
    private var inputs: [String] = []
    private var inputsWithEvents: Set<String> = []

    /// Reads the device in a folder; nil when there is none, or it is going.
    static func read(_ path: String, port: PortNumber, busID: String, deviceRoot: String) -> DeviceSnapshot? {
        guard let folder = FileAccess.resolved(path), let device = device(folder, port, busID) else { return nil }
        let count = FileAccess.number("\(folder)/bNumInterfaces") ?? 0
        var reader = DeviceFolder(
            path: folder, deviceRoot: deviceRoot,
            snapshot: DeviceSnapshot(device: device, interfaceCount: Int(min(count, 255))))
        reader.walk(folder, Place(interface: nil, scsiAddress: nil, input: nil), depth: 0)
        reader.snapshot.silentInputs = reader.inputs.filter { !reader.inputsWithEvents.contains($0) }
        reader.snapshot.device.interfaces.sort { $0.number < $1.number }
        return reader.snapshot
    }

    private static func device(_ folder: String, _ port: PortNumber, _ busID: String) -> PluggedDevice? {
        guard let bus = FileAccess.number("\(folder)/busnum"), let number = FileAccess.number("\(folder)/devnum"),
            let vendor = FileAccess.hexadecimal("\(folder)/idVendor"),
            let product = FileAccess.hexadecimal("\(folder)/idProduct")
        else { return nil }
        return PluggedDevice(
            port: port, busID: busID, systemPath: folder, busNumber: Int(clamping: bus),
            deviceNumber: Int(clamping: number), speed: speed("\(folder)/speed"),
            vendorID: UInt16(truncatingIfNeeded: vendor), productID: UInt16(truncatingIfNeeded: product),
            manufacturer: FileAccess.attribute("\(folder)/manufacturer"),
            product: FileAccess.attribute("\(folder)/product"),
            serialNumber: FileAccess.attribute("\(folder)/serial"),
            configuration: UInt8(clamping: FileAccess.number("\(folder)/bConfigurationValue") ?? 0),
            interfaces: [], nodes: [])
    }

    /// In Mb/s, as sysfs has it.
    private static func speed(_ path: String) -> Speed? {
        switch FileAccess.attribute(path) {
        case "1.5": .low
        case "12": .full
        case "480": .high
        case "5000": .super
        case "10000", "20000": .superPlus
        default: nil
        }
    }

    // MARK: Walking

    /// What the folders above say of what is found.
    private struct Place {
        var interface: UInt8?
        var scsiAddress: String?
        var input: String?
    }

    /// Folders that no node is below, of which there are many.
    private static let dull: Set = ["power", "queue", "mq", "integrity", "trace", "statistics", "queues", "msi_irqs"]
    /// A camera's or a disk's innermost is about twelve deep.
    private static let depthLimit = 24

    private mutating func walk(_ folder: String, _ place: Place, depth: Int) {
        guard depth < Self.depthLimit else { return }
        for name in FileAccess.folders(in: folder) where !Self.dull.contains(name) && !name.hasPrefix("ep_") {
            let path = "\(folder)/\(name)"
            guard let text = FileAccess.attribute("\(path)/uevent") else {
                // A folder that only groups others, such as `block`.
                walk(path, place, depth: depth + 1)
                continue
            }
            var place = place
            look(at: path, name, Uevent(text), &place)
            walk(path, place, depth: depth + 1)
        }
        if depth == 0, let text = FileAccess.attribute("\(folder)/uevent") {
            addNode(Uevent(text), subsystem: "usb", place)
        }
    }

    private mutating func look(at path: String, _ name: String, _ event: Uevent, _ place: inout Place) {
        let subsystem = FileAccess.linkName("\(path)/subsystem") ?? ""
        switch subsystem {
        case "usb" where name.contains(":"):
            place.interface = addInterface(path)
        case "scsi":
            // Hosts and targets are there, too; only devices have a type.
            guard let type = FileAccess.number("\(path)/type") else { break }
            place.scsiAddress = name
            snapshot.scsiDevices.append(
                DeviceSnapshot.SCSIDevice(
                    address: name, type: UInt32(clamping: type), interface: place.interface))
        case "block" where event["DEVTYPE"] == "disk":
            // Reads that have ended come first (Documentation/block/stat.rst).
            let reads = FileAccess.number("\(path)/stat") ?? 0
            snapshot.disks.append(
                DeviceSnapshot.Disk(
                    name: name, scsiAddress: place.scsiAddress, sectors: FileAccess.number("\(path)/size") ?? 0,
                    wasRead: reads > 0))
        case "input" where event["DEVNAME"] == nil:
            place.input = name
            inputs.append(name)
        case "input":
            if name.hasPrefix("event"), let input = place.input { inputsWithEvents.insert(input) }
        case "net":
            snapshot.device.nodes.append(
                PluggedDevice.Node(path: name, kind: .network, subsystem: subsystem, interface: place.interface))
        default: break
        }
        addNode(event, subsystem: subsystem, place)
    }

    private mutating func addInterface(_ path: String) -> UInt8? {
        func byte(_ name: String) -> UInt8? { FileAccess.hexadecimal("\(path)/\(name)").flatMap { UInt8(exactly: $0) } }
        guard let number = byte("bInterfaceNumber"), let classCode = byte("bInterfaceClass"),
            let subclass = byte("bInterfaceSubClass"), let code = byte("bInterfaceProtocol")
        else { return nil }
        snapshot.device.interfaces.append(
            PluggedDevice.Interface(
                number: number, classCode: classCode, subclass: subclass, protocol: code,
                driver: FileAccess.linkName("\(path)/driver")))
        return number
    }

    private mutating func addNode(_ event: Uevent, subsystem: String, _ place: Place) {
        guard let name = event["DEVNAME"], !name.isEmpty, !name.split(separator: "/").contains("..") else { return }
        let path = "\(deviceRoot)/\(name)"
        if !FileAccess.exists(path) { snapshot.missingNodes.append(path) }
        snapshot.device.nodes.append(
            PluggedDevice.Node(
                path: path, kind: NodeKinds.kind(subsystem: subsystem, name: name, type: event["DEVTYPE"]),
                subsystem: subsystem, interface: place.interface))
    }
}

/// The lines of a `uevent` file: names and values.
struct Uevent {
    private var values: [Substring: Substring] = [:]

    init(_ text: String) {
        for line in text.split(separator: "\n") {
            guard let sign = line.firstIndex(of: "=") else { continue }
            values[line[..<sign]] = line[line.index(after: sign)...]
        }
    }

    subscript(_ name: String) -> String? { values[name[...]].map(String.init) }
}

/// What the kernel's subsystems are for.
enum NodeKinds {
    static func kind(subsystem: String, name: String, type: String?) -> PluggedDevice.Kind {
        let last = name.split(separator: "/").last ?? ""
        return switch subsystem {
        case "usb": .usb
        case "block": type == "partition" ? .partition : .disk
        case "scsi_generic", "bsg": .scsi
        case "input": last.hasPrefix("event") ? .event : .input
        case "hidraw": .hidraw
        case "tty": .serial
        case "usbmisc": last.hasPrefix("lp") ? .printer : .other
        case "sound": .sound
        case "video4linux", "media": .video
        default: .other
        }
    }
}
