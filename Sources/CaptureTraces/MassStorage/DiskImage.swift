public import USBCapture
internal import USBCore

/// The disk that a mass-storage capture read and wrote, as far as it did.
///
/// READ and WRITE commands (6, 10, 12 and 16 bytes, SBC-3 §5) are laid over each other in their order. Of data that the
/// capture has cut, only whole blocks are known. Commands that failed say nothing, and what WRITE SAME and UNMAP did is
/// not followed.
public struct DiskImage {
    /// Which state of the disk is meant.
    public enum Version: Sendable, CaseIterable {
        /// What the disk had before the capture's writes: of each block what was read before it was written.
        case initial
        /// What the disk had at the end.
        case final
    }

    /// The logical unit.
    public let lun: UInt8
    /// The bytes of a block: as READ CAPACITY says, or as the commands' lengths show; 512 when there are none.
    public let blockSize: Int
    /// How many blocks the disk has; nil when READ CAPACITY is not in the capture.
    public let blockCount: UInt64?
    /// The READ commands whose data are used.
    public let reads: Int
    /// The WRITE commands whose data are used.
    public let writes: Int
    /// The bytes of a block that READ CAPACITY is believed.
    private static let (minimumBlockSize, maximumBlockSize) = (128, 1 << 20)
    private let trace: Trace
    private let operations: [Operation]
    private let pieces: [Piece]
    private let initial: [Extent]
    private let final: [Extent]

    /// Whole blocks that one command moved, without a gap.
    struct Operation: Equatable {
        /// The first block.
        var begin: UInt64
        /// The block after the last.
        var end: UInt64
        /// Where the first block begins in the command's data.
        var stream: Int
        /// The command's data among the image's pieces.
        var pieces: Range<Int>
        var isWrite: Bool
    }

    /// The data of one transfer.
    struct Piece: Equatable {
        /// Where it begins in the command's data.
        var stream: Int
        var reference: PayloadReference
        /// Where it ends.
        var end: Int { stream + Int(reference.count) }
    }

    /// Makes the image of what a trace's commands moved.
    ///
    /// - Parameter lun: the logical unit.
    /// - Throws: ``CaptureError`` when the trace has no mass-storage commands, or the file has been changed since.
    public init(_ trace: Trace, lun: UInt8 = 0) throws(CaptureError) {
        try self.init(trace, commands: BulkOnlyReader.commands(of: trace), lun: lun)
    }

    /// Makes the image of a trace's commands, which have been found already.
    ///
    /// - Parameters:
    ///   - all: what ``BulkOnlyReader/commands(of:)`` gives.
    ///   - lun: the logical unit.
    /// - Throws: ``CaptureError`` when there are no commands, or the file has been changed since.
    public init(_ trace: Trace, commands all: [MassStorageCommand], lun: UInt8 = 0) throws(CaptureError) {
        guard !all.isEmpty else {
            throw CaptureError(
                .unsupported, "device \(trace.device.number) has no mass-storage commands in this capture")
        }
        let commands = all.filter { $0.lun == lun }
        let capacity = try Self.capacity(commands, trace)
        let blockSize = capacity?.blockSize ?? Self.usualBlockSize(commands)
        var assembly = Assembly(blockSize: blockSize)
        for command in commands { assembly.take(command) }
        self.lun = lun
        self.blockSize = blockSize
        blockCount = capacity?.blocks
        reads = assembly.reads
        writes = assembly.writes
        self.trace = trace
        operations = assembly.operations
        pieces = assembly.pieces
        initial = Extent.winners(operations, first: true).filter { !assembly.operations[$0.operation].isWrite }
        final = Extent.winners(operations, first: false)
    }

    /// Capacity and block size as READ CAPACITY (10) or (16) said them last (SBC-3 §5.15, §5.16).
    private static func capacity(
        _ commands: [MassStorageCommand], _ trace: Trace
    ) throws(CaptureError) -> (blocks: UInt64, blockSize: Int)? {
        var found: (blocks: UInt64, blockSize: Int)?
        for command in commands where command.outcome == .passed || command.outcome == .missing {
            let isLong = command.opcode == 0x9e && command.cdb.count > 1 && command.cdb[1] & 0x1f == 0x10
            guard isLong || command.opcode == 0x25, var data = command.data.first else { continue }
            data.count = min(data.count, 32)
            let bytes = try trace.bytes(data)
            let place = isLong ? 8 : 4
            guard bytes.count >= place + 4 else { continue }
            let last = big(bytes, 0, place)
            let size = Int(big(bytes, place, 4))
            // The 10-byte command says that there is more than it can say.
            if !isLong, last == UInt64(UInt32.max) { continue }
            // Smaller blocks than any disk's would make a table of every few bytes.
            guard last < .max, (minimumBlockSize...maximumBlockSize).contains(size) else { continue }
            found = (last + 1, size)
        }
        return found
    }

    private static func usualBlockSize(_ commands: [MassStorageCommand]) -> Int {
        for command in commands {
            guard let range = BlockRange(command.cdb), range.count > 0 else { continue }
            let (size, rest) = UInt64(command.expected).quotientAndRemainder(dividingBy: range.count)
            if rest == 0, [512, 1024, 2048, 4096].contains(size) { return Int(size) }
        }
        return 512
    }

    // MARK: - What is known

    /// The blocks that are known, in ascending ranges that do not touch.
    public func known(_ version: Version) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        for extent in extents(version) {
            if let last = ranges.last, last.upperBound == extent.begin {
                ranges[ranges.count - 1] = last.lowerBound..<extent.end
            } else {
                ranges.append(extent.begin..<extent.end)
            }
        }
        return ranges
    }

    /// How many blocks are known.
    public func knownCount(_ version: Version) -> UInt64 { extents(version).reduce(0) { $0 &+ ($1.end - $1.begin) } }

    /// Whether a block is known.
    public func isKnown(_ block: UInt64, _ version: Version) -> Bool { extent(at: block, version) != nil }

    /// Copies blocks from `block` on, as many as are known one after another and have room.
    ///
    /// - Returns: how many blocks were copied; 0 when the first is not known.
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public func copy(
        from block: UInt64, _ version: Version, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) -> Int {
        let room = memory.count / blockSize
        var done = 0
        while done < room, let extent = extent(at: block &+ UInt64(done), version) {
            let from = block &+ UInt64(done)
            let count = Int(min(extent.end - from, UInt64(room - done)))
            let operation = operations[extent.operation]
            let start = operation.stream + Int(from - operation.begin) * blockSize
            let target = unsafe UnsafeMutableRawBufferPointer(
                rebasing: memory[done * blockSize..<(done + count) * blockSize])
            unsafe try copy(operation, from: start, into: target)
            done += count
        }
        return done
    }

    /// The bytes of a block; nil when it is not known.
    ///
    /// - Throws: ``CaptureError`` when the file has been changed since.
    public func block(_ block: UInt64, _ version: Version) throws(CaptureError) -> [UInt8]? {
        guard isKnown(block, version) else { return nil }
        var bytes = [UInt8](repeating: 0, count: blockSize)
        var failure: CaptureError?
        unsafe bytes.withUnsafeMutableBytes { memory in
            do throws(CaptureError) {
                _ = unsafe try copy(from: block, version, into: memory)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Copies bytes of a command's data, which may be in several transfers.
    private func copy(
        _ operation: Operation, from start: Int, into memory: UnsafeMutableRawBufferPointer
    ) throws(CaptureError) {
        // They are in order: the first that ends behind the start.
        var (low, high) = (operation.pieces.lowerBound, operation.pieces.upperBound)
        while low < high {
            let middle = low + (high - low) / 2
            if pieces[middle].end <= start { low = middle + 1 } else { high = middle }
        }
        var done = 0
        for index in low..<operation.pieces.upperBound {
            if done == memory.count { break }
            let piece = pieces[index]
            let from = start + done - piece.stream
            guard from >= 0, from < Int(piece.reference.count) else { break }
            let count = min(memory.count - done, Int(piece.reference.count) - from)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[done..<done + count])
            unsafe try trace.copy(piece.reference, from: from, into: target)
            done += count
        }
    }

    private func extents(_ version: Version) -> [Extent] { version == .initial ? initial : final }

    private func extent(at block: UInt64, _ version: Version) -> Extent? {
        let extents = extents(version)
        var (low, high) = (0, extents.count)
        while low < high {
            let middle = low + (high - low) / 2
            if extents[middle].end <= block { low = middle + 1 } else { high = middle }
        }
        return low < extents.count && extents[low].begin <= block ? extents[low] : nil
    }
}

/// A big-endian number of some bytes that are there.
func big(_ bytes: [UInt8], _ place: Int, _ count: Int) -> UInt64 {
    bytes[place..<place + count].reduce(0) { $0 << 8 | UInt64($1) }
}
