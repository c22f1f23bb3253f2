import USBCore
import USBDeviceKit

/// A bulk or interrupt IN endpoint that fills every transfer to its last byte.
final class SourceEndpoint: EndpointHandler {
    let address: EndpointAddress
    private(set) var counts = EndpointCounts()
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
        let number = counts.transfers
        counts.add(bytes: count)
        if unsafe memory.bytes.count < count { memory.grow(toHold: count) }
        if unsafe memory.bytes.count >= count, memory.pattern != .counter {
            unsafe urb.complete(borrowing: memory.bytes)
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
    func restart() { counts = EndpointCounts() }
}
