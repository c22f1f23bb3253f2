/// The standard requests: `bRequest` when ``SetupPacket/kind-swift.property`` is standard (USB 2.0 §9.4, USB 3.2 §9.4).
public enum StandardRequest: UInt8, Sendable, CaseIterable {
    /// GET_STATUS.
    case getStatus = 0
    /// CLEAR_FEATURE.
    case clearFeature = 1
    /// SET_FEATURE.
    case setFeature = 3
    /// SET_ADDRESS.
    case setAddress = 5
    /// GET_DESCRIPTOR.
    case getDescriptor = 6
    /// SET_DESCRIPTOR.
    case setDescriptor = 7
    /// GET_CONFIGURATION.
    case getConfiguration = 8
    /// SET_CONFIGURATION.
    case setConfiguration = 9
    /// GET_INTERFACE.
    case getInterface = 10
    /// SET_INTERFACE.
    case setInterface = 11
    /// SYNCH_FRAME.
    case synchFrame = 12
    /// SET_SEL.
    case setSystemExitLatency = 0x30
    /// SET_ISOCH_DELAY.
    case setIsochronousDelay = 0x31
}
