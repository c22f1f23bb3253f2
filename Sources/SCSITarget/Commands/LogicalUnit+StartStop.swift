extension LogicalUnit {
    /// START STOP UNIT (SBC-3 §5.23).
    ///
    /// START and stop without LOEJ change nothing but that a stop flushes: there is nothing that turns, and a unit
    /// without power conditions stays ready (libiscsi's conformance tests ask for just that). For the same reason a
    /// power condition other than zero only makes the unit ignore LOEJ and START, as the standard says. Stop and eject
    /// flush first, also with NO_FLUSH: what the host may then pull out must be whole.
    func startStopUnit(_ task: inout SCSITask) throws(Sense) {
        let flags = task.cdb[4]
        guard flags & 0xF0 == 0 else { return }
        let isStart = flags & 0x01 != 0
        let isLoadOrEject = flags & 0x02 != 0
        if isLoadOrEject && !configuration.isRemovable {
            throw .invalidField(inCDB: 4, bit: 1)
        }
        switch (isLoadOrEject, isStart) {
        case (true, true): try loadMedium()
        case (true, false): try ejectMedium(task)
        case (false, true):
            guard isMediumPresent else { throw Sense(.notReady, .mediumNotPresent) }
        case (false, false):
            if isMediumPresent {
                try flush(for: task)
            }
        }
    }

    /// A locked tray does not move in either direction.
    private func loadMedium() throws(Sense) {
        guard !isMediumPresent else { return }
        if isRemovalPrevented {
            throw .illegalRequest(.mediumRemovalPrevented)
        }
        guard tray != nil else { throw Sense(.notReady, .mediumNotPresent) }
        loadFromTray()
        guard isMediumPresent else { throw Sense(.notReady, .mediumNotPresent) }
    }

    private func ejectMedium(_ task: SCSITask) throws(Sense) {
        guard isMediumPresent else { return }
        if isRemovalPrevented {
            throw .illegalRequest(.mediumRemovalPrevented)
        }
        try flush(for: task)
        moveToTray()
    }

    /// PREVENT ALLOW MEDIUM REMOVAL (SBC-3 §5.8): holds for whichever medium is in the unit, until a reset.
    func preventAllowMediumRemoval(_ task: inout SCSITask) throws(Sense) {
        let wish = task.cdb[4] & 0x03
        // 2 and 3, for medium changers, are obsolete.
        if wish > 1 || (wish == 1 && !configuration.isRemovalPreventable) {
            throw .invalidField(inCDB: 4, bit: 1)
        }
        isRemovalPrevented = wish == 1
    }

    /// SEND DIAGNOSTIC (SPC-4 §6.42): the default self test passes, as there is no hardware that could fail it.
    ///
    /// Diagnostic pages and the self tests with a code are not there.
    func sendDiagnostic(_ task: inout SCSITask) throws(Sense) {
        if task.cdb[1] & 0xE0 != 0 {
            throw .invalidField(inCDB: 1, bit: 7)
        }
        if task.cdb.u16(at: 3) != 0 {
            throw .invalidField(inCDB: 3)
        }
    }
}
