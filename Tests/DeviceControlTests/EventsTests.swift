import CommandSupport
import DeviceControl
import DeviceModels
import SocketIO
import Synchronization
import Testing

@Suite("Events", .timeLimit(.minutes(10)))
struct EventsTests {
    private let hub = EventHub(capacity: 4)

    private func publish(_ kinds: String...) {
        for kind in kinds { hub.publish(DeviceEvent(kind), busID: "1-1") }
    }

    private func kinds(_ events: [PublishedEvent]) -> [String] {
        events.map { $0.kind == "lost" ? "lost \(plainCount($0))" : $0.kind }
    }

    private func plainCount(_ event: PublishedEvent) -> Int {
        if case .number(let count) = event["count"] { count } else { -1 }
    }

    @Test("are numbered from 1, and have their time, device and members in JSON")
    func format() throws {
        hub.publish(DeviceEvent("leds", [("caps", .bool(true))]), busID: "1-7")
        hub.publish(DeviceEvent("ended"), busID: nil)
        let (events, last) = hub.recent()
        #expect(events.map(\.sequence) == [1, 2] && last == 2)
        // After the day this was written, and in microseconds.
        #expect(events.allSatisfy { $0.microseconds > 1_763_000_000_000_000 })
        #expect(events[0].microseconds <= events[1].microseconds)
        let fixed = PublishedEvent(
            sequence: 12, microseconds: 1_763_738_309_123_456, busID: "1-7", event: events[0].event)
        #expect(fixed.json.text == #"{"event":"leds","time":1763738309.123456,"seq":12,"busid":"1-7","caps":true}"#)
        #expect(events[1].json["busid"] == nil)
    }

    @Test("the last ones are kept, and those that are not are counted")
    func kept() {
        publish("a", "b", "c", "d", "e", "f")
        #expect(kinds(hub.recent().events) == ["c", "d", "e", "f"])
        #expect(kinds(hub.recent(since: 0).events) == ["lost 2", "c", "d", "e", "f"])
        #expect(kinds(hub.recent(since: 1).events) == ["lost 1", "c", "d", "e", "f"])
        #expect(kinds(hub.recent(since: 2).events) == ["c", "d", "e", "f"])
        #expect(kinds(hub.recent(since: 5).events) == ["f"])
        #expect(hub.recent(since: 6).events.isEmpty && hub.recent(since: .max).events.isEmpty)
    }

    @Test("a loss has the number of the last event lost, so that going on after it misses nothing more")
    func lossNumber() {
        publish("a", "b", "c", "d", "e", "f")
        #expect(hub.recent(since: 0).events.map(\.sequence) == [2, 3, 4, 5, 6])
    }

    @Test("followers get what comes, and what was kept if they ask for it")
    func follow() {
        publish("a", "b")
        let late = hub.follow()
        let all = hub.follow(since: 0)
        let rest = hub.follow(since: 1)
        #expect([late, all, rest].allSatisfy { $0.beginning == 2 })
        publish("c")
        #expect(kinds(late.next()) == ["c"])
        #expect(kinds(all.next()) == ["a", "b", "c"])
        #expect(kinds(rest.next(maximum: 1)) == ["b"])
        #expect(kinds(rest.next()) == ["c"])
    }

    @Test("a follower that is too slow loses events, and learns where and how many")
    func slow() {
        let follower = hub.follow(limit: 3)
        publish("a", "b", "c", "d", "e")
        #expect(kinds(follower.next(maximum: 2)) == ["a", "b"])
        publish("f")
        #expect(kinds(follower.next()) == ["c", "lost 2", "f"])
        publish("g", "h", "i", "j")
        #expect(kinds(follower.next()) == ["g", "h", "i", "lost 1"])
        publish("k")
        #expect(kinds(follower.next()) == ["k"])
    }

    @Test("a device is watched while somebody follows its high-rate events, and no longer")
    func watched() {
        let (sink, other) = (hub.sink(busID: "1-1"), hub.sink(busID: "1-2"))
        let calm = hub.follow()
        #expect(!sink.isWatched && !other.isWatched)
        let one = hub.follow(frequent: .of(busID: "1-1"))
        #expect(sink.isWatched && !other.isWatched)
        do {
            let all = hub.follow(frequent: .all)
            #expect(sink.isWatched && other.isWatched)
            withExtendedLifetime(all) {}
        }
        #expect(sink.isWatched && !other.isWatched)
        one.close()
        #expect(!sink.isWatched)
        withExtendedLifetime(calm) {}
    }

    @Test("that come by the thousand reach who wants them, push out no others, and do not count as lost")
    func frequent() {
        let (calm, other) = (hub.follow(), hub.follow(frequent: .of(busID: "1-2")))
        let (one, all) = (hub.follow(frequent: .of(busID: "1-1")), hub.follow(frequent: .all))
        publish("a", "scsi", "scsi", "b")
        #expect([calm, other].allSatisfy { kinds($0.next()) == ["a", "b"] })
        #expect([one, all].allSatisfy { kinds($0.next()) == ["a", "scsi", "scsi", "b"] })
        publish("scsi", "scsi", "c", "d")
        #expect(hub.recent(since: 0).events.map(\.sequence) == [1, 4, 7, 8])
        publish("e")
        #expect(kinds(hub.recent(since: 0).events) == ["lost 1", "b", "c", "d", "e"])
        #expect(kinds(hub.recent(since: 1).events) == ["b", "c", "d", "e"])
    }

    @Test("a sink's events have its device")
    func sink() {
        hub.sink(busID: "2-3").send("rumble", [("strong", .number(3))])
        #expect(hub.recent().events.first?.busID == "2-3" && hub.recent().events.first?["strong"] == .number(3))
    }

    @Test("who waits wakes up for an event, for the end, for the deadline, and when nobody needs it any more")
    func waking() throws {
        let follower = hub.follow()
        #expect(follower.next(until: .now.advanced(by: .milliseconds(1))).isEmpty && !follower.isOver)
        try startThread("publisher") { hub.publish(DeviceEvent("late"), busID: nil) }
        #expect(kinds(follower.next()) == ["late"])
        let cancellation = Cancellation()
        try startThread("canceller") { cancellation.cancel() }
        #expect(follower.next(cancellation: cancellation).isEmpty && !follower.isOver)
        #expect(follower.next(cancellation: cancellation).isEmpty)
        publish("last")
        try startThread("closer") { follower.close() }
        #expect(kinds(follower.next()) == ["last"])
        #expect(follower.next().isEmpty && follower.isOver)
    }

    @Test("closing all ends every follower, after what waits for it")
    func closeAll() {
        let follower = hub.follow()
        publish("a")
        hub.closeAll()
        publish("b")
        #expect(kinds(follower.next()) == ["a"])
        #expect(follower.next().isEmpty && follower.isOver)
    }

    @Test("one that is waited for is found among others")
    func first() throws {
        let follower = hub.follow()
        try startThread("publisher") {
            for kind in ["x", "y", "wanted", "z"] { hub.publish(DeviceEvent(kind), busID: nil) }
        }
        #expect(follower.first { $0.kind == "wanted" }?.sequence == 3)
        #expect(follower.first(until: .now) { $0.kind == "wanted" } == nil)
    }

    @Test("of many threads reach every follower in one order, each once or counted as lost", arguments: [8, 1 << 20])
    func manyThreads(limit: Int) throws {
        let hub = EventHub()
        let follower = hub.follow(limit: limit)
        let left = Countdown(4)
        for _ in 0..<4 {
            try startThread("publisher") {
                for _ in 0..<2000 { hub.publish(DeviceEvent("e"), busID: nil) }
                if left.isLast() { follower.close() }
            }
        }
        var seen = 0
        var last: UInt64 = 0
        while true {
            let events = follower.next(maximum: 7)
            if events.isEmpty { break }
            for event in events {
                #expect(event.sequence > last || event.kind == "lost")
                last = event.sequence
                seen += event.kind == "lost" ? plainCount(event) : 1
            }
        }
        #expect(seen == 8000 && last == 8000)
    }
}

@Suite("A monitor", .timeLimit(.minutes(10)))
struct EventsMonitorTests {
    @Test("lets a thread wait for what another does")
    func waits() throws {
        let monitor = Monitor(0)
        try startThread("counter") { for _ in 0..<1000 { monitor.change { $0 += 1 } } }
        #expect(monitor.wait { $0 == 1000 ? "done" : nil } == "done")
    }

    @Test("gives up at the deadline, after a last look")
    func deadline() {
        let monitor = Monitor(5)
        #expect(monitor.wait(until: .now) { $0 == 6 ? true : nil } == nil)
        #expect(monitor.wait(until: .now.advanced(by: .seconds(-5))) { $0 == 5 ? true : nil } == true)
        let begin = ContinuousClock.now
        #expect(monitor.wait(until: begin.advanced(by: .milliseconds(20))) { $0 == 6 ? true : nil } == nil)
        #expect(ContinuousClock.now - begin >= .milliseconds(19))
    }
}

@Suite("A cancellation")
struct EventsCancellationTests {
    private final class Calls: Sendable {
        let count = Atomic(0)
        var value: Int { count.load(ordering: .relaxed) }
        @Sendable func call() { count.add(1, ordering: .relaxed) }
    }

    @Test("calls who is busy, once, and nobody who is done")
    func calls() {
        let cancellation = Cancellation()
        let (before, during, after) = (Calls(), Calls(), Calls())
        cancellation.withHandler(before.call) {}
        cancellation.withHandler(during.call) {
            cancellation.cancel()
            cancellation.cancel()
        }
        #expect(cancellation.isCancelled)
        #expect(cancellation.withHandler(after.call) { after.value } == 1)
        #expect([before.value, during.value, after.value] == [0, 1, 1])
    }
}

/// Tells the last of several threads that it is.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }
    func isLast() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
