import Glibc
import SocketIO
import Synchronization
import USBCore
import USBIPClient

/// What `--capture` costs: the same transfers, with a device that is recorded and with one that is not, by turns.
enum CaptureCost {
    /// Transfers that are repeated.
    enum Load: CaseIterable {
        case bulkIn64
        case bulkIn64Deep
        case bulkOut64Deep
        case bulkIn1M
        case bulkOut1M

        var name: String {
            "\(isIn ? "IN" : "OUT"), \(bytes == 64 ? "64 bytes" : "1 MiB"), \(depth) in flight"
        }

        var isIn: Bool { self != .bulkOut64Deep && self != .bulkOut1M }

        /// Bytes of a transfer.
        var bytes: Int {
            switch self {
            case .bulkIn64, .bulkIn64Deep, .bulkOut64Deep: 64
            case .bulkIn1M, .bulkOut1M: 1 << 20
            }
        }

        var depth: Int {
            switch self {
            case .bulkIn64: 1
            case .bulkIn64Deep, .bulkOut64Deep: 32
            case .bulkIn1M, .bulkOut1M: 4
            }
        }

        /// The least part of the rate without a capture that is aimed at.
        var goal: Double { bytes == 64 ? Goal.captureSmall : Goal.captureLarge }

        /// Bytes of both records of a transfer in the file.
        var recordedBytes: Int { 2 * (32 + 64) + bytes }
    }

    private static let device = "zero:pattern=none"

    /// Measures all loads.
    ///
    /// - Throws: ``Failure`` when a transfer fails.
    static func measure(rounds: Int, seconds: Double) throws -> [Report.Capture] {
        var template = Array("\(folder())/ghostbench-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw Failure("cannot make a folder for captures") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = "\(folder)/capture.pcapng"
        defer {
            unsafe unlink(file)
            unsafe rmdir(folder)
        }
        return try Load.allCases.map { load in
            Output.progress("capture: \(load.name)")
            var without: [Double] = []
            var with: [Double] = []
            var recorded: [Double] = []
            for round in 0..<rounds {
                for isCaptured in round % 2 == 0 ? [true, false] : [false, true] {
                    let figures = try measure(load, file: isCaptured ? file : nil, seconds: seconds)
                    if isCaptured { with.append(figures.rate) } else { without.append(figures.rate) }
                    if isCaptured { recorded.append(figures.recorded) }
                }
            }
            return Report.Capture(
                load: load, without: median(without), with: median(with), recorded: median(recorded))
        }
    }

    /// Where captures go: what is measured is a file system's cache as others have it.
    private static func folder() -> String {
        unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    }

    /// - Returns: transfers in a second, and the part of them that is in the file.
    private static func measure(
        _ load: Load, file: String?, seconds: Double
    ) throws -> (rate: Double, recorded: Double) {
        let server = try ChildProcess(["serve", device] + (file.map { ["--capture", $0] } ?? []))
        defer { withExtendedLifetime(server) {} }
        let counts = Counts()
        let host: RemoteDevice
        do throws(HostError) {
            host = try RemoteDevice.attach(to: HostAndPort(host: "127.0.0.1", port: server.number), busID: "1-1")
            try host.select(configuration: 3)
            let request: TransferRequest =
                load.isIn ? .in(1, room: load.bytes) : .out(1, [UInt8](repeating: 0, count: load.bytes))
            for _ in 0..<load.depth {
                _ = try host.submitRepeatedly(request) { completion in
                    guard completion.status == .success, completion.actualLength == load.bytes else {
                        if !counts.isEnding.load(ordering: .relaxed) { counts.failed.add(1, ordering: .relaxed) }
                        return .done
                    }
                    counts.moved.add(1, ordering: .relaxed)
                    return counts.isEnding.load(ordering: .relaxed) ? .done : .resubmit
                }
            }
        } catch {
            throw Failure("capture, \(load.name): \(error)")
        }
        defer { host.close() }
        usleep(100_000)
        let start = (counts.moved.load(ordering: .relaxed), ContinuousClock.now)
        usleep(UInt32(seconds * 1e6))
        let end = (counts.moved.load(ordering: .relaxed), ContinuousClock.now)
        counts.isEnding.store(true, ordering: .relaxed)
        guard counts.failed.load(ordering: .relaxed) == 0 else { throw Failure("capture, \(load.name): it failed") }
        let rate = Double(end.0 - start.0) / ((end.1 - start.1) / .seconds(1))
        guard let file else { return (rate, 0) }
        // Longer than the server leaves anything unwritten.
        usleep(500_000)
        var status = stat()
        guard unsafe stat(file, &status) == 0 else { throw Failure("there is no capture") }
        let transfers = Double(counts.moved.load(ordering: .relaxed))
        return (rate, min(1, Double(status.st_size) / (transfers * Double(load.recordedBytes))))
    }

    private static func median(_ numbers: [Double]) -> Double {
        let sorted = numbers.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// What all handlers count together.
    private final class Counts: Sendable {
        let moved = Atomic(0)
        let failed = Atomic(0)
        let isEnding = Atomic(false)
    }
}
