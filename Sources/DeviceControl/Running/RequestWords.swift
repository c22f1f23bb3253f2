package import USBCore

/// Control requests in words, and what to do about those that a device does not answer.
package enum RequestWords {
    /// A request by name, such as `GET_DESCRIPTOR device qualifier` or `class request 0x01 to interface 0`.
    package static func name(_ setup: SetupPacket) -> String {
        let target = recipient(setup)
        guard setup.kind == .standard, let request = StandardRequest(rawValue: setup.request) else {
            let kind =
                switch setup.kind {
                case .standard: "standard"
                case .class: "class"
                case .vendor: "vendor"
                default: "reserved"
                }
            return "\(kind) request 0x\(hex(setup.request, 2)) \(direction(setup)) \(target), wValue "
                + "0x\(hex(setup.value, 4)), \(setup.length) bytes"
        }
        switch request {
        case .getDescriptor, .setDescriptor:
            return "\(word(request)) \(descriptor(setup)) \(direction(setup)) \(target), \(setup.length) bytes"
        case .setConfiguration: return "SET_CONFIGURATION \(setup.value)"
        case .setInterface: return "SET_INTERFACE \(setup.index) alternate \(setup.value)"
        case .setFeature, .clearFeature:
            return "\(word(request)) \(feature(setup)) \(direction(setup)) \(target)"
        default: return "\(word(request)) \(direction(setup)) \(target)"
        }
    }

    /// What whoever wrote the device can do; or that nothing need be done.
    package static func hint(_ setup: SetupPacket) -> String {
        let type = DescriptorType(rawValue: UInt8(setup.value >> 8))
        switch (setup.kind, StandardRequest(rawValue: setup.request)) {
        case (.standard, .getDescriptor) where type == .deviceQualifier || type == .otherSpeedConfiguration:
            return "usual: the device has one speed only, and says so by this stall (USB 2.0 §9.6.2)"
        case (.standard, .getDescriptor) where type == .string && setup.value & 0xff == 0xee:
            return "usual: Windows asks for Microsoft OS 1.0 descriptors once; offer 2.0 ones in the BOS instead"
        case (.standard, .getDescriptor) where type == .string:
            return "give the device a string with index \(setup.value & 0xff)"
        case (.standard, .getDescriptor) where type == .bos:
            return "usual below USB 2.1: there is no BOS descriptor; give the description capabilities to have one"
        case (.standard, .getDescriptor): return "a class descriptor: answer it in Gadget.control(_:)"
        case (.standard, .setConfiguration): return "declare a configuration with this value"
        case (.standard, .setInterface), (.standard, .getInterface):
            return "declare the alternate setting in the configuration"
        case (.standard, .setFeature), (.standard, .clearFeature):
            return "the feature is not one that the device or endpoint declares (USB 2.0 §9.4.9)"
        case (.class, _) where setup.requestType == 0x21 && setup.request == 0x0a:
            return "usual: SET_IDLE may be refused (HID 1.11 §7.2.4)"
        case (.class, _): return "a request of the class: answer it in Gadget.control(_:)"
        case (.vendor, _): return "a request of the vendor's driver: answer it in Gadget.control(_:)"
        default: return "reserved by the specification: a stall is right"
        }
    }

    private static func word(_ request: StandardRequest) -> String {
        switch request {
        case .getStatus: "GET_STATUS"
        case .clearFeature: "CLEAR_FEATURE"
        case .setFeature: "SET_FEATURE"
        case .setAddress: "SET_ADDRESS"
        case .getDescriptor: "GET_DESCRIPTOR"
        case .setDescriptor: "SET_DESCRIPTOR"
        case .getConfiguration: "GET_CONFIGURATION"
        case .setConfiguration: "SET_CONFIGURATION"
        case .getInterface: "GET_INTERFACE"
        case .setInterface: "SET_INTERFACE"
        case .synchFrame: "SYNCH_FRAME"
        case .setSystemExitLatency: "SET_SEL"
        case .setIsochronousDelay: "SET_ISOCH_DELAY"
        }
    }

    private static func descriptor(_ setup: SetupPacket) -> String {
        let type = UInt8(setup.value >> 8)
        let index = setup.value & 0xff
        let names: [UInt8: String] = [
            1: "device", 2: "configuration", 3: "string", 6: "device qualifier", 7: "other speed configuration",
            0x0f: "BOS", 0x21: "class (HID)", 0x22: "HID report", 0x23: "HID physical",
        ]
        return "\(names[type] ?? "0x\(hex(type, 2))")" + (index == 0 ? "" : " \(index)")
    }

    private static func feature(_ setup: SetupPacket) -> String {
        switch (setup.recipient, setup.value) {
        case (.endpoint, 0): "ENDPOINT_HALT"
        case (.interface, 0): "FUNCTION_SUSPEND"
        case (.device, 1): "DEVICE_REMOTE_WAKEUP"
        case (.device, 2): "TEST_MODE"
        case (.device, 48): "U1_ENABLE"
        case (.device, 49): "U2_ENABLE"
        case (.device, 50): "LTM_ENABLE"
        default: "\(setup.value)"
        }
    }

    private static func direction(_ setup: SetupPacket) -> String { setup.direction == .in ? "from" : "to" }

    private static func recipient(_ setup: SetupPacket) -> String {
        switch setup.recipient {
        case .device: "the device"
        case .interface: "interface \(setup.index & 0xff)"
        case .endpoint: "endpoint 0x\(hex(UInt8(setup.index & 0xff), 2))"
        default: "recipient \(setup.requestType & 0x1f)"
        }
    }

    static func hex(_ value: some FixedWidthInteger & UnsignedInteger, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
