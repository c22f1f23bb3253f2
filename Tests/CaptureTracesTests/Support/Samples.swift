import USBCore

/// Descriptors to be answered in scripts.
enum Samples {
    /// A device descriptor.
    static func device(
        vendor: UInt16 = 0x1209, product: UInt16 = 0x0001, version: UInt16 = 0x0200, class: USBClass = .perInterface,
        packet: UInt8 = 64, strings: Bool = false
    ) -> [UInt8] {
        DeviceDescriptor(
            usbVersion: version, deviceClass: `class`, maxPacketSize0: packet, vendorID: vendor, productID: product,
            manufacturerIndex: strings ? 1 : 0, productIndex: strings ? 2 : 0
        ).bytes
    }

    /// A configuration of one interface.
    static func configuration(
        class: USBClass = .vendorSpecific, subclass: UInt8 = 0, protocol: UInt8 = 0,
        descriptors: [ClassDescriptor] = [], _ endpoints: [EndpointDescriptor]
    ) -> [UInt8] {
        ConfigurationDescription(items: [
            .interface(
                AlternateSetting(
                    number: 0, interfaceClass: `class`, interfaceSubclass: subclass, interfaceProtocol: `protocol`,
                    descriptors: descriptors, endpoints: endpoints))
        ]).bytes()
    }

    /// An endpoint.
    static func endpoint(_ address: UInt8, _ type: TransferType, _ size: UInt16, interval: UInt8 = 0)
        -> EndpointDescriptor
    {
        EndpointDescriptor(
            address: EndpointAddress(rawValue: address), attributes: type.rawValue, maxPacketSize: size,
            interval: interval)
    }

    /// A HID descriptor with the length of a report descriptor.
    static func hid(_ length: UInt8) -> ClassDescriptor {
        ClassDescriptor(type: .hid, bytes: [0x11, 0x01, 0x00, 0x01, 0x22, length, 0x00])
    }

    /// A mass-storage configuration with EP 1 OUT and EP 2 IN.
    static var storage: [UInt8] {
        configuration(
            class: .massStorage, subclass: 6, protocol: 0x50,
            [endpoint(0x01, .bulk, 512), endpoint(0x82, .bulk, 512)])
    }

    /// The wrapper of a mass-storage command.
    static func command(
        _ cdb: [UInt8], tag: UInt32, expected: UInt32, isIn: Bool, lun: UInt8 = 0
    ) -> [UInt8] {
        [0x55, 0x53, 0x42, 0x43] + little(tag) + little(expected) + [isIn ? 0x80 : 0, lun, UInt8(cdb.count)] + cdb
            + [UInt8](repeating: 0, count: 16 - cdb.count)
    }

    /// The wrapper of a mass-storage status.
    static func status(_ tag: UInt32, _ status: UInt8 = 0, residue: UInt32 = 0) -> [UInt8] {
        [0x55, 0x53, 0x42, 0x53] + little(tag) + little(residue) + [status]
    }

    /// READ(10) or WRITE(10).
    static func blocks(_ opcode: UInt8, _ first: UInt32, _ count: UInt16) -> [UInt8] {
        [opcode, 0] + little(first).reversed() + [0, UInt8(count >> 8), UInt8(count & 0xff), 0]
    }

    /// Four bytes.
    static func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
}

extension Script {
    /// Adds a mass-storage command with its data in one transfer or several, and its status.
    mutating func storage(
        _ cdb: [UInt8], tag: UInt32, in data: [[UInt8]] = [], out written: [[UInt8]] = [], status: UInt8? = 0,
        residue: UInt32 = 0, lun: UInt8 = 0
    ) {
        let count = UInt32((data + written).reduce(0) { $0 + $1.count })
        output(1, Samples.command(cdb, tag: tag, expected: count, isIn: written.isEmpty, lun: lun))
        for piece in data { input(2, piece) }
        for piece in written { output(1, piece) }
        if let status { input(2, Samples.status(tag, status, residue: residue)) }
    }
}
