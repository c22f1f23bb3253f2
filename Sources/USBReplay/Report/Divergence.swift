public import USBCore

/// Something that was done otherwise than in the recording, and what was expected instead.
public struct Divergence: Hashable, Sendable {
    /// What kind of difference it is.
    public enum Kind: String, Sendable, CaseIterable {
        /// The recording has nothing like it.
        case unexpectedRequest = "unexpected request"
        /// The recording has it at another place in the order.
        case otherOrder = "other order"
        /// What was sent is not what the recording has.
        case otherData = "other data"
        /// Fewer bytes or more were sent than the recording has, and as far as they go they are the same.
        case otherLength = "other length"
        /// The recording has it, and nobody did it.
        case missingRequest = "missing request"
        /// The device's answer is not the recorded one.
        case wrongAnswer = "wrong answer"
        /// The transfer ended otherwise: a stall in place of an answer, or the reverse.
        case otherStatus = "other status"
        /// The device did not answer in time.
        case noAnswer = "no answer"
        /// The capture could not be read, or does not have the data: nothing can be compared.
        case unreadable = "unreadable recording"
    }

    /// Who did it otherwise.
    public enum Actor: String, Sendable {
        /// The host, when the capture plays the device.
        case host
        /// The device, when the capture plays the host.
        case device
    }

    /// The most bytes that are kept of each side.
    public static let excerptLimit = 64

    /// What kind of difference it is.
    public let kind: Kind
    /// Who did it otherwise.
    public let actor: Actor
    /// The packet of the recording that it was compared with, counted from 1; nil when there is none to compare with.
    public let packet: Int?
    /// The endpoint; both directions of endpoint 0 are one, with bit 7 clear.
    public let endpoint: EndpointAddress
    /// The request or endpoint in words: `SET_REPORT (output 2) to interface 1`, `EP 1 OUT`.
    public let subject: String
    /// When, in nanoseconds since the replay began.
    public let time: UInt64
    /// What the recording has; of more than ``excerptLimit`` bytes the part around the first difference.
    public let expected: [UInt8]
    /// What came instead; the same part.
    public let actual: [UInt8]
    /// How many bytes the recording has.
    public let expectedCount: Int
    /// How many bytes came.
    public let actualCount: Int
    /// Where ``expected`` and ``actual`` begin in what was compared.
    public let excerptStart: Int
    /// The first byte that differs, counted from 0; the shorter one's end when it is the other's beginning; nil when
    /// all bytes are the same.
    public let firstDifference: Int?
    /// What else there is to say: `the recording ended with a stall`.
    public let detail: String

    /// Compares two pieces of data, and keeps what shows their difference.
    ///
    /// - Parameters:
    ///   - subject: the request or endpoint in words; control characters in it are shown as `?`.
    ///   - detail: what else there is to say, without a full stop; stands in place of the comparison's words when there
    ///     are no data to compare.
    public init(
        _ kind: Kind, by actor: Actor, packet: Int?, endpoint: EndpointAddress, subject: String, time: UInt64,
        expected: [UInt8] = [], actual: [UInt8] = [], detail: String = ""
    ) {
        self.kind = kind
        self.actor = actor
        self.packet = packet
        self.endpoint = endpoint.number == 0 ? .out(0) : endpoint
        self.subject = printable(subject)
        self.time = time
        self.detail = printable(detail)
        expectedCount = expected.count
        actualCount = actual.count
        let difference = Self.difference(expected, actual)
        firstDifference = difference
        // A row of sixteen before the difference shows where it is.
        let longest = max(expected.count, actual.count)
        let start = longest <= Self.excerptLimit ? 0 : max(0, (difference ?? 0) / 16 * 16 - 16)
        excerptStart = start
        self.expected = Array(expected.dropFirst(start).prefix(Self.excerptLimit))
        self.actual = Array(actual.dropFirst(start).prefix(Self.excerptLimit))
    }

    /// The first byte that differs; the shorter one's end when it is the other's beginning; nil for equal ones.
    public static func difference(_ left: [UInt8], _ right: [UInt8]) -> Int? {
        if left == right { return nil }
        let shared = min(left.count, right.count)
        for index in 0..<shared where left[index] != right[index] { return index }
        return shared
    }
}

/// The text without control characters, which would spoil a terminal, a log or an XML file.
func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
        let isInvisible = (0x2028...0x202e).contains(scalar.value) || (0xfff9...0xffff).contains(scalar.value)
        result.append(isControl || isInvisible ? "?" : scalar)
    }
    return String(result)
}
