/// What a unit accepts at most in one command; VPD page B0 says so to hosts.
enum Limits {
    /// COMPARE AND WRITE: what its count field holds; twice 255 blocks of 4 KiB are 2 MiB of memory.
    static let compareAndWriteBlocks: UInt8 = 255
    /// UNMAP: 256 descriptors.
    static let unmapDescriptors: UInt32 = 256
    /// UNMAP: no limit, because a store gives room back by ranges.
    static let unmapBlocks: UInt32 = 0xFFFF_FFFF
    /// WRITE SAME: what a slow store writes within a host's patience.
    static let writeSameBytes: UInt64 = 1 << 30
    /// GET LBA STATUS: descriptors in one answer.
    static let lbaStatusDescriptors = 1_024
}

extension LogicalUnit {
    /// The most blocks of one WRITE SAME.
    var maximumWriteSameBlocks: UInt64 { Limits.writeSameBytes >> blockExponent }

    /// WRITE SAME (SBC-3 §5.44, §5.45).
    ///
    /// A count of zero is refused (WSNZ is one in VPD page B0), as SBC-3 lets a unit do: elsewhere it means "no blocks",
    /// here it would overwrite everything up to the medium's end.
    func writeSame(_ task: inout SCSITask) throws(Sense) {
        let flags = task.cdb[1]
        let is16 = task.cdb.opcode == Opcode.writeSame16
        let (block, count) = blocks(of: task.cdb)
        _ = try readyStore()
        // ANCHOR: there is no such state here. Then LBDATA and PBDATA of SBC-2, obsolete: they would change the data.
        for (mask, bit) in [(0x10, 4), (0x04, 2), (0x02, 1)] as [(UInt8, UInt8)] where flags & mask != 0 {
            throw .invalidField(inCDB: 1, bit: bit)
        }
        let isUnmapping = flags & 0x08 != 0
        if isUnmapping && !configuration.isThinProvisioned {
            throw .invalidField(inCDB: 1, bit: 3)
        }
        try prepareWrite(&task, block: block, count: count, flags: flags & 0xE0)
        if count == 0 || count > maximumWriteSameBlocks {
            throw .invalidField(inCDB: is16 ? 10 : 7)
        }
        let hasNoData = is16 && flags & 0x01 != 0
        task.want(hasNoData ? 0 : blockByteCount, for: .writeSame)
    }

    func concludeWriteSame(_ task: SCSITask) throws(Sense) {
        guard task.remaining == 0 else { throw .illegalRequest(.parameterListLengthError) }
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        let isZero = task.data.allSatisfy { $0 == 0 }
        // Unmapped blocks read as zero, so unmapping is a way to write zero, and no way to write anything else.
        if isZero && task.cdb[1] & 0x08 != 0 {
            return try discard(task.start, task.extent, on: store, in: task)
        }
        let pattern = unsafe scratch.bytes(upTo: min(task.extent, UInt64(ScratchBuffer.byteCount)))
        if isZero {
            unsafe pattern.initializeMemory(as: UInt8.self, repeating: 0)
        } else {
            for place in stride(from: 0, to: pattern.count, by: task.data.count) {
                unsafe UnsafeMutableRawBufferPointer(rebasing: pattern[place...]).copyBytes(from: task.data)
            }
        }
        var done: UInt64 = 0
        while done < task.extent {
            let count = Int(truncatingIfNeeded: min(UInt64(pattern.count), task.extent &- done))
            let offset = task.start &+ done
            do throws(StoreError) {
                unsafe try store.write(UnsafeRawBufferPointer(rebasing: pattern[..<count]), at: offset)
            } catch {
                throw sense(for: error, at: offset, isWrite: true, in: task)
            }
            done &+= UInt64(count)
        }
    }

    /// UNMAP (SBC-3 §5.28).
    func unmap(_ task: inout SCSITask) throws(Sense) {
        guard configuration.isThinProvisioned else {
            throw Sense(.illegalRequest, .invalidOpcode, field: .init(isInCDB: true, byte: 0, bit: nil))
        }
        if task.cdb[1] & 0x01 != 0 {
            throw .invalidField(inCDB: 1, bit: 0)
        }
        try prepareWrite(&task, block: 0, count: 0, flags: 0)
        let length = UInt64(task.cdb.u16(at: 7))
        if (1..<8).contains(length) {
            throw .illegalRequest(.parameterListLengthError)
        }
        task.mustFlush = !modes.writeCache && length > 0
        task.want(length, for: .unmap)
    }

    func concludeUnmap(_ task: SCSITask) throws(Sense) {
        guard task.length > 0 else { return }
        let list = task.data
        let described = Int(list.u16(at: 2))
        guard task.remaining == 0, list.count >= 8 + described else {
            throw .illegalRequest(.parameterListLengthError)
        }
        guard let store = store(of: task) else { throw Sense(.notReady, .mediumNotPresent) }
        // A descriptor that is cut off counts as absent (SBC-3 §5.28.2).
        let count = described / 16
        if count > Int(Limits.unmapDescriptors) {
            throw .invalidField(inParameters: 2)
        }
        // All are checked before the first is obeyed: a refused command changes nothing.
        let starts = (0..<count).map { 8 + 16 * $0 }
        for start in starts {
            try checkRange(list.u64(at: start), UInt64(list.u32(at: start + 8)))
        }
        for start in starts {
            let offset = list.u64(at: start) &<< blockExponent
            try discard(offset, UInt64(list.u32(at: start + 8)) &<< blockExponent, on: store, in: task)
        }
    }

    /// GET LBA STATUS (SBC-3 §5.4): a block is deallocated when none of its bytes occupies room.
    func getLBAStatus(_ task: inout SCSITask) throws(Sense) {
        let store = try readyStore()
        let allocation = Int(task.cdb.u32(at: 10))
        var block = task.cdb.u64(at: 2)
        guard block < blockCount else { throw .illegalRequest(.lbaOutOfRange) }
        let limit = min(max((allocation - 8) / 16, 1), Limits.lbaStatusDescriptors)
        var descriptors: [UInt8] = []
        for _ in 0..<limit where block < blockCount {
            let (isMapped, count) = mapping(of: store, at: block)
            descriptors.append(bigEndian: block)
            descriptors.append(bigEndian: count)
            descriptors += [isMapped ? 0 : 1, 0, 0, 0]
            block &+= UInt64(count)
        }
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(descriptors.count + 4))
        data += [0, 0, 0, 0]
        task.reply(data + descriptors, allocation: allocation)
    }

    /// How many blocks from `block` on share its state: at least 1, at most what 32 bits hold.
    private func mapping(of store: any BlockStore, at block: UInt64) -> (isMapped: Bool, count: UInt32) {
        let end = min(blockCount, block &+ UInt64(UInt32.max))
        let isMapped = isMapped(store, block).state
        var next = block
        while next < end {
            let (state, after) = self.isMapped(store, next)
            if state != isMapped {
                break
            }
            next = max(after, next &+ 1)
        }
        return (isMapped, UInt32(clamping: max(min(next, end) &- block, 1)))
    }

    /// Whether a block is mapped, and the first block after it that may differ.
    private func isMapped(_ store: any BlockStore, _ block: UInt64) -> (state: Bool, next: UInt64) {
        let start = block &<< blockExponent
        guard configuration.isThinProvisioned else { return (true, blockCount) }
        var (isAllocated, count) = store.allocation(at: start)
        // Clamped: what a store says of bytes beyond its blocks does not matter.
        count = min(max(count, 1), (blockCount &<< blockExponent) &- start)
        if isAllocated {
            return (true, (start &+ count &+ blockByteCount &- 1) >> blockExponent)
        }
        let wholeBlocks = count >> blockExponent
        return wholeBlocks > 0 ? (false, block &+ wholeBlocks) : (true, block &+ 1)
    }

    private func discard(
        _ offset: UInt64, _ count: UInt64, on store: any BlockStore, in task: SCSITask
    ) throws(Sense) {
        guard count > 0 else { return }
        do throws(StoreError) {
            try store.discard(at: offset, count: count)
        } catch {
            throw sense(for: error, at: offset, isWrite: true, in: task)
        }
    }
}
