import Testing

@testable import SCSITarget

@Suite("A medium that grows, or goes in the middle of a command")
struct GrowingTests {
    private func grow(_ host: Host, toBlocks count: UInt64) throws {
        let larger = try MemoryStore(byteCount: count * 512)
        host.unit.resize { store in store = larger }
    }

    @Test("a unit whose medium grew says 6/2A/09 once, and has the new capacity", arguments: [true, false])
    func grows(isRemovable: Bool) throws {
        let host = try Host.withDisk(blocks: 100, .init(isRemovable: isRemovable))
        try grow(host, toBlocks: 300)
        #expect(host.run([0x00]).triple == [6, 0x2A, 9])
        #expect(host.run([0x00]).status == .good)
        #expect(host.good([0x25])[2...3] == [1, 43])
        #expect(host.write10(299, noise(512)).status == .good)
    }

    @Test("the same size again is nothing to tell")
    func same() throws {
        let host = try Host.withDisk(blocks: 100)
        try grow(host, toBlocks: 100)
        #expect(host.run([0x00]).status == .good)
    }

    @Test("a command in progress goes on when the medium grows, and fails when it shrinks", arguments: [200, 50])
    func inProgress(blocks: UInt64) throws {
        let host = try Host.withDisk(blocks: 100)
        var write = host.target.begin(.lba10(0x2A, 0, 2), lun: 0)
        try grow(host, toBlocks: blocks)
        let taken = unsafe noise(1_024).withUnsafeBytes { unsafe host.target.consume(&write, $0) }
        #expect(taken == (blocks == 200 ? 1_024 : 0))
        #expect(host.target.finish(&write) == (blocks == 200 ? .good : .checkCondition))
    }

    @Test("what cannot be opened again leaves the unit empty, without a stale attention")
    func lost() throws {
        struct Trouble: Error {}
        let host = try Host.withDisk(blocks: 100)
        #expect(throws: Trouble.self) {
            try host.unit.resize { store throws(Trouble) in
                store = nil
                throw Trouble()
            }
        }
        #expect(!host.unit.isMediumPresent && host.unit.blockCount == 0)
        #expect(host.run([0x00]).triple == [2, 0x3A, 0])
    }

    @Test("bytes that landed in the memory of a medium that is gone do not count as written")
    func landedTooLate() throws {
        let host = try Host.withDisk(blocks: 100)
        var write = host.target.begin(.lba10(0x2A, 0, 1), lun: 0)
        let old = try #require(host.unit.store)
        let memory = unsafe host.target.landing(&write, upTo: 512)
        #expect(unsafe memory?.count == 512)
        host.unit.insert(try MemoryStore(byteCount: 100 * 512))
        unsafe memory?.copyBytes(from: noise(512))
        host.target.landed(&write, 512)
        #expect(write.transferred == 0)
        #expect(host.target.finish(&write) == .checkCondition)
        #expect(write.sense == Sense(.notReady, .mediumNotPresent))
        #expect(old.allocation(at: 0).isAllocated)
    }

    @Test("a host that is gone does not keep the medium locked in")
    func hostLeft() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x1E, 0, 0, 0, 1]).status == .good)
        #expect(!host.unit.eject())
        host.unit.hostLeft()
        #expect(host.unit.eject())
    }

    @Test(
        "the blocks that a command names can be told",
        arguments: [
            ([0x08, 0xE1, 0x23, 0x45, 0], 0x1_2345, 256), ([0x0A, 0, 0, 9, 3], 9, 3),
            ([0x28, 0, 1, 2, 3, 4, 0, 5, 6], 0x0102_0304, 0x0506),
            ([0xA8, 0, 1, 2, 3, 4, 5, 6, 7, 8], 0x0102_0304, 0x0506_0708),
            ([0x8A, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 1, 0], 0x01_0203_0405, 256),
            ([0x89, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 2], 7, 2),
        ] as [([UInt8], UInt64, UInt64)])
    func blocks(bytes: [UInt8], first: UInt64, count: UInt64) throws {
        let blocks = try #require(CDB(bytes).blocks)
        #expect(blocks.first == first && blocks.count == count)
    }

    @Test("commands without blocks name none", arguments: [0x00, 0x12, 0x25, 0x42, 0x9E, 0xA0, 0xFF] as [UInt8])
    func noBlocks(opcode: UInt8) { #expect(CDB([opcode]).blocks == nil) }

    @Test("what is told of blocks agrees with what READ CAPACITY and the unit's own checks make of them")
    func agreement() throws {
        let host = try Host.withDisk(blocks: 100)
        for cdb in [CDB.lba10(0x28, 99, 1), .lba12(0xA8, 99, 1), .lba16(0x88, 99, 1), [0x08, 0, 0, 99, 1]] {
            #expect(host.run(cdb).wanted == 512)
            #expect(cdb.blocks?.first == 99)
        }
    }
}
