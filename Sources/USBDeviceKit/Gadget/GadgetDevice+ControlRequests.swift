import USBCore

// USB 2.0 §9.4 and USB 3.2 §9.4, every request in every state. The Default state is treated as the Address state,
// because a USB/IP client's host controller keeps SET_ADDRESS to itself and the device never leaves Default.

extension GadgetDevice {
    func control(_ urb: consuming URB) {
        let setup = urb.setup
        guard setup.kind == .standard else {
            gadget.control(urb)
            return
        }
        switch (setup.recipient, StandardRequest(rawValue: setup.request)) {
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

        case (.interface, .getStatus): getStatus(urb, hasInterface(setup) ? interfaceStatus : nil)
        case (.interface, .setFeature), (.interface, .clearFeature):
            // FUNCTION_SUSPEND (USB 3.2 §9.4.9).
            finish(urb, description.speed.isSuperSpeed && setup.value == 0 && hasInterface(setup))
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
            let endpoint = EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index) & 0x8f)
            answer(urb, [0, 0], when: transferType(of: endpoint) == .isochronous)
        default: urb.stall()
        }
    }

    // MARK: Answers

    private func finish(_ urb: consuming URB, _ isAccepted: Bool) {
        if isAccepted { urb.accept() } else { urb.stall() }
    }

    private func answer(_ urb: consuming URB, _ bytes: [UInt8], when isValid: Bool) {
        guard isValid, urb.setup.direction == .in else {
            urb.stall()
            return
        }
        reply(urb, bytes)
    }

    /// Answers with `bytes`, cut to wLength: a client's buffer may be larger.
    private func reply(_ urb: consuming URB, _ bytes: [UInt8]) {
        let room = Int(urb.setup.length)
        urb.complete(copying: bytes.count <= room ? bytes : Array(bytes.prefix(room)))
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
        guard setup.direction == .in,
            let bytes = cache.descriptor(
                type: DescriptorType(rawValue: UInt8(setup.value >> 8)), index: UInt8(setup.value & 0xff),
                language: LanguageID(rawValue: setup.index))
        else {
            // A descriptor that chapter 9 does not know may be the class's.
            if setup.direction == .in, setup.value >> 8 > 0x0f { gadget.control(urb) } else { urb.stall() }
            return
        }
        reply(urb, bytes)
    }

    // MARK: State

    private var configuration: ConfigurationDescription? { description.configuration(value: configurationValue) }

    private var deviceStatus: UInt16? {
        let powered = configuration ?? description.configurations.first
        return (powered?.isSelfPowered == true ? 1 : 0) | (isRemoteWakeupEnabled ? 2 : 0) | superSpeedFeatures
    }

    /// Zero below SuperSpeed; remote wake of the function above (USB 3.2 §9.4.5).
    private var interfaceStatus: UInt16 {
        description.speed.isSuperSpeed && configuration?.supportsRemoteWakeup == true ? 1 : 0
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
