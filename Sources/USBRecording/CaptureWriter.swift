import Glibc
public import Logging
import SocketIO
import Synchronization
import USBCapture
import USBCore

/// Writes a capture: a pcapng file of usbmon records, an interface for each device, which is alone on its bus.
///
/// Devices hand over records and go on; a thread writes them. It never makes a device wait: what does not fit into the
/// memory that ``CaptureLimits`` allow is dropped, and said so in the file. What is recorded is in the file after
/// ``CaptureLimits/flushTime`` at the latest, so that a running capture can be read.
public final class CaptureWriter: Sendable {
    private let output: CaptureOutput
    private let limits: CaptureLimits
    private let logger: Logger
    let buffer: RecordBuffer
    private let news: SocketIO.Semaphore
    private let ended = SocketIO.Semaphore()
    private let startTime: Int64
    private let state = Mutex(State.held)
    private let progress = Atomic<Int64>(0)
    private let failure = Mutex<String?>(nil)
    private let totals = Mutex<CaptureTotals?>(nil)

    private enum State { case held, started, closed }

    /// Opens a file, and begins to write it unless that is to wait.
    ///
    /// An older capture is overwritten, any other file is not. Of a FIFO, waits until somebody reads it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - application: what records, such as `ghostplug 1.0`.
    ///   - comment: what to say of the whole file.
    ///   - isHeld: whether the file stays as it is until ``start()``; what is recorded until then waits in memory.
    ///   - logger: told once when records are dropped or cannot be written.
    /// - Throws: ``RecordingError`` when the file cannot be written.
    public init(
        path: String, application: String, comment: String = "", limits: CaptureLimits = CaptureLimits(),
        isHeld: Bool = false, logger: Logger
    ) throws(RecordingError) {
        output = try CaptureOutput(path: path)
        self.limits = limits
        self.logger = logger
        let news = SocketIO.Semaphore()
        self.news = news
        buffer = RecordBuffer(limits) { news.signal() }
        startTime = buffer.now
        buffer.append(PcapNGEncoder.section(application: application, comment: comment))
        if !isHeld { try start() }
    }

    /// Begins to write the file, which loses what was in it: to be called once nothing else can fail.
    ///
    /// The second time, and after ``close()``, does nothing.
    ///
    /// - Throws: ``RecordingError`` when an older capture cannot be overwritten, or there is no thread.
    public func start() throws(RecordingError) {
        try state.withLock { state throws(RecordingError) in
            guard state == .held else { return }
            try output.begin()
            do throws(SocketError) {
                try startThread("capture") { [self] in write() }
            } catch {
                throw RecordingError("cannot record: \(error)")
            }
            state = .started
        }
    }

    /// Declares a device, on a bus and an interface of its own.
    ///
    /// - Returns: what its records go to. Buses are numbered from 1 in the order of these calls; the device's address is 2,
    ///   as behind a root hub.
    public func register(_ device: RecordedDevice) -> CaptureChannel {
        let index = buffer.addChannel { index in
            let channel = CaptureChannel.Place(index)
            return PcapNGEncoder.interface(
                name: "usbmon\(channel.bus)", description: device.name, comment: device.comment(channel))
        }
        return CaptureChannel(index, self)
    }

    /// Ends the capture: writes what there is, and how many records there were.
    ///
    /// Waits for the file, but not for one that takes nothing for ``CaptureLimits/patience``. One that ``start()`` was
    /// not called for is left as it was found.
    public func close() -> CaptureTotals {
        totals.withLock { totals in
            if let totals { return totals }
            buffer.close()
            let wasStarted = state.withLock { state in
                defer { state = .closed }
                return state == .started
            }
            guard wasStarted else {
                _ = output.finish()
                let made = makeTotals(isWritten: false)
                totals = made
                return made
            }
            var last = progress.load(ordering: .relaxed)
            while !ended.wait(milliseconds: limits.patience) {
                let now = progress.load(ordering: .relaxed)
                guard now != last else {
                    failure.withLock { $0 = $0 ?? "nobody takes what is written to \(output.path)" }
                    break
                }
                last = now
            }
            let made = makeTotals()
            totals = made
            return made
        }
    }

    private func makeTotals(isWritten: Bool = true) -> CaptureTotals {
        var (channels, lost) = buffer.counts
        let recorded = channels.reduce(0) { $0 &+ $1.recorded }
        if !isWritten { lost = recorded }
        return CaptureTotals(
            path: output.path, records: recorded &- lost, devices: channels.count,
            dropped: channels.reduce(lost) { $0 &+ $1.dropped }, failure: failure.withLock { $0 })
    }

    // MARK: The thread that writes

    private func write() {
        blockSignals()
        var size: Int64 = 0
        var interfaces = 0
        var isPatient = true
        var hasToldOfDrops = false
        loop: while true {
            switch buffer.next(isPatient: isPatient) {
            case .write(let block):
                block.waitUntilWhole()
                let bytes = unsafe UnsafeRawBufferPointer(start: block.memory, count: block.fill)
                let outcome = unsafe output.write(bytes) { progress.wrappingAdd(Int64($0), ordering: .relaxed) }
                guard outcome.code == 0 else {
                    let whole = unsafe WholeBlocks(bytes, first: outcome.written)
                    size += Int64(whole.size)
                    interfaces += whole.interfaces
                    fail(outcome.code, block, written: whole.records)
                    // What is there stays readable.
                    output.cut(to: size)
                    break loop
                }
                size += Int64(block.fill)
                interfaces += block.interfaces
                buffer.recycle(block)
            case .wait(isIdle: true):
                news.wait()
                isPatient = true
            case .wait(isIdle: false):
                isPatient = news.wait(milliseconds: limits.flushTime)
            case .end: break loop
            }
            if !hasToldOfDrops, buffer.hasDropped {
                hasToldOfDrops = true
                logger.warning(
                    "records are missing in \(output.path): \(CaptureLimits.why); a faster disk or fewer devices help")
            }
        }
        finish(interfaces, size)
        ended.signal()
    }

    /// - Parameter written: records of the block that are in the file.
    private func fail(_ code: Int32, _ block: RecordBlock, written: UInt64) {
        let advice =
            switch code {
            case ENOSPC, EDQUOT: "; make room and start again"
            case EFBIG: "; allow larger files (ulimit -f) and start again"
            case EPIPE: ": whoever read it has gone"
            default: ""
            }
        let reason = RecordingError("cannot write \(output.path)", code: code).description + advice
        failure.withLock { $0 = reason }
        buffer.fail(block, written: written)
        logger.error("recording has ended, the devices go on: \(reason)")
    }

    /// Writes the statistics, which are small, so that they may fit even where records did not.
    ///
    /// - Parameters:
    ///   - interfaces: how many the file has.
    ///   - size: the file's bytes.
    private func finish(_ interfaces: Int, _ size: Int64) {
        let end = buffer.now
        let (channels, lost) = buffer.counts
        let reason = failure.withLock { $0 }
        var bytes: [UInt8] = []
        for (index, counts) in channels.prefix(interfaces).enumerated() {
            var comments = counts.notes
            if let times = counts.dropTimes {
                comments.append(
                    "\(counts.dropped) records were dropped, from \(RecordingClock.words(times.lowerBound)) to "
                        + "\(RecordingClock.words(times.upperBound)): \(CaptureLimits.why)")
            }
            if let reason { comments.append("recording ended early, with \(lost) records lost: \(reason)") }
            bytes += PcapNGEncoder.statistics(
                UInt32(clamping: index),
                PcapNGEncoder.Statistics(
                    start: startTime, end: end, received: counts.recorded &+ counts.dropped, dropped: counts.dropped),
                comment: comments.joined(separator: "\n"))
        }
        let written = unsafe bytes.withUnsafeBytes { bytes in
            let outcome = unsafe output.write(bytes) { progress.wrappingAdd(Int64($0), ordering: .relaxed) }
            if outcome.code != 0 {
                output.cut(to: size + Int64(unsafe WholeBlocks(bytes, first: outcome.written).size))
            }
            return outcome.code
        }
        let closed = output.finish()
        let code = written == 0 ? closed : written
        guard code != 0, reason == nil else { return }
        failure.withLock { $0 = RecordingError("cannot write \(output.path)", code: code).description }
    }

    /// A FIFO without a reader is an error like others, and so is a file that may not grow any further.
    private func blockSignals() {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, SIGPIPE)
        unsafe sigaddset(&set, SIGXFSZ)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    }
}
