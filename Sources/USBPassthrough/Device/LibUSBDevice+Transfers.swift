import CLibUSB
import Synchronization
import USBCore
import USBDeviceKit

extension LibUSBDevice {
    /// Gives a transfer to libusb, or does what is to be done in its place, unless others of its endpoint wait.
    func start(_ urb: consuming URB, _ device: OpenDevice) {
        guard starved.isEmpty || starved[urb.pipe] == nil else {
            starve(urb, nil)
            return
        }
        begin(urb, device)
    }

    /// The same for one whose turn it is.
    func begin(_ urb: consuming URB, _ device: OpenDevice) {
        guard urb.type != .control else {
            startControl(urb, device)
            return
        }
        guard endpoints.type(of: urb.endpoint) == urb.type else {
            // Linux's own export ends the connection; a transfer that fails is what a driver can handle.
            refuse(urb, .stalled)
            return
        }
        let bytes = urb.type == .isochronous ? packetBytes(urb) : urb.requestedLength
        guard urb.type != .isochronous || bytes <= max(urb.requestedLength, Self.overlapLimit) else {
            urb.complete(.invalid)
            return
        }
        guard hasRoom(bytes) else {
            starve(urb, nil)
            return
        }
        guard let flight = landed(urb) ?? pool?.take(bytes: bytes, packets: urb.packetCount) else {
            refuse(urb, .outOfMemory)
            return
        }
        if urb.type == .isochronous { loadPackets(flight, urb, bytes) } else { load(flight, urb) }
        launch(flight, urb, device)
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
        unsafe flight.transfer.pointee.dev_handle = device.connection.handle
        do throws(LibUSBError) {
            try unsafe libusb.submit(flight.transfer)
        } catch {
            guard !meansNoRoom(error, urb.type) else {
                starve(urb, flight)
                return
            }
            if error == .noMemory { place.warnOfRoom() }
            pool?.put(flight)
            urb.complete(urb.type == .control ? TransferStatus(request: error) : TransferStatus(refusal: error))
            if error == .noDevice { isGone() }
            return
        }
        if !device.isUsed.load(ordering: .relaxed) { device.isUsed.store(true, ordering: .releasing) }
        unsafe urb.releasePayload()
        flight.board(urb)
        flights[id] = flight
        bytesInFlight += flight.length
    }

    // MARK: Arrivals

    /// Takes everything that has arrived.
    func drain(_ device: OpenDevice) {
        var next = device.mailbox.takeAll()
        var isGone = false
        while let flight = next {
            next = flight.next
            flight.next = nil
            if unsafe flight.transfer.pointee.status == LIBUSB_TRANSFER_NO_DEVICE, !flight.isDoomed { isGone = true }
            land(flight)
        }
        if isGone { self.isGone() }
        retry()
        leaveIfEmpty()
    }

    private func land(_ flight: Flight) {
        bytesInFlight -= flight.length
        if let urb = flight.disembark() { land(flight, urb) }
        pool?.put(flight)
    }

    private func land(_ flight: Flight, _ urb: consuming URB) {
        flights[urb.id] = nil
        switch urb.type {
        case .control: landControl(flight, urb)
        case .isochronous: landPackets(flight, urb)
        case .bulk, .interrupt:
            let actual = unsafe Int(max(0, flight.transfer.pointee.actual_length))
            var status = flight.status
            if urb.endpoint.direction == .out {
                // Libusb's word for a transfer that the system took back by itself; nothing else ends one early so.
                if status == .success, actual < urb.requestedLength { status = .shutdown }
                urb.accept(actual, status)
            } else {
                // The device has sent these bytes and will not send them again: too late to be taken back.
                if status == .cancelled, actual > 0 { status = .success }
                if status == .success, actual == 0, flight.isDoomed { status = .shutdown }
                unsafe urb.complete(
                    status, borrowing: UnsafeRawBufferPointer(start: flight.buffer, count: min(actual, flight.capacity))
                )
            }
        }
    }
}

extension URB {
    /// The endpoint whose transfers are in one line with this: both directions of a control endpoint are one.
    var pipe: EndpointAddress { type == .control ? .out(endpoint.number) : endpoint }
}
