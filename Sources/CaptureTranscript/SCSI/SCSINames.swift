import SCSITarget

/// The names of commands and of what went wrong with them.
enum SCSINames {
    /// A command's name, such as `READ(10)`; its operation code where it has none here.
    static func command(_ cdb: [UInt8]) -> String {
        if let known = CommandDescription.of(CDB(cdb)) { return known.name }
        let opcode = cdb.byte(0)
        return others[opcode] ?? "operation code \(hex(opcode))h"
    }

    /// Commands that our own drives do not have (SPC-4, SBC-3, MMC-6, SAT-3).
    private static let others: [UInt8: String] = [
        0x01: "REZERO UNIT", 0x04: "FORMAT UNIT", 0x0b: "SEEK(6)", 0x16: "RESERVE(6)", 0x17: "RELEASE(6)",
        0x1c: "RECEIVE DIAGNOSTIC RESULTS", 0x2b: "SEEK(10)", 0x37: "READ DEFECT DATA(10)", 0x3b: "WRITE BUFFER",
        0x3c: "READ BUFFER", 0x3e: "READ LONG(10)", 0x3f: "WRITE LONG(10)", 0x43: "READ TOC/PMA/ATIP",
        0x46: "GET CONFIGURATION", 0x4a: "GET EVENT STATUS NOTIFICATION", 0x4c: "LOG SELECT", 0x4d: "LOG SENSE",
        0x51: "READ DISC INFORMATION", 0x52: "READ TRACK INFORMATION", 0x5b: "CLOSE TRACK/SESSION",
        0x5e: "PERSISTENT RESERVE IN", 0x5f: "PERSISTENT RESERVE OUT", 0x85: "ATA PASS-THROUGH(16)",
        0x9e: "SERVICE ACTION IN(16)", 0xa1: "ATA PASS-THROUGH(12)", 0xa2: "SECURITY PROTOCOL IN",
        0xa3: "MAINTENANCE IN", 0xa4: "MAINTENANCE OUT", 0xad: "READ DISC STRUCTURE", 0xb5: "SECURITY PROTOCOL OUT",
        0xbd: "MECHANISM STATUS", 0xbe: "READ CD",
    ]

    /// Sense data in words with their numbers, such as `NOT READY, medium not present (2/3a/00)`; nil where they are
    /// none (SPC-4 §4.5).
    static func sense(_ data: [UInt8]) -> String? {
        let (key, code, qualifier): (UInt8, UInt8, UInt8)
        switch data.byte(0) & 0x7f {
        case 0x70, 0x71:
            guard data.count >= 3 else { return nil }
            (key, code, qualifier) = (data[2] & 0x0f, data.byte(12), data.byte(13))
        case 0x72, 0x73:
            guard data.count >= 4 else { return nil }
            (key, code, qualifier) = (data[1] & 0x0f, data[2], data[3])
        default: return nil
        }
        let name = SenseKey(rawValue: key).map { "\($0)" } ?? "sense key \(key)"
        let numbers = "\(String(key, radix: 16))/\(hex(code))/\(hex(qualifier))"
        return "\(name), \(additional(code, qualifier)) (\(numbers))"
    }

    /// SPC-4 annex F, as far as drives are heard to say it.
    private static func additional(_ code: UInt8, _ qualifier: UInt8) -> String {
        switch (code, qualifier) {
        case (0x04, 0x00): "not ready, cause not reportable"
        case (0x04, 0x01): "becoming ready"
        case (0x04, 0x02): "initializing command required"
        case (0x04, 0x03): "manual intervention required"
        case (0x04, 0x04): "format in progress"
        case (0x3a, 0x01): "medium not present, tray closed"
        case (0x3a, 0x02): "medium not present, tray open"
        case (0x44, 0x00): "internal target failure"
        case (0x29, 0x01...): "power on or reset occurred"
        default: "\(AdditionalSense(code, qualifier))"
        }
    }
}
