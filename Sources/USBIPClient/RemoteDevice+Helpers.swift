import Synchronization
public import USBCore

// What most programs want: bytes or an error. All of these block, and throw ``HostError/transferFailed(_:)`` where the
// transfer ended with anything but success.
extension RemoteDevice {
    /// Reads the data stage of a control request.
    ///
    /// - Parameter setup: with `wLength` bytes at most wanted; its direction is IN.
    /// - Returns: the bytes that came, which may be fewer.
    public func controlIn(_ setup: SetupPacket, timeout: Duration? = .seconds(5)) throws(HostError) -> [UInt8] {
        guard setup.direction == .in else { throw .invalidRequest("\(setup) is no request for data") }
        return try transfer(.control(setup, timeout: timeout)).get().data
    }

    /// Carries out a control request that sends data, or none.
    ///
    /// - Parameter data: `wLength` bytes.
    public func controlOut(
        _ setup: SetupPacket, _ data: [UInt8] = [], timeout: Duration? = .seconds(5)
    ) throws(HostError) {
        _ = try transfer(.control(setup, payload: data, timeout: timeout)).get()
    }

    /// Reads from a bulk or interrupt endpoint.
    ///
    /// - Parameters:
    ///   - endpoint: the number, 1 to 15.
    ///   - room: the most bytes wanted.
    /// - Returns: one transfer's bytes, which may be fewer or none.
    public func read(_ endpoint: UInt8, room: Int, timeout: Duration? = .seconds(5)) throws(HostError) -> [UInt8] {
        try transfer(.in(endpoint, room: room, timeout: timeout)).get().data
    }

    /// Writes to a bulk or interrupt endpoint.
    ///
    /// - Returns: how many bytes the device took.
    @discardableResult
    public func write(
        _ endpoint: UInt8, _ bytes: [UInt8], timeout: Duration? = .seconds(5)
    ) throws(HostError) -> Int {
        try transfer(.out(endpoint, bytes, timeout: timeout)).get().actualLength
    }

    /// Reads packets from an isochronous endpoint; what became of each is in the result.
    ///
    /// - Parameter lengths: the room for each packet, up to 1024 of them.
    public func readIsochronous(
        _ endpoint: UInt8, lengths: [Int], timeout: Duration? = .seconds(5)
    ) throws(HostError) -> TransferResult {
        try transfer(.isochronousIn(endpoint, lengths: lengths, timeout: timeout)).get()
    }

    /// Writes packets to an isochronous endpoint; what became of each is in the result.
    ///
    /// - Parameter packets: the bytes of each packet, up to 1024 of them.
    public func writeIsochronous(
        _ endpoint: UInt8, packets: [[UInt8]], timeout: Duration? = .seconds(5)
    ) throws(HostError) -> TransferResult {
        try transfer(.isochronousOut(endpoint, packets: packets, timeout: timeout)).get()
    }
}

// MARK: - Standard requests

extension RemoteDevice {
    /// Reads a descriptor, with GET_DESCRIPTOR (USB 2.0 §9.4.3).
    ///
    /// - Parameters:
    ///   - type: the high byte of `wValue`.
    ///   - index: the low byte of `wValue`.
    ///   - language: `wIndex`, used for strings.
    ///   - length: the most bytes wanted.
    public func descriptor(
        _ type: DescriptorType, index: UInt8 = 0, language: LanguageID = .unspecified, length: UInt16,
        timeout: Duration? = .seconds(5)
    ) throws(HostError) -> [UInt8] {
        try controlIn(
            standard(
                0x80, .getDescriptor, value: UInt16(type.rawValue) << 8 | UInt16(index), index: language.rawValue,
                length: length),
            timeout: timeout)
    }

    /// The value of the selected configuration, 0 for none, with GET_CONFIGURATION (USB 2.0 §9.4.2).
    public func configuration() throws(HostError) -> UInt8 {
        guard let value = try controlIn(standard(0x80, .getConfiguration, length: 1)).first else {
            throw .malformedDescriptors("GET_CONFIGURATION was answered with nothing")
        }
        known.withLock { $0.configured(value, isFresh: false) }
        return value
    }

    /// Selects a configuration, 0 for none, with SET_CONFIGURATION (USB 2.0 §9.4.7).
    ///
    /// The configurations' descriptors are read first where they have not been, so that ``endpoints`` is known.
    public func select(configuration value: UInt8) throws(HostError) {
        if known.withLock({ $0.configurations.isEmpty }) { try learnConfigurations() }
        try controlOut(standard(0x00, .setConfiguration, value: UInt16(value)))
        known.withLock { $0.configured(value, isFresh: true) }
    }

    /// Selects an interface's alternate setting, with SET_INTERFACE (USB 2.0 §9.4.10).
    public func select(interface number: UInt8, alternate: UInt8) throws(HostError) {
        try controlOut(standard(0x01, .setInterface, value: UInt16(alternate), index: UInt16(number)))
        known.withLock { $0.selected(interface: number, alternate: alternate) }
    }

    /// The selected alternate setting of an interface, with GET_INTERFACE (USB 2.0 §9.4.4).
    public func alternate(ofInterface number: UInt8) throws(HostError) -> UInt8 {
        let bytes = try controlIn(standard(0x81, .getInterface, index: UInt16(number), length: 1))
        guard let alternate = bytes.first else {
            throw .malformedDescriptors("GET_INTERFACE was answered with nothing")
        }
        known.withLock { $0.selected(interface: number, alternate: alternate) }
        return alternate
    }

    /// Ends an endpoint's halt, with CLEAR_FEATURE(ENDPOINT_HALT) (USB 2.0 §9.4.1).
    public func clearHalt(_ endpoint: EndpointAddress) throws(HostError) {
        try controlOut(standard(0x02, .clearFeature, index: UInt16(endpoint.rawValue)))
    }

    /// Halts an endpoint, with SET_FEATURE(ENDPOINT_HALT) (USB 2.0 §9.4.9).
    public func setHalt(_ endpoint: EndpointAddress) throws(HostError) {
        try controlOut(standard(0x02, .setFeature, index: UInt16(endpoint.rawValue)))
    }

    /// Whether an endpoint is halted, with GET_STATUS (USB 2.0 §9.4.5).
    public func isHalted(_ endpoint: EndpointAddress) throws(HostError) -> Bool {
        let bytes = try controlIn(standard(0x82, .getStatus, index: UInt16(endpoint.rawValue), length: 2))
        guard let first = bytes.first else { throw .malformedDescriptors("GET_STATUS was answered with nothing") }
        return first & 1 != 0
    }

    /// Resets the device's port.
    ///
    /// USB/IP has no message for it; servers take the hub's request SET_FEATURE(PORT_RESET) (USB 2.0 §11.24.2.13) for
    /// it. Afterwards no configuration is selected, or the server's kernel has selected one again.
    public func reset() throws(HostError) {
        try controlOut(SetupPacket(requestType: 0x23, request: StandardRequest.setFeature.rawValue, value: 4))
        known.withLock { $0.configured(0, isFresh: true) }
    }

    /// The endpoints of the selected settings, without endpoint zero; none before the descriptors were read.
    public var endpoints: [EndpointDescriptor] { known.withLock { $0.endpoints } }

    /// The endpoint at an address in the selected settings, where it is known.
    public func endpoint(_ address: EndpointAddress) -> EndpointDescriptor? {
        known.withLock { $0.endpoint(address) }
    }

    private func standard(
        _ requestType: UInt8, _ request: StandardRequest, value: UInt16 = 0, index: UInt16 = 0, length: UInt16 = 0
    ) -> SetupPacket {
        SetupPacket(
            requestType: requestType, request: request.rawValue, value: value, index: index, length: length)
    }
}
