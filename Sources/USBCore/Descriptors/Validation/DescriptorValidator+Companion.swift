extension DescriptorValidator {
    /// The SuperSpeed companion: there at SuperSpeed, absent elsewhere, and right for its endpoint.
    mutating func checkCompanion(_ endpoint: EndpointDescriptor) {
        let section = "USB 3.2 §9.6.7"
        guard let companion = endpoint.companion else {
            require(
                !speed.isSuperSpeed, section,
                "the SuperSpeed companion is missing; at \(speed.title) each endpoint has one right after it")
            return
        }
        guard speed.isSuperSpeed else {
            error(section, "there is a SuperSpeed companion; at \(speed.title) there are none")
            return
        }
        checkExtra(companion.extra, after: 6)
        checkBurst(companion, of: endpoint.type)
        checkCompanionAttributes(companion, of: endpoint)
        checkBytesPerInterval(companion, of: endpoint)
    }

    private mutating func checkBurst(_ companion: CompanionDescriptor, of type: TransferType) {
        let limit: UInt8 =
            switch type {
            case .bulk, .isochronous: 15
            case .interrupt: 2
            case .control: 0
            }
        require(
            companion.maxBurst <= limit, "USB 3.2 §9.6.7",
            "bMaxBurst is \(companion.maxBurst); a \(type.title) endpoint has \(limit) at most")
    }

    private mutating func checkCompanionAttributes(_ companion: CompanionDescriptor, of endpoint: EndpointDescriptor) {
        let section = "USB 3.2 §9.6.7"
        let said = "the companion's bmAttributes is \(hex(companion.attributes))"
        switch endpoint.type {
        case .bulk:
            require(
                companion.attributes <= 16, section,
                "\(said); of a bulk endpoint it is the exponent of its streams, 0 to 16")
        case .isochronous:
            require(companion.attributes & 0x7c == 0, section, "\(said); bits 6:2 are reserved and 0")
            let plus = companion.hasIsochronousCompanion
            let follows = endpoint.descriptors.first?.type == .isochronousCompanion
            require(
                plus == follows, "USB 3.2 §9.6.8",
                plus
                    ? "\(said); bit 7 promises a SuperSpeedPlus isochronous companion, which does not follow"
                    : "a SuperSpeedPlus isochronous companion follows, which bit 7 of the companion does not promise")
            require(plus || companion.mult <= 2, section, "\(said); Mult in bits 1:0 is 0 to 2")
            require(
                companion.mult == 0 || companion.maxBurst > 0, section,
                "Mult is \(companion.mult) while bMaxBurst is 0; then it is 0 too")
        case .interrupt, .control:
            require(
                companion.attributes == 0, section, "\(said); of a \(endpoint.type.title) endpoint it is 0")
        }
    }

    private mutating func checkBytesPerInterval(_ companion: CompanionDescriptor, of endpoint: EndpointDescriptor) {
        let section = "USB 3.2 §9.6.7"
        let said = Int(companion.bytesPerInterval)
        guard endpoint.isPeriodic else {
            require(said == 0, section, "wBytesPerInterval is \(said); of a \(endpoint.type.title) endpoint it is 0")
            return
        }
        // With the SuperSpeedPlus companion the field is 1 and the real figure is there.
        if companion.hasIsochronousCompanion, endpoint.type == .isochronous {
            require(said == 1, section, "wBytesPerInterval is \(said); before a SuperSpeedPlus companion it is 1")
            return
        }
        let most = endpoint.bytesPerServiceInterval(at: speed)
        require(
            said <= most, section,
            "wBytesPerInterval is \(said); packets of \(endpoint.packetSize) bytes with this burst carry \(most)")
        advise(
            said > 0 || most == 0, section, "wBytesPerInterval is 0; the host then reserves no time for the endpoint")
    }
}
