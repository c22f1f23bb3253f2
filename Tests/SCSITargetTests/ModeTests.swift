import Testing

@testable import SCSITarget

@Suite("MODE SENSE and MODE SELECT")
struct ModeTests {
    private func sense6(_ host: Host, _ page: UInt8, dbd: Bool = true) -> [UInt8] {
        host.good([0x1A, dbd ? 8 : 0, page, 0, 255])
    }

    private func select6(_ host: Host, _ list: [UInt8]) -> Host.Outcome {
        host.run([0x15, 0x10, 0, 0, UInt8(list.count)], out: list)
    }

    @Test("all pages, ascending, with what can be changed in them")
    func allPages() throws {
        let host = try Host.withDisk()
        let current = sense6(host, 0x3F)
        #expect(Int(current[0]) == current.count - 1 && current[1...3] == [0, 0x10, 0])
        var codes: [UInt8] = []
        var place = 4
        while place < current.count {
            codes.append(current[place])
            place += 2 + Int(current[place + 1])
        }
        #expect(codes == [0x01, 0x08, 0x0A, 0x1C] && place == current.count)
        #expect(sense6(host, 0x48).dropFirst(4) == ([0x08, 0x12, 0x04] + [UInt8](repeating: 0, count: 17))[...])
        #expect(sense6(host, 0x4A)[4...] == [0x0A, 0x0A, 0x04, 0, 0x08, 0, 0, 0, 0, 0, 0, 0])
        #expect(sense6(host, 0x41)[6...].allSatisfy { $0 == 0 })
    }

    @Test("the length field tells the whole length when the answer is cut")
    func truncated() throws {
        let host = try Host.withDisk()
        let whole = host.good([0x5A, 0, 0x3F, 0, 0, 0, 0, 0xFF, 0xFF])
        #expect(integer(whole[0..<2]) == UInt64(whole.count - 2))
        #expect(host.good([0x5A, 0, 0x3F, 0, 0, 0, 0, 0, 5]) == Array(whole[..<5]))
        #expect(host.good([0x1A, 0, 0x3F, 0, 4])[0] > 60)
        #expect(host.run([0x1A, 0, 0x3F, 0, 0]).wanted == 0)
    }

    @Test("block descriptors are short, long where the host takes long ones, or left out")
    func blockDescriptors() throws {
        let host = try Host.withDisk(blocks: 2_048, .init(blockSize: .bytes4096))
        #expect(sense6(host, 0x08, dbd: false)[3..<12] == [8, 0, 0, 8, 0, 0, 0, 0x10, 0])
        let long = host.good([0x5A, 0x10, 0x08, 0, 0, 0, 0, 0, 255])
        #expect(long[4..<24] == [1, 0, 0, 16, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0x10, 0])
        let huge = Host(store: SparseStore(byteCount: 4 << 40))
        #expect(sense6(huge, 0x08, dbd: false)[4..<8] == [0xFF, 0xFF, 0xFF, 0xFF])
    }

    @Test("unknown pages, subpages and saved values are refused")
    func refusals() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x1A, 0, 0x02, 0, 255]).triple == [5, 0x24, 0])
        #expect(host.run([0x1A, 0, 0x08, 1, 255]).sense == .invalidField(inCDB: 3))
        #expect(host.run([0x1A, 0, 0xC8, 0, 255]).triple == [5, 0x39, 0])
        #expect(host.run([0x1A, 0, 0x3F, 0xFF, 255]).status == .good)
    }

    @Test("every page can be sent back as it was read")
    func roundTrip() throws {
        let host = try Host.withDisk()
        for page: UInt8 in [0x01, 0x08, 0x0A, 0x1C, 0x3F] {
            for dbd in [true, false] {
                var list = sense6(host, page, dbd: dbd)
                list[0] = 0
                list[4] |= dbd ? 0x80 : 0
                #expect(select6(host, list).status == .good)
            }
            var list = host.good([0x5A, 0x10, page, 0, 0, 0, 0, 0, 255])
            list[0] = 0
            list[1] = 0
            #expect(host.run([0x55, 0x10, 0, 0, 0, 0, 0, 0, UInt8(list.count)], out: list).status == .good)
        }
    }

    @Test("WCE off makes each write durable before its status, and writes the cache out")
    func writeCache() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        #expect(host.write10(0, noise(512)).status == .good)
        #expect(store.flushCount == 0)
        var page = sense6(host, 0x08)
        page[0] = 0
        page[6] = 0
        #expect(select6(host, page).status == .good)
        #expect(store.flushCount == 1)
        #expect(sense6(host, 0x08)[6] == 0 && sense6(host, 0x88)[6] == 4)
        #expect(host.write10(0, noise(512)).status == .good)
        #expect(store.flushCount == 2)
        #expect(host.run(.lba10(0x41, 0, 1), out: noise(512)).status == .good)
        #expect(store.flushCount == 3)
        let list = ProvisioningTests.unmapList([(0, 1)])
        #expect(host.run(ProvisioningTests.unmap(list.count), out: list).status == .good)
        #expect(store.flushCount == 4)
        host.unit.busReset()
        _ = host.run([0])
        #expect(sense6(host, 0x08)[6] == 4)
    }

    @Test("a write cache that cannot be written out stays on")
    func writeCacheFailure() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        store.flushFailure = .unwritable
        var page = sense6(host, 0x08)
        page[6] = 0
        #expect(select6(host, page).triple == [3, 0x0C, 0])
        #expect(sense6(host, 0x08)[6] == 4)
    }

    @Test("SWP protects, and shows in the header")
    func softwareWriteProtect() throws {
        let host = try Host.withDisk()
        let page: [UInt8] = [0, 0, 0, 0, 0x0A, 0x0A, 0x02, 0, 0x08, 0, 0, 0, 0, 0, 0, 0]
        #expect(select6(host, page).status == .good)
        #expect(sense6(host, 0x0A)[2] == 0x90)
        #expect(host.write10(0, noise(512)).triple == [7, 0x27, 0])
        #expect(host.read10(0, 1).status == .good)
        var off = page
        off[8] = 0
        #expect(select6(host, off).status == .good)
        #expect(host.write10(0, noise(512)).status == .good)
    }

    @Test("D_SENSE decides the form of sense that goes with a status; REQUEST SENSE has its own bit")
    func descriptorSense() throws {
        let host = try Host.withDisk()
        #expect(host.read10(2_048, 1).triple == [5, 0x21, 0])
        #expect(host.target.sense(lun: 0)[0] == 0x70)
        let page: [UInt8] = [0, 0, 0, 0, 0x0A, 0x0A, 0x06, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        #expect(select6(host, page).status == .good)
        #expect(host.read10(2_048, 1).triple == [5, 0x21, 0])
        #expect(host.target.sense(lun: 0) == [0x72, 5, 0x21, 0, 0, 0, 0, 0])
        #expect(host.good([0x03, 0, 0, 0, 96])[0] == 0x70)
        #expect(host.read10(2_048, 1).triple == [5, 0x21, 0])
        #expect(host.good([0x03, 1, 0, 0, 96]) == [0x72, 5, 0x21, 0, 0, 0, 0, 0])
    }

    @Test(
        "lists that are wrong are refused with the place, and change nothing",
        arguments: [
            ([0, 1, 0, 0], .invalidField(inParameters: 1)),
            ([0, 0, 0, 4, 0, 0, 0, 0], .invalidField(inParameters: 3)),
            ([0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 4, 0], .invalidField(inParameters: 9)),
            ([0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 2, 0], .invalidField(inParameters: 4)),
            ([0, 0, 0, 0, 0x02, 0], .invalidField(inParameters: 4, bit: 5)),
            ([0, 0, 0, 0, 0x48, 1, 0, 0], .invalidField(inParameters: 4, bit: 6)),
            ([0, 0, 0, 0, 0x08, 0x11, 0, 0], .invalidField(inParameters: 5)),
            (
                [0, 0, 0, 0, 0x08, 0x12, 0x05] + [UInt8](repeating: 0, count: 17),
                .invalidField(inParameters: 6, bit: 0)
            ),
            ([0, 0, 0, 0, 0x08, 0x12, 0x00], .illegalRequest(.parameterListLengthError)),
            ([0, 0, 0, 0, 0x08], .illegalRequest(.parameterListLengthError)),
            ([0, 0, 0, 8, 0, 0], .illegalRequest(.parameterListLengthError)),
            ([0, 0], .illegalRequest(.parameterListLengthError)),
            (
                [0, 0, 0, 0, 0x08, 0x12] + [UInt8](repeating: 0, count: 18) + [0x0A, 0x0A, 0x03],
                .illegalRequest(.parameterListLengthError)
            ),
        ] as [([UInt8], Sense)])
    func wrongLists(list: [UInt8], sense: Sense) throws {
        let host = try Host.withDisk()
        let before = sense6(host, 0x3F)
        #expect(select6(host, list).sense == sense)
        #expect(sense6(host, 0x3F) == before)
    }

    @Test("PF and SP: the list is of pages, and cannot be saved; no list changes nothing")
    func flags() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x15, 0x11, 0, 0, 16]).sense == .invalidField(inCDB: 1, bit: 0))
        #expect(host.run([0x15, 0x00, 0, 0, 16]).sense == .invalidField(inCDB: 1, bit: 4))
        #expect(host.run([0x15, 0, 0, 0, 0]).status == .good)
        #expect(host.run([0x15, 0x10, 0, 0, 16], out: [0, 0, 0, 0]).triple == [5, 0x1A, 0])
    }
}
