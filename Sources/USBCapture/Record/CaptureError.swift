/// Why a capture cannot be read, or cannot be read any further, in one line that says where and what to do.
public struct CaptureError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of trouble it is.
    public enum Kind: Sendable {
        /// The file cannot be opened or read.
        case unreadable
        /// The file is not a capture, or of a kind that is not understood.
        case unsupported
        /// The file ends in the middle of something.
        case cut
        /// The file contradicts itself.
        case damaged
        /// The file asks for more than is allowed.
        case excessive
    }

    /// What kind of trouble it is.
    public let kind: Kind
    /// What is wrong, without the place.
    public let reason: String
    /// Where in the file, in bytes; of a compressed file, in what it expands to.
    public let offset: Int64?
    /// The packet's number, from 1.
    public let packet: Int?

    /// Makes an error.
    public init(_ kind: Kind, _ reason: String, offset: Int64? = nil, packet: Int? = nil) {
        self.kind = kind
        self.reason = reason
        self.offset = offset
        self.packet = packet
    }

    /// The line: what, and where.
    public var description: String {
        var place = ""
        if let packet { place += ", packet \(packet)" }
        if let offset { place += " at offset \(offset)" }
        return reason + place
    }
}
