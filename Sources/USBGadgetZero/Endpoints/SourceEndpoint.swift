import USBCore
import USBDeviceKit

/// A bulk or interrupt IN endpoint that fills every transfer to its last byte.
///
/// What every transfer touches are plain numbers and a pointer, which Swift need not guard against overlapping access.
@safe final class SourceEndpoint: EndpointHandler {
    let address: EndpointAddress
    private var transfers: UInt64 = 0
    private var bytes: UInt64 = 0
    /// The pattern's bytes, to be lent; none before the first transfer, and none where each is numbered.
    private var lent = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// Who handles the address instead, in a configuration where it is no source.
    ///
    /// Not a handler that chooses between two: the fastest of all transfers would pay for it.
    var substitute: (any EndpointHandler)?
    private var memory: PatternMemory

    /// Makes a source for packets of `packetField`, `wMaxPacketSize` as it stands.
    init(_ address: EndpointAddress, _ pattern: TestPattern, packetField: UInt16) {
        self.address = address
        memory = PatternMemory(pattern, period: Int(packetField))
    }

    func submit(_ urb: consuming URB) {
        if let substitute { substitute.submit(urb) } else { answer(urb) }
    }

    /// Answers one transfer now.
    private func answer(_ urb: consuming URB) {
        let count = urb.requestedLength
        let number = transfers
        transfers &+= 1
        bytes &+= UInt64(truncatingIfNeeded: count)
        if unsafe lent.count >= count {
            unsafe urb.complete(borrowing: lent)
        } else {
            answer(urb, number)
        }
    }

    /// Answers the first transfer, one that is numbered, or one that is longer than all before it.
    private func answer(_ urb: consuming URB, _ number: UInt64) {
        let count = urb.requestedLength
        memory.grow(toHold: count)
        if memory.pattern != .counter, unsafe memory.bytes.count >= count {
            unsafe lent = memory.bytes
            unsafe urb.complete(borrowing: lent)
            return
        }
        urb.complete(reserving: count) { output in
            unsafe output.withUnsafeMutableBytes { room, initialized in
                if memory.pattern == .counter {
                    unsafe memory.fill(room, numbered: number)
                } else {
                    unsafe memory.fill(room)
                }
                initialized = room.count
            }
            return .success
        }
    }

    func cancel(_ id: URB.ID) -> Bool { substitute?.cancel(id) ?? false }

    func completeAll(_ status: TransferStatus) { substitute?.completeAll(status) }

    /// Counts from 0 again.
    func restart() {
        transfers = 0
        bytes = 0
    }

    /// What has been answered.
    var counts: EndpointCounts {
        var counts = EndpointCounts()
        counts.transfers = transfers
        counts.bytes = bytes
        return counts
    }
}
