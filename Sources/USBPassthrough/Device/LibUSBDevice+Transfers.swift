import CLibUSB
import Glibc
import Synchronization
import USBCore
import USBDeviceKit

extension LibUSBDevice {
    /// Whether a transfer may be given to the system beside those that it has.
    ///
    /// One at a time always may, so that nothing waits for ever.
    func hasRoom(_ bytes: Int) -> Bool { flights.isEmpty || bytesInFlight + bytes <= Self.bytesLimit }

    /// Packets may overlap in the host's buffer, and then need more room than it; not any amount for next to nothing.
    private static let overlapLimit = 64 << 10

    /// Gives a transfer to libusb, or does what is to be done in its place.
    func start(_ urb: consuming URB, _ device: OpenDevice) {
        guard urb.type != .control else {
            startControl(urb, device)
            return
        }
        guard endpoints.type(of: urb.endpoint) == urb.type else {
            // Linux's own export ends the connection; a transfer that fails is what a driver can handle.
            urb.stall()
            return
        }
        guard hasRoom(urb.requestedLength) else {
            parked.append(urb)
            return
        }
        guard urb.type != .isochronous || packetBytes(urb) <= max(urb.requestedLength, Self.overlapLimit) else {
            urb.complete(.invalid)
            return
        }
        guard let flight = takeFlight(for: urb) else {
            urb.complete(.outOfMemory)
            return
        }
        if urb.type == .isochronous {
            loadPackets(flight, urb)
        } else {
            load(flight, urb)
        }
        launch(flight, urb, device)
    }

    private func takeFlight(for urb: borrowing URB) -> Flight? {
        if let flight = landing, unsafe urb.payload.baseAddress == UnsafeRawPointer(flight.buffer) {
            landing = nil
            return flight
        }
        var bytes = urb.requestedLength
        if urb.type == .isochronous { bytes = packetBytes(urb) }
        return pool?.take(bytes: bytes, packets: urb.packetCount)
    }

    /// Fills in a bulk or an interrupt transfer.
    private func load(_ flight: Flight, _ urb: borrowing URB) {
        var flags: UInt8 = 0
        if urb.endpoint.direction == .out {
            let payload = unsafe urb.payload
            if let source = payload.baseAddress, let buffer = unsafe flight.buffer, unsafe source != buffer {
                unsafe buffer.copyMemory(from: source, byteCount: payload.count)
            }
            // A short answer that must not be short is found by the host's own core.
            if urb.type == .bulk, urb.flags.contains(.zeroPacket) {
                flags = UInt8(truncatingIfNeeded: LIBUSB_TRANSFER_ADD_ZERO_PACKET.rawValue)
            }
        }
        flight.prepare(urb.type, urb.endpoint, length: urb.requestedLength, flags: flags)
    }

    /// Hands a loaded flight to libusb.
    func launch(_ flight: Flight, _ urb: consuming URB, _ device: OpenDevice) {
        let id = urb.id
        let length = urb.requestedLength
        unsafe flight.transfer.pointee.dev_handle = device.connection.handle
        do throws(LibUSBError) {
            try unsafe libusb.submit(flight.transfer)
        } catch {
            if error == .noMemory, !flights.isEmpty {
                // What the system sets apart for transfers is in use; others will make room.
                unsafe urb.releasePayload()
                flight.board(urb)
                waiting = flight
                return
            }
            pool?.put(flight)
            urb.complete(TransferStatus(refusal: error))
            if error == .noDevice { isGone() }
            return
        }
        if !device.isUsed.load(ordering: .relaxed) { device.isUsed.store(true, ordering: .releasing) }
        unsafe urb.releasePayload()
        flight.board(urb)
        flights[id] = flight
        bytesInFlight += length
    }

    // MARK: Arrivals

    /// Takes everything that has arrived.
    func drain(_ device: OpenDevice) {
        var next = device.mailbox.takeAll()
        var isGone = false
        while let flight = next {
            next = flight.next
            flight.next = nil
            if unsafe flight.transfer.pointee.status == LIBUSB_TRANSFER_NO_DEVICE { isGone = true }
            land(flight)
        }
        if isGone { self.isGone() }
        resume()
        leaveIfEmpty()
    }

    private func land(_ flight: Flight) {
        if let urb = flight.disembark() { land(flight, urb) }
        pool?.put(flight)
    }

    private func land(_ flight: Flight, _ urb: consuming URB) {
        flights[urb.id] = nil
        bytesInFlight -= urb.requestedLength
        switch urb.type {
        case .control: landControl(flight, urb)
        case .isochronous: landPackets(flight, urb)
        case .bulk, .interrupt:
            let actual = unsafe Int(max(0, flight.transfer.pointee.actual_length))
            var status = flight.status
            if urb.endpoint.direction == .out {
                urb.accept(actual, status)
            } else {
                // The device has sent these bytes and will not send them again: too late to be taken back.
                if status == .cancelled, actual > 0 { status = .success }
                unsafe urb.complete(
                    status, borrowing: UnsafeRawBufferPointer(start: flight.buffer, count: min(actual, flight.capacity))
                )
            }
        }
    }

    // MARK: Isochronous

    /// The bytes of all packets: libusb has them one behind the other, the host where it likes.
    private func packetBytes(_ urb: borrowing URB) -> Int {
        var total = 0
        for index in 0..<urb.packetCount { total += urb.packet(index).map { Int($0.length) } ?? 0 }
        return total
    }

    private func loadPackets(_ flight: Flight, _ urb: borrowing URB) {
        flight.prepare(
            .isochronous, urb.endpoint, length: packetBytes(urb), flags: 0, packets: urb.packetCount)
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

    private func landPackets(_ flight: Flight, _ urb: consuming URB) {
        let packets = unsafe flight.packets
        let status = flight.status
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
