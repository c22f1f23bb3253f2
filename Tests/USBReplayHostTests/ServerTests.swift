import CaptureTraces
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBReplay
import USBReplayHost

@Suite("Replays to a device at a server")
struct ServerTests {
    private let recording = Recording()
    private let report: Int
    private let answer: Int
    private let write: Int
    private let read: Int

    /// A device that is asked, sends a report meanwhile, is written to and read.
    init() {
        recording.control(.configure(1))
        report = recording.submitIn(2, .interrupt, room: 8)
        answer = recording.control(.ask(1, length: 600), in: [UInt8](repeating: 7, count: 600))
        write = recording.write(1, [1, 2, 3])
        recording.complete(report, [4, 4])
        read = recording.read(1, [9, 8, 7, 6], room: 512)
    }

    /// A device that answers as recorded but for what `change` does, and keeps the report until it is written to.
    private func hosted(_ change: @escaping @Sendable (inout [UInt8]) -> Void = { _ in }) throws -> Hosted {
        try Hosted {
            let device = ScriptedDevice()
            device.react = { [unowned device] submission in
                switch (submission.endpoint, submission.setup.request) {
                case (.in(0), 1): return .answer(.bytes([UInt8](repeating: 7, count: 600)))
                case (.out(1), _):
                    for waiting in device.waiting { device.complete(waiting.id, .bytes([4, 4])) }
                    return .answer(.accept())
                case (.in(1), _):
                    var data: [UInt8] = [9, 8, 7, 6]
                    change(&data)
                    return .answer(.bytes(data))
                case (.in(2), _): return .keep
                default: return .answer(.accept())
                }
            }
            return device
        }
    }

    @Test("A device that answers as recorded passes")
    func same() throws {
        let report = try hosted().withRemote { HostReplay(recording.trace, remote: $0).run() }
        #expect(report.passed, "\(report.text())")
        #expect(report.endpoints.map(\.matched) == [2, 1, 1, 1])
    }

    @Test("One byte that is another is named with its packet and its place, in text, JSON and JUnit")
    func otherByte() throws {
        let hosted = try hosted { $0[2] = 0xaa }
        let report = try hosted.withRemote { HostReplay(recording.trace, remote: $0).run() }
        #expect(report.divergenceCount == 1)
        let divergence = try #require(report.divergences.first)
        #expect(divergence.packet == recording.lastPacket)
        #expect(divergence.firstDifference == 2)
        #expect(divergence.endpoint == .in(1))
        let words =
            "the device answered aa where the recording (packet \(recording.lastPacket)) has 07, byte 2 of EP 1 IN"
        #expect(report.text().contains(words))
        #expect(report.json().contains(words))
        #expect(report.junit(name: "test").contains(words))
        #expect(report.junit(name: "test").contains("failures=\"1\""))
    }

    @Test("Progress is told of each transfer")
    func progress() throws {
        let seen = try hosted().withRemote { remote in
            var seen: [HostReplay.Progress] = []
            _ = HostReplay(recording.trace, remote: remote).run { seen.append($0) }
            return seen
        }
        #expect(seen.map(\.done) == [1, 2, 3, 4, 5])
        #expect(seen.allSatisfy { $0.total == 5 })
    }

    @Test("A connection that was closed is one divergence")
    func closed() throws {
        try hosted().withRemote { remote in
            remote.close()
            let replay = HostReplay(recording.trace, remote: remote)
            let report = replay.run()
            #expect(replay.trouble == .closed)
            #expect(report.divergenceCount == 1)
        }
    }

    @Test("A device that does not answer in time is taken back from")
    func silent() throws {
        let settings = HostReplaySettings(timeout: .milliseconds(20))
        let hosted = try Hosted {
            let device = ScriptedDevice()
            device.react = { $0.endpoint == .in(1) ? .keep : .answer(.accept()) }
            return device
        }
        let recording = Recording()
        recording.control(.configure(1))
        recording.read(1, [1])
        let report = try hosted.withRemote { HostReplay(recording.trace, remote: $0, settings).run() }
        #expect(report.divergences.map(\.kind) == [.noAnswer])
    }
}
