/// The operation codes of the commands that the target knows.
enum Opcode {
    static let testUnitReady: UInt8 = 0x00
    static let requestSense: UInt8 = 0x03
    static let read6: UInt8 = 0x08
    static let write6: UInt8 = 0x0A
    static let inquiry: UInt8 = 0x12
    static let modeSelect6: UInt8 = 0x15
    static let modeSense6: UInt8 = 0x1A
    static let startStopUnit: UInt8 = 0x1B
    static let sendDiagnostic: UInt8 = 0x1D
    static let preventAllowMediumRemoval: UInt8 = 0x1E
    static let readFormatCapacities: UInt8 = 0x23
    static let readCapacity10: UInt8 = 0x25
    static let read10: UInt8 = 0x28
    static let write10: UInt8 = 0x2A
    static let writeAndVerify10: UInt8 = 0x2E
    static let verify10: UInt8 = 0x2F
    static let preFetch10: UInt8 = 0x34
    static let synchronizeCache10: UInt8 = 0x35
    static let writeSame10: UInt8 = 0x41
    static let unmap: UInt8 = 0x42
    static let modeSelect10: UInt8 = 0x55
    static let modeSense10: UInt8 = 0x5A
    static let read16: UInt8 = 0x88
    static let compareAndWrite: UInt8 = 0x89
    static let write16: UInt8 = 0x8A
    static let writeAndVerify16: UInt8 = 0x8E
    static let verify16: UInt8 = 0x8F
    static let preFetch16: UInt8 = 0x90
    static let synchronizeCache16: UInt8 = 0x91
    static let writeSame16: UInt8 = 0x93
    static let serviceActionIn16: UInt8 = 0x9E
    static let reportLUNs: UInt8 = 0xA0
    static let maintenanceIn: UInt8 = 0xA3
    static let read12: UInt8 = 0xA8
    static let write12: UInt8 = 0xAA
    static let writeAndVerify12: UInt8 = 0xAE
    static let verify12: UInt8 = 0xAF
}

/// The service actions of the operation codes that have them.
enum ServiceAction {
    /// Of ``Opcode/serviceActionIn16``.
    static let readCapacity16: UInt8 = 0x10
    /// Of ``Opcode/serviceActionIn16``.
    static let getLBAStatus: UInt8 = 0x12
    /// Of ``Opcode/maintenanceIn``.
    static let reportSupportedOperationCodes: UInt8 = 0x0C
}
