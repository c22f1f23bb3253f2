import CLibUSB

/// Flights that are idle, with their buffers, so that a transfer costs no allocation.
///
/// Confined to the device's executor.
final class FlightPool {
    private let libusb: LibUSBFunctions
    private let connection: LibUSBFunctions.Connection
    private let mailbox: Mailbox
    /// Those with small buffers; threaded through themselves.
    private var idle: Flight?
    private var idleCount = 0
    /// Those with large buffers, the last used last.
    private var large: [Flight] = []
    private var largeBytes = 0
    /// Isochronous ones, whose packets are part of the allocation.
    private var isochronous: [Flight] = []
    /// The bytes of all buffers that the kernel shares, idle or not.
    private var sharedBytes = 0

    /// Buffers up to this size are small.
    private static let smallBytes = 4096
    /// More than this is not kept while idle.
    private static let countWorthKeeping = 256
    private static let bytesWorthKeeping = 16 << 20
    private static let packetFlightsWorthKeeping = 64
    private static let packetBytesWorthKeeping = 256 << 10
    /// The most that is shared with the kernel: a part of what it has for all programs together.
    private static let sharedBytesLimit = 4 << 20

    init(_ libusb: LibUSBFunctions, _ connection: LibUSBFunctions.Connection, _ mailbox: Mailbox) {
        self.libusb = libusb
        self.connection = connection
        self.mailbox = mailbox
    }

    deinit {
        while let flight = idle {
            idle = flight.next
            free(flight)
        }
        large.forEach(free)
        isochronous.forEach(free)
    }

    private func free(_ flight: Flight) {
        flight.next = nil
        dropBuffer(of: flight)
        unsafe libusb.freeTransfer(flight.transfer)
    }

    private func dropBuffer(of flight: Flight) {
        if flight.isShared, let buffer = unsafe flight.buffer {
            sharedBytes -= flight.capacity
            unsafe libusb.freeMemory(connection, buffer, flight.capacity)
        }
        flight.dropBuffer()
    }

    // MARK: Taking

    /// A flight with room for so many bytes and isochronous packets; nil without memory.
    func take(bytes: Int, packets: Int) -> Flight? {
        guard packets == 0, bytes > Self.smallBytes else {
            let flight = packets == 0 ? takeSmall() : takeIsochronous(packets)
            return flight.flatMap { withRoom($0, bytes) }
        }
        if let index = large.lastIndex(where: { $0.capacity >= bytes }) {
            let flight = large.remove(at: index)
            largeBytes -= flight.capacity
            return flight
        }
        guard let flight = takeSmall() else { return nil }
        share(flight, bytes)
        return withRoom(flight, bytes)
    }

    private func withRoom(_ flight: Flight, _ bytes: Int) -> Flight? {
        guard flight.makeRoom(bytes) else {
            put(flight)
            return nil
        }
        return flight
    }

    /// Gives a flight a buffer that the kernel shares, if there is one to be had.
    ///
    /// Saves a copy of all that moves. Elsewhere such memory can be one that the processor reads slowly.
    private func share(_ flight: Flight, _ bytes: Int) {
        #if arch(x86_64)
            var size = 64 << 10
            while size < bytes { size <<= 1 }
            guard sharedBytes + size <= Self.sharedBytesLimit,
                let memory = unsafe libusb.allocateMemory(connection, size)
            else { return }
            sharedBytes += size
            unsafe flight.share(memory, size)
        #endif
    }

    private func takeSmall() -> Flight? {
        guard let flight = idle else { return make(packets: 0) }
        idle = flight.next
        flight.next = nil
        idleCount -= 1
        return flight
    }

    private func takeIsochronous(_ packets: Int) -> Flight? {
        if let index = isochronous.lastIndex(where: { $0.packetCapacity >= packets }) {
            return isochronous.remove(at: index)
        }
        // By steps, so that a stream whose transfers differ a little finds them again.
        return make(packets: (packets + 15) & ~15)
    }

    private func make(packets: Int) -> Flight? {
        guard let transfer = unsafe libusb.allocateTransfer(Int32(clamping: packets)) else { return nil }
        return unsafe Flight(transfer, packetCapacity: packets, mailbox: mailbox)
    }

    // MARK: Putting back

    /// Takes back a flight that carries nothing.
    func put(_ flight: Flight) {
        if flight.packetCapacity > 0 {
            if flight.capacity > Self.packetBytesWorthKeeping { dropBuffer(of: flight) }
            guard isochronous.count < Self.packetFlightsWorthKeeping else { return free(flight) }
            isochronous.append(flight)
        } else if flight.capacity > Self.smallBytes {
            guard largeBytes + flight.capacity <= Self.bytesWorthKeeping else { return free(flight) }
            largeBytes += flight.capacity
            large.append(flight)
        } else {
            guard idleCount < Self.countWorthKeeping else { return free(flight) }
            idleCount += 1
            flight.next = idle
            idle = flight
        }
    }
}
