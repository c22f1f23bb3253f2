import USBCore

/// What the server said of a device when it gave it away (USB/IP 1.1.1, `OP_REP_IMPORT`).
package struct ImportRecord: Hashable, Sendable {
    /// The device's name at the server.
    package var busID: String
    /// Where the server keeps it.
    package var path: String
    /// The speed, by Linux's number.
    package var speed: UInt32
    /// `idVendor`.
    package var vendorID: UInt16
    /// `idProduct`.
    package var productID: UInt16
    /// `bcdDevice`.
    package var release: UInt16
    /// `bDeviceClass`, `bDeviceSubClass` and `bDeviceProtocol`.
    package var deviceClass: [UInt8]
    /// The selected configuration's value, 0 for none.
    package var configurationValue: UInt8
    /// `bNumConfigurations`.
    package var configurationCount: UInt8
    /// How many interfaces the selected configuration has.
    package var interfaceCount: UInt8

    /// Makes a record.
    package init(
        busID: String, path: String, speed: UInt32, vendorID: UInt16, productID: UInt16, release: UInt16,
        deviceClass: [UInt8], configurationValue: UInt8, configurationCount: UInt8, interfaceCount: UInt8
    ) {
        self.busID = busID
        self.path = path
        self.speed = speed
        self.vendorID = vendorID
        self.productID = productID
        self.release = release
        self.deviceClass = deviceClass
        self.configurationValue = configurationValue
        self.configurationCount = configurationCount
        self.interfaceCount = interfaceCount
    }
}

/// The speed whose rules hold for a device.
struct AssumedSpeed {
    var speed: Speed
    /// Whether the server named none, so that the speed is what the descriptors suggest.
    var isGuess: Bool

    init(_ raw: RawDevice) {
        if let known = Speed(rawValue: raw.record.speed) {
            speed = known
            isGuess = false
            return
        }
        isGuess = true
        let device = raw.device.bytes ?? []
        let bulk = raw.configurations.lazy.compactMap(\.bytes).flatMap { DescriptorWalk($0).items }
            .first { $0.type == .endpoint && $0.byte(3) & 3 == TransferType.bulk.rawValue }
        if device.count > 7, device[7] == 9 {
            speed = .super
        } else if bulk?.word(4) == 512 {
            speed = .high
        } else {
            speed = .full
        }
    }
}
