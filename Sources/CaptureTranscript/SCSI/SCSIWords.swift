import CaptureTraces
import CommandSupport
import SCSITarget

/// A SCSI command with its data and its end, as the Bulk-Only Transport carries it.
struct SCSIExchange {
    var lun: UInt8
    var cdb: [UInt8]
    /// Bytes that the host meant to move.
    var expected: Int
    var isIn: Bool
    /// The first of the data that the capture has.
    var data: [UInt8]
    /// Bytes that were moved.
    var dataCount: Int
    /// Whether the device ended the data stage with a STALL.
    var isStalled = false
    /// How the command ended.
    var outcome: MassStorageCommand.Outcome
    /// Bytes of the data that mean nothing.
    var residue = 0
    /// What REQUEST SENSE told of the failure.
    var sense: [UInt8] = []
}

/// A SCSI command in a line.
struct SCSIWords {
    /// The command's name, such as `READ(10)`.
    let name: String
    /// The line.
    let words: String
    /// Whether the words tell all that the data say, or the data are a disk's.
    let tellsData: Bool
    /// The same for programs.
    let details: [(String, JSON)]

    init(_ exchange: SCSIExchange) {
        let cdb = exchange.cdb
        name = SCSINames.command(cdb)
        var question = exchange.lun == 0 ? name : "LUN \(exchange.lun): \(name)"
        var details: [(String, JSON)] = [("lun", .number(Int(exchange.lun))), ("cdb", .string(hex(cdb)))]
        let blocks = CDB(cdb).blocks
        if let blocks {
            question += " LBA \(blocks.first) count \(blocks.count)"
            details.append(("lba", .number(Int(clamping: blocks.first))))
            details.append(("blocks", .number(Int(clamping: blocks.count))))
        }
        question += SCSIDataWords.arguments(cdb)
        var answers: [String] = []
        var tellsData = exchange.data.isEmpty || blocks != nil
        if exchange.isIn, let words = SCSIDataWords.answer(cdb, exchange.data) {
            answers.append(words)
            tellsData = true
        } else if exchange.dataCount > 0 || exchange.expected > 0 {
            answers.append(counted(exchange.dataCount, "byte"))
            if exchange.dataCount != exchange.expected, exchange.outcome != .failed {
                answers[answers.count - 1] += " of \(exchange.expected)"
            }
        }
        if exchange.residue > 0, exchange.dataCount == exchange.expected {
            answers.append("residue \(exchange.residue)")
        }
        if exchange.isStalled { answers.append("STALL") }
        let sense = SCSINames.sense(exchange.sense)
        answers.append(Self.words(exchange.outcome, sense))
        details.append(("result", .string(Self.name(exchange.outcome))))
        if let sense { details.append(("sense", .string(sense))) }
        words = question + " → " + answers.joined(separator: ", ")
        self.tellsData = tellsData
        self.details = details
    }

    private static func words(_ outcome: MassStorageCommand.Outcome, _ sense: String?) -> String {
        switch outcome {
        case .passed: "good"
        case .failed: "failed" + (sense.map { ": \($0)" } ?? "")
        case .phaseError: "phase error"
        case .invalidStatus: "a status that is none"
        case .missing: "no status in the capture"
        }
    }

    private static func name(_ outcome: MassStorageCommand.Outcome) -> String {
        switch outcome {
        case .passed: "good"
        case .failed: "failed"
        case .phaseError: "phase-error"
        case .invalidStatus: "invalid"
        case .missing: "missing"
        }
    }
}
