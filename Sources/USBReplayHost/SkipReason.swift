/// Why a recorded transfer is not made again.
public enum SkipReason: String, Sendable, CaseIterable {
    /// SET_ADDRESS: the host controller at the server's end gives addresses.
    case address
    /// The recorded host's driver took it back, or its hub refused it.
    case cancelled
    /// It had not ended when the capture did.
    case unended
    /// The capture has only its end, which brought no data.
    case unasked
    /// The capture has not all the bytes that were sent.
    case cutOutput
    /// The capturing program made it up.
    case injected
    /// It is a hub's business: powering and resetting ports.
    case hub
    /// It belongs, or may belong, to a command that changes what a disk holds.
    case write
    /// It is larger than a transfer over USB/IP can be.
    case tooLarge
    /// The device had stopped to send what it sends by itself.
    case silentEndpoint

    /// The reason in words, after "not made again".
    public var words: String {
        switch self {
        case .address: "SET_ADDRESS, which is the server's business"
        case .cancelled: "the recorded host took them back"
        case .unended: "they had not ended when the capture did"
        case .unasked: "the capture has only their ends"
        case .cutOutput: "the capture has not all the bytes that were sent"
        case .injected: "the capturing program made them up"
        case .hub: "they are a hub's business"
        case .write: "they belong, or may belong, to commands that change what the disk holds"
        case .tooLarge: "they are larger than a transfer can be"
        case .silentEndpoint: "the endpoint had stopped to answer"
        }
    }
}
