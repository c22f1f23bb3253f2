public import SocketIO
public import USBCore
public import USBIPWire

/// Why the user-space host could not do what it was asked.
public enum HostError: Error, Hashable, Sendable {
    /// The connection could not be made, or the system broke it.
    case socket(SocketError)
    /// The server does not export the device to this client.
    case refused(busID: String, status: OpStatus)
    /// The server said something that USB/IP 1.1.1 does not allow: what, in words. The connection is closed.
    case violation(String)
    /// The server ended the connection: it stopped, or the device was unplugged.
    case disconnected
    /// The server let the time for something pass that it must do: what, in words. The connection is closed.
    case unresponsive(String)
    /// This side closed the connection.
    case closed
    /// A transfer ended with a status other than success.
    case transferFailed(TransferFailure)
    /// The request cannot be sent as it is: why, in words. Nothing was sent.
    case invalidRequest(String)
    /// The device's descriptors are none: why, in words.
    case malformedDescriptors(String)

    /// Whether the connection has ended, so that nothing more can be done with the device.
    public var endsConnection: Bool {
        switch self {
        case .socket, .refused, .violation, .disconnected, .unresponsive, .closed: true
        case .transferFailed, .invalidRequest, .malformedDescriptors: false
        }
    }
}

extension HostError: CustomStringConvertible {
    /// What went wrong, in words.
    public var description: String {
        switch self {
        case .socket(let error): "\(error)"
        case .refused(let busID, let status): "the server does not export \(busID): \(Self.words(for: status))"
        case .violation(let what): "the server broke the protocol: \(what)"
        case .disconnected: "the server ended the connection; it has stopped, or the device was unplugged"
        case .unresponsive(let what): "the server does not answer: \(what)"
        case .closed: "the connection was closed on this side"
        case .transferFailed(let failure): "\(failure)"
        case .invalidRequest(let why): "the request cannot be sent: \(why)"
        case .malformedDescriptors(let why): "the device's descriptors cannot be read: \(why)"
        }
    }

    private static func words(for status: OpStatus) -> String {
        switch status {
        case .notAvailable: "it is not available (status 1); list the server's devices to see which are"
        case .deviceBusy: "another client has it (status 2)"
        case .deviceError: "it is in an error state (status 3)"
        case .noDevice: "there is no such device (status 4); list the server's devices to see which there are"
        default: "status \(status.rawValue)"
        }
    }
}

/// A transfer that ended with a status other than success.
public struct TransferFailure: Hashable, Sendable, CustomStringConvertible {
    /// The endpoint; of a control transfer with the direction of its data.
    public var endpoint: EndpointAddress
    /// How it ended.
    public var status: TransferStatus
    /// The bytes that were moved all the same.
    public var actualLength: Int

    /// Makes a failure.
    public init(endpoint: EndpointAddress, status: TransferStatus, actualLength: Int = 0) {
        self.endpoint = endpoint
        self.status = status
        self.actualLength = actualLength
    }

    /// The endpoint and what happened, such as `EP 1 IN: STALL (-32)`.
    public var description: String {
        "\(endpoint): \(status.words) (\(status.rawValue))" + (actualLength > 0 ? " after \(actualLength) bytes" : "")
    }
}

extension TransferStatus {
    /// Fewer bytes came than a transfer that forbids that asked for (`EREMOTEIO`).
    public static let short = Self(rawValue: -121)

    /// What the status means, in a few words.
    public var words: String {
        switch self {
        case .success: "success"
        case .stalled: "STALL"
        case .overflow: "the device sent more than was asked for"
        case .cancelled: "cancelled"
        case .shutdown: "the device has gone"
        case .protocolError: "no proper answer on the bus"
        case .missed: "an isochronous packet was missed"
        case .outOfMemory: "the server has no room for it"
        case .invalid: "it does not fit the endpoint"
        case .abandoned: "input/output error"
        case .timedOut: "timed out"
        case .short: "short"
        case Self(rawValue: -2): "no such endpoint"
        case .noDevice: "no such device"
        case .busy: "the device is taken"
        case Self(rawValue: -62): "no answer in time on the bus"
        case Self(rawValue: -84): "checksum error on the bus"
        default: "failed"
        }
    }
}
