public import USBCore
public import USBDeviceKit

/// How much one connection may ask of the server.
public struct SessionLimits: Hashable, Sendable {
    /// The most bytes in one transfer.
    ///
    /// Linux's storage driver asks for 1 MiB at most, usbfs for 16 MiB.
    public var transferLength = 64 << 20
    /// The most transfers that may wait in the device.
    ///
    /// One more is refused with `ENOMEM` rather than left unread: what would take a waiting transfer back comes on the
    /// same connection, so a server that stops reading because transfers wait can wait for ever.
    public var keptTransfers = 16_384
    /// The most bytes from the host that may wait in the device; refused as above.
    public var keptBytes = 256 << 20
    /// The most unlinks that may wait for their submit.
    public var heldUnlinks = 4096

    /// Makes the default limits.
    public init() {}
}

/// Why a connection is not worth keeping: what the peer sent, and what the protocol allows.
///
/// There is no resynchronising after one: the rest of the stream means nothing.
public struct ProtocolViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, for the log.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// What a session has to tell besides its bytes.
public enum SessionEvent: Hashable, Sendable {
    /// The device dropped a transfer without answering it: a bug in its model.
    case abandoned(endpoint: UInt8)
    /// A transfer was refused because too much waits in the device.
    case overLimit(String)
    /// The client uses another device id than it was given.
    case foreignDeviceID(UInt32)
    /// The device is being reset.
    case reset(ResetCause)
    /// A control request has been answered that changed the device's state, or that the device refused.
    case request(SetupPacket, TransferStatus)
    /// A transfer for an endpoint that the selected settings do not have.
    case unknownEndpoint(EndpointAddress)
}
