/// A TCP connection: segments of both directions become bytes in order, and these a conversation, if it is one of
/// USB/IP.
final class TCPConnection {
    /// What a connection turned out to be.
    enum State {
        /// Not known yet.
        case undecided
        /// USB/IP.
        case conversation(USBIPConversation)
        /// Something else, or at its end.
        case closed
    }

    /// Which of two socket addresses, in their order, an end is.
    enum Side: Int {
        /// The smaller one.
        case first = 0
        /// The other.
        case second = 1

        /// The other end.
        var other: Side { self == .first ? .second : .first }
    }

    /// After how many more packets of the connection bytes are taken for lost that the other end has received.
    static let patience = 16
    /// In how many segments with data a connection on another port than 3240 must turn out to be USB/IP.
    static let trials = 8

    /// What it is.
    var state = State.undecided
    /// Which end is the client, once that is known.
    var client = Side.first
    /// How many segments with data were looked at.
    var tried = 0
    private var streams = [TCPStream(), TCPStream()]
    private var packetsInTrouble = 0

    /// Bytes kept in memory.
    var bufferedBytes: Int {
        guard case .conversation(let conversation) = state else { return 0 }
        return conversation.bufferedBytes + streams[0].waitingBytes + streams[1].waitingBytes
    }

    /// Whether the beginning of the connection was seen.
    var hasBeginning: Bool { streams[0].hasBeginning || streams[1].hasBeginning }

    /// Whether a segment that begins a connection begins another one, between ends that have used the same ports.
    func isAnother(_ segment: TCPSegment, from side: Side) -> Bool {
        let stream = streams[side.rawValue]
        guard segment.isSYN, stream.next != nil else { return false }
        return stream.first != segment.sequence &+ 1 && stream.next != segment.sequence &+ 1
    }

    /// Notes what a segment says of numbers.
    func note(_ segment: TCPSegment, from side: Side) {
        if segment.isSYN, streams[side.rawValue].first == nil {
            streams[side.rawValue].next = segment.sequence &+ 1
            streams[side.rawValue].first = segment.sequence &+ 1
            streams[side.rawValue].hasBeginning = true
        } else if streams[side.rawValue].next == nil {
            streams[side.rawValue].next = segment.sequence
        }
        if let acknowledged = segment.acknowledged, !segment.isRST {
            let before = streams[side.other.rawValue].acknowledged
            if before.map({ TCPStream.distance(acknowledged, after: $0) > 0 }) ?? true {
                streams[side.other.rawValue].acknowledged = acknowledged
            }
        }
        if segment.isFIN {
            streams[side.rawValue].end = segment.sequence &+ UInt32(truncatingIfNeeded: segment.length)
        }
    }

    /// Takes a segment of a conversation.
    func take(
        _ segment: TCPSegment, from side: Side, _ chunk: TCPChunk, _ conversation: USBIPConversation,
        into output: DecodedEvents
    ) {
        if segment.length > 0 { accept(segment, side, chunk, conversation, into: output) }
        drain(side, conversation, into: output)
        drain(side.other, conversation, into: output)
        let isInTrouble =
            streams[client.rawValue].missing > 0 || streams[0].hasGap || streams[1].hasGap
        packetsInTrouble = isInTrouble ? packetsInTrouble + 1 : 0
        if packetsInTrouble > Self.patience {
            packetsInTrouble = 0
            loseMissing(acknowledgedOnly: true, chunk.frame, conversation, into: output)
        }
        if segment.isRST || streams[0].isAtEnd && streams[1].isAtEnd {
            close(chunk.frame, into: output)
        }
    }

    /// Reads what there is in spite of what is missing, and ends.
    func close(_ frame: CapturedFrame?, into output: DecodedEvents) {
        if case .conversation(let conversation) = state {
            while let frame = frame ?? streams[0].waiting.first?.frame ?? streams[1].waiting.first?.frame,
                conversation.trouble == nil,
                loseMissing(acknowledgedOnly: false, frame, conversation, into: output)
            {}
        }
        state = .closed
        streams[0].removeWaiting()
        streams[1].removeWaiting()
    }

    private func accept(
        _ segment: TCPSegment, _ side: Side, _ chunk: TCPChunk, _ conversation: USBIPConversation,
        into output: DecodedEvents
    ) {
        let stream = streams[side.rawValue]
        guard let next = stream.next else { return }
        let early = TCPStream.distance(segment.sequence, after: next)
        let known = max(0, -early)
        guard known < segment.length else { return }
        guard early <= 0, stream.waiting.isEmpty || stream.hasGap else {
            wait(chunk, segment.sequence, segment.length, side, conversation, into: output)
            return
        }
        // Its turn: it is read where it is, without what was read before.
        let new = chunk.dropFirst(min(known, chunk.bytes.count))
        let missing = segment.length - max(known, chunk.bytes.count)
        let count = conversation.read(new, fromClient: side == client, mayWait: mayWait, into: output)
        streams[side.rawValue].advance(count)
        guard count == new.bytes.count else {
            let rest = new.dropFirst(count)
            wait(
                rest, next &+ UInt32(truncatingIfNeeded: count), rest.bytes.count + missing, side, conversation,
                into: output)
            return
        }
        conversation.skip(missing, fromClient: side == client, frame: chunk.frame, into: output)
        streams[side.rawValue].advance(missing)
    }

    /// Sets bytes aside until it is their turn.
    private func wait(
        _ chunk: TCPChunk, _ sequence: UInt32, _ length: Int, _ side: Side, _ conversation: USBIPConversation,
        into output: DecodedEvents
    ) {
        let waiting = TCPStream.Waiting(
            sequence: sequence, bytes: chunk.bytes.copy(0..<chunk.bytes.count)[...],
            missing: length - chunk.bytes.count, frame: chunk.frame, place: chunk.place)
        if streams[side.rawValue].wait(waiting) { return }
        loseMissing(acknowledgedOnly: false, chunk.frame, conversation, into: output)
        if !streams[side.rawValue].wait(waiting) {
            conversation.giveUp("too many bytes wait for others that are missing")
        }
    }

    /// Whether an answer to something unknown may wait: bytes of the client are missing that may come.
    private var mayWait: Bool { streams[client.rawValue].missing > 0 || streams[client.rawValue].hasGap }

    /// Reads what has waited, as far as its turn has come.
    private func drain(_ side: Side, _ conversation: USBIPConversation, into output: DecodedEvents) {
        while conversation.trouble == nil, var waiting = streams[side.rawValue].takeWaiting() {
            let count = unsafe waiting.bytes.withUnsafeBytes {
                let chunk = TCPChunk(
                    bytes: unsafe ByteView($0), frame: waiting.frame, place: waiting.place, isInPacket: false)
                return conversation.read(chunk, fromClient: side == client, mayWait: mayWait, into: output)
            }
            let isRead = count == waiting.bytes.count
            let missing = isRead ? waiting.missing : 0
            conversation.skip(missing, fromClient: side == client, frame: waiting.frame, into: output)
            streams[side.rawValue].advance(count + missing)
            guard !isRead else { continue }
            waiting.dropFirst(count)
            streams[side.rawValue].putBack(waiting)
            return
        }
    }

    /// Goes on without bytes that are missing; false when none are.
    @discardableResult
    private func loseMissing(
        acknowledgedOnly: Bool, _ frame: CapturedFrame, _ conversation: USBIPConversation, into output: DecodedEvents
    ) -> Bool {
        for side in [client, client.other] {
            let stream = streams[side.rawValue]
            guard let next = stream.next else { continue }
            let gap = stream.hasGap ? TCPStream.distance(stream.waiting[0].sequence, after: next) : stream.missing
            let isAcknowledged = stream.missing > 0
            guard gap > 0, !acknowledgedOnly || isAcknowledged, stream.hasGap || side == client else { continue }
            conversation.skip(gap, fromClient: side == client, frame: frame, into: output)
            streams[side.rawValue].advance(gap)
            drain(side, conversation, into: output)
            drain(side.other, conversation, into: output)
            return true
        }
        return false
    }
}
