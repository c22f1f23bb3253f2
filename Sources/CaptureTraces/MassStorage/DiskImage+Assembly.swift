internal import USBCapture
internal import USBCore

/// The blocks that a READ or WRITE command is about (SBC-3 §5.8 to §5.11 and §5.31 to §5.39).
struct BlockRange: Equatable {
    var first: UInt64
    var count: UInt64
    var isWrite: Bool

    /// Reads a command; nil when it is another one or does not have all its bytes.
    init?(_ cdb: [UInt8]) {
        guard let opcode = cdb.first else { return nil }
        switch opcode {
        case 0x08, 0x0a:
            guard cdb.count >= 5 else { return nil }
            first = big(cdb, 1, 3) & 0x1f_ffff
            count = cdb[4] == 0 ? 256 : UInt64(cdb[4])
        case 0x28, 0x2a, 0x2e:
            guard cdb.count >= 9 else { return nil }
            first = big(cdb, 2, 4)
            count = big(cdb, 7, 2)
        case 0xa8, 0xaa, 0xae:
            guard cdb.count >= 10 else { return nil }
            first = big(cdb, 2, 4)
            count = big(cdb, 6, 4)
        case 0x88, 0x8a, 0x8e:
            guard cdb.count >= 14 else { return nil }
            first = big(cdb, 2, 8)
            count = big(cdb, 10, 4)
        default: return nil
        }
        isWrite = [0x0a, 0x2a, 0x2e, 0xaa, 0xae, 0x8a, 0x8e].contains(opcode)
    }
}

extension DiskImage {
    /// Collects what commands moved.
    struct Assembly {
        let blockSize: Int
        var operations: [Operation] = []
        var pieces: [Piece] = []
        var reads = 0
        var writes = 0

        init(blockSize: Int) { self.blockSize = blockSize }

        mutating func take(_ command: MassStorageCommand) {
            guard let range = BlockRange(command.cdb), command.direction == (range.isWrite ? .out : .in),
                command.outcome == .passed || command.outcome == .missing
            else { return }
            // Bytes that count: what the status calls residue was moved to fill up.
            let valid = command.residue <= command.expected ? Int(command.expected - command.residue) : 0
            let (limit, overflow) = UInt64(blockSize).multipliedReportingOverflow(by: range.count)
            let end = min(valid, overflow ? .max : Int(clamping: limit))
            let firstPiece = pieces.count
            var stream = 0
            for (reference, moved) in zip(command.data, command.moves) {
                let count = min(Int(reference.count), moved, max(0, end - stream))
                if count > 0 {
                    pieces.append(Piece(stream: stream, reference: .init(place: reference.place, count: UInt32(count))))
                }
                stream += moved
            }
            guard pieces.count > firstPiece else { return }
            if range.isWrite { writes += 1 } else { reads += 1 }
            addRuns(firstPiece..<pieces.count, range)
        }

        /// Adds the whole blocks within each run of bytes without a gap.
        private mutating func addRuns(_ place: Range<Int>, _ range: BlockRange) {
            var begin = pieces[place.lowerBound].stream
            var end = begin
            for index in place {
                let piece = pieces[index]
                if piece.stream != end {
                    add(begin..<end, place, range)
                    begin = piece.stream
                }
                end = piece.stream + Int(piece.reference.count)
            }
            add(begin..<end, place, range)
        }

        private mutating func add(_ bytes: Range<Int>, _ place: Range<Int>, _ range: BlockRange) {
            let first = (bytes.lowerBound + blockSize - 1) / blockSize
            let last = bytes.upperBound / blockSize
            guard first < last else { return }
            let (begin, overflow) = range.first.addingReportingOverflow(UInt64(first))
            let (end, alsoOverflow) = range.first.addingReportingOverflow(UInt64(last))
            guard !overflow, !alsoOverflow else { return }
            operations.append(
                Operation(
                    begin: begin, end: end, stream: first * blockSize, pieces: place, isWrite: range.isWrite))
        }
    }

    /// Blocks that one operation tells.
    struct Extent: Equatable {
        var begin: UInt64
        var end: UInt64
        /// The operation's place.
        var operation: Int

        /// Says of each block which operation counts: the first or the last that has it.
        ///
        /// One pass over the operations by their blocks, with those that have the present block in a heap, so that
        /// a million of overlapping commands take no more than their sorting.
        static func winners(_ operations: [Operation], first: Bool) -> [Extent] {
            let order = operations.indices.sorted { operations[$0].begin < operations[$1].begin }
            var heap = Heap(prefersSmall: first)
            var extents: [Extent] = []
            var next = 0
            var block: UInt64 = 0
            while next < order.count || !heap.isEmpty {
                while let top = heap.top, operations[top].end <= block { heap.removeTop() }
                if heap.isEmpty {
                    guard next < order.count else { break }
                    block = max(block, operations[order[next]].begin)
                }
                while next < order.count, operations[order[next]].begin <= block {
                    heap.insert(order[next])
                    next += 1
                }
                guard let top = heap.top else { break }
                guard operations[top].end > block else { continue }
                var end = operations[top].end
                if next < order.count { end = min(end, operations[order[next]].begin) }
                if let last = extents.last, last.end == block, last.operation == top {
                    extents[extents.count - 1].end = end
                } else {
                    extents.append(Extent(begin: block, end: end, operation: top))
                }
                block = end
            }
            return extents
        }
    }

    /// A binary heap of numbers.
    private struct Heap {
        private var items: [Int] = []
        private let prefersSmall: Bool

        init(prefersSmall: Bool) { self.prefersSmall = prefersSmall }

        var isEmpty: Bool { items.isEmpty }
        var top: Int? { items.first }

        private func isBefore(_ one: Int, _ other: Int) -> Bool {
            prefersSmall ? items[one] < items[other] : items[one] > items[other]
        }

        mutating func insert(_ item: Int) {
            items.append(item)
            var place = items.count - 1
            while place > 0, isBefore(place, (place - 1) / 2) {
                items.swapAt(place, (place - 1) / 2)
                place = (place - 1) / 2
            }
        }

        mutating func removeTop() {
            guard let last = items.popLast(), !items.isEmpty else { return }
            items[0] = last
            var place = 0
            while true {
                var best = place
                for child in [2 * place + 1, 2 * place + 2] where child < items.count && isBefore(child, best) {
                    best = child
                }
                if best == place { return }
                items.swapAt(place, best)
                place = best
            }
        }
    }
}
