/// Bytes of a connection as they were captured in one packet.
struct TCPChunk {
    /// The bytes.
    var bytes: ByteView
    /// The packet that has them.
    var frame: CapturedFrame
    /// Where in that packet they begin.
    var place: Int
    /// Whether that packet is the one being decoded, so that its bytes need not be copied.
    var isInPacket: Bool

    /// Where in the file they begin.
    var fileOffset: Int64 { frame.bytesOffset &+ Int64(place) }

    /// What remains after the first bytes.
    func dropFirst(_ count: Int) -> TCPChunk {
        TCPChunk(
            bytes: bytes[min(count, bytes.count)..<bytes.count], frame: frame, place: place + count,
            isInPacket: isInPacket)
    }
}

/// One direction of a connection: which byte comes next, and what came too early.
struct TCPStream {
    /// A segment that has to wait.
    struct Waiting {
        /// The number of its first byte.
        var sequence: UInt32
        /// The bytes that were captured.
        var bytes: ArraySlice<UInt8>
        /// How many more there were that were not.
        var missing: Int
        /// The packet.
        var frame: CapturedFrame
        /// Where in the packet `bytes` begin.
        var place: Int

        /// Whether it has nothing.
        var isEmpty: Bool { bytes.isEmpty && missing == 0 }

        /// Takes away what begins it.
        mutating func dropFirst(_ count: Int) {
            let captured = min(count, bytes.count)
            bytes = bytes.dropFirst(captured)
            missing = max(0, missing - (count - captured))
            place += captured
            sequence &+= UInt32(truncatingIfNeeded: count)
        }
    }

    /// The most bytes that wait in one direction.
    static let maximumWaitingBytes = 16 << 20
    /// The most segments that wait in one direction.
    static let maximumWaiting = 4096

    /// The number of the next byte; nil until anything was seen.
    var next: UInt32?
    /// The number of the very first byte, where the beginning was seen.
    var first: UInt32?
    /// Whether the beginning of the connection was seen.
    var hasBeginning = false
    /// What the other end says it has received up to.
    var acknowledged: UInt32?
    /// The number after the last byte; nil until it is known.
    var end: UInt32?
    /// What came too early, or cannot be read yet, in order.
    private(set) var waiting: [Waiting] = []
    /// Bytes in it.
    private(set) var waitingBytes = 0

    /// How far `one` is after `other`, of numbers that wrap.
    static func distance(_ one: UInt32, after other: UInt32) -> Int {
        Int(Int32(bitPattern: one &- other))
    }

    /// Bytes that the other end received, but that are not here.
    var missing: Int {
        guard let next, let acknowledged else { return 0 }
        var missing = Self.distance(acknowledged, after: next)
        // The end itself counts as one byte.
        if let end, acknowledged == end &+ 1 { missing -= 1 }
        return max(0, missing)
    }

    /// Whether everything up to the end was read.
    var isAtEnd: Bool { end != nil && end == next }

    /// Whether something waits for bytes that are not here.
    var hasGap: Bool {
        guard let next, let first = waiting.first else { return false }
        return Self.distance(first.sequence, after: next) > 0
    }

    /// Goes past bytes.
    mutating func advance(_ count: Int) {
        next? &+= UInt32(truncatingIfNeeded: count)
    }

    /// Sets a segment aside in its place; false when there is no room.
    mutating func wait(_ segment: Waiting) -> Bool {
        guard waiting.count < Self.maximumWaiting, waitingBytes + segment.bytes.count <= Self.maximumWaitingBytes
        else { return false }
        let index =
            waiting.lastIndex { Self.distance($0.sequence, after: segment.sequence) <= 0 }.map { $0 + 1 } ?? 0
        if index > 0, waiting[index - 1].sequence == segment.sequence,
            waiting[index - 1].bytes.count >= segment.bytes.count
        {
            return true
        }
        waiting.insert(segment, at: index)
        waitingBytes += segment.bytes.count
        return true
    }

    /// Takes the first segment that waits, if its turn has come, without what was read already.
    mutating func takeWaiting() -> Waiting? {
        guard let next else { return nil }
        while let first = waiting.first {
            let early = Self.distance(first.sequence, after: next)
            guard early <= 0 else { return nil }
            waiting.removeFirst()
            waitingBytes -= first.bytes.count
            var segment = first
            segment.dropFirst(min(-early, segment.bytes.count + segment.missing))
            if !segment.isEmpty { return segment }
        }
        return nil
    }

    /// Puts back what could not be read yet.
    mutating func putBack(_ segment: Waiting) {
        waiting.insert(segment, at: 0)
        waitingBytes += segment.bytes.count
    }

    /// Forgets what waits.
    mutating func removeWaiting() {
        waiting = []
        waitingBytes = 0
    }
}
