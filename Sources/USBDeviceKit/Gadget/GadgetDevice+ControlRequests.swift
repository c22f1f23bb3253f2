import USBCore

// USB 2.0 §9.4 and USB 3.2 §9.4, every request in every state. The Default state is treated as the Address state,
// because a USB/IP client's host controller keeps SET_ADDRESS to itself and the device never leaves Default.

extension GadgetDevice {
    func control(_ urb: consuming URB) {
        let setup = urb.setup
        // The client says twice which way the data go. Where it contradicts itself there is nothing to answer with.
        guard urb.requestedLength == 0 || urb.endpoint.direction == setup.direction else {
            urb.stall()
            return
        }
        // It says the length twice as well: its buffer may be larger than wLength.
        urb.limit(to: Int(setup.length))
        guard setup.kind == .standard else {
            gadget.control(urb)
            return
        }
        guard let request = StandardRequest(rawValue: setup.request), request.direction == setup.direction else {
            urb.stall()
            return
        }
        switch (setup.recipient, request) {
        case (.device, .getStatus): getStatus(urb, deviceStatus)
        case (.device, .clearFeature): finish(urb, setDeviceFeature(setup, to: false))
        case (.device, .setFeature): finish(urb, setDeviceFeature(setup, to: true))
        case (.device, .setAddress): finish(urb, setAddress(setup))
        case (.device, .getDescriptor): getDescriptor(urb)
        case (.device, .getConfiguration): answer(urb, [configurationValue], when: setup.value == 0 && setup.index == 0)
        case (.device, .setConfiguration): finish(urb, setConfiguration(setup))
        // The host tells a latency or a delay; nothing of it matters to a device without a wire (USB 3.2 §9.4.11-12).
        case (.device, .setIsochronousDelay): finish(urb, description.speed.isSuperSpeed)
        case (.device, .setSystemExitLatency):
            finish(urb, description.speed.isSuperSpeed && urb.requestedLength == 6)

        case (.interface, .getStatus): getStatus(urb, hasInterface(setup) ? interfaceStatus(setup) : nil)
        case (.interface, .setFeature), (.interface, .clearFeature):
            finish(urb, setFunctionSuspend(setup))
        case (.interface, .getInterface):
            let current = alternates[UInt8(truncatingIfNeeded: setup.index)] ?? 0
            answer(urb, [current], when: hasInterface(setup) && setup.value == 0)
        case (.interface, .setInterface): finish(urb, setInterface(setup))
        // Class descriptors are asked of the interface (HID 1.11 §7.1).
        case (.interface, .getDescriptor), (.interface, .setDescriptor): gadget.control(urb)

        case (.endpoint, .getStatus):
            let endpoint = EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index) & 0x8f)
            getStatus(urb, hasEndpoint(setup) ? (isHalted(endpoint) ? 1 : 0) : nil)
        case (.endpoint, .clearFeature): finish(urb, setEndpointHalt(setup, to: false))
        case (.endpoint, .setFeature): finish(urb, setEndpointHalt(setup, to: true))
        case (.endpoint, .synchFrame):
            let endpoint = EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index))
            answer(urb, [0, 0], when: hasEndpoint(setup) && transferType(of: endpoint) == .isochronous)
        default: urb.stall()
        }
    }

    // MARK: Answers

    private func finish(_ urb: consuming URB, _ isAccepted: Bool) {
        if isAccepted { urb.accept() } else { urb.stall() }
    }

    private func answer(_ urb: consuming URB, _ bytes: [UInt8], when isValid: Bool) {
        if isValid { urb.complete(copying: bytes) } else { urb.stall() }
    }

    private func getStatus(_ urb: consuming URB, _ status: UInt16?) {
        guard let status, urb.setup.value == 0 else {
            urb.stall()
            return
        }
        answer(urb, [UInt8(truncatingIfNeeded: status), UInt8(truncatingIfNeeded: status >> 8)], when: true)
    }

    private func getDescriptor(_ urb: consuming URB) {
        let setup = urb.setup
        guard
            let bytes = cache.descriptor(
                type: DescriptorType(rawValue: UInt8(setup.value >> 8)), index: UInt8(setup.value & 0xff),
                language: LanguageID(rawValue: setup.index))
        else {
            // A descriptor that chapter 9 does not know may be the class's.
            if setup.value >> 8 > 0x0f { gadget.control(urb) } else { urb.stall() }
            return
        }
        urb.complete(copying: bytes)
    }

    // MARK: State

    private var configuration: ConfigurationDescription? { description.configuration(value: configurationValue) }

    private var deviceStatus: UInt16? {
        let powered = configuration ?? description.configurations.first
        return (powered?.isSelfPowered == true ? 1 : 0) | (isRemoteWakeupEnabled ? 2 : 0) | superSpeedFeatures
    }

    /// Zero below SuperSpeed; above, whether the function can wake the host, and whether it may (USB 3.2 §9.4.5).
    private func interfaceStatus(_ setup: SetupPacket) -> UInt16 {
        guard description.speed.isSuperSpeed, configuration?.supportsRemoteWakeup == true else { return 0 }
        return wakingInterfaces.contains(UInt8(truncatingIfNeeded: setup.index)) ? 3 : 1
    }

    /// FUNCTION_SUSPEND (USB 3.2 §9.4.9): the interface in the low byte of wIndex, options in the high one.
    ///
    /// Bit 0 suspends, which without a wire means nothing; bit 1 allows the function to wake the host.
    private func setFunctionSuspend(_ setup: SetupPacket) -> Bool {
        let interface = UInt8(truncatingIfNeeded: setup.index)
        guard description.speed.isSuperSpeed, setup.value == 0, let configuration,
            configuration.interfaceNumbers.contains(interface)
        else { return false }
        if setup.request == StandardRequest.setFeature.rawValue, setup.index & 0x0200 != 0 {
            guard configuration.supportsRemoteWakeup else { return false }
            wakingInterfaces.insert(interface)
        } else {
            wakingInterfaces.remove(interface)
        }
        return true
    }

    private func setAddress(_ setup: SetupPacket) -> Bool {
        guard setup.value < 128, setup.index == 0, setup.length == 0, configurationValue == 0 else { return false }
        address = UInt8(setup.value)
        return true
    }

    private func setConfiguration(_ setup: SetupPacket) -> Bool {
        let value = UInt8(setup.value & 0xff)
        guard setup.value < 256, value == 0 || description.configuration(value: value) != nil else { return false }
        configurationValue = value
        alternates = [:]
        wakingInterfaces = []
        selectEndpoints { _ in true }
        gadget.configured(value)
        return true
    }

    private func hasInterface(_ setup: SetupPacket) -> Bool {
        guard let configuration, setup.index < 256 else { return false }
        return configuration.interfaceNumbers.contains(UInt8(setup.index))
    }

    private func setInterface(_ setup: SetupPacket) -> Bool {
        guard hasInterface(setup), setup.value < 256, let configuration else { return false }
        let number = UInt8(setup.index)
        let alternate = UInt8(setup.value)
        guard configuration.interface(number, alternate: alternate) != nil else { return false }
        let owned = Set(configuration.alternates(of: number).flatMap(\.endpoints).map(\.address))
        alternates[number] = alternate
        selectEndpoints { owned.contains($0) }
        gadget.selected(interface: number, alternate: alternate)
        return true
    }

    private func setDeviceFeature(_ setup: SetupPacket, to value: Bool) -> Bool {
        switch (setup.value, description.speed.isSuperSpeed) {
        case (1, false):  // DEVICE_REMOTE_WAKEUP
            guard (configuration ?? description.configurations.first)?.supportsRemoteWakeup == true else {
                return false
            }
            isRemoteWakeupEnabled = value
        case (48, true), (49, true), (50, true):  // U1_ENABLE, U2_ENABLE, LTM_ENABLE: status bits 2, 3, 4
            guard configurationValue != 0 else { return false }
            let bit = UInt16(1) << (setup.value - 46)
            superSpeedFeatures = value ? superSpeedFeatures | bit : superSpeedFeatures & ~bit
        default:  // TEST_MODE among them: there is no wire to test
            return false
        }
        return true
    }

    private func hasEndpoint(_ setup: SetupPacket) -> Bool {
        let endpoint = EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index))
        return setup.index < 256 && endpoint.rawValue & 0x70 == 0 && hasEndpoint(endpoint)
    }

    private func setEndpointHalt(_ setup: SetupPacket, to value: Bool) -> Bool {
        guard setup.value == 0, hasEndpoint(setup) else { return false }
        let endpoint = EndpointAddress(rawValue: UInt8(setup.index))
        // Endpoint zero never stays halted: the next setup stage ends it (USB 2.0 §8.5.3.4).
        guard endpoint.number != 0 else { return true }
        if value { halt(endpoint) } else { clearHalt(endpoint) }
        return true
    }
}

extension StandardRequest {
    /// Which way the data stage goes, whether or not there is one.
    fileprivate var direction: Direction {
        switch self {
        case .getStatus, .getDescriptor, .getConfiguration, .getInterface, .synchFrame: .in
        case .clearFeature, .setFeature, .setAddress, .setDescriptor, .setConfiguration, .setInterface,
            .setSystemExitLatency, .setIsochronousDelay:
            .out
        }
    }
}

extension URB {
    /// Makes the transfer at most `count` bytes long, as the layers below see it.
    fileprivate func limit(to count: Int) {
        if requestedLength > count { unsafe slot.pointee.requestedLength = count }
    }
}
