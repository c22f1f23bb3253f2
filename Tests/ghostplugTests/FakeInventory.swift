import USBCore
import USBPassthrough

extension Inventory {
    /// An inventory of devices that libusb lists, on a machine whose sysfs says nothing of them.
    static func listing(_ devices: [ListedDevice]) -> Self {
        var table = LibUSBFunctions.live
        table.list = { () throws(LibUSBError) in devices }
        return Self(table, root: "/nonexistent")
    }

    /// An inventory of a machine where libusb lists nothing, for a reason.
    static func failing(_ error: LibUSBError) -> Self {
        var table = LibUSBFunctions.live
        table.list = { () throws(LibUSBError) in throw error }
        return Self(table, root: "/nonexistent")
    }
}

extension ListedDevice {
    /// A device with one interface.
    static func sample(
        bus: UInt8 = 3, _ ports: [UInt8], vendor: UInt16 = 0x1d6b, product: UInt16 = 0x104, class code: UInt8,
        address: UInt8 = 2
    ) -> Self {
        let setting = Setting(interface: 0, alternate: 0, classTriple: [code, 6, 80], endpoints: [])
        return Self(
            bus: bus, address: address, ports: ports, speed: .high, vendorID: vendor, productID: product,
            release: 0x100, deviceClass: [code == 9 ? 9 : 0, 0, 0],
            configurations: [Configuration(value: 1, settings: [setting])])
    }
}
