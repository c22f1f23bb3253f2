extension DescriptorValidator {
    /// An endpoint against its type and the speed.
    mutating func checkEndpoint(_ endpoint: EndpointDescriptor, isDefaultSetting: Bool) {
        let section = section("9.6.6")
        checkExtra(endpoint.extra, after: 7)
        checkClassDescriptors(endpoint.descriptors)
        require(
            endpoint.address.number != 0, section,
            "endpoint 0 has no descriptor; bEndpointAddress names endpoints 1 to 15")
        require(
            endpoint.address.rawValue & 0x70 == 0, section,
            "bits 6:4 of bEndpointAddress \(hex(endpoint.address.rawValue)) are reserved and 0")
        checkAttributes(endpoint)
        if speed == .low, endpoint.type == .bulk || endpoint.type == .isochronous {
            error(
                endpoint.type == .bulk ? "USB 2.0 §5.8.3" : "USB 2.0 §5.6.3",
                "\(endpoint.type.title) at low speed, which has control and interrupt endpoints only")
        } else {
            checkPacketSize(endpoint)
            checkInterval(endpoint)
        }
        checkCompanion(endpoint)
        if isDefaultSetting { checkDefaultSetting(endpoint) }
    }

    private mutating func checkAttributes(_ endpoint: EndpointDescriptor) {
        let section = section("9.6.6")
        let said = "bmAttributes is \(hex(endpoint.attributes))"
        require(endpoint.attributes & 0xc0 == 0, section, "\(said); bits 7:6 are reserved and 0")
        switch endpoint.type {
        case .isochronous:
            require(endpoint.usage != nil, section, "\(said); usage type 3 in bits 5:4 is reserved")
        case .interrupt where speed.isSuperSpeed:
            require(
                endpoint.attributes & 0x2c == 0, section,
                "\(said); of an interrupt endpoint at \(speed.title) only bits 1:0 and 4 say something")
        case .interrupt, .bulk, .control:
            require(
                endpoint.attributes & 0x3c == 0, section,
                "\(said); bits 5:2 say something of isochronous endpoints only and are 0 here")
        }
    }

    // MARK: - wMaxPacketSize

    private mutating func checkPacketSize(_ endpoint: EndpointDescriptor) {
        let size = endpoint.packetSize
        let type = endpoint.type
        let (law, allowed, words) = packetSizes(type, burst: endpoint.companion?.maxBurst ?? 0)
        require(
            allowed(size), law,
            "wMaxPacketSize is \(size); a \(type.title) endpoint at \(speed.title) has \(words)")
        if type == .interrupt {
            advise(size > 0, law, "wMaxPacketSize is 0; the endpoint cannot move anything")
        }
        checkAdditionalTransactions(endpoint)
    }

    /// The section, the test and its words for the bytes of a packet.
    private func packetSizes(
        _ type: TransferType, burst: UInt8
    ) -> (law: String, allowed: (Int) -> Bool, words: String) {
        switch (type, speed) {
        case (.control, .low): ("USB 2.0 §5.5.3", { $0 == 8 }, "8")
        case (.control, .full): ("USB 2.0 §5.5.3", { [8, 16, 32, 64].contains($0) }, "8, 16, 32 or 64")
        case (.control, .high): ("USB 2.0 §5.5.3", { $0 == 64 }, "64")
        case (.control, _): ("USB 3.2 §9.6.6", { $0 == 512 }, "512")
        case (.bulk, .high): ("USB 2.0 §5.8.3", { $0 == 512 }, "512")
        case (.bulk, .super), (.bulk, .superPlus): ("USB 3.2 §9.6.6", { $0 == 1024 }, "1024")
        case (.bulk, _): ("USB 2.0 §5.8.3", { [8, 16, 32, 64].contains($0) }, "8, 16, 32 or 64")
        case (.interrupt, .low): ("USB 2.0 §5.7.3", { $0 <= 8 }, "8 at most")
        case (.interrupt, .full): ("USB 2.0 §5.7.3", { $0 <= 64 }, "64 at most")
        case (.interrupt, .high): ("USB 2.0 §5.7.3", { $0 <= 1024 }, "1024 at most")
        case (.isochronous, .high): ("USB 2.0 §5.6.3", { $0 <= 1024 }, "1024 at most")
        case (.isochronous, .low), (.isochronous, .full): ("USB 2.0 §5.6.3", { $0 <= 1023 }, "1023 at most")
        case (.isochronous, _), (.interrupt, _):
            burst > 0
                ? ("USB 3.2 §9.6.6", { $0 == 1024 }, "1024 when bMaxBurst is not 0")
                : ("USB 3.2 §9.6.6", { $0 <= 1024 }, "1024 at most")
        }
    }

    /// Bits 15:11 of `wMaxPacketSize`: transactions in a microframe, at high speed only.
    private mutating func checkAdditionalTransactions(_ endpoint: EndpointDescriptor) {
        let section = section("9.6.6")
        require(
            endpoint.maxPacketSize & 0xe000 == 0, section,
            "bits 15:13 of wMaxPacketSize \(hex(endpoint.maxPacketSize)) are reserved and 0")
        let more = endpoint.additionalTransactions
        guard more > 0 else { return }
        guard speed == .high, endpoint.isPeriodic else {
            error(
                section,
                "bits 12:11 of wMaxPacketSize \(hex(endpoint.maxPacketSize)) are \(more); only isochronous and "
                    + "interrupt endpoints at high speed have additional transactions")
            return
        }
        switch more {
        case 1:
            require(
                (513...1024).contains(endpoint.packetSize), section,
                "2 transactions in a microframe of \(endpoint.packetSize) bytes; packets are then of 513 to 1024")
        case 2:
            require(
                (683...1024).contains(endpoint.packetSize), section,
                "3 transactions in a microframe of \(endpoint.packetSize) bytes; packets are then of 683 to 1024")
        default:
            error(section, "bits 12:11 of wMaxPacketSize are 3, which is reserved; 0 to 2 are allowed")
        }
    }

    // MARK: - bInterval

    private mutating func checkInterval(_ endpoint: EndpointDescriptor) {
        let allowed: ClosedRange<UInt8>
        switch (endpoint.type, speed) {
        case (.bulk, .super), (.bulk, .superPlus), (.control, .super), (.control, .superPlus):
            advise(
                endpoint.interval == 0, section("9.6.6"),
                "bInterval is \(endpoint.interval); of a \(endpoint.type.title) endpoint at \(speed.title) it is 0")
            return
        case (.bulk, _), (.control, _): return
        case (.interrupt, .low): allowed = 10...255
        case (.interrupt, .full): allowed = 1...255
        case (.interrupt, _), (.isochronous, _): allowed = 1...16
        }
        require(
            allowed.contains(endpoint.interval), section("9.6.6"),
            "bInterval is \(endpoint.interval); of a \(endpoint.type.title) endpoint at \(speed.title) it is "
                + "\(allowed.lowerBound) to \(allowed.upperBound)")
    }

    /// What may not be claimed before a driver has asked for it.
    private mutating func checkDefaultSetting(_ endpoint: EndpointDescriptor) {
        if endpoint.type == .isochronous {
            advise(
                endpoint.packetSize == 0, "USB 2.0 §5.6.3",
                "an isochronous endpoint claims bandwidth in alternate setting 0; put it into another one")
        }
        if endpoint.type == .interrupt, speed == .high {
            advise(
                endpoint.packetSize <= 64, "USB 2.0 §5.7.3",
                "an interrupt endpoint claims \(endpoint.packetSize) bytes in alternate setting 0, where it may "
                    + "claim 64; put it into another one")
        }
    }
}
