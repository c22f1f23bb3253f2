extension SenseKey: CustomStringConvertible {
    /// The standard's name: `ILLEGAL REQUEST`.
    public var description: String {
        switch self {
        case .noSense: "NO SENSE"
        case .recoveredError: "RECOVERED ERROR"
        case .notReady: "NOT READY"
        case .mediumError: "MEDIUM ERROR"
        case .hardwareError: "HARDWARE ERROR"
        case .illegalRequest: "ILLEGAL REQUEST"
        case .unitAttention: "UNIT ATTENTION"
        case .dataProtect: "DATA PROTECT"
        case .blankCheck: "BLANK CHECK"
        case .abortedCommand: "ABORTED COMMAND"
        case .miscompare: "MISCOMPARE"
        }
    }
}

extension AdditionalSense: CustomStringConvertible {
    /// The standard's words for the codes that this target sends, hexadecimal for others.
    public var description: String {
        switch self {
        case .none: "no additional sense information"
        case .writeError: "write error"
        case .unrecoveredReadError: "unrecovered read error"
        case .parameterListLengthError: "parameter list length error"
        case .miscompare: "miscompare during verify operation"
        case .invalidOpcode: "invalid command operation code"
        case .lbaOutOfRange: "logical block address out of range"
        case .invalidFieldInCDB: "invalid field in CDB"
        case .unitNotSupported: "logical unit not supported"
        case .invalidFieldInParameterList: "invalid field in parameter list"
        case .writeProtected: "write protected"
        case .spaceAllocationFailed: "space allocation failed write protect"
        case .mediumMayHaveChanged: "not ready to ready change, medium may have changed"
        case .powerOnOrReset: "power on, reset, or bus device reset occurred"
        case .modeParametersChanged: "mode parameters changed"
        case .capacityChanged: "capacity data has changed"
        case .incompatibleMedium: "incompatible medium installed"
        case .savingNotSupported: "saving parameters not supported"
        case .mediumNotPresent: "medium not present"
        case .mediumRemovalPrevented: "medium removal prevented"
        default: "additional sense \(hexadecimal(code))/\(hexadecimal(qualifier))"
        }
    }
}

extension Sense: CustomStringConvertible {
    /// The sense in words: `ILLEGAL REQUEST, invalid field in CDB (byte 1, bit 7)`.
    public var description: String {
        var text = "\(key), \(additional)"
        if let field {
            let place = field.isInCDB ? "" : "parameter "
            text += " (\(place)byte \(field.byte)\(field.bit.map { ", bit \($0)" } ?? ""))"
        }
        if let information {
            text += key == .miscompare ? " (byte \(information))" : " (block \(information))"
        }
        return text
    }
}
