import CommandSupport
import Glibc

/// What a run ran on, and when.
struct BenchMachine {
    let kernel: String
    let architecture: String
    let processors: Int

    /// This machine.
    static var current: BenchMachine {
        var name = utsname()
        guard unsafe uname(&name) == 0 else { return BenchMachine(kernel: "unknown", architecture: "unknown") }
        let kernel = unsafe withUnsafeBytes(of: name.release) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let architecture = unsafe withUnsafeBytes(of: name.machine) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return BenchMachine(kernel: kernel, architecture: architecture)
    }

    private init(kernel: String, architecture: String) {
        self.kernel = kernel
        self.architecture = architecture
        processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }

    var text: String { "\(processors) processors, Linux \(kernel)" }

    var json: JSON {
        .object([
            ("kernel", .string(kernel)), ("architecture", .string(architecture)), ("processors", .number(processors)),
        ])
    }
}

/// Clocks.
enum BenchClock {
    /// Nanoseconds of a clock that never goes back.
    static func now() -> UInt64 { read(CLOCK_MONOTONIC) }

    /// Lets the calling thread sleep.
    static func sleep(nanoseconds: UInt64) {
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        unsafe nanosleep(&time, nil)
    }

    /// Seconds since 1970.
    static func date() -> Int { time(nil) }

    /// Seconds of processor time of this process, all threads.
    static func processorTime() -> Double { Double(read(CLOCK_PROCESS_CPUTIME_ID)) / 1e9 }

    /// Seconds of processor time of another process; nil when it cannot be told.
    static func processorTime(of process: pid_t) -> Double? {
        var clock = clockid_t()
        guard unsafe clock_getcpuclockid(process, &clock) == 0 else { return nil }
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { return 0 }
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
