import USBCore

/// What becomes of a control request that must not reach a real device as it is.
///
/// The kernel under libusb keeps state of its own about the device: which settings are selected, which endpoints exist
/// and which of two packets comes next. A request that changes this has to go through the kernel.
enum InterceptedRequest: Hashable {
    case setConfiguration(UInt8)
    case setInterface(UInt8, alternate: UInt8)
    case clearHalt(EndpointAddress)
    /// Answered with success, and not passed on: the kernel sees to it, or it would do harm.
    case swallow
    /// Answered with STALL, and not passed on.
    case refuse

    /// - Returns: nil for a request that goes to the device.
    init?(_ setup: SetupPacket) {
        guard setup.kind == .standard, let request = StandardRequest(rawValue: setup.request) else { return nil }
        let low = UInt8(truncatingIfNeeded: setup.index)
        switch (request, setup.recipient, setup.direction) {
        // The device has its address from the host that it is plugged into.
        case (.setAddress, .device, .out): self = .swallow
        case (.setConfiguration, .device, .out): self = .setConfiguration(UInt8(truncatingIfNeeded: setup.value))
        case (.setInterface, .interface, .out):
            self = .setInterface(low, alternate: UInt8(truncatingIfNeeded: setup.value))
        // There are devices that look at nothing but the request's number.
        case (.setAddress, _, _), (.setConfiguration, _, _), (.setInterface, _, _): self = .refuse
        case (.clearFeature, .endpoint, .out) where setup.value == Self.endpointHalt:
            // Endpoint zero recovers by itself (USB 2.0 §8.5.3.4).
            self = low & 0x0f == 0 ? .swallow : .clearHalt(EndpointAddress(rawValue: low))
        // Only another reset or loss of power ends a test mode (USB 2.0 §9.4.9).
        case (.setFeature, .device, _) where setup.value == Self.testMode: self = .refuse
        // Link power is the host controller's business (USB 3.2 §9.4.9, §9.4.11, §9.4.12).
        case (.setFeature, .device, .out) where Self.linkPower.contains(setup.value): self = .swallow
        case (.clearFeature, .device, .out) where Self.linkPower.contains(setup.value): self = .swallow
        case (.setSystemExitLatency, .device, .out), (.setIsochronousDelay, .device, .out): self = .swallow
        default: return nil
        }
    }

    /// `ENDPOINT_HALT` (USB 2.0 table 9-6).
    private static let endpointHalt: UInt16 = 0
    /// `TEST_MODE` (USB 2.0 table 9-6).
    private static let testMode: UInt16 = 2
    /// `U1_ENABLE`, `U2_ENABLE` and `LTM_ENABLE` (USB 3.2 table 9-7).
    private static let linkPower: ClosedRange<UInt16> = 48...50
}
