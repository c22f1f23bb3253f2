import CommandSupport
import Logging
import SCSITarget

/// Tells of a drive's commands, in the log and as events.
///
/// Asked at the end of every command: it must cost next to nothing when nobody listens.
final class CommandReporter {
    private let events: EventSink
    private let logger: Logger
    private let logs: Bool
    /// The operation codes whose refusal was told.
    private var told = [Bool](repeating: false, count: 256)

    init(_ context: ModelContext) {
        events = context.events
        logger = context.logger
        logs = context.logger.logLevel <= .debug
    }

    /// Takes a command that has ended.
    func finished(_ task: SCSITask, _ status: SCSIStatus) {
        if status != .good, let sense = task.sense, sense.key == .illegalRequest { refused(task, sense) }
        if logs { log(task, status) }
        if events.isWatched { events.send("scsi", Self.words(task, status)) }
    }

    /// Commands in words: those that fail at debug level, all of them at trace level.
    private func log(_ task: SCSITask, _ status: SCSIStatus) {
        if let sense = task.sense, status != .good {
            logger.debug("unit \(task.lun): \(task.cdb): \(sense)")
        } else {
            logger.trace("unit \(task.lun): \(task.cdb): good, \(task.transferred) bytes")
        }
    }

    /// The members of a `scsi` event.
    private static func words(_ task: SCSITask, _ status: SCSIStatus) -> [(String, JSON)] {
        var members: [(String, JSON)] = [
            ("lun", .number(Int(task.lun))), ("command", .string(task.cdb.commandName)),
        ]
        if let blocks = task.cdb.blocks {
            members.append(("block", .number(Int(clamping: blocks.first))))
            members.append(("blocks", .number(Int(clamping: blocks.count))))
        }
        members.append(("bytes", .number(Int(clamping: task.transferred))))
        members.append(("status", .string(status == .good ? "good" : "check condition")))
        if status != .good, let sense = task.sense { members.append(("sense", .string("\(sense)"))) }
        return members
    }

    // MARK: What the drive does not know

    private static let unknownCommand = AdditionalSense(0x20, 0x00)
    private static let invalidField = AdditionalSense(0x24, 0x00)

    /// Tells of what the drive refused because it does not know it: once for each operation code.
    private func refused(_ task: SCSITask, _ sense: Sense) {
        guard sense.additional == Self.unknownCommand || sense.additional == Self.invalidField,
            !told[Int(task.cdb.opcode)]
        else { return }
        told[Int(task.cdb.opcode)] = true
        let name = Self.foreignNames[task.cdb.opcode] ?? task.cdb.commandName
        events.send(
            "unhandled",
            [
                ("request", .string("\(name), unit \(task.lun): \(task.cdb)")),
                ("hint", .string(Self.hint(name, task.cdb, sense))),
            ])
    }

    private static func hint(_ name: String, _ cdb: CDB, _ sense: Sense) -> String {
        if sense.additional == unknownCommand {
            return "\(name) is not among a drive's commands: answered with 5/20/00, and hosts do without it"
        }
        switch cdb.opcode {
        case 0x12 where cdb[1] & 0x01 != 0:
            return "VPD page \(hexadecimal(cdb[2]))h is not there: answered with 5/24/00, and hosts do without it"
        case 0x1A, 0x5A:
            return "mode page \(hexadecimal(cdb[2] & 0x3F))h, subpage \(hexadecimal(cdb[3]))h, is not there: "
                + "answered with 5/24/00, and hosts do without it"
        default:
            return "a field of the command has a value that a drive does not take: answered with \(sense)"
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }

    /// Commands that hosts send to drives and that ``SCSITarget`` does not know (SPC-4 table E.2, MMC-6).
    private static let foreignNames: [UInt8: String] = [
        0x01: "REZERO UNIT", 0x04: "FORMAT UNIT", 0x16: "RESERVE(6)", 0x17: "RELEASE(6)",
        0x1C: "RECEIVE DIAGNOSTIC RESULTS", 0x37: "READ DEFECT DATA(10)", 0x3B: "WRITE BUFFER", 0x3C: "READ BUFFER",
        0x43: "READ TOC/PMA/ATIP", 0x46: "GET CONFIGURATION", 0x48: "SANITIZE",
        0x4A: "GET EVENT STATUS NOTIFICATION", 0x4C: "LOG SELECT", 0x4D: "LOG SENSE",
        0x51: "XPWRITE or READ DISC INFORMATION", 0x56: "RESERVE(10)", 0x57: "RELEASE(10)",
        0x5E: "PERSISTENT RESERVE IN", 0x5F: "PERSISTENT RESERVE OUT", 0x85: "ATA PASS-THROUGH(16)",
        0x8B: "ORWRITE", 0x9F: "SERVICE ACTION OUT(16)", 0xA1: "ATA PASS-THROUGH(12)",
        0xA2: "SECURITY PROTOCOL IN", 0xA4: "MAINTENANCE OUT", 0xB5: "SECURITY PROTOCOL OUT",
    ]
}
