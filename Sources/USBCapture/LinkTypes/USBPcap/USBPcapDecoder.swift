import USBCore

/// Reads the packets of USBPcap, Windows' USB capture driver (`LINKTYPE_USBPCAP`, 249).
///
/// What it does not say, and what is said here instead:
/// - The length that a bulk, interrupt or isochronous IN asks for: 0 in submissions.
/// - How much of an OUT was moved: all of it when it succeeded, nothing when it failed.
/// - Before version 1.5, that a bulk or interrupt OUT ended, and that an IN began: it has one packet for each transfer.
///   The missing half is added, with the packet's number and time; an end so added is a success.
/// - Which endpoint a reset of a pipe was for: these packets are left out, as is everything that is no transfer.
package final class USBPcapDecoder: PacketDecoder {
    /// Names a transfer until it ends.
    private struct Key: Hashable {
        var irp: UInt64
        var bus: UInt16
        var device: UInt16
        var interface: Int
    }

    /// A transfer of which a packet has been seen.
    private struct Pending {
        /// Bytes that the host sends or asks for.
        var requested = 0
        /// The endpoint, with the direction in which data move.
        var endpoint: EndpointAddress
        /// The submission of a control OUT that waits for its data.
        var held: CapturedEvent?
        /// Whether its end was given already, and only the packet of the status stage is to come.
        var hasEnded = false
    }

    /// How many packets a bulk or interrupt transfer has.
    private enum Style {
        /// Not known yet.
        case unknown
        /// One: before USBPcap 1.5.
        case single
        /// Two.
        case double
    }

    /// The most transfers that are followed; more have lost their ends.
    private static let maximumPending = 65_536
    /// The most submissions that are remembered until the style is known.
    private static let maximumUndecided = 4096

    private var pending: [Key: Pending] = [:]
    private var style = Style.unknown
    private var undecided: [CapturedEvent] = []

    /// Makes a decoder for one file.
    package init() {}

    package func decode(
        _ frame: CapturedFrame, _ bytes: UnsafeRawBufferPointer, into output: DecodedEvents
    ) -> Bool {
        let view = unsafe ByteView(bytes)
        guard let header = USBPcapHeader(view) else { return false }
        // Of a pipe that USBPcap has not seen opened it knows neither device nor endpoint.
        guard header.device != 0xffff else { return true }
        if pending.count >= Self.maximumPending { forget(into: output) }
        let packet = Packet(frame: frame, header: header, bytes: view)
        switch header.transfer {
        case .control(let stage): control(stage, packet, into: output)
        case .plain(let type): plain(type, packet, into: output)
        case .isochronous: isochronous(packet, into: output)
        case .other: break
        }
        return true
    }

    package func finish(into output: DecodedEvents) { forget(into: output) }

    /// Gives the submissions that wait for data as they are, and forgets what was followed.
    private func forget(into output: DecodedEvents) {
        let waiting = pending.values.compactMap(\.held).sorted { $0.number < $1.number }
        pending.removeAll()
        for event in waiting { emitHeld(event, into: output) }
    }

    private func emitHeld(_ event: CapturedEvent, into output: DecodedEvents) {
        var event = event
        event.isCut = true
        output.emit(event)
    }

    // MARK: - Control transfers

    private func control(_ stage: USBPcapHeader.Stage?, _ packet: Packet, into output: DecodedEvents) {
        let key = key(of: packet)
        switch stage {
        case .setup: setup(packet, key, into: output)
        case .data:
            decide(.single, into: output)
            dataStage(packet, key, into: output)
        case .status:
            decide(.single, into: output)
            guard packet.header.isCompletion else { return }
            end(packet, key, into: output)
        case .complete:
            decide(.double, into: output)
            end(packet, key, into: output)
        case nil: return
        }
    }

    private func setup(_ packet: Packet, _ key: Key, into output: DecodedEvents) {
        if let held = pending.removeValue(forKey: key)?.held { emitHeld(held, into: output) }
        var event = packet.event(.submission, .control, packet.header.endpoint)
        guard packet.data.count >= 8 else {
            event.isCut = true
            pending[key] = Pending(endpoint: event.endpoint)
            output.emit(event)
            return
        }
        var setup = SetupPacket(littleEndian: packet.bytes.little64(packet.data.lowerBound))
        // USBPcap rebuilds SET_INTERFACE as if it were meant for the device.
        if setup.requestType == 0, setup.request == 0x0b { setup.requestType = 1 }
        let isIn = setup.direction == .in && setup.length > 0
        let number = packet.header.endpoint & 0x0f
        event.endpoint = isIn ? .in(number) : .out(number)
        event.setup = setup
        event.length = Int(setup.length)
        pending[key] = Pending(requested: event.length, endpoint: event.endpoint)
        guard !isIn, setup.length > 0 else {
            output.emit(event)
            return
        }
        if packet.header.dataLength <= 8 {
            pending[key]?.held = event
        } else {
            packet.emit(event, packet.data.dropFirst(8), of: packet.header.dataLength - 8, into: output)
        }
    }

    /// The data stage has a packet of its own before USBPcap 1.5, which for an OUT may come on the way back.
    private func dataStage(_ packet: Packet, _ key: Key, into output: DecodedEvents) {
        let endpoint = pending[key]?.endpoint ?? EndpointAddress(rawValue: packet.header.endpoint)
        if endpoint.direction == .out {
            guard let held = pending[key]?.held else { return }
            pending[key]?.held = nil
            packet.emit(held, packet.data, of: packet.header.dataLength, into: output)
        } else if packet.header.isCompletion {
            packet.emitEnd(.control, endpoint.rawValue, into: output)
            pending[key, default: Pending(endpoint: endpoint)].hasEnded = true
        }
    }

    private func end(_ packet: Packet, _ key: Key, into output: DecodedEvents) {
        let transfer = pending.removeValue(forKey: key)
        if let held = transfer?.held { emitHeld(held, into: output) }
        guard transfer?.hasEnded != true else { return }
        packet.emitEnd(
            .control, transfer?.endpoint.rawValue ?? packet.header.endpoint, requested: transfer?.requested,
            into: output)
    }

    // MARK: - Bulk and interrupt transfers

    private func plain(_ type: TransferType, _ packet: Packet, into output: DecodedEvents) {
        let header = packet.header
        let key = key(of: packet)
        let isIn = header.endpoint & 0x80 != 0
        if header.isCompletion == isIn {
            // An OUT's beginning or an IN's end: the packets that every version has.
            let before = pending[key]
            if let before, before.endpoint.direction == .out, !before.hasEnded {
                // Windows uses a request packet again only when what it stood for has ended.
                decide(.single, into: output)
            }
        } else {
            style = .double
            undecided.removeAll()
        }
        if header.isCompletion {
            let transfer = pending.removeValue(forKey: key)
            if style == .single, isIn { output.emit(packet.event(.submission, type, header.endpoint)) }
            packet.emitEnd(type, header.endpoint, requested: transfer?.requested, into: output)
            return
        }
        var event = packet.event(.submission, type, header.endpoint)
        event.length = header.dataLength
        packet.emit(event, packet.data, of: header.dataLength, into: output)
        switch style {
        case .single: output.emit(Self.successfulEnd(of: event))
        case .unknown:
            if undecided.count < Self.maximumUndecided { undecided.append(event) }
            fallthrough
        case .double: pending[key] = Pending(requested: header.dataLength, endpoint: event.endpoint)
        }
    }

    /// Learns how many packets a transfer has, which what has been seen of two overrules.
    private func decide(_ new: Style, into output: DecodedEvents) {
        guard style == .unknown else { return }
        style = new
        if new == .single {
            for event in undecided {
                output.emit(Self.successfulEnd(of: event))
                pending[Key(irp: event.urb, bus: event.bus, device: event.device, interface: event.channel)] = nil
            }
        }
        undecided.removeAll()
    }

    private static func successfulEnd(of submission: CapturedEvent) -> CapturedEvent {
        var event = submission
        event.kind = .completion
        event.dataCount = 0
        event.dataOffset = nil
        event.isCut = false
        return event
    }

    // MARK: - Isochronous transfers

    private func isochronous(_ packet: Packet, into output: DecodedEvents) {
        let header = packet.header
        let key = key(of: packet)
        let isIn = header.endpoint & 0x80 != 0
        guard header.isCompletion else {
            var event = packet.event(.submission, .isochronous, header.endpoint)
            event.length = header.dataLength
            event.packets = packet.isochronousPackets(total: isIn ? nil : header.dataLength)
            event.startFrame = Int32(bitPattern: packet.bytes.little32(27))
            // Some versions leave out what the host sends, since Windows does not fill in the lengths.
            event.isCut = !isIn && header.dataLength == 0 && event.packets.contains { $0.offset > 0 }
            pending[key] = Pending(requested: header.dataLength, endpoint: event.endpoint)
            packet.emit(event, packet.data, of: header.dataLength, into: output)
            return
        }
        let transfer = pending.removeValue(forKey: key)
        let packets = isIn ? packet.isochronousPackets() : packet.isochronousPackets(total: transfer?.requested)
        packet.emitEnd(
            .isochronous, header.endpoint, requested: transfer?.requested, packets: packets,
            startFrame: Int32(bitPattern: packet.bytes.little32(27)), into: output)
    }

    private func key(of packet: Packet) -> Key {
        Key(
            irp: packet.header.irp, bus: packet.header.bus, device: packet.header.device,
            interface: packet.frame.interface)
    }
}
