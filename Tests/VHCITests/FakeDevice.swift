@testable import VHCI

/// A device's folder in a fake sysfs, in which the kernel's work is done step by step.
struct FakeDevice {
    /// Not kept alive: what the system does while it is waited for refers to the device.
    unowned let system: FakeSystem
    let busID: String
    let folder: String

    /// The folder of a device that the kernel has enumerated and not configured.
    init(_ system: FakeSystem, busID: String = "1-1") {
        self.system = system
        self.busID = busID
        folder = "\(system.controller)/usb1/\(busID)"
        system.link("\(system.folder)/sys/bus/usb/devices/\(busID)", to: folder)
        for (name, value) in [
            ("busnum", "1"), ("devnum", "7"), ("idVendor", "1209"), ("idProduct", "00a1"), ("speed", "480"),
            ("bConfigurationValue", ""), ("bNumInterfaces", ""), ("product", "Drive"),
        ] { system.write(value + "\n", to: "\(folder)/\(name)") }
        node("", subsystem: "usb", "MAJOR=189\nMINOR=6\nDEVNAME=bus/usb/001/007\nDEVTYPE=usb_device\n")
        // What is not worth a look, and what must not be followed.
        system.write("on\n", to: "\(folder)/power/control")
        system.link("\(folder)/port", to: system.controller)
    }

    private func node(_ path: String, subsystem: String, _ uevent: String) {
        system.link("\(folder)/\(path)/subsystem", to: "\(system.folder)/sys/class/\(subsystem)")
        system.write(uevent, to: "\(folder)/\(path)/uevent")
    }

    /// The kernel selects a configuration of so many interfaces.
    func configure(interfaces: Int) {
        system.write("1\n", to: "\(folder)/bConfigurationValue")
        system.write(" \(interfaces)\n", to: "\(folder)/bNumInterfaces")
    }

    func addInterface(_ number: UInt8, classCode: String, driver: String? = nil) {
        let name = "\(busID):1.\(number)"
        let digits = String(number, radix: 16)
        for (file, value) in [
            ("bInterfaceNumber", number < 16 ? "0\(digits)" : digits), ("bInterfaceClass", classCode),
            ("bInterfaceSubClass", "06"), ("bInterfaceProtocol", "50"),
        ] { system.write(value + "\n", to: "\(folder)/\(name)/\(file)") }
        node(name, subsystem: "usb", "DEVTYPE=usb_interface\n")
        system.write("1\n", to: "\(folder)/\(name)/ep_81/uevent")
        if let driver { bind(number, driver) }
    }

    func bind(_ number: UInt8, _ driver: String) {
        system.link("\(folder)/\(busID):1.\(number)/driver", to: "\(system.folder)/sys/bus/usb/drivers/\(driver)")
    }

    /// A device that a driver makes, with its node.
    func add(
        _ path: String, of interface: UInt8, subsystem: String, name: String, type: String? = nil, isMade: Bool = true
    ) {
        let place = "\(busID):1.\(interface)/\(path)"
        node(place, subsystem: subsystem, "DEVNAME=\(name)\n" + (type.map { "DEVTYPE=\($0)\n" } ?? ""))
        if isMade { makeNode(name) }
    }

    /// The node in the folder of device nodes.
    func makeNode(_ name: String) { system.write("", to: "\(system.devicePath)/\(name)") }

    /// Something that a driver makes and that has no node.
    func addPlain(_ path: String, of interface: UInt8, subsystem: String) {
        node("\(busID):1.\(interface)/\(path)", subsystem: subsystem, "X=1\n")
    }

    func addSCSI(unit: Int, type: Int = 0) {
        for path in ["host2", "host2/target2:0:0"] { addPlain(path, of: 0, subsystem: "scsi") }
        let path = "host2/target2:0:0/2:0:0:\(unit)"
        addPlain(path, of: 0, subsystem: "scsi")
        system.write("\(type)\n", to: "\(folder)/\(busID):1.0/\(path)/type")
    }

    func addDisk(_ name: String, unit: Int, sectors: Int) {
        let path = "host2/target2:0:0/2:0:0:\(unit)/block/\(name)"
        add(path, of: 0, subsystem: "block", name: name, type: "disk")
        system.write("\(sectors)\n", to: "\(folder)/\(busID):1.0/\(path)/size")
        setReads(name, unit: unit, 0)
    }

    func setReads(_ name: String, unit: Int, _ count: Int) {
        let path = "host2/target2:0:0/2:0:0:\(unit)/block/\(name)"
        system.write(
            "     \(count)        0       64       12        0        0        0        0        0       12       12\n",
            to: "\(folder)/\(busID):1.0/\(path)/stat")
    }

    func addPartition(_ name: String, of disk: String, unit: Int) {
        add(
            "host2/target2:0:0/2:0:0:\(unit)/block/\(disk)/\(name)", of: 0, subsystem: "block", name: name,
            type: "partition")
    }
}
