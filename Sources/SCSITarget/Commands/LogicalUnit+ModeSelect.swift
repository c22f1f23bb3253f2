extension LogicalUnit {
    /// MODE SELECT (SPC-4 §6.11, §6.12): PF must be one, and nothing can be saved (SP).
    func modeSelect(_ task: inout SCSITask) throws(Sense) {
        let flags = task.cdb[1]
        let length = task.cdb.opcode == Opcode.modeSelect6 ? UInt64(task.cdb[4]) : UInt64(task.cdb.u16(at: 7))
        if flags & 0x01 != 0 {
            throw .invalidField(inCDB: 1, bit: 0)
        }
        if flags & 0x10 == 0 && length > 0 {
            throw .invalidField(inCDB: 1, bit: 4)
        }
        task.want(length, for: .modeSelect)
    }

    /// Takes the whole list or nothing of it.
    func concludeModeSelect(_ task: SCSITask) throws(Sense) {
        guard task.length > 0 else { return }
        guard task.remaining == 0 else { throw .illegalRequest(.parameterListLengthError) }
        let list = task.data
        var place = try afterHeader(list, isShort: task.cdb.opcode == Opcode.modeSelect6)
        var settings = modes
        while place < list.count {
            let page = try modePage(list, at: place)
            ModePage.apply(page, to: &settings)
            place += page.count
        }
        // A write cache that goes off must be empty first (SBC-3 §4.15).
        if modes.writeCache && !settings.writeCache && isMediumPresent {
            try flush(for: task)
        }
        modes = settings
    }

    /// Checks the mode parameter header and block descriptor, and says where the pages begin.
    private func afterHeader(_ list: [UInt8], isShort: Bool) throws(Sense) -> Int {
        let header = isShort ? 4 : 8
        guard list.count >= header else { throw .illegalRequest(.parameterListLengthError) }
        let mediumType = isShort ? 1 : 2
        if list[mediumType] != 0 {
            throw .invalidField(inParameters: mediumType)
        }
        let isLong = !isShort && list[4] & 0x01 != 0
        let length = isShort ? Int(list[3]) : Int(list.u16(at: 6))
        guard length == 0 || length == (isLong ? 16 : 8) else { throw .invalidField(inParameters: isShort ? 3 : 6) }
        guard list.count >= header + length else { throw .illegalRequest(.parameterListLengthError) }
        if length > 0 {
            try checkBlockDescriptor(list, at: header, isLong: isLong)
        }
        return header + length
    }

    /// The unit cannot be given another capacity or block size; saying what it has already is fine (SBC-3 §6.5.2).
    private func checkBlockDescriptor(_ list: [UInt8], at place: Int, isLong: Bool) throws(Sense) {
        let count = isLong ? list.u64(at: place) : UInt64(list.u32(at: place))
        let whole = isLong ? UInt64.max : UInt64(UInt32.max)
        let current = isLong ? blockCount : UInt64(UInt32(clamping: blockCount))
        guard count == 0 || count == whole || count == current else { throw .invalidField(inParameters: place) }
        let size = isLong ? list.u32(at: place + 12) : list.u32(at: place + 4) & 0xFF_FFFF
        guard size == configuration.blockSize.rawValue else {
            throw .invalidField(inParameters: place + (isLong ? 12 : 5))
        }
    }

    /// The page at `place`, checked: it must differ from the current one only where it may.
    private func modePage(_ list: [UInt8], at place: Int) throws(Sense) -> [UInt8] {
        guard place + 2 <= list.count else { throw .illegalRequest(.parameterListLengthError) }
        // SPF, a subpage, which no page has; then an unknown page. PS, bit 7, is reserved here and hosts send it back.
        guard list[place] & 0x40 == 0 else { throw .invalidField(inParameters: place, bit: 6) }
        guard let current = ModePage(list[place] & 0x3F, modes) else {
            throw .invalidField(inParameters: place, bit: 5)
        }
        guard list[place + 1] == current.bytes[1] else { throw .invalidField(inParameters: place + 1) }
        guard place + current.bytes.count <= list.count else { throw .illegalRequest(.parameterListLengthError) }
        for index in 2..<current.bytes.count {
            let fixed = (list[place + index] ^ current.bytes[index]) & ~current.changeable[index]
            if fixed != 0 {
                throw .invalidField(inParameters: place + index, bit: UInt8(7 - fixed.leadingZeroBitCount))
            }
        }
        return Array(list[place..<(place + current.bytes.count)])
    }
}
