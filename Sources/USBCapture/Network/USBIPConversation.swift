import USBCore
import USBIPWire

/// A connection that speaks USB/IP: what both ends say becomes events.
///
/// Sizes of answers follow from the requests, so both directions are read together. The layouts are those of
/// `USBIPWire`.
final class USBIPConversation {
    /// A transfer that has not ended.
    struct Pending {
        /// The bytes that the client sends or has room for.
        var length: Int
        /// The isochronous packets.
        var packetCount: Int
        /// The endpoint.
        var endpoint: EndpointAddress
        /// How it moves data.
        var type: TransferType
        /// Whether it asks for a configuration descriptor.
        var isConfigurationRequest: Bool
    }

    /// The most bytes that follow one header.
    static let maximumBody = 64 << 20
    /// The most transfers that have not ended.
    static let maximumPending = 65_536

    /// The connection's number, from 1 among those that speak USB/IP.
    let number: Int
    /// See ``CapturedEvent/channel``.
    var channel: Int { USBIPChannel.ofConnection(number) }
    /// Why it cannot be read any further.
    private(set) var trouble: String?
    /// Bytes that were not captured, or could not be made sense of.
    var lostBytes: Int64 = 0

    let client = USBIPLane(isClient: true)
    let server = USBIPLane(isClient: false)
    /// The device, as transfers name it; nil until one did.
    var deviceID: UInt32?
    var lastSequence: UInt32?
    var pending: [UInt32: Pending] = [:]
    /// The transfer each unlink is to take back.
    var unlinks: [UInt32: UInt32] = [:]
    var endpoints = EndpointTypes()

    /// Begins.
    ///
    /// - Parameters:
    ///   - number: the connection's number.
    ///   - hasBeginning: whether the connection's first bytes were captured.
    init(number: Int, hasBeginning: Bool) {
        self.number = number
        guard !hasBeginning else { return }
        for lane in [client, server] {
            lane.isIncomplete = true
            lane.expectation = .anything
        }
    }

    /// Bytes kept in memory.
    var bufferedBytes: Int { client.buffer.count + server.buffer.count }

    /// Gives up.
    func giveUp(_ reason: String) {
        guard trouble == nil else { return }
        trouble = reason
        client.buffer = []
        server.buffer = []
        pending = [:]
        unlinks = [:]
    }

    // MARK: - Bytes

    /// Reads what one end sent.
    ///
    /// - Parameters:
    ///   - mayWait: whether bytes of the client are missing that may come later: then an answer to a request that was
    ///     not seen waits.
    /// - Returns: how many bytes were read; fewer than there are when the rest has to wait.
    func read(_ chunk: TCPChunk, fromClient: Bool, mayWait: Bool, into output: DecodedEvents) -> Int {
        let lane = fromClient ? client : server
        let count = chunk.bytes.count
        var position = 0
        while trouble == nil {
            if case .anything = lane.expectation {
                guard let found = search(chunk, from: position, lane) else { return count }
                position = found
                continue
            }
            let needed = lane.needed
            let isAccepted: Bool
            if lane.buffer.isEmpty {
                guard position < count else { return position }
                guard count - position >= needed else {
                    lane.buffer = chunk.bytes.copy(position..<count)
                    return count
                }
                let part = USBIPPart(
                    bytes: chunk.bytes[position..<position + needed], chunk: chunk.dropFirst(position),
                    frame: chunk.frame)
                isAccepted = take(part, lane, mayWait: mayWait, into: output)
                if isAccepted { position += needed }
            } else {
                let missing = max(0, min(needed - lane.buffer.count, count - position))
                lane.buffer += chunk.bytes.copy(position..<position + missing)
                position += missing
                guard lane.buffer.count >= needed else { return position }
                let whole = lane.buffer
                lane.buffer = []
                isAccepted = unsafe whole.withUnsafeBytes {
                    let part = USBIPPart(bytes: unsafe ByteView($0), chunk: nil, frame: chunk.frame)
                    return take(part, lane, mayWait: mayWait, into: output)
                }
                if !isAccepted { lane.buffer = whole }
            }
            if !isAccepted { return position }
        }
        return count
    }

    /// Bytes of one end were not captured.
    ///
    /// Inside a transfer's data that only cuts it; elsewhere what is said next has to be found again.
    func skip(_ count: Int, fromClient: Bool, frame: CapturedFrame, into output: DecodedEvents) {
        guard trouble == nil, count > 0 else { return }
        lostBytes += Int64(count)
        let lane = fromClient ? client : server
        if case .body(var body) = lane.expectation {
            let have = lane.buffer.count
            let isInData = have + count <= body.dataLength
            let isToEnd = body.length == body.dataLength
            switch body.content {
            case .submission, .completion:
                guard isInData || isToEnd else { break }
                body.intact = min(body.intact, have)
                lane.expectation = .body(body)
                lane.buffer += [UInt8](repeating: 0, count: min(count, body.length - have))
                if lane.buffer.count == body.length {
                    let whole = lane.buffer
                    lane.buffer = []
                    unsafe whole.withUnsafeBytes {
                        let part = USBIPPart(bytes: unsafe ByteView($0), chunk: nil, frame: frame)
                        _ = take(part, lane, mayWait: false, into: output)
                    }
                }
                if isInData { return }
            default: break
            }
        }
        lane.isIncomplete = true
        lane.expectation = .anything
        lane.buffer = []
    }

    // MARK: - What was said

    /// Takes what was expected; false when it has to wait.
    private func take(_ part: USBIPPart, _ lane: USBIPLane, mayWait: Bool, into output: DecodedEvents) -> Bool {
        switch lane.expectation {
        case .beginning:
            if part.bytes.big16(0) == 0 {
                // A transfer's header: commands are small numbers.
                lane.expectation = .header
                lane.buffer = part.bytes.copy(0..<part.bytes.count)
            } else {
                takeOp(part, lane)
            }
        case .header:
            return lane.isClient
                ? takeCommand(part, into: output) : takeReturn(part, mayWait: mayWait, into: output)
        case .body(let body):
            lane.expectation = .header
            switch body.content {
            case .submission(let command): emitSubmission(command, body, part, into: output)
            case .completion(let result, let transfer): emitCompletion(result, transfer, body, part, into: output)
            default: takeOpBody(body, part, lane, into: output)
            }
        case .anything: break
        }
        return true
    }

    /// Expects what follows a header; at once when nothing does.
    func expect(
        _ content: USBIPLane.Content, _ length: Int, dataLength: Int = 0,
        after part: USBIPPart, _ lane: USBIPLane, into output: DecodedEvents? = nil
    ) {
        let body = USBIPLane.Body(length: length, dataLength: dataLength, content: content, frame: part.frame)
        lane.expectation = .body(body)
        guard length == 0, let output else { return }
        let nothing = USBIPPart(bytes: part.bytes[0..<0], chunk: nil, frame: part.frame)
        _ = take(nothing, lane, mayWait: false, into: output)
    }
}
