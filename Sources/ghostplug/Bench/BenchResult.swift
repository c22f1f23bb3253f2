import Measurement
import Statistics
import USBCore

/// What one case has come to.
struct BenchResult {
    var benchCase: BenchCase
    var setting: BenchStep.Setting?
    /// Seconds that were measured, which the warm-up is not part of.
    var seconds = 0.0
    /// URBs that came back well.
    var urbs: UInt64 = 0
    /// Bytes that they moved.
    var bytes: UInt64 = 0
    /// URBs that came back otherwise, by status.
    var failures: [Int32: UInt64] = [:]
    /// Nanoseconds from a URB's submission to its completion.
    var latency = Histogram()
    /// For endpoints with an interval.
    var intervals: IntervalMeter?
    /// Isochronous packets that came back, and those that came back with an error.
    var packets: UInt64 = 0
    var packetErrors: UInt64 = 0
    /// Packets of IN endpoints that had nothing in them.
    var emptyPackets: UInt64 = 0
    /// For reports with numbers.
    var counter: CounterCheck?
    /// For reports with numbers: how old they were.
    var ages = ReportAges()
    /// Seconds of processor time of this process.
    var clientCPU = 0.0
    /// Seconds of processor time of the server, where it is ours.
    var serverCPU: Double?
    /// Why it was given up; nil when it ran to its end.
    var trouble: String?

    var urbsPerSecond: Double { seconds > 0 ? Double(urbs) / seconds : 0 }
    /// Millions of bytes.
    var megabytesPerSecond: Double { seconds > 0 ? Double(bytes) / seconds / 1e6 : 0 }
    /// Microseconds.
    var clientCPUPerURB: Double { urbs > 0 ? clientCPU / Double(urbs) * 1e6 : 0 }
    /// Microseconds.
    var serverCPUPerURB: Double? { urbs > 0 ? serverCPU.map { $0 / Double(urbs) * 1e6 } : nil }
    var failureCount: UInt64 { failures.values.reduce(0, &+) }
}

/// A run of `bench`: what it ran on, and what it has found.
struct BenchReport {
    /// What was asked for, in words: the server and bus id, or the model.
    var target: String
    var vendorID: UInt16 = 0
    var productID: UInt16 = 0
    var speed: Speed = .high
    var configuration: UInt8 = 0
    var settings: BenchSettings
    var notes: [String] = []
    var results: [BenchResult] = []
    /// Whether somebody ended it early.
    var isInterrupted = false

    /// Whether all that was measured was measured to its end.
    var isWhole: Bool { !isInterrupted && results.allSatisfy { $0.trouble == nil } }
}
