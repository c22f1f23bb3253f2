import CLibUSB
import Glibc
import USBCore
import USBDeviceKit

extension LibUSBDevice {
    /// Packets may overlap in the host's buffer, and then need more room than it; not any amount for next to nothing.
    static let overlapLimit = 64 << 10

    /// The bytes of all packets: libusb has them one behind the other, the host where it likes.
    func packetBytes(_ urb: borrowing URB) -> Int {
        var total = 0
        for index in 0..<urb.packetCount { total += urb.packet(index).map { Int($0.length) } ?? 0 }
        return total
    }

    /// Fills in an isochronous transfer.
    func loadPackets(_ flight: Flight, _ urb: borrowing URB, _ bytes: Int) {
        flight.prepare(.isochronous, urb.endpoint, length: bytes, flags: 0, packets: urb.packetCount)
        let packets = unsafe flight.packets
        let payload = unsafe urb.payload
        var offset = 0
        for index in packets.indices {
            guard let packet = urb.packet(index) else { continue }
            unsafe packets[index].length = packet.length
            unsafe packets[index].actual_length = 0
            if let source = payload.baseAddress, let buffer = unsafe flight.buffer {
                // The session has checked that every packet lies within the payload.
                unsafe (buffer + offset).copyMemory(
                    from: source + Int(packet.offset), byteCount: Int(packet.length))
            }
            offset += Int(packet.length)
        }
    }

    /// Answers an isochronous transfer.
    func landPackets(_ flight: Flight, _ urb: consuming URB) {
        let packets = unsafe flight.packets
        var status = flight.status
        if status == .success, flight.isDoomed { status = .shutdown }
        var total = 0
        if urb.endpoint.direction == .in, let buffer = unsafe flight.buffer {
            var offset = 0
            for index in packets.indices {
                let count = unsafe Int(min(packets[index].actual_length, packets[index].length))
                if offset != total { unsafe memmove(buffer + total, buffer + offset, count) }
                offset += unsafe Int(packets[index].length)
                total += count
            }
        }
        unsafe urb.completePackets(status, borrowing: UnsafeRawBufferPointer(start: flight.buffer, count: total)) {
            index in
            unsafe (Int(packets[index].actual_length), TransferStatus(packet: packets[index].status))
        }
    }
}
