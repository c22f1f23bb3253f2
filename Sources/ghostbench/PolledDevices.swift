import Glibc
import SocketIO
import Synchronization
import USBCore
import USBIPClient

/// Two hundred devices that are polled like keyboards: what they cost when there is nothing to hurry for.
enum PolledDevices {
    static let count = 200
    /// Transfers that wait for each device's next report.
    static let depth = 4
    /// Full speed, where an interval is a number of milliseconds: 10.
    static let device = "zero:speed=full,int-interval=10"

    /// Attaches all devices and measures their server for `seconds`.
    ///
    /// - Throws: ``Failure`` when a device cannot be had, or reports do not come.
    static func measure(seconds: Double) throws -> Report.Polled {
        let server = try ChildProcess(["serve", device, "--count", "\(count)"], timeout: 600_000)
        let reports = Reports()
        var hosts: [RemoteDevice] = []
        defer { hosts.forEach { $0.close() } }
        do throws(HostError) {
            for index in 1...count {
                let host = try RemoteDevice.attach(
                    to: HostAndPort(host: "127.0.0.1", port: server.number), busID: "1-\(index)")
                hosts.append(host)
                try host.select(interface: 0, alternate: 2)
                for _ in 0..<depth {
                    _ = try host.submitRepeatedly(.in(0x83, room: 64)) { completion in
                        guard completion.status == .success, completion.actualLength == 64 else {
                            if !reports.isEnding.load(ordering: .relaxed) { reports.failed.add(1, ordering: .relaxed) }
                            return .done
                        }
                        reports.received.add(1, ordering: .relaxed)
                        return .resubmit
                    }
                }
            }
        } catch {
            throw Failure("polled devices: \(error)")
        }
        usleep(500_000)
        let before = (reports.received.load(ordering: .relaxed), now(CLOCK_MONOTONIC), try cpuTime(of: server))
        usleep(UInt32(seconds * 1e6))
        let after = (reports.received.load(ordering: .relaxed), now(CLOCK_MONOTONIC), try cpuTime(of: server))
        let peak = try server.peakMemory()
        reports.isEnding.store(true, ordering: .relaxed)
        guard reports.failed.load(ordering: .relaxed) == 0 else { throw Failure("polled devices: reports failed") }
        let time = Double(after.1 - before.1)
        return Report.Polled(
            reportsPerSecond: Double(after.0 - before.0) / time * 1e9, cpu: Double(after.2 - before.2) / time,
            peak: peak)
    }

    /// What all handlers count together.
    private final class Reports: Sendable {
        let received = Atomic(0)
        let failed = Atomic(0)
        let isEnding = Atomic(false)
    }

    private static func now(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func cpuTime(of process: ChildProcess) throws -> Int64 {
        var clock = clockid_t()
        guard unsafe clock_getcpuclockid(process.id, &clock) == 0 else {
            throw Failure("the CPU time of process \(process.id) cannot be told; has it ended?")
        }
        return now(clock)
    }
}
