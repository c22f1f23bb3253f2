import SCSITarget
import Testing

/// A host's side of the commands, with a transport that moves data in pieces of a chosen size.
final class Host {
    /// What a command came to.
    struct Outcome {
        let status: SCSIStatus
        let data: [UInt8]
        /// How many bytes of the offered data the command took.
        let taken: Int
        let sense: Sense?
        let wanted: UInt64

        /// Key, additional sense code and qualifier: (5, 0x24, 0); nil for a success.
        var triple: [UInt8]? {
            sense.map { [$0.key.rawValue, $0.additional.code, $0.additional.qualifier] }
        }
    }

    let target: SCSITarget
    let unit: LogicalUnit
    /// The largest piece of data that moves at once.
    var piece = 4_096

    init(_ configuration: LogicalUnit.Configuration = .init(), store: (any BlockStore)? = nil, greet: Bool = true) {
        unit = LogicalUnit(configuration)
        target = SCSITarget([unit])
        if let store {
            unit.insert(store)
        }
        if greet {
            _ = run([0x00])
        }
    }

    /// A host with a disk in memory, ready for use.
    static func withDisk(
        blocks: UInt64 = 2_048, _ configuration: LogicalUnit.Configuration = .init()
    ) throws -> Host {
        let byteCount = blocks * UInt64(configuration.blockSize.rawValue)
        return Host(configuration, store: try MemoryStore(byteCount: byteCount))
    }

    /// Runs a command; checks what must hold for every one.
    @discardableResult
    func run(_ cdb: CDB, lun: UInt8 = 0, out: [UInt8] = []) -> Outcome {
        var task = target.begin(cdb, lun: lun)
        let wanted = task.length
        var data: [UInt8] = []
        var taken = 0
        if task.isFailed {
            #expect(task.direction == .none && task.length == 0, "\(cdb): a command that failed moves no data")
        }
        switch task.direction {
        case .none:
            #expect(task.length == 0)
        case .in:
            data = readAll(&task)
        case .out:
            taken = writeAll(&task, out)
        }
        let status = target.finish(&task)
        #expect((status == .good) == (task.sense == nil), "\(cdb): a failure has sense, a success has none")
        return Outcome(status: status, data: data, taken: taken, sense: task.sense, wanted: wanted)
    }

    /// Runs a command without an interest in its data, which must succeed.
    func good(_ cdb: CDB, out: [UInt8] = [], sourceLocation: SourceLocation = #_sourceLocation) -> [UInt8] {
        let outcome = run(cdb, out: out)
        #expect(
            outcome.status == .good, "\(cdb): \(outcome.sense.map { "\($0)" } ?? "")", sourceLocation: sourceLocation)
        return outcome.data
    }

    private func readAll(_ task: inout SCSITask) -> [UInt8] {
        var data: [UInt8] = []
        var buffer = [UInt8](repeating: 0xEE, count: piece)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe target.produce(&task, into: $0) }
            if count == 0 {
                return data
            }
            data += buffer[..<count]
        }
    }

    private func writeAll(_ task: inout SCSITask, _ out: [UInt8]) -> Int {
        var taken = 0
        while taken < out.count {
            let end = min(taken + piece, out.count)
            let count = unsafe out.withUnsafeBytes { bytes in
                unsafe target.consume(&task, UnsafeRawBufferPointer(rebasing: bytes[taken..<end]))
            }
            taken += count
            if count < end - (taken - count) {
                break
            }
        }
        return taken
    }
}

extension Host {
    func read10(_ block: UInt32, _ count: UInt16) -> Outcome { run(CDB.lba10(0x28, block, count)) }

    func write10(_ block: UInt32, _ data: [UInt8], flags: UInt8 = 0) -> Outcome {
        let count = UInt16(data.count / Int(unit.configuration.blockSize.rawValue))
        return run(CDB.lba10(0x2A, block, count, flags: flags), out: data)
    }
}

extension CDB {
    static func lba10(_ opcode: UInt8, _ block: UInt32, _ count: UInt16, flags: UInt8 = 0) -> CDB {
        CDB([opcode, flags] + bigEndian(block) + [0] + bigEndian(count) + [0])
    }

    static func lba12(_ opcode: UInt8, _ block: UInt32, _ count: UInt32, flags: UInt8 = 0) -> CDB {
        CDB([opcode, flags] + bigEndian(block) + bigEndian(count) + [0, 0])
    }

    static func lba16(_ opcode: UInt8, _ block: UInt64, _ count: UInt32, flags: UInt8 = 0) -> CDB {
        CDB([opcode, flags] + bigEndian(block) + bigEndian(count) + [0, 0])
    }
}

/// An integer's bytes, the highest first.
func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// The integer in some bytes, the highest first.
func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reduce(0) { ($0 << 8) | UInt64($1) }
}

/// Bytes without a pattern that a misplaced block would repeat.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = Xorshift(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next() >> 24) }
}

/// Random numbers that are the same on each run.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
