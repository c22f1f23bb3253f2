public import USBCore

/// Transfers that wait, first in, first out.
///
/// The queue threads through the transfers' own slots, so that parking one costs no allocation. A queue that goes away
/// drops what it holds, which answers each with ``TransferStatus/abandoned``.
@safe public struct URBQueue: ~Copyable {
    private var head: UnsafeMutablePointer<URBSlot>?
    private var tail: UnsafeMutablePointer<URBSlot>?

    /// Makes an empty queue.
    public init() {}

    deinit {
        var next = unsafe head
        while let slot = unsafe next {
            unsafe next = slot.pointee.next
            unsafe slot.pointee.next = nil
            _ = unsafe URB(slot)
        }
    }

    /// Whether nothing waits.
    public var isEmpty: Bool { unsafe head == nil }

    /// The length of the transfer that has waited longest; nil when nothing waits.
    public var firstRequestedLength: Int? { unsafe head?.pointee.requestedLength }

    /// The name of the transfer that has waited longest; nil when nothing waits.
    public var firstID: URB.ID? { unsafe head?.pointee.id }

    /// Lends the transfer that has waited longest; nil when nothing waits.
    func withFirst<R>(_ body: (borrowing URB) -> R) -> R? { unsafe Self.lend(head, body) }

    /// Lends the transfer that was added last; nil when nothing waits.
    func withLast<R>(_ body: (borrowing URB) -> R) -> R? { unsafe Self.lend(tail, body) }

    private static func lend<R>(_ slot: UnsafeMutablePointer<URBSlot>?, _ body: (borrowing URB) -> R) -> R? {
        guard let slot = unsafe slot else { return nil }
        let urb = unsafe URB(slot)
        let result = body(urb)
        _ = unsafe urb.release()
        return result
    }

    /// Adds a transfer at the end.
    public mutating func append(_ urb: consuming URB) {
        let slot = unsafe urb.release()
        unsafe slot.pointee.next = nil
        if let tail = unsafe tail { unsafe tail.pointee.next = slot } else { unsafe head = slot }
        unsafe tail = slot
    }

    /// Takes the transfer that has waited longest.
    public mutating func popFirst() -> URB? {
        guard let slot = unsafe head else { return nil }
        unsafe head = slot.pointee.next
        if unsafe head == nil { unsafe tail = nil }
        unsafe slot.pointee.next = nil
        return unsafe URB(slot)
    }

    /// Takes the transfer of the given name out of the middle.
    ///
    /// - Complexity: O(*n*) in the transfers that wait.
    public mutating func remove(_ id: URB.ID) -> URB? {
        var previous: UnsafeMutablePointer<URBSlot>?
        var next = unsafe head
        while let slot = unsafe next {
            if unsafe slot.pointee.id == id {
                if let previous = unsafe previous {
                    unsafe previous.pointee.next = slot.pointee.next
                } else {
                    unsafe head = slot.pointee.next
                }
                if unsafe tail == slot { unsafe tail = previous }
                unsafe slot.pointee.next = nil
                return unsafe URB(slot)
            }
            unsafe previous = slot
            unsafe next = slot.pointee.next
        }
        return nil
    }

    /// Gives every transfer back with `status`, oldest first.
    ///
    /// Only those that wait now: what is added meanwhile stays.
    public mutating func completeAll(_ status: TransferStatus) {
        var waiting = URBQueue()
        swap(&waiting, &self)
        while let urb = waiting.popFirst() { urb.complete(status) }
    }
}
