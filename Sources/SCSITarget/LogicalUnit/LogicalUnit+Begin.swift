extension LogicalUnit {
    /// Starts a command: checks it, and finds out what data it moves.
    func begin(_ cdb: CDB, lun: UInt8) -> SCSITask {
        var task = SCSITask(cdb, lun: lun)
        task.medium = mediumNumber
        do throws(Sense) {
            try dispatch(&task)
        } catch {
            // Whatever was found out before: a command that fails here moves nothing.
            task = SCSITask(cdb, lun: lun)
            task.fail(error)
        }
        return task
    }

    @inline(__always)
    private func dispatch(_ task: inout SCSITask) throws(Sense) {
        let cdb = task.cdb
        // NACA: this unit does not establish auto contingent allegiance (NORMACA is zero in INQUIRY).
        if cdb.control & 0x04 != 0 {
            throw .invalidField(inCDB: UInt16(truncatingIfNeeded: cdb.commandLength - 1), bit: 2)
        }
        // The two that must answer whatever happened to the unit; they keep the sense data of the command before.
        if cdb.opcode == Opcode.inquiry {
            return try inquiry(&task)
        }
        if cdb.opcode == Opcode.requestSense {
            return requestSense(&task)
        }
        currentSense = .none
        if !attention.isEmpty, let sense = attention.takeNext() {
            throw sense
        }
        switch cdb.opcode {
        case Opcode.read10:
            try read(&task, block: UInt64(cdb.u32(at: 2)), count: UInt64(cdb.u16(at: 7)), flags: cdb[1])
        case Opcode.write10:
            try write(&task, block: UInt64(cdb.u32(at: 2)), count: UInt64(cdb.u16(at: 7)), flags: cdb[1])
        case Opcode.testUnitReady: _ = try readyStore()
        case Opcode.read16: try read(&task, block: cdb.u64(at: 2), count: UInt64(cdb.u32(at: 10)), flags: cdb[1])
        case Opcode.write16: try write(&task, block: cdb.u64(at: 2), count: UInt64(cdb.u32(at: 10)), flags: cdb[1])
        case Opcode.read12:
            try read(&task, block: UInt64(cdb.u32(at: 2)), count: UInt64(cdb.u32(at: 6)), flags: cdb[1])
        case Opcode.write12:
            try write(&task, block: UInt64(cdb.u32(at: 2)), count: UInt64(cdb.u32(at: 6)), flags: cdb[1])
        // The 6-byte forms have 21 bits of block address, no flags, and count zero as 256 (SBC-3 §5.9, §5.37).
        case Opcode.read6: try read(&task, block: UInt64(cdb.u32(at: 0) & 0x1F_FFFF), count: cdb.count6, flags: 0)
        case Opcode.write6: try write(&task, block: UInt64(cdb.u32(at: 0) & 0x1F_FFFF), count: cdb.count6, flags: 0)
        case Opcode.verify10, Opcode.verify12, Opcode.verify16: try verify(&task)
        case Opcode.writeAndVerify10, Opcode.writeAndVerify12, Opcode.writeAndVerify16: try writeAndVerify(&task)
        case Opcode.synchronizeCache10, Opcode.synchronizeCache16: try synchronizeCache(&task)
        case Opcode.preFetch10, Opcode.preFetch16: try preFetch(&task)
        case Opcode.writeSame10, Opcode.writeSame16: try writeSame(&task)
        case Opcode.compareAndWrite: try compareAndWrite(&task)
        case Opcode.unmap: try unmap(&task)
        default: try dispatchRare(&task)
        }
    }

    private func dispatchRare(_ task: inout SCSITask) throws(Sense) {
        let cdb = task.cdb
        switch cdb.opcode {
        case Opcode.modeSense6, Opcode.modeSense10: try modeSense(&task)
        case Opcode.modeSelect6, Opcode.modeSelect10: try modeSelect(&task)
        case Opcode.readCapacity10: try readCapacity10(&task)
        case Opcode.readFormatCapacities: readFormatCapacities(&task)
        case Opcode.startStopUnit: try startStopUnit(&task)
        case Opcode.preventAllowMediumRemoval: try preventAllowMediumRemoval(&task)
        case Opcode.sendDiagnostic: try sendDiagnostic(&task)
        case Opcode.serviceActionIn16:
            switch cdb.serviceAction {
            case ServiceAction.readCapacity16: try readCapacity16(&task)
            case ServiceAction.getLBAStatus: try getLBAStatus(&task)
            default: throw .invalidField(inCDB: 1, bit: 4)
            }
        case Opcode.maintenanceIn:
            switch cdb.serviceAction {
            case ServiceAction.reportSupportedOperationCodes: try reportSupportedOperationCodes(&task)
            default: throw .invalidField(inCDB: 1, bit: 4)
            }
        default: throw Sense(.illegalRequest, .invalidOpcode, field: .init(isInCDB: true, byte: 0, bit: nil))
        }
    }
}

extension CDB {
    fileprivate var count6: UInt64 { self[4] == 0 ? 256 : UInt64(self[4]) }
}
