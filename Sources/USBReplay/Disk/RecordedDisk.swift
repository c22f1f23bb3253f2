import CaptureTraces
import SCSITarget
import USBCapture
import USBCore

/// What a recording knows of a Bulk-Only disk: its commands by what they ask, and what its blocks held.
final class RecordedDisk {
    /// Names a command: what must be the same for a recorded answer to be the answer.
    struct Key: Hashable {
        var unit: UInt8
        var cdb: CDB
        /// The bytes that the host expects; nil for any.
        var expected: UInt32?
    }

    let trace: Trace
    /// The commands that have a status, in order.
    let commands: [MassStorageCommand]
    /// How many logical units there are, at least 1.
    let unitCount: Int
    /// By unit, what its blocks held at first.
    private(set) var blocks: [UInt8: RecordedBlocks] = [:]
    private var places: [Key: [Int]] = [:]
    /// By place in ``commands``, the last command before a READ that wrote what it reads; -1 for none.
    private var lastWrites: [Int] = []

    /// - Throws: ``CaptureError`` when the capture cannot be read.
    init(_ trace: Trace, output: EndpointAddress) throws(CaptureError) {
        self.trace = trace
        commands = try BulkOnlyReader.commands(of: trace).filter { command in
            command.output == output && [.passed, .failed, .phaseError].contains(command.outcome)
        }
        unitCount = Int(commands.map(\.lun).max() ?? 0) + 1
        for (place, command) in commands.enumerated() {
            let cdb = CDB(command.cdb)
            places[Key(unit: command.lun, cdb: cdb, expected: command.expected), default: []].append(place)
            places[Key(unit: command.lun, cdb: cdb, expected: nil), default: []].append(place)
        }
        for unit in Set(commands.map(\.lun)) {
            blocks[unit] = RecordedBlocks(commands, unit: unit, capacity: capacity(of: unit))
        }
        findLastWrites()
    }

    /// Where a command is in ``commands``: as it was asked, else with another expectation of data; empty when nowhere.
    func places(_ cdb: CDB, unit: UInt8, expected: UInt32) -> [Int] {
        places[Key(unit: unit, cdb: cdb, expected: expected)] ?? places[Key(unit: unit, cdb: cdb, expected: nil)] ?? []
    }

    /// The last recorded command before a READ that wrote any of its blocks; nil when none did.
    func lastWrite(before place: Int) -> Int? {
        lastWrites.indices.contains(place) && lastWrites[place] >= 0 ? lastWrites[place] : nil
    }

    /// The data of the first answer to a command, found by its first bytes.
    func answer(_ opcode: UInt8, unit: UInt8, where isWanted: (MassStorageCommand) -> Bool = { _ in true }) -> [UInt8]?
    {
        let found = commands.first {
            $0.lun == unit && $0.opcode == opcode && $0.outcome == .passed && !$0.data.isEmpty && isWanted($0)
        }
        return found.flatMap { $0.data.first }.flatMap { try? trace.bytes($0) }
    }

    // MARK: What was written when

    private func findLastWrites() {
        lastWrites = Array(repeating: -1, count: commands.count)
        // By unit and 128 blocks: exact enough, since a wrong yes only makes the answer come from the blocks instead.
        struct Chunk: Hashable {
            var unit: UInt8
            var number: UInt64
        }
        var written: [Chunk: Int] = [:]
        // A capture can claim anything of its commands. What is past this counts as written, all of it.
        var budget = UInt64(commands.count) * 32 + 1 << 16
        var everythingWritten = -1
        var lastWrite = -1
        for (place, command) in commands.enumerated() {
            let isRead = command.direction == .in
            guard let (first, named) = CDB(command.cdb).blocks, named > 0 else { continue }
            guard isRead ? lastWrite >= 0 : command.expected > 0 && command.moved > 0 else { continue }
            // What was moved counts, not what was named; of a READ that failed the first block.
            let blockSize = UInt64(blocks[command.lun]?.blockSize ?? 512)
            let count = min(named, max(1, (UInt64(command.moved) + blockSize - 1) / blockSize))
            let last = first.addingReportingOverflow(count - 1)
            guard !last.overflow else { continue }
            if isRead { lastWrites[place] = everythingWritten } else { lastWrite = place }
            let chunks = last.partialValue / 128 - first / 128 + 1
            guard chunks <= budget else {
                if isRead { lastWrites[place] = lastWrite } else { everythingWritten = place }
                continue
            }
            budget -= chunks
            for number in first / 128...last.partialValue / 128 {
                let chunk = Chunk(unit: command.lun, number: number)
                if isRead {
                    lastWrites[place] = max(lastWrites[place], written[chunk] ?? -1)
                } else {
                    written[chunk] = place
                }
            }
        }
    }

    // MARK: Size

    /// The size of a block and how many there are, as READ CAPACITY said (SBC-3 §5.15, §5.16).
    func capacity(of unit: UInt8) -> (blockSize: UInt32, count: UInt64)? {
        let isReadCapacity = { (command: MassStorageCommand) in command.cdb.count > 1 && command.cdb[1] & 0x1f == 0x10 }
        if let long = answer(0x9e, unit: unit, where: isReadCapacity), long.count >= 12 {
            let last = Self.bigEndian(long[0..<8])
            return (UInt32(truncatingIfNeeded: Self.bigEndian(long[8..<12])), last == .max ? last : last + 1)
        }
        guard let short = answer(0x25, unit: unit), short.count >= 8 else { return nil }
        return (UInt32(truncatingIfNeeded: Self.bigEndian(short[4..<8])), Self.bigEndian(short[0..<4]) + 1)
    }

    private static func bigEndian(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}
