import CaptureTraces
import Testing
import USBCapture
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

/// A device that answers as it was recorded, or as a test says, in a time of its own.
final class RecordedTarget: RequestTarget {
    /// What happened, in order.
    enum Event: Equatable {
        case submitted(Int)
        case cancelled(Int)
        case answered(Int)
    }

    private let trace: Trace
    private(set) var events: [Event] = []
    private(set) var requests: [Int: TransferRequest] = [:]
    /// When each request was made, in milliseconds.
    private(set) var times: [Int: UInt64] = [:]
    private var waiting: [(due: UInt64, answer: RequestAnswer)] = []
    private var open: Set<Int> = []

    var speed: Speed
    var now: UInt64 = 5_000_000_000
    /// What is answered in place of what was recorded.
    var other: [Int: (inout RequestAnswer) -> Void] = [:]
    /// How long an answer takes, in milliseconds; nil for ever.
    var delay: (Int) -> UInt64? = { _ in 0 }
    /// Whether a transfer that is taken back is given back.
    var givesBack = true
    /// Which request is not taken, and why.
    var refuses: (TransferRequest) -> HostError? = { _ in nil }

    init(_ trace: Trace) {
        self.trace = trace
        speed = trace.device.speed
    }

    func submit(_ request: TransferRequest, tag: Int) throws(HostError) {
        if let error = refuses(request) { throw error }
        events.append(.submitted(tag))
        requests[tag] = request
        times[tag] = (now - 5_000_000_000) / 1_000_000
        open.insert(tag)
        guard let delay = delay(tag) else { return }
        var answer = recorded(tag)
        other[tag]?(&answer)
        waiting.append((now + delay * 1_000_000, answer))
    }

    private func recorded(_ tag: Int) -> RequestAnswer {
        guard trace.transfers.indices.contains(tag) else {
            return RequestAnswer(tag: tag, status: .success, actualLength: 0)
        }
        let transfer = trace.transfers[tag]
        let data = (try? trace.bytes(transfer.input)) ?? []
        var answer = RequestAnswer(
            tag: tag, status: transfer.status, actualLength: Int(transfer.actual), data: data)
        guard transfer.packetCount > 0 else { return answer }
        answer.data = []
        for packet in trace.packets[Int(transfer.firstPacket)...].prefix(Int(transfer.packetCount)) {
            answer.packets.append(.init(status: packet.status, length: Int(packet.length)))
            answer.data += data[Int(packet.offset)...].prefix(Int(packet.length))
        }
        return answer
    }

    func cancel(_ tag: Int) {
        events.append(.cancelled(tag))
        guard givesBack, open.contains(tag) else { return }
        waiting.removeAll { $0.answer.tag == tag }
        waiting.append((now, RequestAnswer(tag: tag, status: .cancelled, actualLength: 0)))
    }

    func next(until deadline: UInt64?) -> RequestAnswer? {
        // Of those that are due together the first that was asked for.
        guard let index = waiting.indices.min(by: { waiting[$0].due < waiting[$1].due }),
            waiting[index].due <= deadline ?? .max
        else {
            if deadline == nil { Issue.record("the replay waits for ever: \(events)") }
            now = max(now, deadline ?? now + 1)
            guard deadline == nil, let tag = open.first else { return nil }
            open.remove(tag)
            return RequestAnswer(tag: tag, status: .shutdown, actualLength: 0, connectionError: .closed)
        }
        let (due, answer) = waiting.remove(at: index)
        now = max(now, due)
        open.remove(answer.tag)
        events.append(.answered(answer.tag))
        return answer
    }

    /// The requests in the order in which they were made.
    var order: [Int] {
        events.compactMap { event in
            guard case .submitted(let tag) = event else { return nil }
            return tag
        }
    }
}

extension Recording {
    /// Replays the recording to a device that answers as recorded but for what `prepare` changes.
    func replay(
        _ settings: HostReplaySettings = HostReplaySettings(), _ prepare: (RecordedTarget) -> Void = { _ in }
    ) -> Replayed {
        let trace = trace
        let target = RecordedTarget(trace)
        prepare(target)
        let replay = HostReplay(trace, target: target, settings)
        let report = replay.run()
        return Replayed(target: target, replay: replay, report: report)
    }
}

/// A replay that has ended.
struct Replayed {
    let target: RecordedTarget
    let replay: HostReplay
    let report: ReplayReport

    var events: [RecordedTarget.Event] { target.events }
    var order: [Int] { target.order }
}
