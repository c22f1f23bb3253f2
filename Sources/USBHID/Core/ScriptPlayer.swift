/// Plays a function's scripts, one after the other.
final class ScriptPlayer {
    typealias Completion = (Result<Void, InputScriptError>) -> Void

    private struct Job {
        let script: InputScript
        /// Those that its steps send through.
        let links: [HIDLink]
        let completion: Completion
    }

    /// The most scripts kept, the one that plays among them.
    static let capacity = 256
    /// How often, in nanoseconds, a script is asked whether anybody wants it.
    private static let question: UInt64 = 250_000_000

    /// The first one plays.
    private var jobs: ArraySlice<Job> = []
    /// The step that comes next, or waits to be fetched.
    private var position = 0
    private var isSent = false
    /// The links through which the step has sent something.
    private var awaited: [HIDLink] = []
    /// When the next step may begin; from step to step and not from now on, so that a rhythm is kept.
    private var due: UInt64 = 0
    private var pause: UInt64 = 0
    /// When the host was last seen to fetch something.
    private var lastFetch: UInt64 = 0
    private var isRunning = false

    private let now: () -> UInt64
    private let wake: (_ time: UInt64) -> Void

    init(now: @escaping () -> UInt64, wake: @escaping (_ time: UInt64) -> Void) {
        self.now = now
        self.wake = wake
    }

    func play(_ script: InputScript, _ links: [HIDLink], _ completion: @escaping Completion) {
        guard links.allSatisfy(\.isConfigured) else { return completion(.failure(.notConfigured)) }
        guard jobs.count < Self.capacity else { return completion(.failure(.busy)) }
        jobs.append(Job(script: script, links: links, completion: completion))
        if jobs.count == 1 { begin() }
        run()
    }

    /// The host has fetched a report of a link.
    func fetched(_ link: HIDLink) {
        guard !jobs.isEmpty else { return }
        // That it asks another function does not mean that it will ask this one.
        if awaited.contains(where: { $0 === link }) { lastFetch = now() }
        run()
    }

    /// Ends every script: the host that they were for has gone.
    func abort() {
        let ended = jobs
        let done = position
        jobs = []
        awaited = []
        for (index, job) in ended.enumerated() {
            if index == 0 { job.script.undo() }
            job.completion(.failure(.gone(done: index == 0 ? done : 0, of: job.script.count)))
        }
    }

    private func begin() {
        position = 0
        isSent = false
        awaited = []
        due = now()
    }

    /// Goes on as far as it goes now.
    ///
    /// A step's reports may be fetched while it sends them, and who is told of an end may play another script: both find
    /// this going on.
    func run() {
        guard !isRunning else { return }
        isRunning = true
        defer { isRunning = false }
        while let job = jobs.first {
            if let isWanted = job.script.isWanted, !isWanted() {
                // A script that has not begun has nothing to undo.
                if position > 0 || isSent { undo(job) }
                end(.failure(.unwanted(done: position, of: job.script.count)))
            } else if isSent {
                guard awaitFetch(job) else { return }
            } else if now() < due {
                return wake(job.script.isWanted == nil ? due : min(due, now() &+ Self.question))
            } else if position >= job.script.count {
                end(.success(()))
            } else {
                let step = job.script.step(position)
                pause = step.pause.nanoseconds
                isSent = true
                lastFetch = now()
                let sent = job.links.map(\.sentCount)
                step.change()
                // Not for what others have left: a report that nobody asks for would hold up all that comes later.
                if !jobs.isEmpty { awaited = zip(job.links, sent).filter { $0.sentCount != $1 }.map(\.0) }
            }
        }
    }

    /// Whether there is more to do now.
    private func awaitFetch(_ job: Job) -> Bool {
        if awaited.allSatisfy({ $0.unfetchedCount == 0 }) {
            isSent = false
            position += 1
            // A host that was slow to ask still sees what was to last for a while last for half of it at least.
            due = max(due &+ pause, now() &+ pause / 2)
            return true
        }
        let limit = lastFetch &+ job.script.patience.nanoseconds
        guard now() >= limit else {
            wake(job.script.isWanted == nil ? limit : min(limit, now() &+ Self.question))
            return false
        }
        undo(job)
        end(.failure(.notFetched(done: position, of: job.script.count, after: job.script.patience)))
        return true
    }

    private func undo(_ job: Job) {
        // What nobody wanted in time must not surprise whoever comes later.
        for link in job.links { link.clear() }
        job.script.undo()
        // Among it may have been that what the host has seen go down is up again.
        for link in job.links { link.settle() }
    }

    private func end(_ result: Result<Void, InputScriptError>) {
        let job = jobs.popFirst()
        // A slice keeps what was taken from it.
        if jobs.isEmpty { jobs = [] }
        begin()
        job?.completion(result)
    }
}

extension Duration {
    /// Whole nanoseconds, 0 when negative, and about 292 years at most.
    var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? UInt64(Int64.max) : UInt64(product) &+ UInt64(attoseconds / 1_000_000_000)
    }
}
