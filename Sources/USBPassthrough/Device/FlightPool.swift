import CLibUSB

/// Flights that are idle, with their buffers, so that a transfer costs no allocation.
///
/// Confined to the device's executor.
final class FlightPool {
    private let libusb: LibUSBFunctions
    private let mailbox: Mailbox
    private var idle: Flight?
    /// Isochronous ones, whose packets are part of the allocation.
    private var idlePackets: [Flight] = []
    private var idleCount = 0
    private var idleBytes = 0
    /// More than this is not kept while idle.
    private static let countWorthKeeping = 256
    private static let bytesWorthKeeping = 16 << 20
    private static let packetFlightsWorthKeeping = 64
    private static let packetBytesWorthKeeping = 256 << 10

    init(_ libusb: LibUSBFunctions, _ mailbox: Mailbox) {
        self.libusb = libusb
        self.mailbox = mailbox
    }

    deinit {
        while let flight = idle {
            idle = flight.next
            free(flight)
        }
        idlePackets.forEach(free)
    }

    private func free(_ flight: Flight) {
        flight.next = nil
        unsafe libusb.freeTransfer(flight.transfer)
    }

    /// A flight with room for so many bytes and isochronous packets; nil without memory.
    func take(bytes: Int, packets: Int) -> Flight? {
        guard let flight = packets == 0 ? takePlain() : takeWithPackets(packets) else { return nil }
        guard flight.makeRoom(bytes) else {
            put(flight)
            return nil
        }
        return flight
    }

    private func takePlain() -> Flight? {
        guard let flight = idle else { return make(packets: 0) }
        idle = flight.next
        flight.next = nil
        idleCount -= 1
        idleBytes -= flight.capacity
        return flight
    }

    private func takeWithPackets(_ packets: Int) -> Flight? {
        if let index = idlePackets.lastIndex(where: { $0.packetCapacity >= packets }) {
            return idlePackets.remove(at: index)
        }
        // By steps, so that a stream whose transfers differ a little finds them again.
        return make(packets: (packets + 15) & ~15)
    }

    private func make(packets: Int) -> Flight? {
        guard let transfer = unsafe libusb.allocateTransfer(Int32(clamping: packets)) else { return nil }
        return unsafe Flight(transfer, packetCapacity: packets, mailbox: mailbox)
    }

    /// Takes back a flight that carries nothing.
    func put(_ flight: Flight) {
        guard flight.packetCapacity == 0 else {
            if flight.capacity > Self.packetBytesWorthKeeping { flight.dropBuffer() }
            if idlePackets.count < Self.packetFlightsWorthKeeping { idlePackets.append(flight) } else { free(flight) }
            return
        }
        guard idleCount < Self.countWorthKeeping else {
            free(flight)
            return
        }
        if idleBytes + flight.capacity > Self.bytesWorthKeeping { flight.dropBuffer() }
        idleBytes += flight.capacity
        idleCount += 1
        flight.next = idle
        idle = flight
    }
}
