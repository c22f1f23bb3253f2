import CLibUSB
import USBCore
import USBDeviceKit

extension LibUSBDevice {
    /// The longest data stage that libusb carries on Linux.
    private static let dataLimit = 4096
    private static let setupSize = 8

    /// Sends a request to the device, or does what the device must not be asked for.
    func startControl(_ urb: consuming URB, _ device: OpenDevice) {
        if urb.endpoint.number == 0, let intercepted = InterceptedRequest(urb.setup) {
            perform(intercepted, urb, device)
            return
        }
        let setup = urb.setup
        if setup.isForConfiguration, Int(setup.length) > Self.dataLimit,
            let bytes = device.longConfigurations[UInt8(truncatingIfNeeded: setup.value)]
        {
            urb.complete(copying: Array(bytes.prefix(Int(setup.length))))
            return
        }
        let isOut = setup.direction == .out
        let wanted = Int(setup.length)
        // A shorter data stage than the setup packet says would leave the device waiting, or show it memory of ours.
        guard unsafe !isOut || wanted == 0 || (wanted <= Self.dataLimit && urb.payload.count >= wanted) else {
            urb.complete(.invalid)
            return
        }
        let length = min(wanted, Self.dataLimit)
        guard hasRoom(length) else {
            starve(urb, nil)
            return
        }
        guard let flight = pool?.take(bytes: Self.setupSize + length, packets: 0), let buffer = unsafe flight.buffer
        else {
            urb.complete(.outOfMemory)
            return
        }
        var sent = setup
        sent.length = UInt16(length)
        unsafe buffer.storeBytes(of: sent.littleEndian.littleEndian, as: UInt64.self)
        if isOut, length > 0, let source = unsafe urb.payload.baseAddress {
            unsafe (buffer + Self.setupSize).copyMemory(from: source, byteCount: length)
        }
        flight.prepare(.control, .out(urb.endpoint.number), length: Self.setupSize + length, flags: 0)
        launch(flight, urb, device)
    }

    func landControl(_ flight: Flight, _ urb: consuming URB) {
        let status = flight.status
        let actual = unsafe Int(max(0, flight.transfer.pointee.actual_length))
        guard urb.setup.direction == .in else {
            urb.accept(actual, status)
            return
        }
        guard actual < Self.dataLimit || Int(urb.setup.length) <= Self.dataLimit else {
            // There may be more, which cannot be had: half an answer is worse than none.
            urb.complete(.invalid)
            return
        }
        let count = max(0, min(actual, flight.capacity - Self.setupSize))
        guard let buffer = unsafe flight.buffer, count > 0 else {
            urb.complete(status)
            return
        }
        unsafe urb.complete(status, borrowing: UnsafeRawBufferPointer(start: buffer + Self.setupSize, count: count))
    }
}

extension SetupPacket {
    /// Whether it asks for a configuration descriptor (USB 2.0 §9.4.3).
    fileprivate var isForConfiguration: Bool {
        requestType == 0x80 && request == StandardRequest.getDescriptor.rawValue && value >> 8 == 2
    }
}
