import TestSupport
import Testing

@testable import USBReplayHost

@Suite("Sets of blocks")
struct BlockRangesTests {
    @Test("Ranges that overlap or touch are one")
    func merging() {
        var blocks = BlockRanges()
        for range in [10...19, 30...39, 20...20, 5...8, 9...9, 60...70, 35...64] as [ClosedRange<UInt64>] {
            blocks.insert(range)
        }
        #expect(blocks.ranges == [5...20, 30...70])
        blocks.insert(0...UInt64.max)
        #expect(blocks.ranges == [0...UInt64.max])
        blocks.insert(0...0)
        #expect(blocks.ranges == [0...UInt64.max])
    }

    @Test("A range overlaps exactly when one of its blocks was added", arguments: 1...20 as ClosedRange<UInt64>)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var blocks = BlockRanges()
        var model: Set<UInt64> = []
        for _ in 0..<60 {
            let first = UInt64.random(in: 0..<200, using: &random)
            let range = first...first + UInt64.random(in: 0..<12, using: &random)
            #expect(blocks.overlaps(range) == range.contains { model.contains($0) })
            guard Bool.random(using: &random) else { continue }
            blocks.insert(range)
            model.formUnion(range)
        }
        #expect(blocks.ranges.reduce(0) { $0 + $1.count } == model.count)
    }
}
