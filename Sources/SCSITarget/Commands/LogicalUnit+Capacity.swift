extension LogicalUnit {
    /// READ CAPACITY(10) (SBC-3 §5.13): FFFFFFFF, where 32 bits do not do, sends hosts to the 16-byte form.
    func readCapacity10(_ task: inout SCSITask) throws(Sense) {
        _ = try readyStore()
        try checkPartialMedium(task.cdb, address: UInt64(task.cdb.u32(at: 2)), flagByte: 8)
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(clamping: blockCount &- 1))
        data.append(bigEndian: configuration.blockSize.rawValue)
        task.reply(data, allocation: data.count)
    }

    /// READ CAPACITY(16) (SBC-3 §5.14).
    func readCapacity16(_ task: inout SCSITask) throws(Sense) {
        _ = try readyStore()
        try checkPartialMedium(task.cdb, address: task.cdb.u64(at: 2), flagByte: 14)
        var data: [UInt8] = []
        data.append(bigEndian: blockCount &- 1)
        data.append(bigEndian: configuration.blockSize.rawValue)
        // No protection; the physical block's exponent; LBPME and LBPRZ; the first block is aligned.
        data += [0, configuration.physicalBlockExponent, configuration.isThinProvisioned ? 0xC0 : 0, 0]
        data += [UInt8](repeating: 0, count: 16)
        task.reply(data, allocation: Int(task.cdb.u32(at: 10)))
    }

    /// PMI, obsolete since SBC-3: an address may be given only with it, and changes nothing here.
    private func checkPartialMedium(_ cdb: CDB, address: UInt64, flagByte: Int) throws(Sense) {
        if cdb[flagByte] & 0x01 == 0 && address != 0 {
            throw .invalidField(inCDB: 2)
        }
    }

    /// READ FORMAT CAPACITIES (MMC-6 §6.23): Windows asks for it early, also without a medium.
    ///
    /// It counts blocks, where READ CAPACITY names the last one. Without a medium the descriptor says so (type 3);
    /// Windows takes a capacity given there for a medium.
    func readFormatCapacities(_ task: inout SCSITask) {
        let hasMedium = isMediumPresent
        var data: [UInt8] = [0, 0, 0, 8]
        data.append(bigEndian: hasMedium ? UInt32(clamping: blockCount) : 0xFFFF_FFFF)
        data.append(bigEndian: (hasMedium ? 0x0200_0000 : 0x0300_0000) | configuration.blockSize.rawValue)
        task.reply(data, allocation: Int(task.cdb.u16(at: 7)))
    }
}
