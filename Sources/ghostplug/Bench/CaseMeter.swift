import Measurement
import Statistics
import USBCore

/// Turns the completions of one case into figures: when counting begins, what counts, and when there is enough.
///
/// It knows no clock and no connection; both are told it.
struct CaseMeter {
    /// Seconds of processor time that this process has used so far, and the server, where it is ours.
    typealias ProcessorTimes = (client: Double, server: Double?)

    private enum Phase {
        case warming
        case measuring
        case ended
    }

    private(set) var result: BenchResult
    private let countingFrom: UInt64
    private let endsAt: UInt64
    private let isNumbered: Bool
    private let processorTimes: @Sendable () -> ProcessorTimes
    private var phase: Phase
    /// When each URB was last submitted.
    private var submitted: [UInt64]
    private var startedAt: UInt64
    private var lastAt: UInt64
    private var timesAtStart: ProcessorTimes
    private var failuresInRow = 0

    /// So many failures one after the other are no accident.
    static let failureLimit = 100

    /// Begins a case whose URBs are all submitted now.
    ///
    /// - Parameters:
    ///   - now: nanoseconds of the clock that every other time is of.
    ///   - processorTimes: asked when counting begins and when it ends.
    init(
        _ benchCase: BenchCase, _ setting: BenchStep.Setting?, _ settings: BenchSettings, now: UInt64,
        processorTimes: @escaping @Sendable () -> ProcessorTimes
    ) {
        result = BenchResult(benchCase: benchCase, setting: setting)
        result.intervals = benchCase.interval.map { IntervalMeter(nominal: $0) }
        isNumbered = settings.isNumbered && benchCase.type.direction == .in && benchCase.type != .control
        result.counter = isNumbered ? CounterCheck() : nil
        countingFrom = now &+ UInt64(settings.warmup * 1e9)
        endsAt = countingFrom &+ UInt64(settings.time * 1e9)
        self.processorTimes = processorTimes
        submitted = [UInt64](repeating: now, count: benchCase.depth)
        (startedAt, lastAt) = (now, now)
        timesAtStart = processorTimes()
        phase = settings.warmup > 0 ? .warming : .measuring
    }

    /// What a completion means.
    struct Verdict: Equatable {
        /// Whether the URB's packets and its number count.
        var isCounted = false
        /// Whether it is to be submitted again.
        var goesOn = false
    }

    /// Takes note of a completion.
    ///
    /// Counting begins with the first completion after the warm-up, which is not counted itself, so that rates are
    /// those of whole intervals. It ends with the first one past the case's time, which is.
    mutating func complete(_ index: Int, at now: UInt64, status: TransferStatus, length: Int) -> Verdict {
        guard phase != .ended, submitted.indices.contains(index) else { return Verdict() }
        let latency = now >= submitted[index] ? now - submitted[index] : 0
        submitted[index] = now
        if phase == .warming {
            if now >= countingFrom { begin(at: now) }
            guard note(status) else { return Verdict() }
            return Verdict(goesOn: true)
        }
        lastAt = now
        result.intervals?.complete(at: now)
        guard note(status) else { return Verdict() }
        if status == .success {
            result.urbs &+= 1
            result.bytes &+= UInt64(clamping: length)
            result.latency.record(latency)
        }
        if now >= endsAt { finish() }
        return Verdict(isCounted: status == .success, goesOn: phase != .ended)
    }

    /// Takes note of a packet of a URB that counts.
    mutating func receivePacket(status: TransferStatus, length: Int) {
        result.packets &+= 1
        if status != .success {
            result.packetErrors &+= 1
        } else if length == 0, result.benchCase.type.direction == .in {
            result.emptyPackets &+= 1
        }
    }

    /// Whether reports are looked into.
    var readsNumbers: Bool { isNumbered }

    /// Takes a report of a URB or a packet that counts.
    mutating func receiveReport(_ report: RawSpan, at now: UInt64) {
        result.counter?.receive(report)
        if isNumbered { result.ages.receive(report, at: now) }
    }

    /// Ends the case, whatever has come until now; later completions do not count.
    mutating func finish(trouble: String? = nil) {
        result.trouble = result.trouble ?? trouble
        guard phase != .ended else { return }
        if phase == .measuring {
            let times = processorTimes()
            result.seconds = Double(lastAt - startedAt) / 1e9
            result.clientCPU = max(0, times.client - timesAtStart.client)
            if let end = times.server, let start = timesAtStart.server { result.serverCPU = max(0, end - start) }
        }
        phase = .ended
    }

    private mutating func begin(at now: UInt64) {
        phase = .measuring
        (startedAt, lastAt) = (now, now)
        timesAtStart = processorTimes()
        result.intervals?.complete(at: now)
    }

    /// Counts failures; false where there is no use in going on.
    private mutating func note(_ status: TransferStatus) -> Bool {
        guard status != .success else {
            failuresInRow = 0
            return true
        }
        result.failures[status.rawValue, default: 0] &+= 1
        failuresInRow += 1
        let endpoint = "endpoint 0x\(hex(result.benchCase.endpoint.rawValue))"
        switch status {
        case .stalled: finish(trouble: "\(endpoint) stalled")
        case .overflow:
            finish(
                trouble: "\(endpoint) sent more than \(result.benchCase.size) bytes; use sizes that are multiples of "
                    + "its packet size")
        case .shutdown: finish(trouble: "the device has gone")
        case .invalid, .outOfMemory, TransferStatus(rawValue: -2):
            finish(trouble: "the server does not take such URBs for \(endpoint)")
        case _ where failuresInRow >= Self.failureLimit:
            finish(trouble: "\(failuresInRow) URBs in a row failed on \(endpoint)")
        default: return true
        }
        return false
    }
}
