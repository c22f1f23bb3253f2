import Glibc
import USBCore
import USBIPWire

/// A transfer's place in a session, used again and again.
///
/// Its address does not change. Whoever holds the session's lock may touch it; while it is ``State/completed`` all but
/// ``isCancelRequested`` and ``pins`` belong to the reader.
@unsafe struct TransferSlot {
    enum State {
        case free
        case inFlight
        /// Answered, and on its way through its handler.
        case completed
        /// Given back, but its payload is still being sent.
        case retiring
    }

    let index: UInt32
    var generation: UInt32 = 0
    var state = State.free
    /// How often its payload stands in the output.
    var pins = 0
    /// The command, whose sequence number is set at each submit.
    var command = SubmitCommand(sequence: 0, deviceID: 0, direction: 0, endpoint: 0)
    /// The sequence number of the unlink that is under way; 0 where there is none.
    var unlink: UInt32 = 0
    var isCancelRequested = false
    var handler: TransferHandler?
    /// What the handler said last.
    var next = TransferStep.done
    /// Whether this completion is the last, whatever the handler says.
    var isFinal = false

    /// The payload (OUT), or where a large answer lands (IN).
    var memory: UnsafeMutableRawPointer?
    var capacity = 0
    /// The packets as they were asked for, then as they were answered.
    var packets: [PacketDescriptor] = []
    var results: [IsochronousResult] = []

    // The outcome.
    var status = TransferStatus.success
    var actualLength = 0
    var startFrame: Int32 = 0
    var errorCount: Int32 = 0
    /// What the device sent: in the reader's buffer, or in `memory`.
    var data: UnsafeRawPointer?
    var error: HostError?

    init(index: UInt32) { unsafe self.index = index }

    var isIn: Bool { unsafe command.direction == 1 }
    var length: Int { unsafe Int(command.length) }
    var endpoint: EndpointAddress {
        let number = unsafe UInt8(truncatingIfNeeded: command.endpoint)
        return unsafe isIn ? .in(number) : .out(number)
    }
    var id: TransferID { unsafe TransferID(slot: index, generation: generation) }

    /// Makes sure of `count` bytes of memory, whose contents mean nothing.
    mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if let memory = unsafe memory, unsafe count <= capacity { return unsafe memory }
        unsafe free(memory)
        let size = max(4096, (count + 4095) & ~4095)
        // Sizes are bounded by what this side asked for, and Linux overcommits.
        guard let fresh = unsafe malloc(size) else { preconditionFailure("no memory for a transfer of \(count) bytes") }
        unsafe memory = fresh
        unsafe capacity = size
        return unsafe fresh
    }

    mutating func freeMemory() {
        unsafe free(memory)
        unsafe memory = nil
        unsafe capacity = 0
    }
}

/// The slots of a session.
@safe struct SlotPool: ~Copyable {
    private var all: [UnsafeMutablePointer<TransferSlot>] = unsafe []
    private var free: [UnsafeMutablePointer<TransferSlot>] = unsafe []
    /// The memory that free slots keep.
    private var keptBytes = 0
    /// The most memory that free slots keep together.
    static var worthKeeping: Int { 32 << 20 }

    init() {}

    deinit {
        for index in unsafe all.indices {
            let slot = unsafe all[index]
            unsafe slot.pointee.freeMemory()
            unsafe slot.deinitialize(count: 1)
            unsafe slot.deallocate()
        }
    }

    /// How many slots are in use.
    var used: Int { unsafe all.count - free.count }

    mutating func take() -> UnsafeMutablePointer<TransferSlot> {
        if let slot = unsafe free.popLast() {
            unsafe keptBytes -= slot.pointee.capacity
            return unsafe slot
        }
        let slot = UnsafeMutablePointer<TransferSlot>.allocate(capacity: 1)
        unsafe slot.initialize(to: TransferSlot(index: UInt32(truncatingIfNeeded: all.count)))
        unsafe all.append(slot)
        return unsafe slot
    }

    mutating func give(_ slot: UnsafeMutablePointer<TransferSlot>) {
        unsafe slot.pointee.state = .free
        unsafe slot.pointee.generation &+= 1
        unsafe slot.pointee.data = nil
        unsafe slot.pointee.error = nil
        unsafe slot.pointee.packets.removeAll(keepingCapacity: true)
        unsafe slot.pointee.results.removeAll(keepingCapacity: true)
        if unsafe keptBytes + slot.pointee.capacity > Self.worthKeeping { unsafe slot.pointee.freeMemory() }
        unsafe keptBytes += slot.pointee.capacity
        unsafe free.append(slot)
    }

    subscript(index: UInt32) -> UnsafeMutablePointer<TransferSlot>? {
        unsafe Int(index) < all.count ? all[Int(index)] : nil
    }

    /// The transfers that wait for an answer, oldest first.
    var inFlight: [UnsafeMutablePointer<TransferSlot>] {
        unsafe all.filter { unsafe $0.pointee.state == .inFlight }
            .sorted { unsafe $0.pointee.command.sequence < $1.pointee.command.sequence }
    }
}
