import SocketIO
import TestSupport
import Testing
import USBDeviceKit
import USBIPServer

@Suite("Device executor", .timeLimit(.minutes(10)))
struct ExecutorTests {
    /// A number that only the executor keeps consistent.
    private final class Unprotected: @unchecked Sendable {
        var count = 0
        var order: [Int] = []
        var isInside = false
        var hasOverlapped = false

        func work() {
            if isInside { hasOverlapped = true }
            isInside = true
            count += 1
            isInside = false
        }
    }

    @Test("work of many threads runs one at a time, and none of it is lost")
    func serial() throws {
        let executor = DeviceExecutor(clock: EventThread.shared)
        let state = Unprotected()
        let finished = Counter()
        for thread in 0..<8 {
            try startThread("worker") {
                for _ in 0..<2_000 {
                    if thread % 2 == 0 { executor.post { state.work() } } else { executor.run { state.work() } }
                }
                finished.add()
            }
        }
        #expect(settles(bound: 30_000) { finished.value == 8 })
        // Posted work may be done by a thread that has not finished with it yet; taking a turn waits for that.
        #expect(settles { executor.run { state.count } == 16_000 })
        #expect(!state.hasOverlapped)
    }

    @Test("work that is posted runs at once on a free executor, and after the holder's on a taken one")
    func order() {
        let executor = DeviceExecutor(clock: EventThread.shared)
        let state = Unprotected()
        executor.post { state.order.append(1) }
        #expect(state.order == [1])
        executor.run {
            executor.post { state.order.append(3) }
            executor.post {
                state.order.append(4)
                executor.post { state.order.append(6) }
                state.order.append(5)
            }
            state.order.append(2)
        }
        #expect(state.order == [1, 2, 3, 4, 5, 6])
    }

    @Test("posting to an executor that is taken does not wait for it")
    func postingDoesNotBlock() throws {
        let executor = DeviceExecutor(clock: EventThread.shared)
        let isHeld = Counter()
        let mayEnd = Counter()
        let ran = Counter()
        try startThread("holder") {
            executor.run {
                isHeld.add()
                _ = settles { mayEnd.value == 1 }
            }
        }
        #expect(settles { isHeld.value == 1 })
        for _ in 0..<1_000 { executor.post { ran.add() } }
        #expect(ran.value == 0)
        mayEnd.add()
        #expect(settles { ran.value == 1_000 })
    }

    @Test("after work comes what was set to come, and it knows whose thread it is on")
    func afterWork() {
        let executor = DeviceExecutor(clock: EventThread.shared)
        let state = Unprotected()
        executor.setAfterWork { mayBlock in state.order.append(mayBlock ? 1 : 0) }
        executor.run {}
        executor.post {}
        #expect(state.order == [1, 0])
        executor.run { executor.setAfterWork(nil) }
        executor.post {}
        #expect(state.order == [1, 0])
    }

    @Test("a device that always has more to do still gets its answers sent meanwhile")
    func selfPosting() {
        let executor = DeviceExecutor(clock: EventThread.shared)
        let state = Unprotected()
        executor.setAfterWork { _ in state.order.append(state.count) }
        @Sendable func again() {
            state.count += 1
            if state.count < 100 { executor.post { again() } }
        }
        executor.post { again() }
        #expect(state.count == 100)
        #expect(state.order.count > 50)
    }
}
