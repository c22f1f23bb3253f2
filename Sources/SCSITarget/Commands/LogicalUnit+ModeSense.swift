extension LogicalUnit {
    /// MODE SENSE (SPC-4 §6.13, §6.14): also without a medium, because hosts ask for write protection early.
    ///
    /// The length field tells the whole length even when the allocation length cuts the answer.
    func modeSense(_ task: inout SCSITask) throws(Sense) {
        let cdb = task.cdb
        let isShort = cdb.opcode == Opcode.modeSense6
        let pages = try modePages(control: cdb[2] >> 6, code: cdb[2] & 0x3F, subpage: cdb[3])
        let isLong = !isShort && cdb[1] & 0x10 != 0
        let descriptor = cdb[1] & 0x08 != 0 ? [] : blockDescriptor(isLong: isLong)
        // Device-specific parameter (SBC-3 §6.5.1): WP, and DPOFUA because reads and writes take both bits.
        let specific: UInt8 = (isWriteProtected ? 0x80 : 0) | 0x10
        var data: [UInt8]
        if isShort {
            data = [UInt8(clamping: 3 + descriptor.count + pages.count), 0, specific, UInt8(descriptor.count)]
        } else {
            data = []
            data.append(bigEndian: UInt16(clamping: 6 + descriptor.count + pages.count))
            data += [0, specific, isLong && !descriptor.isEmpty ? 0x01 : 0, 0]
            data.append(bigEndian: UInt16(descriptor.count))
        }
        let allocation = isShort ? Int(cdb[4]) : Int(cdb.u16(at: 7))
        task.reply(data + descriptor + pages, allocation: allocation)
    }

    private func modePages(control: UInt8, code: UInt8, subpage: UInt8) throws(Sense) -> [UInt8] {
        // No page has subpages, so "all of them" (FF) is the page itself.
        guard subpage == 0 || subpage == 0xFF else { throw .invalidField(inCDB: 3) }
        if control == 3 {
            throw .illegalRequest(.savingNotSupported)
        }
        let settings = control == 2 ? ModeSettings(configuration) : modes
        let pages = (code == 0x3F ? ModePage.codes : [code]).compactMap { ModePage($0, settings) }
        guard !pages.isEmpty else { throw .invalidField(inCDB: 2, bit: 5) }
        return pages.flatMap { control == 1 ? $0.changeable : $0.bytes }
    }

    /// The block descriptor (SBC-3 §6.5.2): how many blocks of which size; none without a medium.
    private func blockDescriptor(isLong: Bool) -> [UInt8] {
        var data: [UInt8] = []
        if isLong {
            data.append(bigEndian: blockCount)
            data.append(bigEndian: UInt32(0))
        } else {
            data.append(bigEndian: UInt32(clamping: blockCount))
        }
        data.append(bigEndian: configuration.blockSize.rawValue)
        return data
    }
}
