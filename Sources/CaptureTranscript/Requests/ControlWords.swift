import USBCore

/// What a control transfer says.
struct ControlWords {
    /// The request's name, such as `GET_DESCRIPTOR`; nil for those of vendors and those that are not known.
    var request: String?
    /// The request with what it asks for.
    var question: String
    /// What the device answered, in words; empty where there is nothing to say.
    var answer = ""
    /// Whether the words tell all that the data say.
    var tellsData = true

    /// A request without a name: its setup stage in hexadecimal.
    static func raw(_ setup: SetupPacket, _ kind: String) -> Self {
        Self(request: nil, question: "\(kind) request \(setup)", tellsData: false)
    }
}

/// What is to know for reading a request.
struct RequestContext {
    /// The device's class; nil where it is not known.
    var deviceClass: USBClass?
    /// The interface, or the endpoint's interface, that the request addresses.
    var function: FunctionSetting?
    /// Whether the device was seen to speak SCSI by the Bulk-Only Transport.
    var isStorage = false
    /// Says what is in a report of an interface; nil where its report descriptor is not known.
    var report: (_ interface: UInt8, _ kind: UInt8, _ bytes: [UInt8]) -> String?
}

extension ControlWords {
    /// Reads a request.
    ///
    /// - Parameters:
    ///   - data: what the host sent, or what the device answered.
    ///   - hasAnswer: whether the device answered it.
    init(_ setup: SetupPacket, _ data: [UInt8], hasAnswer: Bool, _ context: RequestContext) {
        switch setup.kind {
        case .standard: self = Self.standard(setup, data, hasAnswer: hasAnswer)
        case .class: self = Self.classRequest(setup, data, hasAnswer: hasAnswer, context)
        case .vendor: self = .raw(setup, "vendor")
        case .reserved: self = .raw(setup, "reserved")
        }
    }

    // MARK: Standard requests

    private static func standard(_ setup: SetupPacket, _ data: [UInt8], hasAnswer: Bool) -> Self {
        guard let name = RequestNames.standard(setup.request), let request = StandardRequest(rawValue: setup.request)
        else { return .raw(setup, "standard") }
        var words = Self(request: name, question: name)
        switch request {
        case .getDescriptor, .setDescriptor:
            words.question = "\(name) \(descriptorName(setup)), \(counted(setup.length, "byte"))"
            if !data.isEmpty { (words.answer, words.tellsData) = descriptor(setup, data) }
        case .setAddress, .setConfiguration, .setIsochronousDelay:
            words.question += " \(setup.value)"
        case .getConfiguration where hasAnswer:
            words.answer = "\(data.byte(0))"
        case .getInterface, .setInterface:
            words.question += " \(setup.index)"
            if request == .setInterface { words.question += " alternate \(setup.value)" }
            if request == .getInterface, hasAnswer { words.answer = "alternate \(data.byte(0))" }
        case .getStatus:
            words.question += " \(recipient(setup))"
            if hasAnswer { words.answer = status(setup, data) }
        case .clearFeature, .setFeature:
            words.question += " \(feature(setup)) \(recipient(setup))"
        case .synchFrame:
            words.question += " \(recipient(setup))"
            if hasAnswer { words.answer = "frame \(data.little16(0))" }
        case .setSystemExitLatency:
            words.question +=
                " U1 \(data.byte(0)) µs, \(data.byte(1)) µs, U2 \(data.little16(2)) µs, \(data.little16(4)) µs"
        default: break
        }
        return words
    }

    private static func recipient(_ setup: SetupPacket) -> String {
        switch setup.recipient {
        case .device: "of the device"
        case .interface: "of interface \(setup.index & 0xff)"
        case .endpoint: "of \(EndpointAddress(rawValue: UInt8(truncatingIfNeeded: setup.index)))"
        default: "of \(hex(setup.index))"
        }
    }

    /// USB 2.0 table 9-6, USB 3.2 table 9-7.
    private static func feature(_ setup: SetupPacket) -> String {
        switch (setup.recipient, setup.value) {
        case (.endpoint, 0): "ENDPOINT_HALT"
        case (.interface, 0): "FUNCTION_SUSPEND"
        case (.device, 1): "DEVICE_REMOTE_WAKEUP"
        case (.device, 2): "TEST_MODE"
        case (.device, 48): "U1_ENABLE"
        case (.device, 49): "U2_ENABLE"
        case (.device, 50): "LTM_ENABLE"
        default: "feature \(setup.value)"
        }
    }

    private static func status(_ setup: SetupPacket, _ data: [UInt8]) -> String {
        let bits = data.little16(0)
        switch setup.recipient {
        case .device:
            return [
                bits & 1 != 0 ? "self-powered" : "bus-powered", bits & 2 != 0 ? "remote wakeup on" : nil,
                bits & 4 != 0 ? "U1 on" : nil, bits & 8 != 0 ? "U2 on" : nil,
            ].compactMap(\.self).joined(separator: ", ")
        case .endpoint: return bits & 1 != 0 ? "halted" : "not halted"
        default: return hex(bits)
        }
    }

    private static func descriptorName(_ setup: SetupPacket) -> String {
        let type = UInt8(truncatingIfNeeded: setup.value >> 8)
        let index = UInt8(truncatingIfNeeded: setup.value)
        let name = DescriptorWords.name(of: type)
        switch DescriptorType(rawValue: type) {
        case .string: return "\(name) \(index)" + (setup.index == 0 ? "" : " (\(hex(setup.index)))")
        case .configuration, .otherSpeedConfiguration: return "\(name) \(index)"
        default:
            let place = setup.recipient == .interface ? " of interface \(setup.index & 0xff)" : ""
            return name + (index == 0 ? "" : " \(index)") + place
        }
    }

    private static func descriptor(_ setup: SetupPacket, _ data: [UInt8]) -> (String, Bool) {
        let type = UInt8(truncatingIfNeeded: setup.value >> 8)
        if setup.value == 0x0300, data.byte(1) == DescriptorType.string.rawValue {
            return (DescriptorWords.languages(data), true)
        }
        guard let words = DescriptorWords.describe(type, data) else { return (counted(data.count, "byte"), false) }
        return (words, true)
    }
}
