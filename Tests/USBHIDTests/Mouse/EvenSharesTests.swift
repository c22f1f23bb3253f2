import DirectHost
import Testing

@testable import USBHID

@Suite("Even shares")
struct EvenSharesTests {
    @Test("add up exactly and differ by one at most")
    func sums() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<500 {
            let total = Int.random(in: -1_000_000...1_000_000, using: &generator)
            let count = Int.random(in: 1...300, using: &generator)
            var shares = EvenShares(of: total, into: count)
            let list = (0..<count).map { _ in shares.next() }
            #expect(list.reduce(0, +) == total)
            #expect((list.max() ?? 0) - (list.min() ?? 0) <= 1)
        }
    }

    @Test("take any number", arguments: [Int.min, -1, 0, 1, Int.max])
    func extremes(total: Int) {
        var shares = EvenShares(of: total, into: 3)
        #expect(shares.next() &+ shares.next() &+ shares.next() == total)
        var none = EvenShares(of: total, into: 0)
        #expect(none.next() == total)
    }

    @Test("are as many as their limit makes them")
    func counts() {
        #expect(0.shareCount(atMost: 127) == 0 && 127.shareCount(atMost: 127) == 1)
        #expect((-128).shareCount(atMost: 127) == 2 && Int.min.shareCount(atMost: 1) == Int.max)
        #expect(5.shareCount(atMost: 0) == 5)
    }
}
