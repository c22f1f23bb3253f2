import USBCore

/// Which endpoint of a device moves data in which way, as its configuration descriptors say: USB/IP does not.
struct EndpointTypes {
    private var types: [EndpointAddress: TransferType] = [:]

    /// Looks through a configuration descriptor and what follows it (USB 2.0 §9.6.3 to §9.6.6), as far as it is whole.
    mutating func learn(_ configuration: ByteView) {
        var position = 0
        while position + 2 <= configuration.count {
            let length = Int(configuration[position])
            guard length >= 2, position + length <= configuration.count else { return }
            if configuration[position + 1] == 5, length >= 7 {
                let type = TransferType(rawValue: configuration[position + 3] & 3)
                types[EndpointAddress(rawValue: configuration[position + 2] & 0x8f)] = type
            }
            position += length
        }
    }

    /// How the endpoint of a transfer moves data.
    ///
    /// - Parameters:
    ///   - hasPackets: whether the transfer has isochronous packets.
    ///   - interval: the interval it was submitted with. Where no descriptor was seen, an endpoint with one is taken for
    ///     an interrupt endpoint, and one without for a bulk endpoint.
    func type(of endpoint: EndpointAddress, hasPackets: Bool, interval: Int32) -> TransferType {
        if endpoint.number == 0 { return .control }
        if hasPackets { return .isochronous }
        if let type = types[endpoint] { return type }
        return interval != 0 ? .interrupt : .bulk
    }
}
