import Synchronization
import USBCapture

/// Where records wait for being written: blocks of a fixed size and number, so that nobody ever waits for the file.
///
/// Room is taken under a lock, together with the time, so that a file's times never go back; encoding and copying happen
/// outside of it. When no block is free, a record is dropped and counted.
final class RecordBuffer: Sendable {
    /// Room for one record.
    @safe struct Room {
        let memory: UnsafeMutableRawPointer
        let block: RecordBlock
        /// Nanoseconds since 1970.
        let time: Int64
        /// Options for the packet: what to say of those that were dropped before it.
        let options: [UInt8]
    }

    /// What has come of an interface's records.
    struct Counts {
        var recorded: UInt64 = 0
        var dropped: UInt64 = 0
        /// Dropped since the last one that was not.
        var gap: UInt64 = 0
        /// When the first and the last were dropped.
        var dropTimes: ClosedRange<Int64>?
        /// What else is to be said of the interface; at most 100.
        var notes: [String] = []
    }

    private struct State {
        var current: RecordBlock?
        var free: [RecordBlock] = []
        var full: [RecordBlock] = []
        /// Bytes of large blocks that are not written yet.
        var largeBytes = 0
        var channels: [Counts] = []
        var isOpen = true
        /// Whether the thread that writes waits until there is something, and has to be told.
        var isWriterIdle = false
        /// Records that were encoded and cannot be written.
        var lost: UInt64 = 0

        mutating func seal() {
            guard let block = current else { return }
            if block.fill > 0 { full.append(block) } else if !block.isLarge { free.append(block) }
            current = nil
        }
    }

    private let limits: CaptureLimits
    private let state: Mutex<State>
    private let clock = RecordingClock()
    /// Tells the thread that writes that there is something to do.
    private let news: @Sendable () -> Void

    /// - Parameter news: wakes the thread that writes.
    init(_ limits: CaptureLimits, news: @escaping @Sendable () -> Void) {
        self.limits = limits
        self.news = news
        var first = State()
        // The block that was used last is used next: it is in the processor's cache.
        first.free = (0..<limits.blockCount).map { _ in RecordBlock(capacity: limits.blockSize) }
        state = Mutex(first)
    }

    /// Nanoseconds since 1970.
    var now: Int64 { clock.now }

    // MARK: Whoever records

    /// Room for a record; nil when it is dropped.
    ///
    /// - Parameters:
    ///   - count: the packet's bytes.
    ///   - isEnd: whether it is the end of a transfer whose beginning was recorded. Some blocks are kept for those, so
    ///     that what is recorded can be paired.
    func takeRoom(for count: Int, channel: Int, isEnd: Bool) -> Room? {
        var wakes = false
        let room = state.withLock { state -> Room? in
            guard state.isOpen else { return nil }
            let time = clock.now
            let gap = state.channels[channel].gap
            let options = gap == 0 ? [] : Self.gapOptions(gap)
            let size = PcapNGEncoder.packetSize(count, options: options.count)
            guard let block = block(for: size, isEnd: isEnd, &state, &wakes) else {
                // With the beginning of a transfer its end is not recorded, either.
                state.channels[channel].drop(isEnd ? 1 : 2, at: time)
                return nil
            }
            if state.isWriterIdle {
                state.isWriterIdle = false
                wakes = true
            }
            block.records &+= 1
            state.channels[channel].recorded &+= 1
            if gap > 0 { state.channels[channel].gap = 0 }
            return unsafe Room(memory: block.take(size), block: block, time: time, options: options)
        }
        if wakes { news() }
        return room
    }

    private static func gapOptions(_ count: UInt64) -> [UInt8] {
        PcapNGEncoder.gap(count, comment: "\(count) records were dropped before this one: \(CaptureLimits.why)")
    }

    private func block(for size: Int, isEnd: Bool, _ state: inout State, _ wakes: inout Bool) -> RecordBlock? {
        // A beginning that leaves no room for its end is worth nothing.
        guard isEnd || state.free.count > limits.blockCount / 4 else { return nil }
        if let block = state.current, block.capacity - block.fill >= size { return block }
        let next: RecordBlock
        if size > limits.blockSize {
            guard state.largeBytes + size <= limits.largeBytes else { return nil }
            next = RecordBlock(capacity: size, isLarge: true)
            state.largeBytes += size
        } else {
            guard let block = state.free.popLast() else { return nil }
            next = block
        }
        state.seal()
        state.current = next
        wakes = true
        return next
    }

    /// Adds an interface, and the block that declares it, which is never dropped.
    ///
    /// - Parameter encode: makes the block of an interface's number.
    /// - Returns: the number; -1 when nothing is recorded any more.
    func addChannel(_ encode: (Int) -> [UInt8]) -> Int {
        let index = state.withLock { state in
            guard state.isOpen else { return -1 }
            let index = state.channels.count
            state.channels.append(Counts())
            append(encode(index), &state)
            state.current?.interfaces += 1
            return index
        }
        news()
        return index
    }

    /// Adds bytes that a file must have.
    func append(_ bytes: [UInt8]) {
        state.withLock { append(bytes, &$0) }
        news()
    }

    private func append(_ bytes: [UInt8], _ state: inout State) {
        guard state.isOpen, !bytes.isEmpty else { return }
        var wakes = false
        let block: RecordBlock
        if let found = self.block(for: bytes.count, isEnd: true, &state, &wakes) {
            block = found
        } else {
            block = RecordBlock(capacity: bytes.count, isLarge: true)
            state.largeBytes += bytes.count
            state.seal()
            state.current = block
        }
        unsafe UnsafeMutableRawBufferPointer(start: block.take(bytes.count), count: bytes.count)
            .copyBytes(from: bytes)
        block.finish()
    }

    /// Keeps something to be said of an interface at the end.
    func note(_ text: String, channel: Int) {
        state.withLock { state in
            if state.channels.indices.contains(channel), state.channels[channel].notes.count < 100 {
                state.channels[channel].notes.append(text)
            }
        }
    }

    /// Whether records are still taken.
    var isOpen: Bool { state.withLock { $0.isOpen } }

    // MARK: Whoever writes

    /// What the thread that writes is to do.
    enum Step {
        case write(RecordBlock)
        /// Wait for news; for a moment only when there is something that could be written.
        case wait(isIdle: Bool)
        case end
    }

    /// The next step.
    ///
    /// - Parameter isPatient: whether to wait for blocks to fill, rather than to write what there is.
    func next(isPatient: Bool) -> Step {
        state.withLock { state in
            if !isPatient || !state.isOpen, state.full.isEmpty { state.seal() }
            if !state.full.isEmpty { return .write(state.full.removeFirst()) }
            guard state.isOpen else { return .end }
            state.isWriterIdle = (state.current?.fill ?? 0) == 0
            return .wait(isIdle: state.isWriterIdle)
        }
    }

    /// Takes a block back that has been written.
    func recycle(_ block: RecordBlock) {
        state.withLock { state in
            guard !block.isLarge else {
                state.largeBytes -= block.capacity
                return
            }
            block.fill = 0
            block.records = 0
            block.interfaces = 0
            state.free.append(block)
        }
    }

    /// Takes no more records.
    func close() {
        state.withLock { $0.isOpen = false }
        news()
    }

    /// Takes no more records, and forgets those that are not written: they cannot be.
    ///
    /// - Parameters:
    ///   - block: the one that could not be written.
    ///   - written: how many of its records were, all the same.
    func fail(_ block: RecordBlock, written: UInt64) {
        state.withLock { state in
            state.isOpen = false
            state.seal()
            state.lost &+= block.records &- min(block.records, written)
            for block in state.full { state.lost &+= block.records }
            state.full = []
        }
    }

    /// What has come of each interface's records, and how many of all of them could not be written.
    var counts: (channels: [Counts], lost: UInt64) { state.withLock { ($0.channels, $0.lost) } }

    /// Whether a record has been dropped.
    var hasDropped: Bool { state.withLock { $0.channels.contains { $0.dropped > 0 } } }
}

extension RecordBuffer.Counts {
    fileprivate mutating func drop(_ count: UInt64, at time: Int64) {
        dropped &+= count
        gap &+= count
        dropTimes = min(dropTimes?.lowerBound ?? time, time)...time
    }
}
