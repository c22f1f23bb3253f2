import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBReplay

@Suite("A recorded device and its recorded host")
struct RoundTripTests {
    @Test(
        "give the recording again, to the byte, whatever must match", .enabled(if: Captures.isThere, Captures.reason),
        arguments: Captures.names, [ReplaySettings.Match.keyed, .strict, .fuzzy(percent: 5)])
    func roundTrip(name: String, match: ReplaySettings.Match) throws {
        for trace in try Captures.traces(name) where !trace.transfers.isEmpty {
            var settings = ReplaySettings()
            settings.timing = .fast
            settings.match = match
            let device = try ReplayDevice(trace, settings)
            let host = try RecordedHost.run(trace, device)
            #expect(
                host.differences.isEmpty,
                "\(name), \(device.subject): \(host.differences.prefix(8).joined(separator: "\n"))")
            #expect(host.compared > 0 || trace.transfers.allSatisfy { $0.marks.contains(.isCancelled) })
            let report = device.report
            #expect(report.passed, "\(report.text(showing: 3))")
            #expect(report.endpoints.allSatisfy { $0.notReached == 0 }, "\(report.text())")
        }
    }

    @Test(
        "with the recorded times give it again as well", .enabled(if: Captures.isThere, Captures.reason),
        arguments: Captures.names, [ReplaySettings.Timing.usual, .recorded, .scaled(0.1)])
    func times(name: String, timing: ReplaySettings.Timing) throws {
        for trace in try Captures.traces(name) where !trace.transfers.isEmpty {
            var settings = ReplaySettings()
            settings.timing = timing
            let device = try ReplayDevice(trace, settings)
            let host = try RecordedHost.run(trace, device)
            #expect(
                host.differences.isEmpty,
                "\(name), \(device.subject): \(host.differences.prefix(8).joined(separator: "\n"))")
        }
    }

    @Test(
        "with one byte changed: the report names exactly that", .enabled(if: Captures.isThere, Captures.reason),
        arguments: Captures.names)
    func oneByteChanged(name: String) throws {
        for trace in try Captures.traces(name) {
            let disks = try BulkOnlyReader.pipes(of: trace).map(\.output)
            let candidates = trace.transfers.indices.filter { index in
                let transfer = trace.transfers[index]
                let isStandard = transfer.setup.map { $0.kind == .standard } ?? false
                let isStream = transfer.type == .isochronous || disks.contains(transfer.endpoint)
                return transfer.output.count > 0 && transfer.status == .success && !isStandard && !isStream
                    && !transfer.marks.contains(.isCancelled)
            }
            guard let chosen = candidates.dropFirst(candidates.count / 2).first else { continue }
            let device = try ReplayDevice(trace, ReplaySettings())
            let host = try RecordedHost.run(trace, device) { index, data in
                if index == chosen { data[data.count - 1] ^= 0x5a }
            }
            let report = device.report
            let transfer = trace.transfers[chosen]
            #expect(report.divergenceCount == 1, "\(report.text())")
            #expect(report.divergences.first?.kind == .otherData)
            #expect(report.divergences.first?.packet == Int(transfer.submissionNumber))
            #expect(report.divergences.first?.firstDifference == Int(transfer.output.count) - 1)
            #expect(host.differences.isEmpty, "answers are as they were")
        }
    }
}
