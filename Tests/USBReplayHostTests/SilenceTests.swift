import Testing
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

@Suite("Devices that do not answer, and servers that go away")
struct SilenceTests {
    private func recording(requests: Int) -> Recording {
        let recording = Recording()
        recording.control(.configure(1))
        for index in 0..<requests { recording.control(.ask(UInt8(index), length: 1), in: [1]) }
        return recording
    }

    @Test("A request without an answer is taken back after the timeout, and the next is made")
    func unanswered() throws {
        let recording = recording(requests: 2)
        let replayed = recording.replay { target in target.delay = { $0 == 1 ? nil : 0 } }
        #expect(replayed.order == [0, 1, 2])
        // The recording's answer took a millisecond.
        #expect(replayed.target.times[2] == 5001)
        let divergence = try #require(replayed.report.divergences.first)
        #expect(replayed.report.divergenceCount == 1)
        #expect(divergence.kind == .noAnswer)
        #expect(divergence.packet == 4)
        #expect(divergence.subject.contains("vendor request"))
        #expect(replayed.report.endpoints.map(\.diverged) == [1])
    }

    @Test("An answer may take as much longer than in the recording as the timeout says")
    func slowInTheRecording() {
        let recording = Recording()
        recording.control(.configure(1))
        let erase = recording.submit(.tell(1, length: 0))
        recording.time += 9_000_000_000
        recording.complete(erase)
        let settings = HostReplaySettings(timeout: .seconds(2))
        #expect(recording.replay(settings) { $0.delay = { $0 == 1 ? 11_000 : 0 } }.report.passed)
        #expect(!recording.replay(settings) { $0.delay = { $0 == 1 ? 11_100 : 0 } }.report.passed)
    }

    @Test("An answer that comes while it is being taken back is compared as any other")
    func lateAnswer() {
        let recording = recording(requests: 1)
        let replayed = recording.replay { target in
            target.givesBack = false
            target.delay = { $0 == 1 ? 5500 : 0 }
        }
        #expect(replayed.events.contains(.cancelled(1)))
        #expect(replayed.report.passed)
    }

    @Test("After five requests in a row without an answer the device is given up")
    func givenUp() {
        let replayed = recording(requests: 9).replay { target in target.delay = { $0 == 0 ? 0 : nil } }
        #expect(replayed.order.count == 6)
        #expect(replayed.report.divergenceCount == 5)
        #expect(replayed.report.endpoints.map(\.notReached) == [4])
        #expect(replayed.report.notes.contains { $0.contains("5 requests in a row") })
    }

    @Test("A device that stops to send by itself is asked no more, and that is one divergence")
    func silentReports() {
        let recording = Recording()
        recording.control(.configure(1))
        for _ in 0..<4 { recording.complete(recording.submitIn(1, .interrupt, room: 8), [1]) }
        let request = recording.control(.ask(1, length: 1), in: [1])
        let replayed = recording.replay { target in target.delay = { (1...4).contains($0) ? nil : 0 } }
        #expect(replayed.order == [0, 1, request])
        #expect(replayed.report.divergences.map(\.kind) == [.noAnswer])
        #expect(replayed.report.divergences.map(\.endpoint) == [.in(1)])
        #expect(replayed.replay.skipped == [.silentEndpoint: 3])
        #expect(replayed.report.endpoints.map(\.notReached) == [0, 3])
    }

    @Test("A server that does not even take a transfer back is given up")
    func unlinkUnanswered() {
        let replayed = recording(requests: 3).replay { target in
            target.givesBack = false
            target.delay = { $0 == 1 ? nil : 0 }
        }
        guard case .unresponsive = replayed.replay.trouble else {
            Issue.record("\(String(describing: replayed.replay.trouble))")
            return
        }
        #expect(replayed.report.divergenceCount == 1)
        #expect(replayed.order == [0, 1])
    }

    @Test("A connection that ends is one divergence, and the rest is not reached")
    func disconnected() {
        let replayed = recording(requests: 3).replay { target in
            target.other[2] = { $0.connectionError = .disconnected }
        }
        #expect(replayed.replay.trouble == .disconnected)
        #expect(replayed.report.divergenceCount == 1)
        #expect(replayed.report.divergences.first?.packet == 6)
        #expect(replayed.report.endpoints.map(\.matched) == [2])
        #expect(replayed.report.endpoints.map(\.notReached) == [1])
        let refused = recording(requests: 3).replay { target in
            target.refuses = { $0.setup?.request == 1 ? .closed : nil }
        }
        #expect(refused.replay.trouble == .closed)
        #expect(refused.report.divergenceCount == 1)
    }

    @Test("A request that the client cannot send is a divergence, and the next is made")
    func refusedRequest() {
        let replayed = recording(requests: 2).replay { target in
            target.refuses = { $0.setup?.request == 0 ? .invalidRequest("too odd") : nil }
        }
        #expect(replayed.order == [0, 2])
        #expect(replayed.report.divergenceCount == 1)
        #expect(replayed.report.text().contains("too odd"))
    }
}
