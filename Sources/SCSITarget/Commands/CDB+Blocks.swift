extension CDB {
    /// The blocks that a command names: where they begin, and how many there are.
    ///
    /// For the log: nothing says that the unit has them. Nil for commands that name none, UNMAP among them, whose
    /// blocks are in its data. Of the 6-byte forms, a count of zero is 256 (SBC-3 §5.9, §5.37).
    public var blocks: (first: UInt64, count: UInt64)? {
        switch opcode {
        case Opcode.read6, Opcode.write6:
            (UInt64(u32(at: 0) & 0x1F_FFFF), self[4] == 0 ? 256 : UInt64(self[4]))
        case Opcode.read10, Opcode.write10, Opcode.verify10, Opcode.writeAndVerify10, Opcode.synchronizeCache10,
            Opcode.preFetch10, Opcode.writeSame10:
            (UInt64(u32(at: 2)), UInt64(u16(at: 7)))
        case Opcode.read12, Opcode.write12, Opcode.verify12, Opcode.writeAndVerify12:
            (UInt64(u32(at: 2)), UInt64(u32(at: 6)))
        case Opcode.read16, Opcode.write16, Opcode.verify16, Opcode.writeAndVerify16, Opcode.synchronizeCache16,
            Opcode.preFetch16, Opcode.writeSame16:
            (u64(at: 2), UInt64(u32(at: 10)))
        case Opcode.compareAndWrite:
            (u64(at: 2), UInt64(self[13]))
        default: nil
        }
    }
}
