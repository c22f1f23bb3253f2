extension DescriptorValidator {
    /// The device descriptor by itself and against the speed.
    ///
    /// - Parameter isComplete: whether all of the configurations are known.
    mutating func checkDevice(_ description: DeviceDescription, isComplete: Bool) {
        let device = description.device
        within("device") { validator in
            validator.checkVersion(device.usbVersion, hasCapabilities: description.bos != nil)
            validator.checkPacketSize0(device.maxPacketSize0)
            validator.checkClass(device.deviceClass, device.deviceSubclass, device.deviceProtocol)
            validator.checkExtra(device.extra, after: 18)

            let section = validator.section("9.6.1")
            validator.advise(device.vendorID != 0, section, "idVendor is 0, which is nobody's")
            validator.advise(
                Self.isDecimal(device.deviceVersion), section,
                "bcdDevice \(hex(device.deviceVersion)) has digits above 9; hosts print it as a decimal number")
            validator.require(
                !isComplete || Int(device.configurationCount) == description.configurations.count, section,
                "bNumConfigurations is \(device.configurationCount), but there are "
                    + "\(description.configurations.count) configurations")
            validator.require(
                !isComplete || !description.configurations.isEmpty, section,
                "there is no configuration; at least 1 is needed")

            let associated = (description.configurations.contains { !$0.associations.isEmpty })
            validator.advise(
                !associated
                    || (device.deviceClass == .miscellaneous && device.deviceSubclass == 2
                        && device.deviceProtocol == 1),
                "USB 3.2 §9.6.4",
                "there are interface associations, but the device's class is not EF/02/01; some hosts then ignore them")
        }
    }

    private mutating func checkVersion(_ version: UInt16, hasCapabilities: Bool) {
        let said = "bcdUSB is \(hex(version))"
        require(
            Self.isDecimal(version), section("9.6.1"), "\(said); each digit of a binary-coded decimal is 0 to 9")
        switch speed {
        case .low, .full:
            require(version >= 0x0100, section("9.6.1"), "\(said); there is no USB before 0x0100")
        case .high:
            require(
                version >= 0x0200, section("9.6.1"), "\(said); a device at high speed says 0x0200 or more")
        case .super:
            require(
                version >= 0x0300, section("9.6.1"), "\(said); a device at SuperSpeed says 0x0300 or more")
        case .superPlus:
            require(
                version >= 0x0310, section("9.6.1"), "\(said); a device at SuperSpeedPlus says 0x0310 or more")
        }
        if !speed.isSuperSpeed {
            require(
                version < 0x0300, "USB 3.2 §9.6.1",
                "\(said) at \(speed.title); a device that can do SuperSpeed says 0x0210 at USB 2.0 speeds")
            require(
                !hasCapabilities || version >= 0x0201, "USB 3.2 §9.6.2",
                "\(said), but the device has a BOS descriptor; hosts ask for it from 0x0201 on")
        }
    }

    private mutating func checkPacketSize0(_ size: UInt8) {
        let (allowed, words): ([UInt8], String) =
            switch speed {
            case .low: ([8], "8")
            case .full: ([8, 16, 32, 64], "8, 16, 32 or 64")
            case .high: ([64], "64")
            case .super, .superPlus: ([9], "9, which stands for 512")
            }
        require(
            allowed.contains(size), section("9.6.1"), "bMaxPacketSize0 is \(size); at \(speed.title) it is \(words)")
    }

    private mutating func checkClass(_ code: USBClass, _ subclass: UInt8, _ deviceProtocol: UInt8) {
        guard code == .perInterface else { return }
        require(
            subclass == 0, section("9.6.1"),
            "bDeviceSubClass is \(subclass) while bDeviceClass is 0; then it is 0 too")
        advise(
            deviceProtocol == 0, section("9.6.1"),
            "bDeviceProtocol is \(deviceProtocol) while bDeviceClass is 0; it then says nothing")
    }

    /// The qualifier and the configurations of the other speed.
    ///
    /// - Parameter isComplete: whether all of the other speed's configurations are known.
    mutating func checkOtherSpeed(
        _ other: OtherSpeedDescription, of description: DeviceDescription, isComplete: Bool
    ) {
        within("other speed") { validator in
            guard other.speed == DeviceDescription.otherSpeed(of: description.speed) else {
                validator.error(
                    "USB 2.0 §9.6.2",
                    "a device at \(description.speed.title) has a qualifier that speaks of \(other.speed.title); "
                        + "only full and high speed are each other's other speed")
                return
            }
            validator.speed = other.speed
            let qualifier = other.qualifier
            validator.within("device qualifier") { validator in
                validator.checkVersion(qualifier.usbVersion, hasCapabilities: false)
                validator.require(
                    qualifier.usbVersion >= 0x0200, "USB 2.0 §9.6.2",
                    "bcdUSB is \(hex(qualifier.usbVersion)); a device with a qualifier says 0x0200 or more")
                validator.checkPacketSize0(qualifier.maxPacketSize0)
                validator.checkClass(qualifier.deviceClass, qualifier.deviceSubclass, qualifier.deviceProtocol)
                validator.checkExtra(qualifier.extra, after: 9)
                validator.require(
                    qualifier.extra.first == 0, "USB 2.0 §9.6.2", "the reserved last byte is missing or not 0")
                validator.require(
                    !isComplete || Int(qualifier.configurationCount) == other.configurations.count, "USB 2.0 §9.6.2",
                    "bNumConfigurations is \(qualifier.configurationCount), but there are "
                        + "\(other.configurations.count) configurations")
            }
            for configuration in other.configurations { validator.checkConfiguration(configuration) }
            validator.checkConfigurationValues(other.configurations)
            validator.speed = description.speed
        }
    }
}
