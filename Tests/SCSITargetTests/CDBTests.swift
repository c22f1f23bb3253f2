import Testing

@testable import SCSITarget

@Suite("Command descriptor blocks")
struct CDBTests {
    @Test("hold sixteen bytes; those that did not come are zero, those beyond are dropped")
    func bytes() {
        let sixteen = CDB((1...20).map { UInt8($0) })
        #expect((0..<16).map { sixteen[$0] } == (1...16).map { UInt8($0) })
        #expect(sixteen[16] == 0 && sixteen[40] == 0)
        let six: CDB = [0x12, 0x01, 0x80, 0x00, 0xFF]
        #expect((0..<16).map { six[$0] } == [0x12, 0x01, 0x80, 0x00, 0xFF] + [UInt8](repeating: 0, count: 11))
        #expect(CDB([]) == CDB(high: 0, low: 0))
    }

    @Test("read big-endian fields at every offset, also across the middle and past the end", arguments: 0..<16)
    func fields(offset: Int) {
        let bytes = noise(16, seed: 7)
        let cdb = CDB(bytes)
        let padded = bytes + [UInt8](repeating: 0, count: 8)
        #expect(UInt64(cdb.u16(at: offset)) == integer(padded[offset..<(offset + 2)]))
        #expect(UInt64(cdb.u32(at: offset)) == integer(padded[offset..<(offset + 4)]))
        #expect(cdb.u64(at: offset) == integer(padded[offset..<(offset + 8)]))
    }

    @Test("say their name and bytes")
    func description() {
        #expect(CDB.lba10(0x28, 0x10, 2).description == "READ(10) [28 00 00 00 00 10 00 00 02 00]")
        #expect(CDB([0x9E, 0x10]).commandName == "READ CAPACITY(16)")
        #expect(CDB([0x9E, 0x12]).commandName == "GET LBA STATUS")
        #expect(CDB([0xC7]).commandName == "operation code c7h")
    }
}

@Suite("Sense data")
struct SenseTests {
    @Test("fixed form, with a field pointer")
    func fixedFieldPointer() {
        let sense = Sense.invalidField(inCDB: 1, bit: 7)
        #expect(
            sense.bytes(asDescriptors: false)
                == [0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x24, 0, 0, 0xCF, 0, 1])
        #expect(sense.description == "ILLEGAL REQUEST, invalid field in CDB (byte 1, bit 7)")
    }

    @Test("fixed form, with a block address that fits its 32 bits, and one that does not")
    func fixedInformation() {
        let low = Sense(.mediumError, .unrecoveredReadError, information: 0x1234_5678).bytes(asDescriptors: false)
        #expect(low[0] == 0xF0 && low[3...6] == [0x12, 0x34, 0x56, 0x78])
        let high = Sense(.mediumError, .unrecoveredReadError, information: 1 << 32).bytes(asDescriptors: false)
        #expect(high[0] == 0x70 && high[3...6] == [0, 0, 0, 0])
    }

    @Test("descriptor form")
    func descriptors() {
        let sense = Sense(.mediumError, .writeError, information: 1 << 32)
        #expect(
            sense.bytes(asDescriptors: true)
                == [0x72, 3, 0x0C, 0, 0, 0, 0, 12, 0x00, 0x0A, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0])
        #expect(
            Sense.invalidField(inParameters: 4).bytes(asDescriptors: true)
                == [0x72, 5, 0x26, 0, 0, 0, 0, 8, 0x02, 0x06, 0, 0, 0x80, 0, 4, 0])
        #expect(sense.description == "MEDIUM ERROR, write error (block 4294967296)")
    }
}
