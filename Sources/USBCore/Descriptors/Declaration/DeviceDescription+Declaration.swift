extension DeviceDescription {
    /// Declares a device whose configurations depend on the speed.
    ///
    /// - Parameters:
    ///   - speed: the speed at which the description holds. The same declaration at another speed gives that speed's
    ///     packet sizes, intervals, companions and capabilities.
    ///   - vendorID: `idVendor`.
    ///   - productID: `idProduct`.
    ///   - deviceVersion: `bcdDevice`.
    ///   - usbVersion: `bcdUSB`; nil for 0x0200, 0x0201 with capabilities, 0x0320 at SuperSpeed.
    ///   - class: `bDeviceClass`; nil for 0, and for EF/02/01 where a configuration has an association.
    ///   - subclass: `bDeviceSubClass`, used together with `class`.
    ///   - protocol: `bDeviceProtocol`, used together with `class`.
    ///   - maxPacketSize0: `bMaxPacketSize0` as it stands; nil for 8, 64, 64 and 9 by speed.
    ///   - manufacturer: the maker's name; it gets string 1 unless that is among `strings`.
    ///   - product: the product's name, the next string.
    ///   - serialNumber: the serial number, the next string.
    ///   - language: the language of all names.
    ///   - strings: more strings at indices that class descriptors mention.
    ///   - bos: the capabilities; nil for those of ``Capability/defaults(at:)``.
    ///   - offersOtherSpeed: whether the device has a qualifier and other-speed configurations, made from the same
    ///     declaration; nil for yes at high speed and no elsewhere.
    ///   - configurations: the configurations at a speed; called once for each speed that is described.
    public init(
        speed: Speed, vendorID: UInt16, productID: UInt16, deviceVersion: UInt16 = 0x0100, usbVersion: UInt16? = nil,
        class deviceClass: USBClass? = nil, subclass: UInt8 = 0, protocol deviceProtocol: UInt8 = 0,
        maxPacketSize0: UInt8? = nil, manufacturer: String? = nil, product: String? = nil, serialNumber: String? = nil,
        language: LanguageID = .englishUS, strings: [UInt8: String] = [:], bos: [Capability]? = nil,
        offersOtherSpeed: Bool? = nil,
        @DescriptorBuilder<Configuration> configurations declare: (Speed) -> [Configuration]
    ) {
        let declared = declare(speed)
        var names = StringIndices(language: language, fixed: strings)
        let capabilities = bos ?? Capability.defaults(at: speed)
        var device = DeviceDescriptor(
            usbVersion: usbVersion ?? Self.usualVersion(at: speed, hasCapabilities: capabilities != nil),
            maxPacketSize0: maxPacketSize0 ?? Self.usualPacketSize0(at: speed), vendorID: vendorID,
            productID: productID, deviceVersion: deviceVersion, manufacturerIndex: names.index(of: manufacturer),
            productIndex: names.index(of: product), serialNumberIndex: names.index(of: serialNumber),
            configurationCount: UInt8(clamping: declared.count))
        if let deviceClass {
            (device.deviceClass, device.deviceSubclass, device.deviceProtocol) = (deviceClass, subclass, deviceProtocol)
        } else if declared.contains(where: \.hasAssociation) {
            (device.deviceClass, device.deviceSubclass, device.deviceProtocol) = (.miscellaneous, 2, 1)
        }
        let resolved = declared.map { $0.description(at: speed, names: &names) }

        var other: OtherSpeedDescription?
        if offersOtherSpeed ?? (speed == .high), let otherSpeed = Self.otherSpeed(of: speed) {
            let declared = declare(otherSpeed)
            other = OtherSpeedDescription(
                speed: otherSpeed,
                qualifier: DeviceQualifierDescriptor(
                    usbVersion: device.usbVersion, deviceClass: device.deviceClass,
                    deviceSubclass: device.deviceSubclass, deviceProtocol: device.deviceProtocol,
                    maxPacketSize0: Self.usualPacketSize0(at: otherSpeed),
                    configurationCount: UInt8(clamping: declared.count)),
                configurations: declared.map { $0.description(at: otherSpeed, names: &names) })
        }
        self.init(
            speed: speed, device: device, configurations: resolved, strings: names.table,
            bos: capabilities.map { BOSDescriptor($0) }, otherSpeed: other)
    }

    /// Declares a device whose configurations read the same at every speed.
    ///
    /// The parameters are those of the initializer whose closure takes the speed.
    public init(
        speed: Speed, vendorID: UInt16, productID: UInt16, deviceVersion: UInt16 = 0x0100, usbVersion: UInt16? = nil,
        class deviceClass: USBClass? = nil, subclass: UInt8 = 0, protocol deviceProtocol: UInt8 = 0,
        maxPacketSize0: UInt8? = nil, manufacturer: String? = nil, product: String? = nil, serialNumber: String? = nil,
        language: LanguageID = .englishUS, strings: [UInt8: String] = [:], bos: [Capability]? = nil,
        offersOtherSpeed: Bool? = nil,
        @DescriptorBuilder<Configuration> configurations: () -> [Configuration]
    ) {
        let declared = configurations()
        self.init(
            speed: speed, vendorID: vendorID, productID: productID, deviceVersion: deviceVersion,
            usbVersion: usbVersion, class: deviceClass, subclass: subclass, protocol: deviceProtocol,
            maxPacketSize0: maxPacketSize0, manufacturer: manufacturer, product: product, serialNumber: serialNumber,
            language: language, strings: strings, bos: bos, offersOtherSpeed: offersOtherSpeed,
            configurations: { _ in declared })
    }

    static func usualVersion(at speed: Speed, hasCapabilities: Bool) -> UInt16 {
        if speed.isSuperSpeed { return 0x0320 }
        return hasCapabilities ? 0x0201 : 0x0200
    }

    static func usualPacketSize0(at speed: Speed) -> UInt8 {
        switch speed {
        case .low: 8
        case .full, .high: 64
        case .super, .superPlus: 9
        }
    }

    /// The speed that a qualifier speaks of.
    static func otherSpeed(of speed: Speed) -> Speed? {
        switch speed {
        case .full: .high
        case .high: .full
        case .low, .super, .superPlus: nil
        }
    }
}
