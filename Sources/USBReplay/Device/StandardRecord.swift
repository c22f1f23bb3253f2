import CaptureTraces
import USBCore

/// What a recording says of standard requests: which it has, and which the device refused.
struct StandardRecord {
    private struct Answers {
        var stalls = 0
        /// The longest answer, as a place in ``Trace/transfers``.
        var longest: UInt32?
        var longestCount: UInt32 = 0
    }

    /// By setup packet without its length.
    private var requests: [UInt64: Answers] = [:]

    init(_ trace: Trace) {
        for (index, transfer) in trace.transfers.enumerated() where transfer.type == .control {
            guard let setup = transfer.setup, setup.kind == .standard, transfer.isPlayable,
                let place = UInt32(exactly: index)
            else { continue }
            if transfer.status == .stalled {
                requests[Self.key(setup), default: Answers()].stalls += 1
            } else if transfer.outcome == .success {
                let before = requests[Self.key(setup), default: Answers()]
                if before.longest == nil || transfer.actual > before.longestCount {
                    requests[Self.key(setup), default: Answers()].longest = place
                    requests[Self.key(setup), default: Answers()].longestCount = transfer.actual
                }
            }
        }
    }

    /// Whether the recording has the request, with any wLength.
    func has(_ setup: SetupPacket) -> Bool { requests[Self.key(setup)] != nil }

    /// Whether the device never did anything but refuse it.
    func onlyStalled(_ setup: SetupPacket) -> Bool {
        guard let answers = requests[Self.key(setup)] else { return false }
        return answers.longest == nil && answers.stalls > 0
    }

    /// The request that was answered with most, as a place in ``Trace/transfers``.
    func success(_ setup: SetupPacket) -> Int? { requests[Self.key(setup)]?.longest.map { Int($0) } }

    private static func key(_ setup: SetupPacket) -> UInt64 { setup.littleEndian & 0x0000_ffff_ffff_ffff }
}
