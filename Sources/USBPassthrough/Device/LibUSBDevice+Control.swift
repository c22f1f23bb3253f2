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
        let isOut = setup.direction == .out
        let wanted = Int(setup.length)
        // A shorter data stage than the setup packet says would leave the device waiting, or show it memory of ours.
        guard unsafe !isOut || wanted == 0 || (wanted <= Self.dataLimit && urb.payload.count >= wanted) else {
            urb.complete(.invalid)
            return
        }
        let length = min(wanted, Self.dataLimit)
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

    // MARK: Requests that are calls

    private func perform(_ intercepted: InterceptedRequest, _ urb: consuming URB, _ device: OpenDevice) {
        switch intercepted {
        case .swallow: urb.accept()
        case .refuse: urb.stall()
        case .clearHalt(let endpoint):
            unsafe call(device, urb.release()) { device throws(LibUSBError) in
                try device.libusb.clearHalt(device.connection, endpoint.rawValue)
            } then: { _ in
            }
        case .setInterface(let interface, let alternate):
            unsafe call(device, urb.release()) { device throws(LibUSBError) in
                try device.libusb.setAlternate(device.connection, interface, alternate)
            } then: { this in
                this.endpoints.select(alternate: alternate, of: interface)
            }
        case .setConfiguration(let value):
            let interfaces = endpoints.interfaces(of: value)
            let isOriginal = value == device.host.configurationValue
            let before = endpoints.interfaces(of: endpoints.configuration)
            unsafe call(device, urb.release()) { device throws(LibUSBError) in
                try device.select(value, interfaces, isOriginal: isOriginal, before: before)
            } then: { this in
                this.endpoints.select(configuration: value)
                this.isConfigured = value != 0
            }
        }
    }
}

extension OpenDevice {
    /// Selects a configuration and takes its interfaces.
    ///
    /// Linux selects none while anybody has an interface, and lets its drivers have those of a new one at once.
    fileprivate func select(
        _ value: UInt8, _ numbers: [UInt8], isOriginal: Bool, before: [UInt8]
    ) throws(LibUSBError) {
        interfaces.releaseAll()
        if !isOriginal { interfaces.leaveOriginal() }
        do throws(LibUSBError) {
            try libusb.setConfiguration(connection, value == 0 ? -1 : Int32(value))
        } catch {
            try? interfaces.claim(before)
            throw error
        }
        do throws(ClaimedInterfaces.Failure) {
            try interfaces.claim(numbers)
        } catch {
            throw error.error
        }
    }
}
