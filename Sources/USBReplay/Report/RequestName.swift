public import USBCore

/// Names control requests as their specifications do.
public enum RequestName {
    /// The request in words: `GET_DESCRIPTOR (string 2)`, `SET_REPORT (output 1) to interface 0`.
    ///
    /// - Parameter interfaceClass: the class of the interface that a class request addresses, where it is known.
    public static func words(_ setup: SetupPacket, interfaceClass: UInt8? = nil) -> String {
        switch setup.kind {
        case .standard: standard(setup)
        case .class: classRequest(setup, interfaceClass)
        case .vendor: "vendor request \(setup)"
        case .reserved: "request \(setup)"
        }
    }

    private static func standard(_ setup: SetupPacket) -> String {
        let (low, high) = (setup.value & 0xff, setup.value >> 8)
        let place = place(of: setup)
        switch StandardRequest(rawValue: setup.request) {
        case .getStatus: return "GET_STATUS\(place)"
        case .clearFeature: return "CLEAR_FEATURE (\(feature(setup)))\(place)"
        case .setFeature: return "SET_FEATURE (\(feature(setup)))\(place)"
        case .setAddress: return "SET_ADDRESS (\(setup.value))"
        case .getDescriptor: return "GET_DESCRIPTOR (\(descriptor(high)) \(low))\(place)"
        case .setDescriptor: return "SET_DESCRIPTOR (\(descriptor(high)) \(low))\(place)"
        case .getConfiguration: return "GET_CONFIGURATION"
        case .setConfiguration: return "SET_CONFIGURATION (\(setup.value))"
        case .getInterface: return "GET_INTERFACE\(place)"
        case .setInterface: return "SET_INTERFACE (setting \(setup.value))\(place)"
        case .synchFrame: return "SYNCH_FRAME\(place)"
        case .setSystemExitLatency: return "SET_SEL"
        case .setIsochronousDelay: return "SET_ISOCH_DELAY"
        case nil: return "standard request \(setup)"
        }
    }

    private static func place(of setup: SetupPacket) -> String {
        switch setup.recipient {
        case .interface: " to interface \(setup.index & 0xff)"
        case .endpoint: " to \(EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)))"
        default: ""
        }
    }

    private static func feature(_ setup: SetupPacket) -> String {
        switch (setup.recipient, setup.value) {
        case (.endpoint, 0): "ENDPOINT_HALT"
        case (.interface, 0): "FUNCTION_SUSPEND"
        case (.device, 1): "DEVICE_REMOTE_WAKEUP"
        case (.device, 2): "TEST_MODE"
        case (.device, 48): "U1_ENABLE"
        case (.device, 49): "U2_ENABLE"
        default: "\(setup.value)"
        }
    }

    private static func descriptor(_ type: UInt16) -> String {
        switch type {
        case 0x01: "device"
        case 0x02: "configuration"
        case 0x03: "string"
        case 0x06: "qualifier"
        case 0x07: "other speed"
        case 0x0f: "BOS"
        case 0x21: "HID"
        case 0x22: "report"
        case 0x23: "physical"
        case 0x29: "hub"
        default: "type 0x\(hexadecimal(Int(type), digits: 2))"
        }
    }

    private static func classRequest(_ setup: SetupPacket, _ interfaceClass: UInt8?) -> String {
        let place = place(of: setup)
        let name: String? =
            switch (setup.recipient, interfaceClass, setup.requestType & 0x80, setup.request) {
            case (.interface, 3?, 0x80, 1): "GET_REPORT (\(report(setup)))"
            case (.interface, 3?, 0x80, 2): "GET_IDLE"
            case (.interface, 3?, 0x80, 3): "GET_PROTOCOL"
            case (.interface, 3?, 0, 9): "SET_REPORT (\(report(setup)))"
            case (.interface, 3?, 0, 10): "SET_IDLE"
            case (.interface, 3?, 0, 11): "SET_PROTOCOL"
            case (.interface, 8?, 0x80, 0xfe): "GET_MAX_LUN"
            case (.interface, 8?, 0, 0xff): "Bulk-Only Mass Storage Reset"
            case (.interface, 2?, 0, 0x20), (.interface, 0x0a?, 0, 0x20): "SET_LINE_CODING"
            case (.interface, 2?, 0x80, 0x21), (.interface, 0x0a?, 0x80, 0x21): "GET_LINE_CODING"
            case (.interface, 2?, 0, 0x22), (.interface, 0x0a?, 0, 0x22): "SET_CONTROL_LINE_STATE"
            case (.interface, 2?, 0, 0x23), (.interface, 0x0a?, 0, 0x23): "SEND_BREAK"
            default: nil
            }
        return name.map { "\($0)\(place)" } ?? "class request \(setup)"
    }

    private static func report(_ setup: SetupPacket) -> String {
        let kind =
            switch setup.value >> 8 {
            case 1: "input"
            case 2: "output"
            case 3: "feature"
            default: "type \(setup.value >> 8)"
            }
        return "\(kind) \(setup.value & 0xff)"
    }
}
