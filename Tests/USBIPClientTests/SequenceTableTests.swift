import TestSupport
import Testing
import USBIPClient

@Suite("Sequence table")
struct SequenceTableTests {
    @Test(
        "finds what a dictionary finds, with transfers that wait long and some that end out of order", arguments: 1...20
    )
    func model(seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var table = SequenceTable(capacity: 8)
        var model: [UInt32: UInt32] = [:]
        // Near the wrap in some runs.
        var next: UInt32 = seed.isMultiple(of: 2) ? 1 : .max - 500
        for _ in 0..<5_000 {
            if model.count < 100, random.oneIn(2) {
                let value: UInt32 = random.any()
                if next == 0 { next = 1 }
                table.insert(next, value)
                model[next] = value
                next &+= 1
            } else if let youngest = model.keys.sorted().dropFirst(random.oneIn(4) ? model.count / 2 : 0).first {
                table.remove(youngest)
                model[youngest] = nil
                #expect(table[youngest] == nil, "seed \(seed)")
            }
            #expect(table.count == model.count)
            let probe = next &- UInt32(random.below(200))
            #expect(table[probe] == model[probe], "seed \(seed), sequence \(probe)")
        }
        for (sequence, value) in model { #expect(table[sequence] == value, "seed \(seed), sequence \(sequence)") }
    }

    @Test("0 is never found, and removing what is not there changes nothing")
    func nothing() {
        var table = SequenceTable()
        table.insert(5, 50)
        table.remove(0)
        table.remove(5 + 256)
        #expect(table[0] == nil)
        #expect(table[5] == 50)
        #expect(table.count == 1)
    }
}
