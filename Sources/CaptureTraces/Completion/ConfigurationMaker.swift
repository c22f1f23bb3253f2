internal import USBCapture
internal import USBCore

/// Makes a configuration of one interface from the endpoints that a capture shows in use.
struct ConfigurationMaker {
    private let evidence: UsageEvidence
    private let uses: [CapturedDevice.EndpointUse]

    init(_ evidence: UsageEvidence) {
        self.evidence = evidence
        var seen: Set<EndpointAddress> = []
        uses = evidence.device.endpoints.filter {
            $0.type != .control && $0.endpoint.number != 0 && seen.insert($0.endpoint).inserted
        }
    }

    /// What the interface is taken for.
    var words: String {
        if evidence.storage != nil { return "mass storage, since Bulk-Only commands were seen" }
        switch evidence.input {
        case .keyboard: return "a boot keyboard, since its reports look like one's"
        case .mouse: return "a boot mouse, since its only endpoint brings short reports"
        case .tablet, nil: return "an interface of the vendor's own class"
        }
    }

    /// Makes the configuration.
    ///
    /// - Parameter header: the first 9 bytes of the real one, where they are known.
    func configuration(header: [UInt8]?) -> [UInt8] {
        var setting = AlternateSetting(number: 0, interfaceClass: .vendorSpecific)
        if evidence.storage != nil {
            setting.interfaceClass = .massStorage
            setting.interfaceSubclass = 0x06
            setting.interfaceProtocol = 0x50
        } else if let input = evidence.input {
            setting.interfaceClass = .hid
            setting.interfaceSubclass = 1
            setting.interfaceProtocol = input == .keyboard ? 1 : 2
            // The length of the report descriptor is put in when that is made.
            setting.descriptors = [ClassDescriptor(type: .hid, bytes: [0x11, 0x01, 0x00, 0x01, 0x22, 0x00, 0x00])]
        }
        setting.endpoints = uses.map { endpoint($0) }
        var configuration = ConfigurationDescription(
            value: evidence.configurationValue ?? 1, items: [.interface(setting)])
        if let header {
            if header[5] != 0 { configuration.value = header[5] }
            configuration.nameIndex = header[6]
            configuration.attributes = header[7]
            configuration.maxPower = header[8]
        }
        return configuration.bytes()
    }

    private func endpoint(_ use: CapturedDevice.EndpointUse) -> EndpointDescriptor {
        let speed = evidence.device.speed
        let size: Int =
            switch (use.type, speed) {
            case (.bulk, .super), (.bulk, .superPlus): 1024
            case (.bulk, .high): 512
            case (.bulk, _): 64
            // A transfer can be of several packets: the most that the speed allows holds for any of them.
            case (.interrupt, .low): 8
            case (.interrupt, .full): min(64, max(1, Int(clamping: use.largest)))
            case (.isochronous, .full), (.isochronous, .low): 1023
            default: min(1024, max(1, Int(clamping: use.largest)))
            }
        var descriptor = EndpointDescriptor(
            address: use.endpoint, attributes: use.type.rawValue, maxPacketSize: UInt16(clamping: size),
            interval: interval(use, speed))
        if speed.isSuperSpeed { descriptor.companion = CompanionDescriptor(maxBurst: 0) }
        return descriptor
    }

    /// `bInterval` for the interval as the host numbered it: frames at low and full speed, else an exponent of two.
    private func interval(_ use: CapturedDevice.EndpointUse, _ speed: Speed) -> UInt8 {
        guard use.type == .interrupt || use.type == .isochronous else { return 0 }
        let isExponent = speed.isSuperSpeed || speed == .high || use.type == .isochronous
        guard use.interval > 0 else { return isExponent ? (use.type == .isochronous ? 1 : 4) : 10 }
        guard isExponent else { return UInt8(clamping: use.interval) }
        return UInt8(min(16, use.interval.trailingZeroBitCount + 1))
    }
}
