import Testing

@testable import SCSITarget

@Suite("INQUIRY, capacity and what else a unit says of itself")
struct InquiryTests {
    static let configuration = LogicalUnit.Configuration(
        vendor: "Acme", product: "Drive with a very long name", revision: "1é", serialNumber: "0123456789AB")

    @Test("standard data: strings are ASCII, padded and cut")
    func standard() throws {
        let host = try Host.withDisk(Self.configuration)
        let data = host.good([0x12, 0, 0, 0, 36])
        #expect(data == [0, 0x80, 6, 2, 91, 0, 0, 0] + Array("Acme    Drive with a ver1?  ".utf8))
        let whole = host.good([0x12, 0, 0, 1, 0])
        #expect(whole.count == 96 && Array(whole[..<36]) == data)
        #expect(whole[58..<64] == [0x00, 0xA0, 0x04, 0x60, 0x04, 0xC0])
        let fixed = try Host.withDisk(.init(isRemovable: false, version: .spc2))
        #expect(fixed.good([0x12, 0, 0, 0, 36])[1...2] == [0, 4])
    }

    @Test("page codes need EVPD, and must be known")
    func refusals() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x12, 0, 0x80, 0, 36]).sense == .invalidField(inCDB: 2))
        #expect(host.run([0x12, 1, 0xB7, 0, 36]).sense == .invalidField(inCDB: 2))
        #expect(host.run([0x12, 0, 0, 0, 0]).status == .good)
    }

    @Test("every page that is listed is there, with its length")
    func pages() throws {
        let host = try Host.withDisk(Self.configuration)
        let list = host.good([0x12, 1, 0, 0, 255])
        #expect(list == [0, 0, 0, 6, 0x00, 0x80, 0x83, 0xB0, 0xB1, 0xB2])
        for page in list[4...] {
            let data = host.good([0x12, 1, page, 0, 255])
            #expect(data[1] == page && Int(integer(data[2..<4])) == data.count - 4)
        }
        #expect(host.good([0x12, 1, 0x80, 0, 255])[4...] == Array("0123456789AB".utf8)[...])
        #expect(host.good([0x12, 1, 0xB1, 0, 255])[4..<6] == [0, 1])
        #expect(host.good([0x12, 1, 0xB2, 0, 255])[4...] == [0, 0xE4, 2, 0])
    }

    @Test("the identification is the same on each run, and another for another serial number")
    func identification() throws {
        let data = try Host.withDisk(Self.configuration).good([0x12, 1, 0x83, 0, 255])
        #expect(data[4..<8] == [2, 1, 0, 36])
        #expect(data[8..<44] == Array("Acme    Drive with a ver0123456789AB".utf8)[...])
        #expect(data[44..<48] == [1, 3, 0, 8] && data[48] >> 4 == 3)
        #expect(try Host.withDisk(Self.configuration).good([0x12, 1, 0x83, 0, 255]) == data)
        var other = Self.configuration
        other.serialNumber = "0123456789AC"
        #expect(try Host.withDisk(other).good([0x12, 1, 0x83, 0, 255])[48...] != data[48...])
    }

    @Test("block limits", arguments: BlockSize.allCases)
    func limits(blockSize: BlockSize) throws {
        let host = try Host.withDisk(.init(blockSize: blockSize, physicalBlockSize: .bytes4096))
        let data = host.good([0x12, 1, 0xB0, 0, 64])
        let granularity = UInt64(4_096 / blockSize.rawValue)
        #expect(data[2...5] == [0, 0x3C, 1, 255])
        #expect(integer(data[6..<8]) == granularity && integer(data[28..<32]) == granularity)
        #expect(integer(data[20..<24]) == 0xFFFF_FFFF && integer(data[24..<28]) == 256)
        #expect(integer(data[36..<44]) == (1 << 30) / UInt64(blockSize.rawValue))
        #expect(1 << host.good([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32])[13] == granularity)
    }

    @Test("capacity: the last block, not the count; a partial block is none", arguments: BlockSize.allCases)
    func capacity(blockSize: BlockSize) throws {
        let size = UInt64(blockSize.rawValue)
        let host = Host(.init(blockSize: blockSize), store: try MemoryStore(byteCount: 1_000 * size + size - 1))
        #expect(host.good([0x25]) == bigEndian(UInt32(999)) + bigEndian(UInt32(size)))
        let long = host.good([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32])
        #expect(
            long == bigEndian(UInt64(999)) + bigEndian(UInt32(size)) + [0, 0, 0xC0, 0]
                + [UInt8](repeating: 0, count: 16))
        #expect(host.good([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12]) == Array(long[..<12]))
        #expect(
            host.good([0x23, 0, 0, 0, 0, 0, 0, 0, 0xFC]) == [0, 0, 0, 8] + bigEndian(UInt32(1_000))
                + bigEndian(0x0200_0000 | UInt32(size)))
        #expect(host.run([0x25, 0, 0, 0, 0, 1]).sense == .invalidField(inCDB: 2))
        #expect(host.run([0x25, 0, 0, 0, 0, 1, 0, 0, 1]).status == .good)
    }

    @Test("a disk with more blocks than 32 bits count says FFFFFFFF, and all of it in 64 bits")
    func largeCapacity() {
        let exactly = Host(store: SparseStore(byteCount: 512 << 32))
        #expect(exactly.good([0x25])[..<4] == [0xFF, 0xFF, 0xFF, 0xFF])
        let larger = Host(store: SparseStore(byteCount: (512 << 32) + 512))
        #expect(larger.good([0x25])[..<4] == [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(larger.good([0x9E, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32])[..<8] == [0, 0, 0, 1, 0, 0, 0, 0])
        let below = Host(store: SparseStore(byteCount: (512 << 32) - 512))
        #expect(below.good([0x25])[..<4] == [0xFF, 0xFF, 0xFF, 0xFE])
    }

    @Test("REPORT LUNS lists the units, for any number that is asked")
    func reportLUNs() {
        let target = SCSITarget([LogicalUnit(), LogicalUnit(), LogicalUnit()])
        for lun: UInt8 in [0, 2, 9] {
            var task = target.begin([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 255], lun: lun)
            var data = [UInt8](repeating: 0, count: 255)
            let count = unsafe data.withUnsafeMutableBytes { unsafe target.produce(&task, into: $0) }
            #expect(count == 32 && data[3] == 24 && data[9] == 0 && data[17] == 1 && data[25] == 2)
            #expect(target.finish(&task) == .good)
        }
    }

    @Test("REPORT LUNS refuses too little room, and reports it does not know; well-known units are none")
    func reportLUNsFields() throws {
        let host = try Host.withDisk()
        #expect(host.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 15]).sense == .invalidField(inCDB: 6))
        #expect(host.run([0xA0, 0, 3, 0, 0, 0, 0, 0, 0, 16]).sense == .invalidField(inCDB: 2))
        #expect(host.good([0xA0, 0, 1, 0, 0, 0, 0, 0, 0, 16]) == [0, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test("a number without a unit: three commands are answered, the others fail")
    func missingUnit() throws {
        let host = try Host.withDisk()
        let inquiry = host.run([0x12, 0, 0, 0, 36], lun: 1)
        #expect(inquiry.data.count == 36 && inquiry.data[0] == 0x7F)
        let sense = host.run([0x03, 0, 0, 0, 18], lun: 1)
        #expect(sense.status == .good && sense.data[2] == 5 && sense.data[12...13] == [0x25, 0])
        for cdb in [CDB([0x00]), .lba10(0x28, 0, 1), .lba10(0x2A, 0, 1), [0x12, 1, 0, 0, 36], [0xFF]] {
            #expect(host.run(cdb, lun: 1).triple == [5, 0x25, 0])
            #expect(host.run(cdb, lun: 255).triple == [5, 0x25, 0])
        }
        #expect(host.target.sense(lun: 1)[12] == 0x25)
    }
}
