public import SocketIO
public import USBDeviceKit
public import USBIPSession

/// How a server listens, and what it bears.
public struct ServerConfiguration: Sendable {
    /// Where to listen; loopback unless told otherwise, since whoever can connect can use the devices.
    public var listen = [HostAndPort(host: "127.0.0.1")]
    /// Whom to serve; empty means everyone who can connect.
    public var allow: [AddressRange] = []
    /// The most connections at once; one more is closed at once.
    public var connections = 1024
    /// Milliseconds for the whole handshake, before an import.
    public var handshakeTimeout: Int32 = 10_000
    /// Milliseconds that a client has, when the server stops, to take the answers that end its transfers.
    public var drainTime: Int32 = 150
    /// Whether periodic endpoints are served when a bus would, for devices that do not say.
    public var pace = Pace.bus
    /// What one connection may ask.
    public var session = SessionLimits()

    /// Makes the default configuration.
    public init() {}
}
