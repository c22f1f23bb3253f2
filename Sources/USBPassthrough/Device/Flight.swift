import CLibUSB
import Glibc
import USBCore
import USBDeviceKit

/// A transfer of libusb's with its buffer, and the host's transfer that it does the work of.
///
/// `@unchecked Sendable`: belongs to the device's executor, but between submission and the callback to libusb, and then
/// to the ``Mailbox``.
@safe final class Flight: @unchecked Sendable {
    let transfer: LibUSBFunctions.Transfer
    /// Room for so many isochronous packets.
    let packetCapacity: Int
    private(set) var buffer: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    /// Whether the kernel shares the buffer; it is freed by whoever made it then.
    private(set) var isShared = false
    /// The host's transfer while there is one.
    private var slot: UnsafeMutablePointer<URBSlot>?
    /// What has come of asking libusb for the transfer's return.
    var recall = Recall.none
    /// Whether the system takes the transfer back for a call, without a word about it.
    var isDoomed = false
    let mailbox: Mailbox
    /// The flight behind this one in the mailbox or among the idle.
    var next: Flight?

    /// Whether libusb was asked for a transfer's return.
    enum Recall {
        case none
        case asked
        /// It was, and could not do it just then; it can be asked again.
        case refused
    }

    /// - Parameter transfer: freed by whoever made it.
    init(_ transfer: LibUSBFunctions.Transfer, packetCapacity: Int, mailbox: Mailbox) {
        unsafe self.transfer = transfer
        self.packetCapacity = packetCapacity
        self.mailbox = mailbox
    }

    deinit { if !isShared { unsafe free(buffer) } }

    /// Makes room for `count` bytes, whose contents are undefined; false without memory.
    ///
    /// The buffer must not be a shared one that is too small.
    func makeRoom(_ count: Int) -> Bool {
        guard unsafe count > capacity || buffer == nil else { return true }
        let wanted = max(512, count)
        guard let memory = unsafe malloc(wanted) else { return false }
        dropBuffer()
        unsafe buffer = memory
        capacity = wanted
        return true
    }

    /// Takes a buffer that the kernel shares.
    func share(_ memory: UnsafeMutableRawPointer, _ count: Int) {
        dropBuffer()
        unsafe buffer = memory
        capacity = count
        isShared = true
    }

    /// Lets go of a buffer that is not worth keeping; a shared one its maker frees.
    func dropBuffer() {
        if !isShared { unsafe free(buffer) }
        unsafe buffer = nil
        capacity = 0
        isShared = false
    }

    /// Takes the host's transfer aboard.
    func board(_ urb: consuming URB) { unsafe slot = urb.release() }

    /// The name of the host's transfer; nil when there is none.
    var id: URB.ID? { unsafe slot?.pointee.id }

    /// Gives the host's transfer back; nil when there is none.
    func disembark() -> URB? {
        guard let slot = unsafe slot else { return nil }
        unsafe self.slot = nil
        return unsafe URB(slot)
    }

    /// Fills in what all transfers have in common; the buffer must have room.
    func prepare(_ type: TransferType, _ endpoint: EndpointAddress, length: Int, flags: UInt8, packets: Int = 0) {
        recall = .none
        isDoomed = false
        unsafe transfer.pointee.flags = flags
        unsafe transfer.pointee.endpoint = endpoint.rawValue
        unsafe transfer.pointee.type = type.rawValue
        // The host has its own limits and takes back what takes too long.
        unsafe transfer.pointee.timeout = 0
        unsafe transfer.pointee.status = LIBUSB_TRANSFER_COMPLETED
        unsafe transfer.pointee.length = Int32(clamping: length)
        unsafe transfer.pointee.actual_length = 0
        unsafe transfer.pointee.callback = arrived
        unsafe transfer.pointee.user_data = Unmanaged.passUnretained(self).toOpaque()
        unsafe transfer.pointee.buffer = buffer?.assumingMemoryBound(to: UInt8.self)
        unsafe transfer.pointee.num_iso_packets = Int32(clamping: packets)
    }

    /// What the host is told of a transfer that has arrived.
    var status: TransferStatus {
        let status = unsafe TransferStatus(completion: transfer.pointee.status)
        // The kernel took it back by itself: the device was reset.
        return status == .cancelled && recall == .none ? .shutdown : status
    }

    /// The bytes that it has room for or carries, a request's eight included.
    var length: Int { unsafe Int(transfer.pointee.length) }

    /// The endpoint that it goes to.
    var endpoint: EndpointAddress { EndpointAddress(rawValue: unsafe transfer.pointee.endpoint) }

    /// The packets of an isochronous transfer.
    var packets: UnsafeMutableBufferPointer<libusb_iso_packet_descriptor> {
        unsafe UnsafeMutableBufferPointer(
            start: clibusb_packets(transfer), count: Int(max(0, transfer.pointee.num_iso_packets)))
    }
}

/// Called by libusb on the thread that handles events: nothing is done here.
private let arrived: libusb_transfer_cb_fn = { transfer in
    guard let transfer = unsafe transfer, let data = unsafe transfer.pointee.user_data else { return }
    let flight = unsafe Unmanaged<Flight>.fromOpaque(data).takeUnretainedValue()
    flight.mailbox.put(flight)
}
