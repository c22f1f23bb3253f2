extension LogicalUnit {
    /// READ (SBC-3 §5.9 to §5.12): `flags` is byte 1 of the forms that have protection, DPO and FUA there.
    @inline(__always)
    func read(_ task: inout SCSITask, block: UInt64, count: UInt64, flags: UInt8) throws(Sense) {
        _ = try readyStore()
        try checkProtection(flags)
        try checkRange(block, count)
        task.operation = .read
        task.start = block &<< blockExponent
        task.length = count &<< blockExponent
        task.direction = count > 0 ? .in : .none
        // FUA: what is read must come from the medium, so what is in the cache must have got there.
        if flags & 0x08 != 0 {
            try flush(for: task)
        }
    }

    /// WRITE (SBC-3 §5.37 to §5.40).
    @inline(__always)
    func write(_ task: inout SCSITask, block: UInt64, count: UInt64, flags: UInt8) throws(Sense) {
        try prepareWrite(&task, block: block, count: count, flags: flags)
        task.want(count &<< blockExponent, for: .write)
    }

    /// What all commands that write blocks have in common.
    @inline(__always)
    func prepareWrite(_ task: inout SCSITask, block: UInt64, count: UInt64, flags: UInt8) throws(Sense) {
        _ = try readyStore()
        try checkProtection(flags)
        try checkRange(block, count)
        if isWriteProtected {
            throw Sense(.dataProtect, .writeProtected)
        }
        task.start = block &<< blockExponent
        task.extent = count &<< blockExponent
        task.mustFlush = (flags & 0x08 != 0 || !modes.writeCache) && count > 0
    }

    /// WRITE AND VERIFY (SBC-3 §5.41 to §5.43).
    ///
    /// The blocks are verified as being on the medium, so they are flushed whatever the cache's setting.
    func writeAndVerify(_ task: inout SCSITask) throws(Sense) {
        let (block, count) = blocks(of: task.cdb)
        // Bit 3, FUA elsewhere, is reserved here.
        try prepareWrite(&task, block: block, count: count, flags: task.cdb[1] & 0xF0)
        task.mustFlush = count > 0
        switch byteCheck(task.cdb) {
        case 0:
            task.mustReadBack = true
            task.want(task.extent, for: .write)
        case 1: task.want(task.extent, for: .writeAndCompare)
        default: throw .invalidField(inCDB: 1, bit: 2)
        }
    }

    /// VERIFY (SBC-3 §5.29 to §5.31): against the data sent (BYTCHK 1), against one block sent (3), or for
    /// readability (0).
    ///
    /// Verification is of the medium: what is in the cache is written there first (SBC-3 §4.15).
    func verify(_ task: inout SCSITask) throws(Sense) {
        _ = try readyStore()
        try checkProtection(task.cdb[1])
        let (block, count) = blocks(of: task.cdb)
        let check = byteCheck(task.cdb)
        if check == 2 {
            throw .invalidField(inCDB: 1, bit: 2)
        }
        try checkRange(block, count)
        task.start = block &<< blockExponent
        task.extent = count &<< blockExponent
        guard count > 0 else { return }
        try flush(for: task)
        switch check {
        case 0: try readBack(task.start..<(task.start &+ task.extent), in: task)
        case 1: task.want(task.extent, for: .compare)
        default: task.want(blockByteCount, for: .compareOne)
        }
    }

    func concludeCompareOne(_ task: SCSITask) throws(Sense) {
        guard task.remaining == 0 else { throw .illegalRequest(.parameterListLengthError) }
        var offset: UInt64 = 0
        while offset < task.extent {
            let result = unsafe task.data.withUnsafeBytes { bytes -> Result<Void, Sense> in
                Result { () throws(Sense) in
                    unsafe try compare(bytes, at: task.start &+ offset, dataOffset: 0, in: task)
                }
            }
            try result.get()
            offset &+= blockByteCount
        }
    }

    /// COMPARE AND WRITE (SBC-3 §5.2): the data hold what must be there, then what is to be written there.
    func compareAndWrite(_ task: inout SCSITask) throws(Sense) {
        let count = UInt64(task.cdb[13])
        try prepareWrite(&task, block: task.cdb.u64(at: 2), count: count, flags: task.cdb[1])
        task.want(2 * task.extent, for: .compareAndWrite)
    }

    func concludeCompareAndWrite(_ task: SCSITask) throws(Sense) {
        guard task.length > 0 else { return }
        guard task.remaining == 0 else { throw .illegalRequest(.parameterListLengthError) }
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        let half = task.data.count / 2
        let result = unsafe task.data.withUnsafeBytes { bytes -> Result<Void, Sense> in
            Result { () throws(Sense) in
                let expected = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<half])
                unsafe try compare(expected, at: task.start, dataOffset: 0, in: task)
                do throws(StoreError) {
                    unsafe try store.write(UnsafeRawBufferPointer(rebasing: bytes[half...]), at: task.start)
                } catch {
                    throw sense(for: error, at: task.start, isWrite: true, in: task)
                }
            }
        }
        try result.get()
    }

    /// SYNCHRONIZE CACHE (SBC-3 §5.24, §5.25): the whole store, whatever the range.
    ///
    /// With IMMED the status might be sent at once; it is not, because nothing but the status tells of a failure.
    func synchronizeCache(_ task: inout SCSITask) throws(Sense) {
        _ = try readyStore()
        let (block, count) = blocks(of: task.cdb)
        try checkRange(block, count)
        task.start = block &<< blockExponent
        try flush(for: task)
    }

    /// PRE-FETCH (SBC-3 §5.6, §5.7).
    ///
    /// There is no cache of this unit's own to fill. GOOD, rather than CONDITION MET, says so.
    func preFetch(_ task: inout SCSITask) throws(Sense) {
        _ = try readyStore()
        let (block, count) = blocks(of: task.cdb)
        try checkRange(block, count)
    }

    // MARK: - Fields

    /// Block address and count of the 10-, 12- and 16-byte forms.
    func blocks(of cdb: CDB) -> (block: UInt64, count: UInt64) {
        switch cdb.commandLength {
        case 10: (UInt64(cdb.u32(at: 2)), UInt64(cdb.u16(at: 7)))
        case 12: (UInt64(cdb.u32(at: 2)), UInt64(cdb.u32(at: 6)))
        default: (cdb.u64(at: 2), UInt64(cdb.u32(at: 10)))
        }
    }

    private func byteCheck(_ cdb: CDB) -> UInt8 { (cdb[1] >> 1) & 0x03 }

    /// RDPROTECT, WRPROTECT, VRPROTECT: the medium is not formatted with protection information (SBC-3 §4.22).
    @inline(__always)
    func checkProtection(_ flags: UInt8) throws(Sense) {
        if flags & 0xE0 != 0 {
            throw .invalidField(inCDB: 1, bit: 7)
        }
    }

    /// Refuses blocks that are not there; the one after the last may be named when no block is asked for.
    @inline(__always)
    func checkRange(_ block: UInt64, _ count: UInt64) throws(Sense) {
        if block > blockCount || count > blockCount &- block {
            throw .illegalRequest(.lbaOutOfRange)
        }
    }
}
