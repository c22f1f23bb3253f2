import Measurement
import Synchronization
import USBCore
import USBIPClient

/// One case being measured on a device.
///
/// `@unchecked Sendable`: the meter and the error belong to the device's reading thread from the first submission
/// until no URB is left, and to the caller before and after; `left` orders the two.
final class CaseRun: @unchecked Sendable {
    private let benchCase: BenchCase
    private let timeout: UInt64
    private var meter: CaseMeter
    private var connectionError: HostError?
    /// URBs that have not ended.
    private let left: Atomic<Int>
    private let isEnding = Atomic(false)
    private let urbs = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)
    private let lastAt: Atomic<UInt64>
    private let startedAt: UInt64
    private let expectedEnd: UInt64

    /// What came of a case.
    struct Outcome {
        var result: BenchResult
        /// Why nothing more can be measured; nil while the connection lives.
        var connectionError: HostError?
        /// Whether somebody ended it early.
        var isInterrupted = false
        /// Whether the endpoint gave nothing until the patience was at its end.
        var wasSilent = false
    }

    /// Makes a run.
    ///
    /// - Parameter server: the server's process, where it is ours.
    init(_ benchCase: BenchCase, _ setting: BenchStep.Setting?, _ settings: BenchSettings, server: Int32?) {
        self.benchCase = benchCase
        // Not before a URB can have come back: one of many packets at a long interval takes its time.
        timeout = UInt64(settings.timeout * 1e9) &+ 2 &* (benchCase.interval ?? 0)
        startedAt = BenchClock.now()
        expectedEnd = startedAt &+ UInt64((settings.warmup + settings.time) * 1e9)
        lastAt = Atomic(startedAt)
        left = Atomic(benchCase.depth)
        meter = CaseMeter(benchCase, setting, settings, now: startedAt) {
            (BenchClock.processorTime(), server.flatMap { BenchClock.processorTime(of: $0) })
        }
    }

    /// Measures until the case's time is over, something fails, or a signal comes.
    func run(on device: RemoteDevice, _ signals: BenchSignals, _ progress: BenchProgress, _ title: String) -> Outcome {
        var ids: [TransferID] = []
        var trouble: String?
        let request = benchCase.request
        for index in 0..<benchCase.depth {
            do throws(HostError) {
                ids.append(try device.submitRepeatedly(request) { self.complete(index, $0) })
            } catch {
                trouble = "\(error)"
                left.subtract(benchCase.depth - index, ordering: .acquiringAndReleasing)
                break
            }
        }
        var (isInterrupted, wasSilent) = (false, false)
        var shown = (at: startedAt, urbs: UInt64(0), bytes: UInt64(0))
        while trouble == nil, !isEnding.load(ordering: .acquiring), left.load(ordering: .acquiring) > 0 {
            let now = BenchClock.now()
            let last = lastAt.load(ordering: .relaxed)
            if now > last, now - last > timeout {
                wasSilent = true
                trouble =
                    "endpoint 0x\(hex(benchCase.endpoint.rawValue)) gave nothing for "
                    + "\(significant(Double(now - last) / 1e9)) s"
                break
            }
            // Short waits only where the end is near.
            let wait = now < expectedEnd ? min(100_000_000, expectedEnd - now) : 2_000_000
            if signals.wait(nanoseconds: wait) {
                isInterrupted = true
                break
            }
            show(progress, title, &shown)
        }
        guard finish(device, ids) else {
            let error = HostError.unresponsive("\(benchCase.description): URBs do not come back")
            return Outcome(
                result: BenchResult(benchCase: benchCase, trouble: "\(error)"), connectionError: error,
                isInterrupted: isInterrupted, wasSilent: wasSilent)
        }
        meter.finish(trouble: trouble)
        return Outcome(
            result: meter.result, connectionError: connectionError ?? device.connectionError,
            isInterrupted: isInterrupted, wasSilent: wasSilent)
    }

    // MARK: The reading thread

    private func complete(_ index: Int, _ completion: borrowing TransferCompletion) -> TransferStep {
        let now = BenchClock.now()
        lastAt.store(now, ordering: .relaxed)
        if let error = completion.connectionError {
            connectionError = error
            meter.finish(trouble: "\(error)")
        } else if isEnding.load(ordering: .acquiring) {
            meter.finish()
        } else {
            let verdict = meter.complete(index, at: now, status: completion.status, length: completion.actualLength)
            if verdict.isCounted { read(completion, now) }
            if verdict.goesOn {
                urbs.wrappingAdd(1, ordering: .relaxed)
                bytes.wrappingAdd(UInt64(clamping: completion.actualLength), ordering: .relaxed)
                return .resubmit
            }
        }
        isEnding.store(true, ordering: .releasing)
        left.subtract(1, ordering: .acquiringAndReleasing)
        return .done
    }

    private func read(_ completion: borrowing TransferCompletion, _ now: UInt64) {
        guard benchCase.packets > 0 else {
            if meter.readsNumbers { completion.withBytes { meter.receiveReport($0, at: now) } }
            return
        }
        for index in 0..<completion.packetCount {
            guard let packet = completion.packet(index) else { continue }
            meter.receivePacket(status: packet.status, length: packet.actualLength)
            guard meter.readsNumbers, packet.status == .success, packet.actualLength > 0 else { continue }
            completion.withPacket(index) { meter.receiveReport($0, at: now) }
        }
    }

    // MARK: The end

    /// How long URBs may take to come back by themselves, for a URB may be just about to.
    private static let grace: UInt64 = 20_000_000
    /// How long a server may take to give URBs back.
    private static let patience: UInt64 = 5_000_000_000

    /// Gets every URB back, whatever the server does.
    ///
    /// - Returns: whether that worked; where not, what handlers write to is not to be read.
    private func finish(_ device: RemoteDevice, _ ids: [TransferID]) -> Bool {
        isEnding.store(true, ordering: .releasing)
        if waitForAll(Self.grace) { return true }
        ids.forEach { device.cancel($0) }
        if waitForAll(Self.patience) { return true }
        device.close()
        return waitForAll(Self.patience)
    }

    private func waitForAll(_ time: UInt64) -> Bool {
        let deadline = BenchClock.now() &+ time
        while left.load(ordering: .acquiring) > 0 {
            guard BenchClock.now() < deadline else { return false }
            BenchClock.sleep(nanoseconds: 500_000)
        }
        return true
    }

    private func show(
        _ progress: BenchProgress, _ title: String, _ shown: inout (at: UInt64, urbs: UInt64, bytes: UInt64)
    ) {
        let now = BenchClock.now()
        guard now &- shown.at >= 200_000_000 else { return }
        let (urbs, bytes) = (urbs.load(ordering: .relaxed), bytes.load(ordering: .relaxed))
        let seconds = Double(now &- shown.at) / 1e9
        progress.show(
            "\(title)  \(significant(Double(urbs &- shown.urbs) / seconds)) URB/s  "
                + "\(significant(Double(bytes &- shown.bytes) / seconds / 1e6)) MB/s")
        shown = (now, urbs, bytes)
    }
}

extension BenchCase {
    /// The URB that is repeated; what is written is zeros.
    fileprivate var request: TransferRequest {
        let number = endpoint.number
        let packet = packets > 0 ? size / packets : 0
        switch type {
        case .control:
            // GET_DESCRIPTOR(device) (USB 2.0 §9.4.3), which changes nothing.
            return .control(
                SetupPacket(requestType: 0x80, request: 6, value: 0x0100, index: 0, length: UInt16(clamping: size)))
        case .bulkIn, .interruptIn: return .in(number, room: size)
        case .bulkOut, .interruptOut: return .out(number, [UInt8](repeating: 0, count: size))
        case .isoIn: return .isochronousIn(number, lengths: [Int](repeating: packet, count: packets))
        case .isoOut:
            return .isochronousOut(
                number, packets: [[UInt8]](repeating: [UInt8](repeating: 0, count: packet), count: packets))
        }
    }
}
