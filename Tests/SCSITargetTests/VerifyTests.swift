import Testing

@testable import SCSITarget

@Suite("VERIFY, WRITE AND VERIFY, COMPARE AND WRITE")
struct VerifyTests {
    /// VERIFY of one block address and count with BYTCHK.
    static let verifies: [@Sendable (UInt32, UInt8, UInt8) -> CDB] = [
        { .lba10(0x2F, $0, UInt16($1), flags: $2 << 1) },
        { .lba12(0xAF, $0, UInt32($1), flags: $2 << 1) },
        { .lba16(0x8F, UInt64($0), UInt32($1), flags: $2 << 1) },
    ]

    @Test("without BYTCHK no data move")
    func noCheck() throws {
        let host = try Host.withDisk()
        for verify in Self.verifies {
            let outcome = host.run(verify(0, 200, 0))
            #expect(outcome.status == .good && outcome.wanted == 0)
        }
    }

    @Test("BYTCHK 1 compares every byte, and names the first that differs", arguments: [0, 511, 512, 1_535])
    func compare(different: Int) throws {
        let host = try Host.withDisk()
        var data = noise(3 * 512)
        #expect(host.write10(6, data).status == .good)
        for verify in Self.verifies {
            #expect(host.run(verify(6, 3, 1), out: data).status == .good)
        }
        data[different] ^= 0x10
        for verify in Self.verifies {
            let outcome = host.run(verify(6, 3, 1), out: data)
            #expect(outcome.triple == [0xE, 0x1D, 0])
            #expect(outcome.sense?.information == UInt64(different))
        }
    }

    @Test("BYTCHK 3 compares one block with many")
    func compareOne() throws {
        let host = try Host.withDisk()
        let block = noise(512)
        #expect(host.write10(20, block + block + block).status == .good)
        for verify in Self.verifies {
            let outcome = host.run(verify(20, 3, 3), out: block)
            #expect(outcome.status == .good && outcome.wanted == 512)
            #expect(host.run(verify(20, 4, 3), out: block).triple == [0xE, 0x1D, 0])
            #expect(host.run(verify(20, 3, 3), out: Array(block[..<100])).triple == [5, 0x1A, 0])
        }
    }

    @Test("BYTCHK 2 is reserved, and 3 where blocks are written")
    func reserved() throws {
        let host = try Host.withDisk()
        for verify in Self.verifies {
            #expect(host.run(verify(0, 1, 2)).sense == .invalidField(inCDB: 1, bit: 2))
        }
        for flags: UInt8 in [0x04, 0x06] {
            #expect(host.run(.lba10(0x2E, 0, 1, flags: flags)).sense == .invalidField(inCDB: 1, bit: 2))
        }
    }

    @Test("verification is of the medium: the cache is written out before")
    func flushes() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        #expect(host.run(.lba10(0x2F, 0, 8)).status == .good)
        #expect(store.flushCount == 1)
        #expect(host.run(.lba10(0x2E, 0, 1), out: noise(512)).status == .good)
        #expect(store.flushCount == 2)
    }

    @Test("a block that cannot be read fails VERIFY and WRITE AND VERIFY, and is named")
    func unreadable() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        #expect(host.write10(0, noise(64 * 512)).status == .good)
        store.badReads = (33 * 512)..<(34 * 512)
        let verify = host.run(.lba10(0x2F, 0, 64))
        #expect(verify.triple == [3, 0x11, 0] && verify.sense?.information == 33)
        let write = host.run(.lba10(0x2E, 32, 2), out: noise(1_024))
        #expect(write.triple == [3, 0x11, 0] && write.sense?.information == 33)
        let compare = host.run(.lba10(0x2E, 32, 2, flags: 0x02), out: noise(1_024))
        #expect(compare.triple == [3, 0x11, 0] && compare.sense?.information == 33)
    }

    @Test("COMPARE AND WRITE writes when all is equal, and nothing when a byte is not", arguments: [1, 2, 255])
    func compareAndWrite(count: Int) throws {
        let host = try Host.withDisk()
        let old = noise(count * 512, seed: 4)
        let new = noise(count * 512, seed: 5)
        #expect(host.write10(30, old).status == .good)
        let cdb = CDB([0x89, 0, 0, 0, 0, 0, 0, 0, 0, 30, 0, 0, 0, UInt8(count), 0, 0])
        #expect(host.run(cdb, out: old + new).status == .good)
        #expect(host.read10(30, UInt16(count)).data == new)
        var wrong = new
        wrong[count * 512 - 1] ^= 1
        let outcome = host.run(cdb, out: wrong + old)
        #expect(outcome.triple == [0xE, 0x1D, 0] && outcome.sense?.information == UInt64(count * 512 - 1))
        #expect(host.read10(30, UInt16(count)).data == new)
        #expect(host.run(cdb, out: new).triple == [5, 0x1A, 0])
        #expect(host.read10(30, UInt16(count)).data == new)
    }

    @Test("COMPARE AND WRITE of no blocks does nothing")
    func compareAndWriteNothing() throws {
        let host = try Host.withDisk()
        let outcome = host.run(CDB([0x89]))
        #expect(outcome.status == .good && outcome.wanted == 0)
    }
}
