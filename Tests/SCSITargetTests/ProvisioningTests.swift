import Testing

@testable import SCSITarget

@Suite("WRITE SAME, UNMAP, GET LBA STATUS")
struct ProvisioningTests {
    static func unmapList(_ ranges: [(block: UInt64, count: UInt32)]) -> [UInt8] {
        var descriptors: [UInt8] = []
        for range in ranges {
            descriptors += bigEndian(range.block) + bigEndian(range.count)
            descriptors += [0, 0, 0, 0]
        }
        let header = bigEndian(UInt16(descriptors.count + 6)) + bigEndian(UInt16(descriptors.count))
        return header + [0, 0, 0, 0] + descriptors
    }

    static func unmap(_ length: Int) -> CDB { CDB([0x42, 0, 0, 0, 0, 0, 0] + bigEndian(UInt16(length)) + [0]) }

    /// The descriptors of GET LBA STATUS from `block` on.
    private func status(_ host: Host, from block: UInt64, allocation: UInt32 = 0xFFFF) -> [[UInt64]] {
        let data = host.good(CDB([0x9E, 0x12] + bigEndian(block) + bigEndian(allocation) + [0, 0]))
        return stride(from: 8, to: data.count - 15, by: 16).map { place -> [UInt64] in
            let block = integer(data[place..<(place + 8)])
            let count = integer(data[(place + 8)..<(place + 12)])
            return [block, count, UInt64(data[place + 12])]
        }
    }

    @Test("WRITE SAME repeats one block", arguments: BlockSize.allCases)
    func writeSame(blockSize: BlockSize) throws {
        let size = Int(blockSize.rawValue)
        let host = try Host.withDisk(blocks: 4_096, .init(blockSize: blockSize))
        let block = noise(size)
        let outcome = host.run(.lba10(0x41, 3, 1_000), out: block)
        #expect(outcome.status == .good && outcome.wanted == UInt64(size))
        #expect(host.run(.lba16(0x93, 2_000, 2), out: block).status == .good)
        let zero = [UInt8](repeating: 0, count: size)
        let expected = zero + Array(repeatElement(block, count: 1_000).joined()) + zero
        host.piece = 1 << 20
        #expect(host.read10(2, 1_002).data == expected)
        #expect(host.read10(2_000, 2).data == block + block)
    }

    @Test("WRITE SAME with UNMAP gives zeros back, but writes a block that is not zero")
    func writeSameUnmap() throws {
        let host = try Host.withDisk()
        #expect(host.write10(0, noise(64 * 512)).status == .good)
        #expect(host.run(.lba10(0x41, 8, 8, flags: 0x08), out: [UInt8](repeating: 0, count: 512)).status == .good)
        #expect(status(host, from: 0).prefix(3) == [[0, 8, 0], [8, 8, 1], [16, 48, 0]])
        #expect(host.run(.lba16(0x93, 0, 8, flags: 0x09)).status == .good)
        #expect(status(host, from: 0).prefix(2) == [[0, 16, 1], [16, 48, 0]])
        #expect(host.read10(0, 16).data.allSatisfy { $0 == 0 })
        let block = noise(512)
        #expect(host.run(.lba10(0x41, 0, 2, flags: 0x08), out: block).status == .good)
        #expect(host.read10(0, 2).data == block + block)
    }

    @Test("WRITE SAME without UNMAP writes even zeros, and NDOB needs no block")
    func writeSameZero() throws {
        let host = try Host.withDisk()
        #expect(host.write10(0, noise(4 * 512)).status == .good)
        let outcome = host.run(.lba16(0x93, 1, 3, flags: 0x01))
        #expect(outcome.status == .good && outcome.wanted == 0)
        #expect(host.read10(1, 3).data.allSatisfy { $0 == 0 })
        #expect(status(host, from: 0).first == [0, 4, 0])
    }

    @Test("WRITE SAME refuses count zero, ANCHOR, the obsolete bits, and more than it announces")
    func writeSameRefusals() throws {
        let host = Host(store: SparseStore(byteCount: 1 << 40))
        #expect(host.run(.lba10(0x41, 0, 0)).sense == .invalidField(inCDB: 7))
        #expect(host.run(.lba16(0x93, 0, 0)).sense == .invalidField(inCDB: 10))
        for (flags, bit) in [(0x10, 4), (0x04, 2), (0x02, 1)] as [(UInt8, UInt8)] {
            #expect(host.run(.lba10(0x41, 0, 1, flags: flags)).sense == .invalidField(inCDB: 1, bit: bit))
        }
        let limits = host.good([0x12, 1, 0xB0, 0, 64])
        #expect(limits[4] & 1 == 1)
        let maximum = UInt32(integer(limits[36..<44]))
        #expect(host.run(.lba16(0x93, 0, maximum, flags: 0x09)).status == .good)
        #expect(host.run(.lba16(0x93, 0, maximum + 1, flags: 0x09)).sense == .invalidField(inCDB: 10))
        #expect(host.run(.lba10(0x41, 0, 1), out: [1, 2, 3]).triple == [5, 0x1A, 0])
    }

    @Test("UNMAP makes blocks read as zero, and says so")
    func unmap() throws {
        let host = try Host.withDisk()
        #expect(host.write10(0, noise(100 * 512)).status == .good)
        let list = Self.unmapList([(10, 20), (50, 0), (60, 40)])
        #expect(host.run(Self.unmap(list.count), out: list).status == .good)
        #expect(host.read10(10, 20).data.allSatisfy { $0 == 0 })
        #expect(host.read10(60, 40).data.allSatisfy { $0 == 0 })
        #expect(!host.read10(30, 30).data.allSatisfy { $0 == 0 })
        #expect(status(host, from: 0) == [[0, 10, 0], [10, 20, 1], [30, 30, 0], [60, 1_988, 1]])
        #expect(status(host, from: 15, allocation: 24) == [[15, 15, 1]])
    }

    @Test("UNMAP refuses a list as a whole")
    func unmapRefusals() throws {
        let host = try Host.withDisk()
        let data = noise(512)
        #expect(host.write10(0, data).status == .good)
        let outside = Self.unmapList([(0, 1), (2_048, 1)])
        #expect(host.run(Self.unmap(outside.count), out: outside).triple == [5, 0x21, 0])
        let wrapping = Self.unmapList([(0, 1), (.max, 2)])
        #expect(host.run(Self.unmap(wrapping.count), out: wrapping).triple == [5, 0x21, 0])
        let list = Self.unmapList([(0, 1)])
        #expect(host.run(Self.unmap(list.count), out: Array(list[..<20])).triple == [5, 0x1A, 0])
        #expect(host.run(Self.unmap(7)).triple == [5, 0x1A, 0])
        #expect(host.run(Self.unmap(16), out: Array(list[..<16])).triple == [5, 0x1A, 0])
        let many = Self.unmapList((0..<257).map { (UInt64($0), 1) })
        #expect(host.run(Self.unmap(many.count), out: many).triple == [5, 0x26, 0])
        #expect(host.run([0x42, 1]).sense == .invalidField(inCDB: 1, bit: 0))
        #expect(host.read10(0, 1).data == data)
        #expect(host.run(Self.unmap(0)).status == .good)
        #expect(host.run(Self.unmap(8), out: [0, 6, 0, 0, 0, 0, 0, 0]).status == .good)
    }

    @Test("a unit that is not thin knows no UNMAP, and says so everywhere")
    func notThin() throws {
        let host = try Host.withDisk(.init(isThinProvisioned: false))
        #expect(host.run([0x42, 0, 0, 0, 0, 0, 0, 0, 24]).triple == [5, 0x20, 0])
        #expect(host.run(.lba10(0x41, 0, 1, flags: 8)).sense == .invalidField(inCDB: 1, bit: 3))
        #expect(host.good([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32])[14] == 0)
        #expect(host.good([0x12, 1, 0xB2, 0, 64]) == [0, 0xB2, 0, 4, 0, 0, 0, 0])
        #expect(host.good([0x12, 1, 0xB0, 0, 64])[20..<36].allSatisfy { $0 == 0 })
        #expect(host.good([0xA3, 0x0C, 1, 0x42, 0, 0, 0, 0, 1, 0]) == [0, 1, 0, 0])
        #expect(status(host, from: 0) == [[0, 2_048, 0]])
    }

    @Test("GET LBA STATUS counts beyond 32 bits in several descriptors, and refuses blocks that are not there")
    func lbaStatus() throws {
        let host = Host(store: SparseStore(byteCount: 5 << 40))
        #expect(
            status(host, from: 0) == [
                [0, 0xFFFF_FFFF, 1], [0xFFFF_FFFF, 0xFFFF_FFFF, 1], [0x1_FFFF_FFFE, 2_147_483_650, 1],
            ])
        let blocks = UInt64(5 << 40) / 512
        #expect(host.run(CDB([0x9E, 0x12] + bigEndian(blocks) + [0, 0, 0, 24])).triple == [5, 0x21, 0])
        #expect(host.run(CDB([0x9E, 0x12] + bigEndian(UInt64.max) + [0, 0, 0, 24])).triple == [5, 0x21, 0])
    }

    @Test("a block of which a part is allocated counts as mapped")
    func partlyAllocated() throws {
        let host = Host(.init(blockSize: .bytes4096), store: try MemoryStore(byteCount: 1 << 20))
        let store = try #require(host.unit.store)
        try unsafe [1, 2, 3].withUnsafeBytes { try unsafe store.write($0, at: 4_096 * 5 + 1_000) }
        #expect(status(host, from: 0) == [[0, 5, 1], [5, 1, 0], [6, 250, 1]])
    }
}
