/// What one connection may use, whatever the server does.
public struct HostLimits: Sendable {
    /// The most transfers in flight, and the most unlinks without an answer.
    public var transfers: Int
    /// How many bytes may wait for a server that does not read before another transfer is refused.
    public var unsentBytes: Int
    /// How long the server may take to answer the unlink of a transfer that is waited for, blocking or in a task,
    /// before the connection is closed; what ``RemoteDevice/cancel(_:)`` takes back has no such bound.
    public var unlinkGrace: Duration
    /// How long the server may read nothing while there is something to send.
    public var sendStall: Duration

    /// Makes limits.
    public init(
        transfers: Int = 65_536, unsentBytes: Int = 256 << 20, unlinkGrace: Duration = .seconds(5),
        sendStall: Duration = .seconds(30)
    ) {
        self.transfers = transfers
        self.unsentBytes = unsentBytes
        self.unlinkGrace = unlinkGrace
        self.sendStall = sendStall
    }
}
