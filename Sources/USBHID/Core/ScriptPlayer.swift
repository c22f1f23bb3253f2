/// Plays a function's scripts, one after the other.
final class ScriptPlayer {
    typealias Completion = (Result<Void, InputScriptError>) -> Void

    private struct Job {
        let script: InputScript
        /// Those whose reports a step waits for.
        let links: [HIDLink]
        let completion: Completion
    }

    /// The most scripts kept, the one that plays among them.
    static let capacity = 256

    /// The first one plays.
    private var jobs: ArraySlice<Job> = []
    /// The step that comes next, or waits to be fetched.
    private var position = 0
    private var isSent = false
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

    /// The host has fetched a report.
    func fetched() {
        guard !jobs.isEmpty else { return }
        lastFetch = now()
        run()
    }

    /// Ends every script: the host that they were for has gone.
    func abort() {
        let ended = jobs
        let done = position
        jobs = []
        for (index, job) in ended.enumerated() {
            if index == 0 { job.script.undo() }
            job.completion(.failure(.gone(done: index == 0 ? done : 0, of: job.script.count)))
        }
    }

    private func begin() {
        position = 0
        isSent = false
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
            if isSent {
                guard awaitFetch(job) else { return }
            } else if now() < due {
                return wake(due)
            } else if position >= job.script.count {
                end(.success(()))
            } else {
                let step = job.script.step(position)
                pause = step.pause.nanoseconds
                isSent = true
                lastFetch = now()
                step.change()
            }
        }
    }

    /// Whether there is more to do now.
    private func awaitFetch(_ job: Job) -> Bool {
        if job.links.allSatisfy({ $0.unfetchedCount == 0 }) {
            isSent = false
            position += 1
            due = max(due &+ pause, now())
            return true
        }
        let limit = lastFetch &+ job.script.patience.nanoseconds
        guard now() >= limit else {
            wake(limit)
            return false
        }
        // What nobody wanted in time must not surprise whoever comes later.
        for link in job.links { link.clear() }
        job.script.undo()
        end(.failure(.notFetched(done: position, of: job.script.count, after: job.script.patience)))
        return true
    }

    private func end(_ result: Result<Void, InputScriptError>) {
        let job = jobs.popFirst()
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
