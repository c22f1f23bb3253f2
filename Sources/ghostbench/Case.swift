import ArgumentParser
import CBenchReference

/// Something that is measured.
enum Case: String, CaseIterable, ExpressibleByArgument {
    case testUnitReady = "tur"
    case read4K = "read-4k"
    case write4K = "write-4k"
    case read64K = "read-64k"
    case read1M = "read-1m"
    case write1M = "write-1m"
    case control1 = "control-1"
    case control32 = "control-32"
    case control256 = "control-256"
    case memoryImage = "memory-image"
    case memory1000 = "memory-1000"
    case polled200 = "polled-200"
    case keys200 = "keys-200"
    case capture

    /// What a host repeats.
    enum Load {
        case command(bench_command, bytes: UInt32)
        case control(depth: UInt32)
    }

    /// The load of a case that measures a rate; nil for those that measure something else.
    var load: Load? {
        switch self {
        case .testUnitReady: .command(BENCH_TEST_UNIT_READY, bytes: 0)
        case .read4K: .command(BENCH_RANDOM_READ, bytes: 4 << 10)
        case .write4K: .command(BENCH_RANDOM_WRITE, bytes: 4 << 10)
        case .read64K: .command(BENCH_SEQUENTIAL_READ, bytes: 64 << 10)
        case .read1M: .command(BENCH_SEQUENTIAL_READ, bytes: 1 << 20)
        case .write1M: .command(BENCH_SEQUENTIAL_WRITE, bytes: 1 << 20)
        case .control1: .control(depth: 1)
        case .control32: .control(depth: 32)
        case .control256: .control(depth: 256)
        case .memoryImage, .memory1000, .polled200, .keys200, .capture: nil
        }
    }

    /// The bytes that one command moves.
    var bytes: Int {
        guard case .command(_, let bytes) = load else { return 0 }
        return Int(bytes)
    }

    /// Whether the goals for one command in flight hold: with more, the reference measures parsing alone.
    var hasGoals: Bool {
        guard case .control(let depth) = load else { return load != nil }
        return depth == 1
    }
}

/// What is aimed at.
///
/// Missing a goal is reported, and nothing else: times on shared machines are no gate.
enum Goal {
    /// The least part of the reference's rate.
    static let rate = 0.90
    /// The most of the reference's CPU time for a command.
    static let cpu = 1.30
    /// Bytes resident at most, serving a 64 MiB image.
    static let imageMemory: Int64 = 60 << 20
    /// Bytes resident at most, serving 1,000 drives.
    static let manyMemory: Int64 = 200 << 20
    /// The part of a processor that 200 polled devices take at most.
    static let polledCPU = 0.25
    /// Bytes resident at most, serving 200 polled devices.
    static let polledMemory: Int64 = 150 << 20
    /// Nanoseconds from the control interface to the host that a key takes, in the median, with 200 keyboards.
    static let keyTime: UInt64 = 100_000
    /// The least part of the rate of transfers of 64 bytes that is left when they are recorded.
    static let captureSmall = 0.85
    /// The same for transfers of 1 MiB.
    static let captureLarge = 0.90
}
