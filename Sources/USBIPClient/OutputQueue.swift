/// What a session has to send, in order: small things copied together, large payloads where they are.
///
/// Two batches, so that one can be sent while the other is filled.
@safe struct OutputQueue: ~Copyable {
    /// A payload that is sent from the transfer's own memory.
    @unsafe private struct Insertion {
        /// Where it belongs among the batch's bytes.
        var place: Int
        var memory: UnsafeMutableRawPointer
        var count: Int
        var slot: UnsafeMutablePointer<TransferSlot>
    }

    @safe private struct Batch: ~Copyable {
        private(set) var bytes: UnsafeMutableRawPointer
        private(set) var capacity: Int
        var used = 0
        var insertions: [Insertion] = unsafe []

        static var initialCapacity: Int { 64 << 10 }
        /// A batch that has grown beyond this is not kept at its size.
        static var worthKeeping: Int { 4 << 20 }

        init() {
            capacity = Self.initialCapacity
            unsafe bytes = .allocate(byteCount: capacity, alignment: 16)
        }

        deinit { unsafe bytes.deallocate() }

        mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
            if used + count > capacity {
                capacity = max(capacity * 2, used + count)
                let fresh = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
                unsafe fresh.copyMemory(from: bytes, byteCount: used)
                unsafe bytes.deallocate()
                unsafe bytes = fresh
            }
            defer { used += count }
            return unsafe bytes + used
        }

        mutating func clear() {
            used = 0
            unsafe insertions.removeAll(keepingCapacity: true)
            guard capacity > Self.worthKeeping else { return }
            unsafe bytes.deallocate()
            capacity = Self.initialCapacity
            unsafe bytes = .allocate(byteCount: capacity, alignment: 16)
        }
    }

    private var filling = Batch()
    private var sending = Batch()
    /// How much of the batch that is being sent is gone, its insertions not counted.
    private var sent = 0
    private var nextInsertion = 0
    private var sentOfInsertion = 0
    /// The bytes that have not been sent.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// The next `count` bytes, which the caller fills in.
    mutating func room(_ count: Int) -> UnsafeMutableRawPointer {
        self.count += count
        return unsafe filling.room(count)
    }

    /// Puts a payload next, which stays in `slot`; the caller has pinned it.
    mutating func insert(_ memory: UnsafeMutableRawPointer, _ count: Int, of slot: UnsafeMutablePointer<TransferSlot>) {
        self.count += count
        unsafe filling.insertions.append(Insertion(place: filling.used, memory: memory, count: count, slot: slot))
    }

    /// What is to be sent next: two parts, of which either may be empty.
    ///
    /// Valid until ``advance(_:)``, whatever is added meanwhile.
    mutating func parts() -> (UnsafeRawBufferPointer, UnsafeRawBufferPointer) {
        if unsafe sent == sending.used && nextInsertion == sending.insertions.count {
            sending.clear()
            sent = 0
            nextInsertion = 0
            swap(&filling, &sending)
        }
        guard unsafe nextInsertion < sending.insertions.count else {
            return unsafe (
                UnsafeRawBufferPointer(start: sending.bytes + sent, count: sending.used - sent),
                UnsafeRawBufferPointer(start: nil, count: 0)
            )
        }
        let insertion = unsafe sending.insertions[nextInsertion]
        return unsafe (
            UnsafeRawBufferPointer(start: sending.bytes + sent, count: insertion.place - sent),
            UnsafeRawBufferPointer(
                start: insertion.memory + sentOfInsertion, count: insertion.count - sentOfInsertion)
        )
    }

    /// `count` bytes of the parts have been sent.
    ///
    /// - Returns: the transfer whose payload is now gone and is to be unpinned.
    mutating func advance(_ count: Int) -> UnsafeMutablePointer<TransferSlot>? {
        self.count -= count
        guard unsafe nextInsertion < sending.insertions.count else {
            sent += count
            return nil
        }
        let insertion = unsafe sending.insertions[nextInsertion]
        let before = unsafe min(count, insertion.place - sent)
        sent += before
        sentOfInsertion += count - before
        guard unsafe sentOfInsertion == insertion.count else { return nil }
        sentOfInsertion = 0
        nextInsertion += 1
        return unsafe insertion.slot
    }
}
