import CLibUSB
import USBCore

/// A transfer as it was submitted to a ``FakeLibUSB``.
struct FakeTransfer: Sendable {
    /// Its place in the order of submissions, from 1; a transfer that is submitted again gets another.
    var number: Int
    var endpoint: EndpointAddress
    var type: TransferType
    /// The bytes after the setup packet: the room of an IN transfer, what an OUT transfer sends.
    var length: Int
    /// Libusb's flags: 8 asks for an empty packet after a full one.
    var flags: UInt8
    /// Milliseconds; 0 for ever.
    var timeout: UInt32
    /// A control transfer's first eight bytes.
    var setup: SetupPacket?
    /// What an OUT transfer sends.
    var sent: [UInt8]
    /// The lengths of an isochronous transfer's packets.
    var packets: [Int]
    /// Whether libusb was asked for its return.
    var isCancelled = false
}

/// How a ``FakeLibUSB`` ends a transfer.
struct FakeOutcome: Sendable {
    /// Libusb's `enum libusb_transfer_status`.
    enum Status: UInt32, Sendable, CaseIterable {
        case completed = 0
        case error = 1
        case timedOut = 2
        case cancelled = 3
        case stall = 4
        case noDevice = 5
        case overflow = 6
    }

    /// What becomes of one isochronous packet.
    struct Packet: Sendable {
        /// What an IN packet brings; for an OUT packet its count is what was sent.
        var bytes: [UInt8]
        var status = Status.completed
    }

    var status: Status
    /// What an IN transfer brings.
    var data: [UInt8] = []
    /// How much of an OUT transfer was sent; nil for all when it completed, else nothing.
    var count: Int?
    /// The packets of an isochronous transfer; what is missing here was sent whole, or brought nothing.
    var packets: [Packet] = []

    /// The transfer completed; an IN transfer brings `data`.
    static func completed(_ data: [UInt8] = []) -> Self { Self(status: .completed, data: data) }
    /// The transfer failed after `data`.
    static func failed(_ status: Status, _ data: [UInt8] = []) -> Self { Self(status: status, data: data) }
    /// The packets of an isochronous transfer, which as a whole completes.
    static func packets(_ packets: [Packet]) -> Self { Self(status: .completed, packets: packets) }
}

/// The memory that stands behind a transfer: what `libusb_alloc_transfer` gives.
///
/// Only touched under the lock of the fake that allocated it, and after freeing it is kept, so that using it then is
/// found out instead of being undefined.
@safe final class TransferMemory {
    /// Where a transfer is.
    enum State: Equatable {
        case idle
        case inFlight
        /// Its end is decided, its callback still to be called.
        case ended
        case freed
    }

    let pointer: UnsafeMutablePointer<libusb_transfer>
    let packetRoom: Int
    var state = State.idle
    var connection = 0
    var snapshot: FakeTransfer
    var outcome = FakeOutcome(status: .completed)

    init(packetRoom: Int) {
        self.packetRoom = packetRoom
        let size =
            unsafe MemoryLayout<libusb_transfer>.size + packetRoom * MemoryLayout<libusb_iso_packet_descriptor>.stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        unsafe pointer = memory.bindMemory(to: libusb_transfer.self, capacity: 1)
        snapshot = FakeTransfer(
            number: 0, endpoint: .out(0), type: .control, length: 0, flags: 0, timeout: 0, setup: nil, sent: [],
            packets: [])
    }

    deinit { unsafe pointer.deallocate() }

    /// Reads what the library would: nil when it would refuse the parameters.
    func read(number: Int) -> FakeTransfer? {
        let transfer = unsafe pointer.pointee
        guard let type = unsafe TransferType(rawValue: transfer.type), unsafe transfer.length >= 0 else { return nil }
        let buffer = unsafe UnsafeRawBufferPointer(
            start: transfer.buffer, count: transfer.buffer == nil ? 0 : Int(transfer.length))
        guard unsafe buffer.count == Int(transfer.length), unsafe transfer.callback != nil else { return nil }
        var snapshot = unsafe FakeTransfer(
            number: number, endpoint: EndpointAddress(rawValue: transfer.endpoint), type: type, length: buffer.count,
            flags: transfer.flags, timeout: transfer.timeout, setup: nil, sent: [], packets: [])
        switch type {
        case .control:
            // Linux takes 4096 bytes of data, and no setup packet that disagrees with the length.
            guard buffer.count >= 8, buffer.count <= 8 + 4096 else { return nil }
            let setup = SetupPacket(
                littleEndian: UInt64(littleEndian: unsafe buffer.loadUnaligned(as: UInt64.self)))
            guard Int(setup.length) + 8 <= buffer.count else { return nil }
            snapshot.setup = setup
            snapshot.length = Int(setup.length)
            snapshot.endpoint = setup.direction == .in ? .in(0) : .out(0)
            if setup.direction == .out { snapshot.sent = unsafe Array(buffer[8..<8 + snapshot.length]) }
        case .isochronous:
            guard let packets = packetLengths, packets.reduce(0, +) <= snapshot.length else { return nil }
            snapshot.packets = packets
            if snapshot.endpoint.direction == .out { snapshot.sent = unsafe Array(buffer) }
        case .bulk, .interrupt:
            if snapshot.endpoint.direction == .out { snapshot.sent = unsafe Array(buffer) }
        }
        return snapshot
    }

    private var packetLengths: [Int]? {
        let count = unsafe Int(pointer.pointee.num_iso_packets)
        guard count > 0, count <= packetRoom, let packets = unsafe clibusb_packets(pointer) else { return nil }
        return (0..<count).map { unsafe Int(packets[$0].length) }
    }

    /// Writes how the transfer ended, as the library does before it calls back.
    func writeOutcome() {
        unsafe pointer.pointee.status = libusb_transfer_status(rawValue: outcome.status.rawValue)
        guard snapshot.type != .isochronous else { return writePackets() }
        switch snapshot.endpoint.direction {
        case .out:
            let sent = outcome.count ?? (outcome.status == .completed ? snapshot.length : 0)
            unsafe pointer.pointee.actual_length = Int32(min(sent, snapshot.length))
        case .in:
            let data = outcome.data.prefix(snapshot.length)
            write(data, at: snapshot.setup == nil ? 0 : 8)
            unsafe pointer.pointee.actual_length = Int32(data.count)
        }
    }

    private func writePackets() {
        guard let packets = unsafe clibusb_packets(pointer) else { return }
        var offset = 0
        for (index, length) in snapshot.packets.enumerated() {
            let sentWhole = snapshot.endpoint.direction == .out && outcome.status == .completed
            let packet =
                outcome.packets.indices.contains(index)
                ? outcome.packets[index] : .init(bytes: [UInt8](repeating: 0, count: sentWhole ? length : 0))
            if snapshot.endpoint.direction == .in { write(packet.bytes.prefix(length), at: offset) }
            unsafe packets[index].actual_length = UInt32(min(packet.bytes.count, length))
            unsafe packets[index].status = libusb_transfer_status(rawValue: packet.status.rawValue)
            offset += length
        }
        // Libusb does not say how much an isochronous transfer moved.
        unsafe pointer.pointee.actual_length = 0
    }

    private func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        guard let buffer = unsafe pointer.pointee.buffer, !bytes.isEmpty else { return }
        unsafe UnsafeMutableRawBufferPointer(start: buffer + offset, count: bytes.count).copyBytes(from: bytes)
    }
}
