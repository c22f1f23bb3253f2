import CaptureTraces
import USBCapture
import USBCore
import USBIPClient
import USBReplay

/// One replay, from its first request to its report.
final class ReplayRun {
    /// A transfer that waits for its end.
    struct Flight {
        var place: Int
        /// Its lane; nil for what is made one after another.
        var lane: Int?
        /// When it is taken back; nil while it need not have ended.
        var deadline: UInt64?
        var isTakenBack = false
    }

    /// How far a lane has come.
    struct LaneState {
        var next = 0
        var flights: [Int] = []
        /// The device stopped to send: no more is asked for.
        var isGivenUp = false
        /// The rest does not wait for it, until it has caught up.
        var isLate = false
        /// The recorded time of what happened last.
        var lastRecorded = Int64.min
    }

    /// How long the rest waits for what a device sends by itself: half a second.
    static let courtesy: UInt64 = 500_000_000
    /// After so many transfers in a row without an answer the device is given up.
    static let silenceLimit = 5

    let trace: Trace
    let target: any RequestTarget
    let settings: HostReplaySettings
    let facts: EndpointFacts
    let maker: RequestMaker
    let plan: ReplayPlan
    /// Places of transfers whose data depend on what is not sent.
    let unsettled: Set<Int32>
    let total: Int

    var report: ReplayReport
    var skipped: [SkipReason: Int]
    var trouble: HostError?
    /// Whether no more is asked of the device.
    var isStopped = false
    var startTime: UInt64 = 0
    var done = 0

    private var next = 0
    private var lanes: [LaneState]
    private var flights: [Int: Flight] = [:]
    private var mainFlights: [Int] = []
    private var silence = 0
    private var lastRecorded = Int64.min
    private var lastActual: UInt64 = 0
    /// Which of the rules for what is ignored have fitted nothing yet.
    var unusedRules: Set<Int>
    /// When the next transfer goes ahead of what the device should send by itself.
    private var courtesyEnd: UInt64?
    /// When the next transfer's pause is over.
    private var wake: UInt64?

    init(_ trace: Trace, _ target: any RequestTarget, _ settings: HostReplaySettings) {
        self.trace = trace
        self.target = target
        self.settings = settings
        facts = EndpointFacts(trace.device.descriptors)
        maker = RequestMaker(trace: trace, facts: facts, speed: target.speed)
        report = ReplayReport(subject: trace.device.words)
        // Where the capture cannot be read nothing is sent at all.
        let found = settings.allowsWrites ? DiskWrites() : try? DiskWrites(trace, facts)
        let writes = found ?? DiskWrites()
        isStopped = found == nil
        plan = ReplayPlan(trace, facts, leftOut: writes.transfers)
        unsettled = writes.unsettled
        skipped = plan.skipped
        lanes = plan.lanes.map { _ in LaneState() }
        unusedRules = Set(settings.ignored.indices)
        total = plan.main.count + plan.lanes.reduce(0) { $0 + $1.steps.count }
        if let remark = writes.remark { report.note(remark) }
        if isStopped {
            report.add(
                Divergence(
                    .unreadable, by: .device, packet: nil, endpoint: .out(0), subject: "the disk's commands", time: 0,
                    detail: "the capture's file has been changed, or cannot be read"))
        }
    }

    func run(_ progress: ((HostReplay.Progress) -> Void)?) -> ReplayReport {
        startTime = target.now
        if !isStopped { prepare() }
        lastActual = target.now
        while !isStopped {
            submitReady()
            guard !isStopped, !flights.isEmpty || wake != nil else { break }
            setDeadlines()
            if let answer = target.next(until: nextDeadline) {
                take(answer)
                progress?(HostReplay.Progress(done: done, total: total, divergences: report.divergenceCount))
            } else {
                expire()
            }
        }
        for place in flights.keys { target.cancel(place) }
        countRest()
        for index in unusedRules.sorted() {
            report.note("the rule '\(settings.ignored[index].text)' for what is ignored fits no transfer that was made")
        }
        requireComparisons()
        return report
    }

    /// A test must not pass because nothing was tested.
    private func requireComparisons() {
        guard report.passed, report.endpoints.allSatisfy({ $0.matched == 0 }) else { return }
        report.add(
            Divergence(
                .missingRequest, by: .device, packet: nil, endpoint: .out(0), subject: "the whole recording",
                time: elapsed, detail: "nothing of it could be made again, so nothing was compared"))
    }

    private func transfer(_ place: Int32) -> TracedTransfer { trace.transfers[Int(place)] }

    /// Where in the recording the next transfer of the main order stands; behind everything at the end.
    private var mainStart: UInt32 { next < plan.main.count ? start(plan.main[next]) : .max }

    private func start(_ place: Int32) -> UInt32 { plan.start(of: place, transfer(place)) }

    // MARK: Submitting

    private func submitReady() {
        wake = nil
        while !isStopped {
            if let lane = lanes.indices.first(where: { isReady(lane: $0) }) {
                let place = plan.lanes[lane].steps[lanes[lane].next]
                lanes[lane].next += 1
                submit(Int(place), lane: lane)
            } else if next < plan.main.count, isMainReady() {
                let place = plan.main[next]
                next += 1
                courtesyEnd = nil
                lastActual = target.now
                if start(place) > 0 { lastRecorded = max(lastRecorded, transfer(place).submitted) }
                submit(Int(place), lane: nil)
            } else {
                return
            }
        }
    }

    private func isReady(lane index: Int) -> Bool {
        let state = lanes[index]
        let steps = plan.lanes[index].steps
        guard !state.isGivenUp, state.next < steps.count else { return false }
        let start = start(steps[state.next])
        return start <= mainStart && !mainFlights.contains { trace.transfers[$0].end < start }
            && !state.flights.contains { trace.transfers[$0].end < start }
    }

    private func isMainReady() -> Bool {
        let transfer = transfer(plan.main[next])
        let start = mainStart
        guard !mainFlights.contains(where: { trace.transfers[$0].end < start }) else { return false }
        for index in lanes.indices where isBehind(index, start) {
            // What may be an answer is waited for as long as an answer may take.
            if plan.lanes[index].isConversation { return false }
            let now = target.now
            let end = courtesyEnd ?? now &+ Self.courtesy
            courtesyEnd = end
            guard now >= end else {
                wake = min(wake ?? end, end)
                return false
            }
            lanes[index].isLate = true
        }
        guard settings.scale > 0, lastRecorded != .min, start > 0 else { return true }
        let pause = nanoseconds(from: lastRecorded, to: transfer.submitted)
        let due = lastActual &+ UInt64(min(Double(pause) * settings.scale, 1e18))
        guard target.now >= due else {
            wake = due
            return false
        }
        return true
    }

    /// Whether a lane has not brought what it had brought at a place of the recording, and is waited for.
    private func isBehind(_ index: Int, _ start: UInt32) -> Bool {
        let state = lanes[index]
        let steps = plan.lanes[index].steps
        guard !state.isGivenUp else { return false }
        let oldest = state.flights.first ?? (state.next < steps.count ? Int(steps[state.next]) : nil)
        guard let oldest, trace.transfers[oldest].end < start else {
            lanes[index].isLate = false
            return false
        }
        return !state.isLate
    }

    private func submit(_ place: Int, lane: Int?) {
        let transfer = trace.transfers[place]
        let request: TransferRequest?
        do {
            request = try maker.request(for: transfer)
        } catch {
            diverge(.unreadable, transfer, detail: error.description)
            isStopped = true
            return
        }
        guard let request else {
            skip(transfer, .cutOutput)
            return
        }
        do {
            try target.submit(request, tag: place)
        } catch {
            guard case .invalidRequest(let why) = error else { return fail(error) }
            diverge(.otherStatus, transfer, detail: "it cannot be sent: \(why)")
            done += 1
            return
        }
        flights[place] = Flight(place: place, lane: lane)
        if let lane { lanes[lane].flights.append(place) } else { mainFlights.append(place) }
    }

    private func skip(_ transfer: TracedTransfer, _ reason: SkipReason) {
        skipped[reason, default: 0] += 1
        done += 1
    }

    // MARK: Waiting

    /// Gives what must have ended by now, by the recording, its time.
    private func setDeadlines() {
        let now = target.now
        let reached = mainStart
        for place in mainFlights { setDeadline(place, reached, lastRecorded, now) }
        for lane in lanes {
            if let oldest = lane.flights.first { setDeadline(oldest, reached, lane.lastRecorded, now) }
        }
    }

    private func setDeadline(_ place: Int, _ reached: UInt32, _ last: Int64, _ now: UInt64) {
        let transfer = trace.transfers[place]
        guard transfer.end <= reached, var flight = flights[place], flight.deadline == nil else { return }
        let wait = nanoseconds(from: max(last, transfer.submitted), to: transfer.completed)
        flight.deadline = now &+ settings.patience &+ wait
        flights[place] = flight
    }

    private var nextDeadline: UInt64? {
        let deadlines = mainFlights + lanes.flatMap { $0.flights.prefix(1) }
        return (deadlines.compactMap { flights[$0]?.deadline } + (wake.map { [$0] } ?? [])).min()
    }

    private func expire() {
        let now = target.now
        for place in flights.keys.sorted() {
            guard var flight = flights[place], let deadline = flight.deadline, deadline <= now else { continue }
            if flight.isTakenBack {
                return fail(.unresponsive("an unlink of a transfer on \(trace.transfers[place].endpoint)"))
            }
            target.cancel(place)
            flight.isTakenBack = true
            flight.deadline = now &+ max(settings.patience, 1_000_000_000)
            flights[place] = flight
        }
    }

    /// A recorded span, nothing where times run backwards, and up to a day.
    private func nanoseconds(from start: Int64, to end: Int64) -> UInt64 {
        guard end > start else { return 0 }
        let (span, overflows) = end.subtractingReportingOverflow(start)
        let day: Int64 = 86_400_000_000_000
        return UInt64(overflows ? day : min(span, day))
    }

    // MARK: Answers

    private func take(_ answer: RequestAnswer) {
        guard let flight = flights.removeValue(forKey: answer.tag) else { return }
        let transfer = trace.transfers[flight.place]
        if let lane = flight.lane {
            lanes[lane].flights.removeAll { $0 == flight.place }
            lanes[lane].lastRecorded = max(lanes[lane].lastRecorded, transfer.completed)
        } else {
            mainFlights.removeAll { $0 == flight.place }
            lastActual = target.now
            lastRecorded = max(lastRecorded, transfer.completed)
        }
        if let error = answer.connectionError { return fail(error, at: transfer) }
        done += 1
        let isTakenBack = flight.isTakenBack && [.cancelled, .timedOut].contains(answer.status)
        guard isTakenBack else {
            silence = 0
            return compare(transfer, answer)
        }
        diverge(.noAnswer, transfer, detail: "not within \(settings.timeout) more than in the recording")
        if let lane = flight.lane {
            lanes[lane].isGivenUp = true
            return
        }
        silence += 1
        guard silence >= Self.silenceLimit else { return }
        report.note("stopped after \(silence) requests in a row without an answer")
        isStopped = true
    }

    /// The connection has ended, or is of no more use.
    func fail(_ error: HostError, at transfer: TracedTransfer? = nil) {
        isStopped = true
        guard trouble == nil else { return }
        trouble = error
        if let transfer = transfer ?? mainFlights.first.map({ trace.transfers[$0] }) {
            diverge(.noAnswer, transfer, detail: "\(error)")
        } else {
            report.add(
                Divergence(
                    .noAnswer, by: .device, packet: nil, endpoint: .out(0), subject: "anything", time: elapsed,
                    detail: "\(error)"))
        }
    }

    /// Counts what was not reached.
    private func countRest() {
        for (index, state) in lanes.enumerated() {
            let rest = plan.lanes[index].steps[state.next...]
            if state.isGivenUp, !rest.isEmpty { skipped[.silentEndpoint, default: 0] += rest.count }
            for place in rest { notReached(transfer(place)) }
        }
        for place in plan.main[min(next, plan.main.count)...] { notReached(transfer(place)) }
        for place in flights.keys { notReached(trace.transfers[place]) }
        for reason in SkipReason.allCases {
            guard let count = skipped[reason], count > 0 else { continue }
            report.note("\(count == 1 ? "1 transfer" : "\(count) transfers") not made again: \(reason.words)")
        }
    }

    private func notReached(_ transfer: TracedTransfer) {
        report.count(transfer.endpoint, transfer.type) { $0.notReached += 1 }
    }
}
