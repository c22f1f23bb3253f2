extension DescriptorValidator {
    /// The binary device object store: there at SuperSpeed and from USB 2.01 on, with what the speed asks for.
    mutating func checkCapabilities(_ description: DeviceDescription) {
        within("BOS") { validator in
            guard let bos = description.bos else {
                validator.require(
                    !validator.speed.isSuperSpeed, "USB 3.2 §9.6.2",
                    "there is no BOS descriptor; a device at \(validator.speed.title) has one")
                // Above 0x02ff the version itself is what is wrong.
                let version = description.device.usbVersion
                validator.require(
                    validator.speed.isSuperSpeed || !(0x0201..<0x0300).contains(version) || !Self.isDecimal(version),
                    "USB 3.2 §9.6.2", "there is no BOS descriptor; a device whose bcdUSB is \(hex(version)) has one")
                return
            }
            validator.checkLengths(bos)
            validator.checkNecessary(bos.capabilities)
            validator.checkUnique(bos.capabilities)
            for capability in bos.capabilities { validator.checkCapability(capability) }
        }
    }

    private mutating func checkLengths(_ bos: BOSDescriptor) {
        let section = "USB 3.2 §9.6.2"
        checkExtra(bos.extra, after: 5)
        let total = bos.totalLength
        require(
            total <= DescriptorLimits.maxTotal, section, "the store has \(total) bytes; wTotalLength counts to 65535")
        if let declared = bos.declaredTotalLength {
            require(Int(declared) == total, section, "wTotalLength is \(declared), but the store has \(total) bytes")
        }
        require(
            Int(bos.capabilityCount) == bos.capabilities.count, section,
            "bNumDeviceCaps is \(bos.capabilityCount), but there are \(bos.capabilities.count) capabilities")
    }

    private mutating func checkNecessary(_ capabilities: [Capability]) {
        guard speed.isSuperSpeed else { return }
        let types = Set(capabilities.compactMap(\.type))
        require(
            types.contains(Capability.usb2ExtensionType), "USB 3.2 §9.6.2.1",
            "the USB 2.0 extension is missing; a device at \(speed.title) has it")
        require(
            types.contains(Capability.superSpeedType), "USB 3.2 §9.6.2.2",
            "the SuperSpeed capability is missing; a device at \(speed.title) has it")
        require(
            speed != .superPlus || types.contains(Capability.superSpeedPlusType), "USB 3.2 §9.6.2.5",
            "the SuperSpeedPlus capability is missing; a device at SuperSpeedPlus has it")
    }

    /// Capabilities of which one is all a device can have.
    private mutating func checkUnique(_ capabilities: [Capability]) {
        let single: [(UInt8, String, String)] = [
            (Capability.usb2ExtensionType, "USB 2.0 extension", "USB 3.2 §9.6.2.1"),
            (Capability.superSpeedType, "SuperSpeed capability", "USB 3.2 §9.6.2.2"),
            (Capability.containerIDType, "container id", "USB 3.2 §9.6.2.3"),
            (Capability.superSpeedPlusType, "SuperSpeedPlus capability", "USB 3.2 §9.6.2.5"),
        ]
        for (type, name, section) in single {
            let count = (capabilities.filter { $0.type == type }).count
            require(count <= 1, section, "there are \(count) of the \(name); one is all there can be")
        }
    }

    private mutating func checkCapability(_ capability: Capability) {
        switch capability {
        case .usb2Extension(let attributes):
            let section = "USB 3.2 §9.6.2.1"
            require(attributes & 0x01 == 0, section, "bit 0 of bmAttributes \(hex(attributes)) is reserved and 0")
            require(
                !speed.isSuperSpeed || attributes & 0x02 != 0, section,
                "bit 1 of bmAttributes \(hex(attributes)) is 0; a device at \(speed.title) supports link power "
                    + "management at USB 2.0 speeds")
        case .superSpeed(let superSpeed):
            checkSuperSpeed(superSpeed)
        case .superSpeedPlus(let plus):
            let promised = Int(plus.attributes & 0x1f) + 1
            require(
                promised == plus.sublinkSpeeds.count, "USB 3.2 §9.6.2.5",
                "bmAttributes promises \(promised) sublink speeds, but there are \(plus.sublinkSpeeds.count)")
        case .containerID(let uuid):
            advise(
                uuid.high != 0 || uuid.low != 0, "USB 3.2 §9.6.2.3",
                "the container id is all zeros; it is to be unique to the product")
        case .platform(let uuid, let data):
            require(
                data.count <= 235, "USB 3.2 §9.6.2.4",
                "platform capability \(uuid) has \(data.count) bytes of data; bLength leaves 235")
        case .other(let type, let data):
            checkOther(type: type, data: data)
        case .foreign(let descriptor):
            error(
                "USB 3.2 §9.6.2",
                "a descriptor of type \(hex(descriptor.type.rawValue)) is in the store, which has capabilities only")
        }
    }

    private mutating func checkSuperSpeed(_ capability: SuperSpeedCapability) {
        let section = "USB 3.2 §9.6.2.2"
        require(
            capability.attributes & ~0x02 == 0, section,
            "bmAttributes is \(hex(capability.attributes)); only bit 1 says something, the others are 0")
        require(
            capability.speedsSupported & 0xfff0 == 0, section,
            "wSpeedsSupported is \(hex(capability.speedsSupported)); bits 15:4 are reserved and 0")
        require(
            !speed.isSuperSpeed || capability.speedsSupported & 0x08 != 0, section,
            "wSpeedsSupported is \(hex(capability.speedsSupported)), which leaves out SuperSpeed at \(speed.title)")
        let functionality = capability.functionalitySupport
        require(
            functionality < 4 && capability.speedsSupported >> UInt16(functionality) & 1 == 1, section,
            "bFunctionalitySupport is \(functionality), which is not the bit of a speed in wSpeedsSupported "
                + "\(hex(capability.speedsSupported))")
        require(
            capability.u1ExitLatency <= 10, section,
            "bU1DevExitLat is \(capability.u1ExitLatency); it is 10 µs at most")
        require(
            capability.u2ExitLatency <= 2047, section,
            "wU2DevExitLat is \(capability.u2ExitLatency); it is 2047 µs at most")
    }

    /// A capability that is kept as bytes; a known type among these has a shape that its section does not allow.
    private mutating func checkOther(type: UInt8, data: [UInt8]) {
        require(
            data.count <= 252, "USB 3.2 §9.6.2",
            "capability \(hex(type)) has \(data.count) bytes of data; bLength leaves 252")
        let law: String? =
            switch type {
            case Capability.usb2ExtensionType: "USB 3.2 §9.6.2.1"
            case Capability.superSpeedType: "USB 3.2 §9.6.2.2"
            case Capability.containerIDType: "USB 3.2 §9.6.2.3"
            case Capability.platformType: "USB 3.2 §9.6.2.4"
            case Capability.superSpeedPlusType: "USB 3.2 §9.6.2.5"
            default: nil
            }
        if let law {
            error(
                law, "capability \(hex(type)) of \(data.count + 3) bytes has a length or a reserved byte that is wrong")
        }
    }
}
