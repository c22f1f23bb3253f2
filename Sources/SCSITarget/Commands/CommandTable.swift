/// What the target says of one command: its name for people, its usage data and timeouts for hosts.
///
/// Each command is declared once, in ``all``; the log's names and REPORT SUPPORTED OPERATION CODES both come from there.
public struct CommandDescription: Hashable, Sendable {
    /// The operation code.
    public let opcode: UInt8
    /// The service action, for operation codes that have one.
    public let serviceAction: UInt8?
    /// The standard's name: `READ(10)`.
    public let name: String
    /// The CDB usage data: for each byte, the bits that the target evaluates (SPC-4 §6.35.3).
    ///
    /// Byte 0 holds the operation code itself, and the service action stands in byte 1.
    public let usage: [UInt8]
    /// How long the command takes, in seconds, when all goes well.
    public let nominalTimeout: UInt32
    /// How long a host should wait, in seconds, before it thinks of recovery.
    public let recommendedTimeout: UInt32

    /// The CDB's length in bytes.
    public var length: Int { usage.count }

    /// Every command that the target implements, by operation code and service action.
    public static let all: [CommandDescription] = [
        quick(Opcode.testUnitReady, "TEST UNIT READY", [0, 0, 0, 0, 0x04]),
        quick(Opcode.requestSense, "REQUEST SENSE", [0x01, 0, 0, 0xFF, 0x04]),
        transfer(Opcode.read6, "READ(6)", [0x1F, 0xFF, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.write6, "WRITE(6)", [0x1F, 0xFF, 0xFF, 0xFF, 0x04]),
        quick(Opcode.inquiry, "INQUIRY", [0x01, 0xFF, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.modeSelect6, "MODE SELECT(6)", [0x11, 0, 0, 0xFF, 0x04]),
        quick(Opcode.modeSense6, "MODE SENSE(6)", [0x08, 0xFF, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.startStopUnit, "START STOP UNIT", [0x01, 0, 0, 0xF7, 0x04]),
        transfer(Opcode.sendDiagnostic, "SEND DIAGNOSTIC", [0xE4, 0, 0xFF, 0xFF, 0x04]),
        quick(Opcode.preventAllowMediumRemoval, "PREVENT ALLOW MEDIUM REMOVAL", [0, 0, 0, 0x03, 0x04]),
        quick(Opcode.readFormatCapacities, "READ FORMAT CAPACITIES", [0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x04]),
        quick(Opcode.readCapacity10, "READ CAPACITY(10)", [0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0x01, 0x04]),
        transfer(Opcode.read10, "READ(10)", [0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.write10, "WRITE(10)", [0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.writeAndVerify10, "WRITE AND VERIFY(10)", [0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.verify10, "VERIFY(10)", [0xF6, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        quick(Opcode.preFetch10, "PRE-FETCH(10)", [0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        long(Opcode.synchronizeCache10, "SYNCHRONIZE CACHE(10)", [0x02, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        long(Opcode.writeSame10, "WRITE SAME(10)", [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]),
        long(Opcode.unmap, "UNMAP", [0x01, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.modeSelect10, "MODE SELECT(10)", [0x11, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0x04]),
        quick(Opcode.modeSense10, "MODE SENSE(10)", [0x18, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0x04]),
        transfer(Opcode.read16, "READ(16)", lba16(0xF8)),
        transfer(
            Opcode.compareAndWrite, "COMPARE AND WRITE",
            [0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0xFF, 0, 0x04]),
        transfer(Opcode.write16, "WRITE(16)", lba16(0xF8)),
        transfer(Opcode.writeAndVerify16, "WRITE AND VERIFY(16)", lba16(0xF6)),
        transfer(Opcode.verify16, "VERIFY(16)", lba16(0xF6)),
        quick(Opcode.preFetch16, "PRE-FETCH(16)", lba16(0x02)),
        long(Opcode.synchronizeCache16, "SYNCHRONIZE CACHE(16)", lba16(0x02)),
        long(Opcode.writeSame16, "WRITE SAME(16)", lba16(0xF9)),
        quick(
            Opcode.serviceActionIn16, action: ServiceAction.readCapacity16, "READ CAPACITY(16)",
            lba16(0, byte14: 0x01)),
        quick(
            Opcode.serviceActionIn16, action: ServiceAction.getLBAStatus, "GET LBA STATUS",
            lba16(0)),
        quick(Opcode.reportLUNs, "REPORT LUNS", [0, 0xFF, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04]),
        quick(
            Opcode.maintenanceIn, action: ServiceAction.reportSupportedOperationCodes,
            "REPORT SUPPORTED OPERATION CODES",
            [0, 0x87, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x04]),
        transfer(Opcode.read12, "READ(12)", lba12(0xF8)),
        transfer(Opcode.write12, "WRITE(12)", lba12(0xF8)),
        transfer(Opcode.writeAndVerify12, "WRITE AND VERIFY(12)", lba12(0xF6)),
        transfer(Opcode.verify12, "VERIFY(12)", lba12(0xF6)),
    ]

    /// The description of the command in `cdb`, nil when the target does not know it.
    public static func of(_ cdb: CDB) -> CommandDescription? {
        all.first {
            $0.opcode == cdb.opcode && ($0.serviceAction == nil || $0.serviceAction == cdb.serviceAction)
        }
    }
}

extension CDB {
    /// The command's name, `READ(10)`, or its operation code where the target does not know it.
    public var commandName: String {
        CommandDescription.of(self)?.name ?? "operation code \(hexadecimal(opcode))h"
    }
}

extension CommandDescription {
    /// Answers from memory.
    private static func quick(_ opcode: UInt8, action: UInt8? = nil, _ name: String, _ mask: [UInt8]) -> Self {
        describe(opcode, action, name, mask, nominal: 1, recommended: 10)
    }

    /// Waits for the store once.
    private static func transfer(_ opcode: UInt8, _ name: String, _ mask: [UInt8]) -> Self {
        describe(opcode, nil, name, mask, nominal: 1, recommended: 30)
    }

    /// May write out, or write over, much of the store.
    private static func long(_ opcode: UInt8, _ name: String, _ mask: [UInt8]) -> Self {
        describe(opcode, nil, name, mask, nominal: 5, recommended: 60)
    }

    private static func describe(
        _ opcode: UInt8, _ action: UInt8?, _ name: String, _ mask: [UInt8], nominal: UInt32, recommended: UInt32
    ) -> Self {
        var usage = [opcode] + mask
        if let action {
            usage[1] = action
        }
        return CommandDescription(
            opcode: opcode, serviceAction: action, name: name, usage: usage, nominalTimeout: nominal,
            recommendedTimeout: recommended)
    }

    private static func lba12(_ flags: UInt8) -> [UInt8] {
        [flags] + [UInt8](repeating: 0xFF, count: 8) + [0, 0x04]
    }

    private static func lba16(_ flags: UInt8, byte14: UInt8 = 0) -> [UInt8] {
        [flags] + [UInt8](repeating: 0xFF, count: 12) + [byte14, 0x04]
    }
}
