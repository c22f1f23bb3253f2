/// A set of blocks, as ranges in ascending order that neither overlap nor touch.
struct BlockRanges {
    private(set) var ranges: [ClosedRange<UInt64>] = []

    /// The first range that ends at a block or behind it.
    private func index(endingAt block: UInt64) -> Int {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < block { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Adds blocks.
    mutating func insert(_ blocks: ClosedRange<UInt64>) {
        // What touches is taken in, so that a file written from front to back is one range.
        let first = index(endingAt: blocks.lowerBound == 0 ? 0 : blocks.lowerBound - 1)
        var last = first
        var merged = blocks
        while last < ranges.count,
            ranges[last].lowerBound <= blocks.upperBound
                || ranges[last].lowerBound - 1 == blocks.upperBound
        {
            merged = min(merged.lowerBound, ranges[last].lowerBound)...max(merged.upperBound, ranges[last].upperBound)
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: [merged])
    }

    /// Whether any of some blocks is in the set.
    func overlaps(_ blocks: ClosedRange<UInt64>) -> Bool {
        let first = index(endingAt: blocks.lowerBound)
        return first < ranges.count && ranges[first].lowerBound <= blocks.upperBound
    }
}
