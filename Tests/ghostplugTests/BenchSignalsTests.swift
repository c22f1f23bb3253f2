import Synchronization
import Testing

@testable import ghostplug

@Suite("Signals that end a measurement")
struct BenchSignalsTests {
    @Test("interrupt what waits, whether they come meanwhile or came before")
    func interruption() {
        for isBefore in [false, true] {
            let signals = BenchSignals()
            let seen = Mutex<[Int32]>([])
            if isBefore { signals.receive(2) }
            signals.interruptible({ number in seen.withLock { $0.append(number) } }) {
                if !isBefore { signals.receive(2) }
            }
            #expect(seen.withLock { $0 } == [2])
            #expect(signals.received == 2 && signals.wait(nanoseconds: 0))
        }
    }

    @Test("leave alone what is over")
    func over() {
        let signals = BenchSignals()
        let seen = Mutex(0)
        signals.interruptible({ _ in seen.withLock { $0 += 1 } }) {}
        #expect(!signals.wait(nanoseconds: 0))
        signals.receive(15)
        #expect(seen.withLock { $0 } == 0 && signals.wait(nanoseconds: 0))
    }
}
