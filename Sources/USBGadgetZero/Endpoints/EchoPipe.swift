import USBCore
import USBDeviceKit

/// An OUT and an IN endpoint: what comes in by one goes back by the other, in order.
///
/// Each IN transfer is answered with what is left of the oldest OUT transfer, as far as it has room; an empty one comes
/// back empty. What the host does not fetch is kept up to a capacity; beyond that OUT transfers wait, as with a device
/// that answers NAK, and nothing is lost. A transfer larger than the capacity is handed on from where it waits.
final class EchoPipe {
    let output: Output
    let input: Input
    private var store: MessageStore
    private var writes = URBQueue()
    private var reads = URBQueue()
    /// The oldest write that is not stored, of which `passed` bytes have gone back already.
    private var held: URB?
    private var passed = 0
    private var isPumping = false

    /// Makes a pair of endpoints.
    init(output: EndpointAddress, input: EndpointAddress, capacity: Int) {
        self.output = Output(output)
        self.input = Input(input)
        store = MessageStore(capacity: capacity)
        self.output.pipe = self
        self.input.pipe = self
    }

    /// Forgets what the host has not fetched.
    func clear() { store.removeAll() }

    // MARK: Moving

    /// Moves what can be moved.
    ///
    /// Whoever gets a transfer back may submit the next at once: that one is queued, and the loop comes to it.
    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while true {
            if heldLength == nil, let write = writes.popFirst() {
                held = consume write
                passed = 0
            }
            if let room = reads.firstRequestedLength, let available = store.firstLength ?? heldLength {
                answer(min(room, available))
            } else if let length = heldLength, store.hasRoom(for: length) {
                storeHeld()
            } else {
                return
            }
        }
    }

    /// What is left of the held write, in bytes; nil when none is held.
    private var heldLength: Int? {
        guard let length = held?.requestedLength else { return nil }
        return length - passed
    }

    /// Answers the oldest read with `count` bytes of the oldest message.
    private func answer(_ count: Int) {
        guard let read = reads.popFirst() else { return }
        if store.firstLength != nil {
            read.complete(reserving: count) { output in
                unsafe output.withUnsafeMutableBytes { room, initialized in
                    unsafe store.take(into: room)
                    initialized = room.count
                }
                return .success
            }
            return
        }
        read.complete(reserving: count) { output in
            unsafe output.withUnsafeMutableBytes { room, initialized in
                initialized = unsafe pass(into: room)
            }
            return .success
        }
        // Unless a reset or a cancellation took it while the read was given back.
        if heldLength == 0, let write = held.take() { write.accept() }
    }

    /// Copies the next bytes of the held write.
    private func pass(into room: UnsafeMutableRawBufferPointer) -> Int {
        let rest = unsafe heldBytes
        guard room.count <= rest.count else { return 0 }
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<room.count]))
        passed += room.count
        return room.count
    }

    private var heldBytes: UnsafeRawBufferPointer {
        guard let payload = unsafe held?.payload else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        return unsafe UnsafeRawBufferPointer(rebasing: payload.dropFirst(passed))
    }

    private func storeHeld() {
        unsafe store.append(heldBytes)
        if let write = held.take() { write.accept() }
    }

    // MARK: Returning

    private func cancelWrite(_ id: URB.ID) -> Bool {
        if held?.id == id, let write = held.take() {
            write.accept(passed, .cancelled)
        } else if let write = writes.remove(id) {
            write.complete(.cancelled)
        } else {
            return false
        }
        // What waited behind it may fit.
        pump()
        return true
    }

    private func cancelRead(_ id: URB.ID) -> Bool {
        guard let read = reads.remove(id) else { return false }
        read.complete(.cancelled)
        return true
    }

    private func completeWrites(_ status: TransferStatus) {
        // Taken out first: whoever gets a transfer back may submit the next at once.
        var all = URBQueue()
        swap(&all, &writes)
        if let write = held.take() { write.accept(passed, status) }
        all.completeAll(status)
    }

    private func completeReads(_ status: TransferStatus) {
        var all = URBQueue()
        swap(&all, &reads)
        all.completeAll(status)
    }

    /// The endpoint that receives.
    final class Output: EndpointHandler {
        let address: EndpointAddress
        fileprivate weak var pipe: EchoPipe?

        fileprivate init(_ address: EndpointAddress) { self.address = address }

        func submit(_ urb: consuming URB) {
            guard let pipe else { return urb.stall() }
            pipe.writes.append(urb)
            pipe.pump()
        }

        func cancel(_ id: URB.ID) -> Bool { pipe?.cancelWrite(id) ?? false }

        func completeAll(_ status: TransferStatus) { pipe?.completeWrites(status) }
    }

    /// The endpoint that sends.
    final class Input: EndpointHandler {
        let address: EndpointAddress
        fileprivate weak var pipe: EchoPipe?

        fileprivate init(_ address: EndpointAddress) { self.address = address }

        func submit(_ urb: consuming URB) {
            guard let pipe else { return urb.stall() }
            pipe.reads.append(urb)
            pipe.pump()
        }

        func cancel(_ id: URB.ID) -> Bool { pipe?.cancelRead(id) ?? false }

        func completeAll(_ status: TransferStatus) { pipe?.completeReads(status) }
    }
}
