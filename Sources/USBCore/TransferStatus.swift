/// How a transfer ended.
///
/// An open set over Linux's errno values, which USB/IP carries in `RET_SUBMIT` whatever the operating systems are.
public struct TransferStatus: RawRepresentable, Hashable, Sendable {
    /// Zero, or a negative Linux errno.
    public let rawValue: Int32

    /// Makes a status from zero or a negative Linux errno.
    @inlinable public init(rawValue: Int32) { self.rawValue = rawValue }

    /// All went well; an IN transfer may still be short.
    public static let success = Self(rawValue: 0)
    /// The endpoint answered STALL (`EPIPE`).
    public static let stalled = Self(rawValue: -32)
    /// The device sent more than the host asked for (`EOVERFLOW`).
    public static let overflow = Self(rawValue: -75)
    /// The host took the transfer back (`ECONNRESET`).
    public static let cancelled = Self(rawValue: -104)
    /// The device has gone or was reset (`ESHUTDOWN`): drivers stop resubmitting.
    public static let shutdown = Self(rawValue: -108)
    /// There is no device (`ENODEV`).
    public static let noDevice = Self(rawValue: -19)
    /// The device, or what is needed of it, is taken (`EBUSY`).
    public static let busy = Self(rawValue: -16)
    /// Patience ran out: the device did not answer in time, and the transfer was taken back (`ETIMEDOUT`).
    public static let timedOut = Self(rawValue: -110)
    /// Bit stuffing, CRC or no response (`EPROTO`).
    public static let protocolError = Self(rawValue: -71)
    /// An isochronous packet was missed (`EXDEV`).
    public static let missed = Self(rawValue: -18)
    /// A limit of the server was reached (`ENOMEM`).
    public static let outOfMemory = Self(rawValue: -12)
    /// The transfer does not fit the endpoint (`EINVAL`).
    public static let invalid = Self(rawValue: -22)
    /// The device dropped the transfer without an answer (`EIO`): a bug in the device's model.
    public static let abandoned = Self(rawValue: -5)
}
