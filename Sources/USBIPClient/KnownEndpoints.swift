import USBCore
import USBIPWire

/// What the host knows of the device's endpoints: the selected setting's, once it has read the descriptors.
struct KnownEndpoints: Sendable {
    let speed: Speed
    private(set) var configurations: [ConfigurationDescription] = []
    /// The selected configuration's value; nil while nobody has asked or said.
    private(set) var configuration: UInt8?
    private var alternates: [UInt8: UInt8] = [:]
    /// The endpoints that exist now.
    private(set) var endpoints: [EndpointDescriptor] = []
    private var byAddress: [EndpointAddress: EndpointDescriptor] = [:]

    init(speed: Speed) { self.speed = speed }

    mutating func learn(_ configurations: [ConfigurationDescription]) {
        self.configurations = configurations
        refresh()
    }

    /// The device is in configuration `value`; 0 is none.
    mutating func configured(_ value: UInt8, isFresh: Bool) {
        if isFresh || configuration != value { alternates = [:] }
        configuration = value
        refresh()
    }

    mutating func selected(interface: UInt8, alternate: UInt8) {
        alternates[interface] = alternate
        refresh()
    }

    private mutating func refresh() {
        endpoints = []
        byAddress = [:]
        guard let configuration, configuration != 0,
            let description = configurations.first(where: { $0.value == configuration })
        else { return }
        for number in description.interfaceNumbers {
            endpoints += description.interface(number, alternate: alternates[number] ?? 0)?.endpoints ?? []
        }
        for endpoint in endpoints where byAddress[endpoint.address] == nil { byAddress[endpoint.address] = endpoint }
    }

    func endpoint(_ address: EndpointAddress) -> EndpointDescriptor? { byAddress[address] }

    /// Checks a request and makes its command, but for what the session sets.
    ///
    /// - Throws: ``HostError/invalidRequest(_:)`` where the server could not be sent it, or could not make sense of it.
    func command(for request: TransferRequest) throws(HostError) -> SubmitCommand {
        let length = request.length
        guard (0...TransferRequest.maximumLength).contains(length) else {
            throw .invalidRequest("\(length) bytes; 0 to \(TransferRequest.maximumLength) are possible")
        }
        let descriptor = byAddress[request.endpoint]
        if let setup = request.setup {
            try check(setup, request)
        } else {
            guard request.endpoint.number != 0 else {
                throw .invalidRequest("a transfer on endpoint zero needs a setup packet")
            }
            try checkPackets(request, length, descriptor?.type)
        }
        return SubmitCommand(
            sequence: 0, deviceID: 0, direction: request.endpoint.direction == .in ? 1 : 0,
            endpoint: UInt32(request.endpoint.number), flags: request.flags.rawValue,
            length: Int32(truncatingIfNeeded: length), startFrame: request.startFrame,
            packetCount: Int32(truncatingIfNeeded: request.packets.count),
            interval: request.interval ?? descriptor?.linuxInterval(at: speed) ?? 0,
            setup: request.setup ?? SetupPacket(littleEndian: 0))
    }

    private func check(_ setup: SetupPacket, _ request: TransferRequest) throws(HostError) {
        guard request.packets.isEmpty else { throw .invalidRequest("a control transfer has no isochronous packets") }
        // Without data its direction is OUT, whatever the setup packet says: so Linux has it.
        let direction = setup.length == 0 ? Direction.out : setup.direction
        guard request.endpoint == (direction == .in ? .in(0) : .out(0)), request.length == Int(setup.length) else {
            throw .invalidRequest(
                "wLength is \(setup.length), but \(request.length) bytes are to move on \(request.endpoint)")
        }
    }

    private func checkPackets(
        _ request: TransferRequest, _ length: Int, _ type: TransferType?
    ) throws(HostError) {
        if let type, (type == .isochronous) != !request.packets.isEmpty {
            throw .invalidRequest(
                "\(request.endpoint) is \(type), and the request has \(request.packets.count) isochronous packets")
        }
        guard request.packets.count <= TransferRequest.maximumPackets else {
            throw .invalidRequest(
                "\(request.packets.count) isochronous packets; \(TransferRequest.maximumPackets) are possible")
        }
        for (index, packet) in request.packets.enumerated() {
            guard packet.offset >= 0, packet.length >= 0, packet.offset <= length,
                packet.length <= length - packet.offset
            else {
                throw .invalidRequest(
                    "packet \(index) lies at \(packet.offset) with \(packet.length) bytes in a transfer of \(length)")
            }
        }
        // Overlapping packets could bring more bytes together than the transfer has room for.
        guard request.packets.reduce(0, { $0 + $1.length }) <= length else {
            throw .invalidRequest("the packets have more bytes together than the transfer's \(length)")
        }
    }
}

extension EndpointDescriptor {
    /// The polling interval as Linux's core puts it into a URB; 0 for control and bulk.
    func linuxInterval(at speed: Speed) -> Int32 {
        guard let microframes = periodInMicroframes(at: speed) else { return 0 }
        guard speed == .low || speed == .full else { return Int32(microframes) }
        let frames = microframes / 8
        // Isochronous periods are powers of two already; interrupt ones are rounded down to one, 128 at low speed.
        let rounded = 1 << (Int.bitWidth - 1 - frames.leadingZeroBitCount)
        return Int32(min(rounded, speed == .low ? 128 : 1024))
    }
}
