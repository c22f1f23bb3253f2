import Testing
import USBCore
import USBIPClient
import USBReplay
import USBReplayHost

@Suite("Requests keep the order of the recording")
struct OrderTests {
    @Test("What ended before a request was made ends before it is made again")
    func oneAfterAnother() {
        let recording = Recording()
        let first = recording.control(.configure(1))
        let second = recording.control(.ask(1, length: 2), in: [1, 2])
        let replayed = recording.replay()
        #expect(
            replayed.events == [.submitted(first), .answered(first), .submitted(second), .answered(second)])
        #expect(replayed.report.passed)
        #expect(replayed.report.endpoints.map(\.matched) == [2])
    }

    @Test("What was in flight together is in flight together")
    func together() {
        let recording = Recording()
        recording.control(.configure(1))
        let first = recording.submitIn(1)
        let second = recording.submitIn(1)
        recording.complete(first, [1])
        let third = recording.submitIn(1)
        recording.complete(second, [2])
        recording.complete(third, [3])
        let replayed = recording.replay { $0.delay = { _ in 3 } }
        #expect(
            replayed.events.dropFirst(2) == [
                .submitted(first), .submitted(second), .answered(first), .submitted(third), .answered(second),
                .answered(third),
            ])
        #expect(replayed.report.passed)
    }

    @Test("An answer that was given to a waiting read after a write is waited for before the next write")
    func parkedRead() {
        let recording = Recording()
        recording.control(.configure(1))
        let read = recording.submitIn(2)
        let write = recording.write(2, [1])
        recording.complete(read, [9])
        let next = recording.write(2, [2])
        let replayed = recording.replay { target in target.delay = { $0 == read ? 40 : 0 } }
        #expect(
            replayed.events.dropFirst(2) == [
                .submitted(read), .submitted(write), .answered(write), .answered(read), .submitted(next),
                .answered(next),
            ])
    }

    @Test("A report that the device sends by itself is waited for while requests go on")
    func reportsByThemselves() {
        let recording = Recording()
        recording.control(.configure(1))
        let report = recording.submitIn(1, .interrupt, room: 8)
        let request = recording.control(.ask(1, length: 1), in: [1])
        recording.complete(report, [4, 4])
        let later = recording.submitIn(1, .interrupt, room: 8)
        recording.complete(later, [5, 5])
        let replayed = recording.replay { target in target.delay = { $0 == report ? 2000 : 0 } }
        #expect(
            replayed.events.dropFirst(2) == [
                .submitted(report), .submitted(request), .answered(request), .answered(report), .submitted(later),
                .answered(later),
            ])
        #expect(replayed.report.passed)
    }

    @Test("Requests wait half a second for a report that had come before them, and then go ahead")
    func courtesy() {
        let recording = Recording()
        recording.control(.configure(1))
        let report = recording.submitIn(1, .interrupt, room: 8)
        recording.complete(report, [4, 4])
        let request = recording.control(.ask(1, length: 1), in: [1])
        let next = recording.control(.ask(2, length: 1), in: [1])
        let soon = recording.replay { target in target.delay = { $0 == report ? 400 : 0 } }
        #expect(soon.target.times[request] == 400)
        let late = recording.replay { target in target.delay = { $0 == report ? 3000 : 0 } }
        #expect(late.target.times[request] == 500)
        #expect(late.target.times[next] == 500, "no more courtesy to who is late")
        #expect(late.report.passed, "late is not wrong")
    }

    @Test("What answers an interrupt OUT is waited for as any answer")
    func conversation() {
        let recording = Recording()
        recording.control(.configure(1))
        recording.complete(recording.submitOut(1, [1], .interrupt))
        let answer = recording.submitIn(1, .interrupt)
        recording.complete(answer, [2])
        let next = recording.submitOut(1, [3], .interrupt)
        recording.complete(next)
        let replayed = recording.replay { target in target.delay = { $0 == answer ? 3000 : 0 } }
        #expect(replayed.target.times[next] == 3000)
        #expect(replayed.report.passed)
    }

    @Test("Requests are made at once, after the recorded pauses, or after a part of them")
    func timing() {
        let recording = Recording()
        recording.control(.configure(1))
        recording.time += 1_000_000_000
        let late = recording.control(.ask(1, length: 1), in: [1])
        #expect(recording.replay().target.times[late] == 0)
        #expect(recording.replay(HostReplaySettings(timing: .recorded)).target.times[late] == 1001)
        #expect(recording.replay(HostReplaySettings(timing: .scaled(0.5))).target.times[late] == 500)
    }

    @Test("Times that run backwards are no pause, and no time for an answer")
    func backwards() {
        let recording = Recording()
        recording.control(.configure(1))
        recording.time = -4_000_000_000_000
        let request = recording.control(.ask(1, length: 1), in: [1])
        let replayed = recording.replay(HostReplaySettings(timing: .recorded))
        #expect(replayed.target.times[request] == 0)
        #expect(replayed.report.passed)
    }
}
