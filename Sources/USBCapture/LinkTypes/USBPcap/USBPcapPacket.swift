import USBCore

extension USBPcapDecoder {
    /// A packet with its header, as events are made of it.
    struct Packet {
        /// The packet as the container has it.
        let frame: CapturedFrame
        /// What its header says.
        let header: USBPcapHeader
        /// All its bytes.
        let bytes: ByteView

        /// Where in the packet its data are, as far as they were captured.
        var data: Range<Int> {
            header.length..<header.length + min(header.dataLength, bytes.count - header.length)
        }

        /// An event without data.
        func event(_ kind: CapturedEvent.Kind, _ type: TransferType, _ endpoint: UInt8) -> CapturedEvent {
            var event = CapturedEvent(
                kind, number: frame.number, offset: frame.offset, time: frame.time, channel: frame.interface,
                bus: header.bus, device: header.device, urb: header.irp,
                endpoint: EndpointAddress(rawValue: endpoint), type: type)
            event.origin = header.isMadeUp ? .injected : .observed
            return event
        }

        /// Gives an event with data of this packet.
        ///
        /// - Parameter whole: how many bytes the data had before they were cut.
        func emit(_ event: CapturedEvent, _ data: Range<Int>, of whole: Int, into output: DecodedEvents) {
            var event = event
            event.dataCount = data.count
            event.dataOffset = data.isEmpty ? nil : frame.bytesOffset &+ Int64(data.lowerBound)
            event.isCut = event.isCut || data.count < whole
            output.emit(event, inPacket: data)
        }

        /// Gives the end of a transfer.
        ///
        /// - Parameters:
        ///   - endpoint: the endpoint, with the direction in which data move.
        ///   - requested: what an OUT sends; nil when its submission was not seen.
        func emitEnd(
            _ type: TransferType, _ endpoint: UInt8, requested: Int? = nil, packets: [CapturedPacket] = [],
            startFrame: Int32 = 0, into output: DecodedEvents
        ) {
            var event = event(.completion, type, endpoint)
            event.status = USBDStatus.linux(header.status)
            event.packets = packets
            event.startFrame = startFrame
            guard event.endpoint.direction == .in else {
                // USBPcap does not say how much of an OUT was moved.
                event.length = event.status == .success ? requested ?? header.dataLength : 0
                output.emit(event)
                return
            }
            event.length = header.dataLength
            emit(event, data, of: header.dataLength, into: output)
        }

        /// The isochronous packets with the lengths that stand there, which only the end of an IN has.
        func isochronousPackets() -> [CapturedPacket] {
            (0..<Int(bytes.little32(31))).map { index in
                let place = 39 + 12 * index
                return CapturedPacket(
                    status: USBDStatus.linux(bytes.little32(place + 8)), offset: bytes.little32(place),
                    length: bytes.little32(place + 4))
            }
        }

        /// The isochronous packets of an OUT or of a submission: each reaches to where the next begins.
        ///
        /// - Parameter total: where the last one ends; nil when that is not known: then it is as long as the one before.
        func isochronousPackets(total: Int?) -> [CapturedPacket] {
            var packets = isochronousPackets()
            for index in packets.indices {
                let begin = packets[index].offset
                if index + 1 < packets.count {
                    let next = packets[index + 1].offset
                    packets[index].length = next > begin ? next - begin : 0
                } else if let total, total > 0 {
                    packets[index].length = UInt32(clamping: total - Int(begin))
                } else {
                    packets[index].length = index > 0 ? packets[index - 1].length : 0
                }
            }
            if !header.isCompletion {
                for index in packets.indices { packets[index].status = .success }
            }
            return packets
        }
    }
}
