import USBCore

/// What of a device's answers is not compared.
///
/// A rule has conditions, all of which a transfer must meet, and says what is left out of the comparison of those that
/// do; see ``init(_:)`` for its text.
public struct IgnoreRule: Hashable, Sendable {
    /// Which transfers it is about.
    enum Condition: Hashable, Sendable {
        case endpoint(EndpointAddress)
        case packets(ClosedRange<Int>)
        case request(StandardRequest, descriptor: UInt8?)
        case setup(SetupPattern)
        /// The serial number's string descriptor.
        case serialNumber
    }

    /// What is left out.
    enum Subject: Hashable, Sendable {
        case status
        case length
        case data
        /// From one byte to another, both counted from 0; to the end where there is no other.
        case bytes(from: Int, through: Int?)
        /// The bits that are set, from the first byte on.
        case mask([UInt8])
    }

    /// The rule as it was written.
    public internal(set) var text = ""
    var conditions: [Condition] = []
    /// Empty for everything.
    var subjects: [Subject] = []

    /// The fields of a setup stage, nil for any.
    struct SetupPattern: Hashable, Sendable {
        var requestType: UInt8?
        var request: UInt8?
        var value: UInt16?
        var index: UInt16?
        var length: UInt16?

        func matches(_ setup: SetupPacket) -> Bool {
            (requestType ?? setup.requestType) == setup.requestType && (request ?? setup.request) == setup.request
                && (value ?? setup.value) == setup.value && (index ?? setup.index) == setup.index
                && (length ?? setup.length) == setup.length
        }
    }

    /// Whether it leaves everything of an answer out.
    var ignoresAll: Bool { subjects.isEmpty }

    /// Whether it is about a transfer.
    ///
    /// - Parameters:
    ///   - packets: the numbers of its submission and its end.
    ///   - serialNumberIndex: of the recorded device's string; 0 for none.
    func matches(
        endpoint: EndpointAddress, setup: SetupPacket?, packets: [Int], serialNumberIndex: UInt8
    ) -> Bool {
        conditions.allSatisfy { condition in
            switch condition {
            case .endpoint(let address):
                // Both directions of endpoint zero are one.
                return address == endpoint || address.number == 0 && endpoint.number == 0
            case .packets(let range): return packets.contains { range.contains($0) }
            case .request(let request, let descriptor):
                guard let setup, setup.kind == .standard, setup.request == request.rawValue else { return false }
                return descriptor == nil || descriptor == UInt8(setup.value >> 8)
            case .setup(let pattern): return setup.map { pattern.matches($0) } ?? false
            case .serialNumber:
                guard let setup, setup.kind == .standard, setup.direction == .in, serialNumberIndex != 0 else {
                    return false
                }
                return setup.request == StandardRequest.getDescriptor.rawValue
                    && setup.value == 0x0300 | UInt16(serialNumberIndex)
            }
        }
    }
}
