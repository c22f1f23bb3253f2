import USBCore

extension USBDevice {
    /// Selects a configuration on behalf of the machine that exports the device.
    ///
    /// Servers that take devices from their operating system hand them out configured, and there are clients that go
    /// straight to the endpoints; a host that enumerates the device selects again.
    ///
    /// - Parameter value: `bConfigurationValue`; with 0 nothing happens.
    public func configure(_ value: UInt8) {
        guard value != 0 else { return }
        SilentRequest().submit(
            SetupPacket(requestType: 0x00, request: StandardRequest.setConfiguration.rawValue, value: UInt16(value)),
            to: self)
    }
}

/// The host of one request whose outcome nobody waits for; lives until the device has given it back.
@safe private final class SilentRequest: URBHost {
    private let slot = UnsafeMutablePointer<URBSlot>.allocate(capacity: 1)
    private var selfUntilCompleted: SilentRequest?

    deinit { unsafe slot.deallocate() }

    func submit(_ setup: SetupPacket, to device: any USBDevice) {
        unsafe slot.initialize(to: URBSlot(host: self))
        unsafe slot.pointee.rearm()
        unsafe slot.pointee.endpoint = .out(0)
        unsafe slot.pointee.setup = setup
        selfUntilCompleted = self
        unsafe device.submit(URB(slot))
    }

    func completed(_ urb: consuming URB) {
        let slot = unsafe urb.release()
        unsafe slot.deinitialize(count: 1)
        selfUntilCompleted = nil
    }

    func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        preconditionFailure("a request without a data stage has no room for an answer")
    }

    func unreserve(_ memory: UnsafeRawPointer) {}
}
