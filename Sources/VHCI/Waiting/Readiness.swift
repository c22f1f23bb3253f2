/// What is still to come before a device can be used.
///
/// sysfs does not say when a driver is done: its name stands at the interface before it has looked at the device. So each
/// driver is held to what it makes, and whatever nobody promised has to stay as it is for a while.
struct Readiness: Equatable, Sendable {
    /// Something that is missing, or that may still come.
    struct Gap: Equatable, Sendable {
        /// What, for the error.
        var what: String
        /// After how many milliseconds without any change it is taken for granted that it does not come; nil: never.
        var patience: Int64?
    }

    /// What is missing.
    var gaps: [Gap]

    /// Whether the device is ready, nothing having changed for so many milliseconds.
    func isReached(quiet: Int64) -> Bool {
        gaps.allSatisfy { gap in gap.patience.map { quiet >= $0 } ?? false }
    }

    /// What is missing that will be waited for to the end.
    var missing: [String] {
        let lasting = gaps.filter { $0.patience == nil }
        return (lasting.isEmpty ? gaps : lasting).map(\.what)
    }

    /// An interface without a driver: modules are loaded on demand, and vendor-specific interfaces never get any.
    static let driverPatience: Int64 = 500
    /// What a driver makes of nearly every device, but not of all.
    static let childPatience: Int64 = 2000
    /// A drive without a medium never has a size.
    static let mediumPatience: Int64 = 500
    /// The search for partitions begins at once.
    static let scanPatience: Int64 = 300
    /// More units of a drive, or partitions, follow one another closely.
    static let settlingTime: Int64 = 50

    /// Judges what there is.
    init(_ snapshot: DeviceSnapshot) {
        gaps = []
        let device = snapshot.device
        guard device.configuration != 0 else {
            gaps = [Gap(what: "no configuration is selected; 'dmesg' says why", patience: nil)]
            return
        }
        if device.interfaces.count < snapshot.interfaceCount {
            gaps.append(
                Gap(
                    what: "\(device.interfaces.count) of \(snapshot.interfaceCount) interfaces are there", patience: nil
                ))
        }
        for interface in device.interfaces { judge(interface, snapshot) }
        judgeStorage(snapshot)
        for input in snapshot.silentInputs {
            gaps.append(Gap(what: "\(input) has no event node; is evdev loaded?", patience: Self.childPatience))
        }
        for path in snapshot.missingNodes {
            gaps.append(Gap(what: "there is no \(path); is udev running?", patience: nil))
        }
    }

    private mutating func judge(_ interface: PluggedDevice.Interface, _ snapshot: DeviceSnapshot) {
        let name = "interface \(interface.number)"
        guard let driver = interface.driver else {
            let code = [interface.classCode, interface.subclass, interface.protocol].map {
                ($0 < 16 ? "0" : "") + String($0, radix: 16)
            }
            gaps.append(
                Gap(what: "\(name) (class \(code.joined(separator: "/"))) has no driver", patience: Self.driverPatience)
            )
            return
        }
        guard let promise = Promise.of(driver: driver) else { return }
        switch promise {
        case .scsi:
            guard !snapshot.scsiDevices.contains(where: { $0.interface == interface.number }) else { return }
            gaps.append(Gap(what: "\(driver) has found no disk behind \(name)", patience: nil))
        case .nodes(let subsystems, let isEach):
            let isThere = snapshot.device.nodes.contains {
                subsystems.contains($0.subsystem) && (!isEach || $0.interface == interface.number)
            }
            guard !isThere else { return }
            gaps.append(Gap(what: "\(driver) has made nothing of \(name)", patience: Self.childPatience))
        }
    }

    private mutating func judgeStorage(_ snapshot: DeviceSnapshot) {
        for device in snapshot.scsiDevices where device.isBlockDevice && !snapshot.hasDisk(device) {
            gaps.append(Gap(what: "the unit \(device.address) has no block device", patience: nil))
        }
        for disk in snapshot.disks {
            if disk.sectors == 0 {
                gaps.append(Gap(what: "\(disk.name) has no medium", patience: Self.mediumPatience))
            } else if !disk.wasRead {
                gaps.append(Gap(what: "\(disk.name) was not searched for partitions", patience: Self.scanPatience))
            }
        }
        if !snapshot.scsiDevices.isEmpty {
            gaps.append(Gap(what: "more units or partitions may come", patience: Self.settlingTime))
        }
    }
}

/// What drivers make of the interfaces that they take.
enum Promise: Equatable, Sendable {
    /// SCSI devices.
    case scsi
    /// A node of one of these subsystems: for each interface, or for all that the driver has taken of a device.
    case nodes(Set<String>, isEach: Bool)

    /// A driver's promise; nil for one that makes nothing, or nothing that is known.
    static func of(driver: String) -> Promise? {
        switch driver {
        case "usb-storage", "uas": .scsi
        case "usbhid": .nodes(["hidraw", "input", "usbmisc"], isEach: true)
        case "xpad", "usbkbd", "usbmouse": .nodes(["input"], isEach: true)
        case "cdc_acm", "ftdi_sio", "cp210x", "pl2303", "ch341": .nodes(["tty"], isEach: false)
        case "cdc_ether", "cdc_ncm", "cdc_mbim", "rndis_host": .nodes(["net"], isEach: false)
        case "usblp": .nodes(["usbmisc"], isEach: true)
        case "snd-usb-audio": .nodes(["sound"], isEach: false)
        case "uvcvideo": .nodes(["video4linux"], isEach: false)
        default: nil
        }
    }
}
