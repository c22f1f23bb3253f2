import Testing

@testable import SCSITarget

@Suite("READ and WRITE")
struct ReadWriteTests {
    /// The forms of a command, given block and count.
    static let reads: [@Sendable (UInt32, UInt8) -> CDB] = [
        { CDB([0x08, UInt8($0 >> 16), UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF), $1]) },
        { .lba10(0x28, $0, UInt16($1)) },
        { .lba12(0xA8, $0, UInt32($1)) },
        { .lba16(0x88, UInt64($0), UInt32($1)) },
    ]
    static let writes: [@Sendable (UInt32, UInt8) -> CDB] = [
        { CDB([0x0A, UInt8($0 >> 16), UInt8($0 >> 8 & 0xFF), UInt8($0 & 0xFF), $1]) },
        { .lba10(0x2A, $0, UInt16($1)) },
        { .lba12(0xAA, $0, UInt32($1)) },
        { .lba16(0x8A, UInt64($0), UInt32($1)) },
        { .lba10(0x2E, $0, UInt16($1)) },
        { .lba12(0xAE, $0, UInt32($1)) },
        { .lba16(0x8E, UInt64($0), UInt32($1)) },
        { .lba10(0x2E, $0, UInt16($1), flags: 0x02) },
    ]

    @Test("every WRITE is seen by every READ", arguments: BlockSize.allCases)
    func roundTrip(blockSize: BlockSize) throws {
        let host = try Host.withDisk(.init(blockSize: blockSize))
        for (index, write) in Self.writes.enumerated() {
            let data = noise(Int(blockSize.rawValue) * 3, seed: UInt64(index + 1))
            #expect(host.run(write(UInt32(100 + index), 3), out: data).status == .good)
            for read in Self.reads {
                #expect(host.good(read(UInt32(100 + index), 3)) == data)
            }
        }
    }

    @Test("the last block can be reached, the one after it cannot")
    func bounds() throws {
        let host = try Host.withDisk(blocks: 2_048)
        for command in Self.reads + Self.writes {
            let data = [UInt8](repeating: 1, count: 1_024)
            #expect(host.run(command(2_047, 1), out: data).status == .good)
            #expect(host.run(command(2_048, 1), out: data).triple == [5, 0x21, 0])
            #expect(host.run(command(2_047, 2), out: data).triple == [5, 0x21, 0])
        }
    }

    @Test(
        "addresses near 2^64 do not wrap around",
        arguments: [.max, .max - 1, 1 << 63, 1 << 55 - 1, 1 << 55] as [UInt64],
        [0x88, 0x8A, 0x8E, 0x8F, 0x91, 0x90, 0x93] as [UInt8])
    func overflow(block: UInt64, opcode: UInt8) throws {
        let host = try Host.withDisk()
        for count: UInt32 in [1, 2, .max] {
            #expect(host.run(.lba16(opcode, block, count)).triple == [5, 0x21, 0])
        }
    }

    @Test("count zero moves nothing, but is 256 in the 6-byte forms")
    func zeroCount() throws {
        let host = try Host.withDisk()
        for command in Self.reads.dropFirst() + Self.writes.dropFirst() {
            let outcome = host.run(command(5, 0))
            #expect(outcome.status == .good && outcome.wanted == 0)
            #expect(host.run(command(2_049, 0)).triple == [5, 0x21, 0])
        }
        #expect(host.run(Self.reads[0](0, 0)).data.count == 256 * 512)
        #expect(host.run(Self.writes[0](0, 0), out: noise(256 * 512)).taken == 256 * 512)
    }

    @Test(
        "protection fields are refused: the medium has no protection information", arguments: 1...7,
        [0x28, 0x2A, 0x2E, 0x2F, 0x41] as [UInt8])
    func protection(field: Int, opcode: UInt8) throws {
        let host = try Host.withDisk()
        let cdb10 = CDB.lba10(opcode, 0, 1, flags: UInt8(field << 5))
        #expect(host.run(cdb10).sense == Sense.invalidField(inCDB: 1, bit: 7))
        for opcode: UInt8 in [0x88, 0x89, 0x8A, 0x8E, 0x8F, 0x93] {
            let cdb = CDB.lba16(opcode, 0, 1, flags: UInt8(field << 5))
            #expect(host.run(cdb).sense == Sense.invalidField(inCDB: 1, bit: 7), "\(cdb)")
        }
    }

    @Test("DPO, FUA and FUA_NV are accepted", arguments: [0x10, 0x08, 0x18, 0x02, 0x0A] as [UInt8])
    func flags(flags: UInt8) throws {
        let host = try Host.withDisk()
        let data = noise(512)
        #expect(host.write10(1, data, flags: flags).status == .good)
        #expect(host.good(.lba10(0x28, 1, 1, flags: flags)) == data)
    }

    @Test("data in odd pieces are the data in one piece", arguments: [1, 7, 511, 512, 513, 4_095, 122_880, 1 << 20])
    func pieces(size: Int) throws {
        let host = try Host.withDisk()
        let data = noise(20 * 512, seed: 3)
        host.piece = size
        #expect(host.write10(10, data).status == .good)
        #expect(host.read10(10, 20).data == data)
        #expect(host.run(.lba10(0x2F, 10, 20, flags: 0x02), out: data).status == .good)
        host.piece = 4_096
        #expect(host.read10(10, 20).data == data)
    }

    @Test("a host that sends less has written what came, and nothing else")
    func shortWrite() throws {
        let host = try Host.withDisk()
        let data = noise(3 * 512)
        let outcome = host.run(.lba10(0x2A, 8, 3), out: Array(data[..<700]))
        #expect(outcome.status == .good && outcome.taken == 700)
        #expect(host.read10(8, 3).data == data[..<700] + [UInt8](repeating: 0, count: 3 * 512 - 700))
    }

    @Test("a read of two terabytes is announced without memory for it")
    func huge() throws {
        let host = Host(store: SparseStore(byteCount: 8 << 40))
        var task = host.target.begin(.lba16(0x88, 0, .max), lun: 0)
        #expect(task.length == UInt64(UInt32.max) * 512 && task.direction == .in && !task.isFailed)
        #expect(host.target.finish(&task) == .good)
    }

    @Test("blocks beyond two terabytes are other blocks", arguments: [BlockSize.bytes512, .bytes4096])
    func beyondTwoTerabytes(blockSize: BlockSize) throws {
        let host = Host(.init(blockSize: blockSize), store: SparseStore(byteCount: 100 << 40))
        let size = Int(blockSize.rawValue)
        let high = UInt64(1) << 32 + 5
        #expect(host.run(.lba16(0x8A, high, 1), out: noise(size, seed: 2)).status == .good)
        #expect(host.run(.lba16(0x8A, 5, 1), out: noise(size, seed: 9)).status == .good)
        #expect(host.run(.lba16(0x88, high, 1)).data == noise(size, seed: 2))
        #expect(host.run(.lba16(0x88, 5, 1)).data == noise(size, seed: 9))
    }

    @Test("NACA is refused in the control byte of each length")
    func naca() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x00, 0, 0, 0, 0, 0x04]).sense == .invalidField(inCDB: 5, bit: 2))
        #expect(host.run([0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0x04]).sense == .invalidField(inCDB: 9, bit: 2))
        // Bytes beyond the command's own length mean nothing, whatever a host leaves there.
        #expect(host.run([0x00, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]).status == .good)
    }
}

@Suite("Data without a copy")
struct ZeroCopyTests {
    @Test("a read can be borrowed from the store's memory, in any mix with copies")
    func borrow() throws {
        let host = try Host.withDisk()
        let data = noise(8 * 512)
        _ = host.write10(4, data)
        var task = host.target.begin(.lba10(0x28, 4, 8), lun: 0)
        var got: [UInt8] = []
        while task.remaining > 0 {
            let first = unsafe try #require(unsafe host.target.borrow(&task, upTo: 1_000))
            unsafe got.append(contentsOf: first)
            var copy = [UInt8](repeating: 0, count: 33)
            let count = unsafe copy.withUnsafeMutableBytes { unsafe host.target.produce(&task, into: $0) }
            got += copy[..<count]
        }
        #expect(got == data)
        #expect(unsafe host.target.borrow(&task, upTo: 10) == nil)
        #expect(host.target.finish(&task) == .good)
    }

    @Test("a write can land in the store's memory")
    func landing() throws {
        let host = try Host.withDisk()
        let data = noise(4 * 512)
        var task = host.target.begin(.lba10(0x2A, 9, 4), lun: 0)
        var done = 0
        while let memory = unsafe host.target.landing(&task, upTo: 700) {
            unsafe memory.copyBytes(from: data[done..<(done + memory.count)])
            host.target.landed(&task, memory.count)
            done += memory.count
        }
        #expect(done == data.count && task.remaining == 0)
        #expect(host.target.finish(&task) == .good)
        #expect(host.read10(9, 4).data == data)
    }

    @Test("nothing lands where the unit must see the data, or must not have them")
    func noLanding() throws {
        let host = try Host.withDisk()
        for cdb in [CDB.lba10(0x2F, 0, 1, flags: 2), .lba10(0x41, 0, 1), .lba10(0x2E, 0, 1, flags: 2), [0x42]] {
            var task = host.target.begin(cdb, lun: 0)
            #expect(unsafe host.target.landing(&task, upTo: 512) == nil)
        }
        let protected = try Host.withDisk(.init(isReadOnly: true))
        var task = protected.target.begin(.lba10(0x2A, 0, 1), lun: 0)
        #expect(unsafe protected.target.landing(&task, upTo: 512) == nil)
        #expect(protected.target.finish(&task) == .checkCondition)
    }
}
