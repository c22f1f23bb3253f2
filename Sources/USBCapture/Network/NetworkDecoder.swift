import USBIPWire

/// Reads USB/IP out of the packets of a network: Ethernet with VLAN tags, Linux's cooked captures, loopback of BSD, and
/// bare IP packets; IPv4 and IPv6; TCP on any port.
///
/// Each connection is put in order and read on its own. What was not captured costs no more than it must: a transfer
/// without a part of its data is one whose data are cut, and after anything else that is lost the next header is looked
/// for. A connection that contradicts itself is given up with a warning; others go on. IP fragments are not put
/// together: their bytes count as lost.
///
/// Events carry the number and time of the packet in which their header was complete, and a channel of their connection
/// (``USBIPChannel``). The wire does not say how an endpoint moves data; that is known from
/// the configuration descriptor where the capture has it, and guessed from the interval where not.
package final class NetworkDecoder: PacketDecoder {
    /// The port that USB/IP has of right.
    private static let port: UInt16 = 3240
    /// The most connections that are known at a time.
    static let maximumConnections = 10_000
    /// The most bytes kept in memory for all connections.
    static let maximumBufferedBytes = 256 << 20
    /// The most warnings that are kept.
    static let maximumWarnings = 100

    /// What could not be read, in one line for each connection; at most 101.
    package private(set) var warnings: [String] = []
    /// Bytes of conversations that were not captured or could not be made sense of.
    package private(set) var lostBytes: Int64 = 0
    /// TCP packets that were fragmented on their way, and were not read.
    package private(set) var fragments = 0

    private struct Flow: Hashable {
        var first: SocketAddress
        var second: SocketAddress
    }

    private var connections: [Flow: TCPConnection] = [:]
    /// The one that was looked up last.
    private var last: (flow: Flow, connection: TCPConnection)?
    private var conversations = 0
    private var bufferedBytes = 0
    /// How many new connections are passed over before room is looked for again.
    private var refusals = 0

    /// Makes a decoder for one file.
    package init() {}

    package func decode(
        _ frame: CapturedFrame, _ bytes: UnsafeRawBufferPointer, into output: DecodedEvents
    ) -> Bool {
        let view = unsafe ByteView(bytes)
        guard let start = LinkLayer.internetPacket(view, linkType: frame.linkType) else {
            return bytes.count >= LinkLayer.shortest(frame.linkType)
        }
        switch TCPSegment.read(view, from: start) {
        // Cut so far that it cannot be told whether there was TCP in it.
        case .other: return bytes.count >= min(start + TCPSegment.shortestHeaders, frame.originalLength)
        case .fragment:
            fragments += 1
            if fragments == 1 { warn("packet \(frame.number) is a fragment; fragments are not put together") }
        case .segment(let segment): take(segment, view, frame, into: output)
        }
        return true
    }

    package func finish(into output: DecodedEvents) {
        for connection in connections.values.sorted(by: { Self.number($0) < Self.number($1) }) {
            end(connection, nil, into: output)
        }
        connections = [:]
        last = nil
        bufferedBytes = 0
    }

    private static func number(_ connection: TCPConnection) -> Int {
        if case .conversation(let conversation) = connection.state { conversation.number } else { .max }
    }

    private func take(
        _ segment: TCPSegment, _ bytes: ByteView, _ frame: CapturedFrame, into output: DecodedEvents
    ) {
        let side: TCPConnection.Side = segment.source < segment.destination ? .first : .second
        let flow = Flow(
            first: min(segment.source, segment.destination), second: max(segment.source, segment.destination))
        guard let connection = connection(of: flow, segment, side, frame, into: output) else { return }
        if case .closed = connection.state { return }
        connection.note(segment, from: side)
        let chunk = TCPChunk(
            bytes: bytes[segment.payload], frame: frame, place: segment.payload.lowerBound, isInPacket: true)
        if case .undecided = connection.state { recognise(connection, segment, side, chunk.bytes) }
        guard case .conversation(let conversation) = connection.state else {
            if segment.isRST { connection.state = .closed }
            return
        }
        let before = connection.bufferedBytes
        connection.take(segment, from: side, chunk, conversation, into: output)
        bufferedBytes += connection.bufferedBytes - before
        if bufferedBytes > Self.maximumBufferedBytes {
            conversation.giveUp("the connections of this capture need too much memory")
        }
        if conversation.trouble != nil {
            end(connection, frame, into: output)
        } else if case .closed = connection.state {
            account(conversation)
        }
    }

    /// The connection of a segment, which may begin one; nil when there is no room for it.
    private func connection(
        of flow: Flow, _ segment: TCPSegment, _ side: TCPConnection.Side, _ frame: CapturedFrame,
        into output: DecodedEvents
    ) -> TCPConnection? {
        // Most often it is that of the segment before.
        if !segment.isSYN, let last, last.flow == flow { return last.connection }
        if let known = connections[flow] {
            guard known.isAnother(segment, from: side) else {
                last = (flow, known)
                return known
            }
            end(known, frame, into: output)
            connections[flow] = nil
        }
        guard !segment.isRST, makeRoom() else { return nil }
        let connection = TCPConnection()
        connections[flow] = connection
        last = (flow, connection)
        return connection
    }

    /// Says what became of a connection, which is then over.
    private func end(_ connection: TCPConnection, _ frame: CapturedFrame?, into output: DecodedEvents) {
        guard case .conversation(let conversation) = connection.state else {
            connection.state = .closed
            return
        }
        let before = connection.bufferedBytes
        connection.close(frame, into: output)
        bufferedBytes -= before
        account(conversation)
        if let trouble = conversation.trouble {
            let place = frame.map { " at packet \($0.number)" } ?? ""
            warn("USB/IP connection \(conversation.number) is given up\(place): \(trouble)")
        }
    }

    private func account(_ conversation: USBIPConversation) {
        lostBytes += conversation.lostBytes
        if conversation.lostBytes > 0, conversation.trouble == nil {
            warn("USB/IP connection \(conversation.number) lacks \(conversation.lostBytes) bytes")
        }
        conversation.lostBytes = 0
    }

    private func warn(_ text: String) {
        if warnings.count < Self.maximumWarnings { warnings.append(text) }
        if warnings.count == Self.maximumWarnings { warnings.append("there is more that could not be read") }
    }

    /// Finds out whether a connection speaks USB/IP, and who is who in it.
    private func recognise(
        _ connection: TCPConnection, _ segment: TCPSegment, _ side: TCPConnection.Side, _ data: ByteView
    ) {
        guard segment.length > 0 else { return }
        if segment.destination.port == Self.port {
            connection.client = side
        } else if segment.source.port == Self.port {
            connection.client = side.other
        } else if USBIPConversation.isOpHeader(data, at: 0) {
            connection.client = data.big16(2) & 0x8000 != 0 ? side : side.other
        } else if data.count >= URBWire.headerSize, USBIPConversation.isLikelyCommand(data[0..<URBWire.headerSize]) {
            connection.client = side
        } else {
            connection.tried += 1
            if connection.tried >= TCPConnection.trials { connection.state = .closed }
            return
        }
        conversations += 1
        connection.state = .conversation(
            USBIPConversation(number: conversations, hasBeginning: connection.hasBeginning))
    }

    /// Forgets connections that are over, when there are too many.
    private func makeRoom() -> Bool {
        guard connections.count >= Self.maximumConnections else { return true }
        guard refusals == 0 else {
            refusals -= 1
            return false
        }
        last = nil
        connections = connections.filter {
            if case .conversation = $0.value.state { true } else { false }
        }
        guard connections.count >= Self.maximumConnections else { return true }
        refusals = Self.maximumConnections
        warn("there are more than \(Self.maximumConnections) USB/IP connections at a time")
        return false
    }
}
