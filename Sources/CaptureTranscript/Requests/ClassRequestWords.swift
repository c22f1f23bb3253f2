import USBCore

extension ControlWords {
    static func classRequest(
        _ setup: SetupPacket, _ data: [UInt8], hasAnswer: Bool, _ context: RequestContext
    ) -> Self {
        let code = requestClass(setup, context)
        let name = code.flatMap {
            RequestNames.classRequest(setup.request, $0, context.function?.subclass ?? 0)
        }
        guard let code, let name else {
            let owner = context.function.map { FunctionNames.name($0.code, $0.subclass, $0.protocol) }
            return .raw(setup, owner.map { "\($0) class" } ?? "class")
        }
        var words: Self
        switch code {
        case .hid: words = hid(setup, name, data, hasAnswer: hasAnswer, context)
        case .cdc, .cdcData: words = communications(setup, name, data)
        case .massStorage:
            words = Self(request: name, question: name)
            if setup.request == 0xfe, hasAnswer { words.answer = "\(data.byte(0))" }
        case .hub: words = hub(setup, name, data, hasAnswer: hasAnswer)
        case .applicationSpecific where setup.request == 0x03 && hasAnswer:
            words = Self(request: name, question: name)
            words.answer = "status \(data.byte(0)), state \(data.byte(4)), wait \(data.little32(1) & 0xff_ffff) ms"
        default:
            words = Self(
                request: name,
                question: "\(name) wValue \(hex(setup.value)) wIndex \(hex(setup.index)) wLength \(setup.length)",
                tellsData: data.isEmpty)
        }
        if setup.recipient == .interface, code != .hub { words.question += " of interface \(setup.index & 0xff)" }
        return words
    }

    /// Who defines a class request.
    private static func requestClass(_ setup: SetupPacket, _ context: RequestContext) -> USBClass? {
        if let function = context.function { return function.code }
        if let code = context.deviceClass, setup.recipient == .device || setup.recipient == .other,
            code != .perInterface, code != .miscellaneous
        {
            return code
        }
        if context.isStorage, setup.recipient == .interface, setup.request >= 0xfe { return .massStorage }
        // Ports of hubs are nobody else's; so a hub is known whose descriptors the capture does not have.
        let isKnown = context.deviceClass != nil
        return setup.recipient == .other && !isKnown ? .hub : nil
    }

    // MARK: HID

    private static func hid(
        _ setup: SetupPacket, _ name: String, _ data: [UInt8], hasAnswer: Bool, _ context: RequestContext
    ) -> Self {
        var words = Self(request: name, question: name)
        let interface = UInt8(truncatingIfNeeded: setup.index)
        let kind = UInt8(truncatingIfNeeded: setup.value >> 8)
        let id = UInt8(truncatingIfNeeded: setup.value)
        switch setup.request {
        case 0x01, 0x09:
            let kindName = ["0", "input", "output", "feature"][Int(kind & 3)]
            words.question += " " + (kind <= 3 && kind > 0 ? kindName : "type \(kind)") + (id == 0 ? "" : " \(id)")
            if !data.isEmpty, let text = context.report(interface, kind, data) {
                words.answer = text
            } else {
                words.tellsData = data.isEmpty
            }
        case 0x0a:
            words.question += kind == 0 ? " only when something changes" : " every \(Int(kind) * 4) ms"
            if id != 0 { words.question += ", report \(id)" }
        case 0x02 where hasAnswer:
            words.answer = data.byte(0) == 0 ? "only when something changes" : "every \(Int(data.byte(0)) * 4) ms"
        case 0x0b: words.question += setup.value == 0 ? " boot" : " report"
        case 0x03 where hasAnswer: words.answer = data.byte(0) == 0 ? "boot" : "report"
        default: break
        }
        return words
    }

    // MARK: Communications

    private static func communications(_ setup: SetupPacket, _ name: String, _ data: [UInt8]) -> Self {
        var words = Self(request: name, question: name)
        switch setup.request {
        case 0x20 where data.count >= 7: words.question += " \(lineCoding(data))"
        case 0x21 where data.count >= 7: words.answer = lineCoding(data)
        case 0x22:
            let lines = [setup.value & 1 != 0 ? "DTR" : nil, setup.value & 2 != 0 ? "RTS" : nil].compactMap(\.self)
            words.question += " " + (lines.isEmpty ? "none" : lines.joined(separator: " "))
        case 0x23:
            words.question +=
                setup.value == 0xffff ? " until it is ended" : setup.value == 0 ? " end" : " \(setup.value) ms"
        default:
            words.question += setup.value == 0 ? "" : " \(hex(setup.value))"
            words.tellsData = data.isEmpty
        }
        return words
    }

    /// Rate and frame, such as `115200 8N1` (PSTN 1.2 §6.3.11).
    private static func lineCoding(_ data: [UInt8]) -> String {
        let stops = ["1", "1.5", "2"]
        let parities = ["N", "O", "E", "M", "S"]
        let stop = Int(data[4]) < stops.count ? stops[Int(data[4])] : "?"
        let parity = Int(data[5]) < parities.count ? parities[Int(data[5])] : "?"
        return "\(data.little32(0)) \(data[6])\(parity)\(stop)"
    }

    // MARK: Hubs

    private static func hub(_ setup: SetupPacket, _ name: String, _ data: [UInt8], hasAnswer: Bool) -> Self {
        var words = Self(request: name, question: name)
        let isPort = setup.recipient == .other
        let port = setup.index & 0xff
        switch setup.request {
        case 0x00:
            words.question += isPort ? " of port \(port)" : " of the hub"
            if hasAnswer, data.count >= 4 { words.answer = isPort ? portStatus(data) : hubStatus(data) }
        case 0x01, 0x03:
            let feature =
                isPort
                ? portFeatures[setup.value] ?? "feature \(setup.value)"
                : ["C_HUB_LOCAL_POWER", "C_HUB_OVER_CURRENT"][Int(setup.value & 1)]
            words.question += " \(feature)" + (isPort ? " of port \(port)" : "")
        case 0x06:
            words.question += " \(DescriptorWords.name(of: UInt8(truncatingIfNeeded: setup.value >> 8)))"
            if !data.isEmpty {
                words.answer = DescriptorWords.describe(UInt8(truncatingIfNeeded: setup.value >> 8), data) ?? ""
                words.tellsData = !words.answer.isEmpty
            }
        default:
            words.question += " wValue \(hex(setup.value)) wIndex \(hex(setup.index))"
            words.tellsData = data.isEmpty
        }
        return words
    }

    private static func hubStatus(_ data: [UInt8]) -> String {
        let (status, change) = (data.little16(0), data.little16(2))
        return names([(1, "no local power"), (2, "over-current")], status, "all well")
            + names([(1, "; power changed"), (2, "; over-current changed")], change, "")
    }

    /// USB 2.0 §11.24.2.7; ports of SuperSpeed hubs have their power elsewhere.
    private static func portStatus(_ data: [UInt8]) -> String {
        let (status, change) = (data.little16(0), data.little16(2))
        let state = names(
            [
                (1, "connected"), (2, "enabled"), (4, "suspended"), (8, "over-current"), (0x10, "in reset"),
                (0x100, "powered"), (0x200, "low speed"), (0x400, "high speed"),
            ], status, "nothing")
        let changes = names(
            [
                (1, "connection"), (2, "enable"), (4, "suspend"), (8, "over-current"), (0x10, "reset done"),
                (0x40, "link state"),
            ], change, "")
        return state + (changes.isEmpty ? "" : "; changed: \(changes)")
    }

    private static func names(_ bits: [(UInt16, String)], _ value: UInt16, _ none: String) -> String {
        let found = bits.filter { value & $0.0 != 0 }.map(\.1)
        return found.isEmpty ? none : found.joined(separator: ", ")
    }

    /// USB 2.0 table 11-17, USB 3.2 table 10-10.
    private static let portFeatures: [UInt16: String] = [
        0: "PORT_CONNECTION", 1: "PORT_ENABLE", 2: "PORT_SUSPEND", 3: "PORT_OVER_CURRENT", 4: "PORT_RESET",
        5: "PORT_LINK_STATE", 8: "PORT_POWER", 9: "PORT_LOW_SPEED", 16: "C_PORT_CONNECTION", 17: "C_PORT_ENABLE",
        18: "C_PORT_SUSPEND", 19: "C_PORT_OVER_CURRENT", 20: "C_PORT_RESET", 21: "PORT_TEST", 22: "PORT_INDICATOR",
        23: "PORT_U1_TIMEOUT", 24: "PORT_U2_TIMEOUT", 25: "C_PORT_LINK_STATE", 26: "C_PORT_CONFIG_ERROR",
        27: "PORT_REMOTE_WAKE_MASK", 28: "BH_PORT_RESET", 29: "C_BH_PORT_RESET",
    ]
}
