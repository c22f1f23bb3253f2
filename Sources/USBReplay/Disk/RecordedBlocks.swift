import CaptureTraces
import SCSITarget
import USBCapture
import USBCore

/// What the blocks of a recorded disk held, as far as the capture has it.
///
/// Of a block that was read and written, what is known first counts: what it held before the recorded host wrote it.
struct RecordedBlocks {
    /// Blocks that one command moved.
    struct Extent {
        /// The first block.
        var first: UInt64
        /// The block after the last.
        var end: UInt64
        /// The command, as a place among the recorded ones.
        var command: Int
        /// Which of the command's blocks is the first.
        var offset: UInt64
    }

    /// In bytes: 512, 1024, 2048 or 4096.
    let blockSize: UInt32
    /// How many blocks the disk has; 0 for a unit without a medium.
    let count: UInt64
    /// By first block, without overlaps.
    private(set) var extents: [Extent] = []
    /// How many ranges of blocks are known.
    private(set) var rangeCount = 0

    init(_ commands: [MassStorageCommand], unit: UInt8, capacity: (blockSize: UInt32, count: UInt64)?) {
        let stated = capacity.flatMap { BlockSize(rawValue: $0.blockSize)?.rawValue }
        let size = stated ?? Self.inferredSize(commands, unit: unit)
        blockSize = size
        var moved: [Extent] = []
        for (place, command) in commands.enumerated() where command.lun == unit && command.outcome == .passed {
            guard Self.movesBlocks(command.opcode), let (first, blocks) = CDB(command.cdb).blocks else { continue }
            let whole = min(UInt64(command.knownBytes) / UInt64(size), blocks)
            let (end, overflow) = first.addingReportingOverflow(whole)
            guard whole > 0, !overflow else { continue }
            moved.append(Extent(first: first, end: end, command: place, offset: 0))
        }
        let highest = moved.map(\.end).max() ?? 0
        // No more than what offsets in bytes can say.
        count = min(max(capacity?.count ?? 0, highest), (UInt64.max >> 1) / UInt64(size))
        extents = Self.firstKnown(moved)
        rangeCount = extents.indices.filter { $0 == 0 || extents[$0 - 1].end != extents[$0].first }.count
    }

    /// The extent that has a block; nil when it is not known.
    ///
    /// - Complexity: O(log *n*) in the extents.
    func extent(of block: UInt64) -> Extent? {
        let index = place(after: block) - 1
        guard extents.indices.contains(index), extents[index].end > block else { return nil }
        return extents[index]
    }

    /// The first known block after one that is not known; nil when there is none.
    func nextKnown(after block: UInt64) -> UInt64? {
        let index = place(after: block)
        return extents.indices.contains(index) ? extents[index].first : nil
    }

    /// How many extents begin at or before a block.
    private func place(after block: UInt64) -> Int {
        var (low, high) = (0, extents.count)
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].first > block { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// READ and WRITE in all forms, and WRITE AND VERIFY: what moves as many blocks as it names.
    private static func movesBlocks(_ opcode: UInt8) -> Bool {
        [0x08, 0x0a, 0x28, 0x2a, 0x2e, 0x88, 0x8a, 0x8e, 0xa8, 0xaa, 0xae].contains(opcode)
    }

    /// What a READ expects divided by how many blocks it names.
    private static func inferredSize(_ commands: [MassStorageCommand], unit: UInt8) -> UInt32 {
        for command in commands where command.lun == unit && movesBlocks(command.opcode) {
            guard let (_, blocks) = CDB(command.cdb).blocks, blocks > 0,
                let size = BlockSize(rawValue: UInt32(truncatingIfNeeded: UInt64(command.expected) / blocks))
            else { continue }
            return size.rawValue
        }
        return 512
    }

    /// Cuts extents that overlap so that of each block the earliest command counts.
    ///
    /// - Complexity: O(*n* log *n*): a capture decides how many there are.
    private static func firstKnown(_ all: [Extent]) -> [Extent] {
        let sorted = all.sorted { ($0.first, $0.command) < ($1.first, $1.command) }
        var result: [Extent] = []
        var active = CommandHeap()
        var next = 0
        var position: UInt64 = 0
        while next < sorted.count || !active.isEmpty {
            while let top = active.first, top.end <= position { active.removeFirst() }
            guard let top = active.first else {
                guard next < sorted.count else { break }
                position = sorted[next].first
                while next < sorted.count, sorted[next].first == position {
                    active.insert(sorted[next])
                    next += 1
                }
                continue
            }
            // Until this one ends, or an earlier command's begins.
            let end = next < sorted.count ? min(top.end, sorted[next].first) : top.end
            if position < end {
                if let last = result.last, last.command == top.command, last.end == position {
                    result[result.count - 1].end = end
                } else {
                    result.append(
                        Extent(first: position, end: end, command: top.command, offset: position - top.first))
                }
            }
            position = max(position, end)
            while next < sorted.count, sorted[next].first <= position {
                active.insert(sorted[next])
                next += 1
            }
        }
        return result
    }
}

/// Extents by command, the earliest first.
private struct CommandHeap {
    private var heap: [RecordedBlocks.Extent] = []

    var isEmpty: Bool { heap.isEmpty }
    var first: RecordedBlocks.Extent? { heap.first }

    mutating func insert(_ extent: RecordedBlocks.Extent) {
        heap.append(extent)
        var index = heap.count - 1
        while index > 0, heap[index].command < heap[(index - 1) / 2].command {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var index = 0
        while true {
            let children = [2 * index + 1, 2 * index + 2].filter { $0 < heap.count }
            guard let child = children.min(by: { heap[$0].command < heap[$1].command }),
                heap[child].command < heap[index].command
            else { return }
            heap.swapAt(index, child)
            index = child
        }
    }
}

extension MassStorageCommand {
    /// How many bytes of data from the first on the capture has without a hole.
    var knownBytes: Int {
        var total = 0
        for (reference, moved) in zip(data, moves) {
            total += min(Int(reference.count), moved)
            guard Int(reference.count) >= moved else { break }
        }
        return total
    }

    /// Copies bytes of the command's data from `start` on; what the capture does not have is left as it is.
    ///
    /// - Throws: ``CaptureError`` when the capture cannot be read.
    func copy(
        from trace: Trace, at start: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        var begin = 0
        for (reference, moved) in zip(data, moves) {
            let available = min(Int(reference.count), moved)
            let from = max(start, begin)
            let until = min(start + memory.count, begin + available)
            if from < until {
                let piece = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(from - start)..<(until - start)])
                unsafe try trace.copy(reference, from: from - begin, into: piece)
            }
            begin += moved
            guard begin < start + memory.count else { return }
        }
    }
}
