import Testing

@testable import SCSITarget

@Suite("Failures of the store")
struct StoreFailureTests {
    private let store: FaultyStore
    private let host: Host

    init() throws {
        store = try FaultyStore(byteCount: 1 << 20)
        host = Host(store: store)
    }

    @Test("an unreadable block fails the read there; what lies before it arrives", arguments: [true, false])
    func read(namesOffsets: Bool) {
        store.namesOffsets = namesOffsets
        let data = noise(16 * 512)
        #expect(host.write10(0, data).status == .good)
        store.badReads = (9 * 512 + 100)..<(9 * 512 + 101)
        host.piece = 100_000
        let outcome = host.read10(0, 16)
        #expect(outcome.triple == [3, 0x11, 0] && outcome.sense?.information == 9)
        #expect(outcome.data == Array(data[..<(9 * 512)]))
        #expect(host.good([0x03, 0, 0, 0, 18]) == [0xF0, 0, 3, 0, 0, 0, 9, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0])
    }

    @Test("a read that fails once and works when tried again is whole, and reported to the owner")
    func passingFailure() {
        var events = 0
        host.unit.onEvent = { _ in events += 1 }
        let data = noise(4 * 512)
        #expect(host.write10(0, data).status == .good)
        store.failingReads = 1
        #expect(host.read10(0, 4).data == data)
        #expect(events == 1)
    }

    @Test(
        "a block that cannot be written fails the write with its address",
        arguments: [
            (.unwritable, [3, 0x0C, 0]), (.full, [7, 0x27, 7]), (.readOnly, [7, 0x27, 0]), (.outOfRange, [3, 0x0C, 0]),
        ] as [(StoreError.Kind, [UInt8])])
    func write(kind: StoreError.Kind, triple: [UInt8]) {
        var event: StoreError?
        host.unit.onEvent = { if case .storeFailed(let error, _) = $0 { event = error } }
        store.badWrites = (20 * 512)..<(21 * 512)
        store.writeFailure = kind
        let outcome = host.write10(16, noise(16 * 512))
        #expect(outcome.triple == triple)
        #expect(kind == .readOnly || outcome.sense?.information == 20)
        #expect(event?.kind == kind)
        #expect(host.run(.lba10(0x41, 20, 1), out: noise(512)).triple == triple)
        let list = ProvisioningTests.unmapList([(20, 1)])
        #expect(host.run(ProvisioningTests.unmap(list.count), out: list).triple == triple)
        let zero = [UInt8](repeating: 0, count: 512)
        let compareAndWrite = CDB([0x89, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0])
        #expect(host.run(compareAndWrite, out: zero + zero).triple == triple)
        #expect(host.write10(40, noise(512)).status == .good)
    }

    @Test(
        "a failed flush is never a success",
        arguments: [(.unwritable, [3, 0x0C, 0]), (.full, [7, 0x27, 7])] as [(StoreError.Kind, [UInt8])])
    func flush(kind: StoreError.Kind, triple: [UInt8]) {
        store.flushFailure = kind
        #expect(host.write10(0, noise(512)).status == .good)
        #expect(host.write10(0, noise(512), flags: 0x08).triple == triple)
        #expect(host.run(.lba10(0x2E, 0, 1), out: noise(512)).triple == triple)
        #expect(host.run(.lba10(0x28, 0, 1, flags: 0x08)).triple == triple)
        #expect(host.run(.lba10(0x2F, 0, 1)).triple == triple)
        for cdb in [CDB([0x35]), [0x91], [0x35, 0x02]] {
            #expect(host.run(cdb).triple == triple)
        }
    }

    @Test("FUA and SYNCHRONIZE CACHE flush, and nothing else does while the cache is on")
    func flushes() {
        #expect(host.write10(0, noise(512)).status == .good)
        #expect(host.read10(0, 1).status == .good)
        #expect(host.run(.lba10(0x2A, 0, 0, flags: 0x08)).status == .good)
        #expect(store.flushCount == 0)
        #expect(host.write10(0, noise(512), flags: 0x08).status == .good)
        #expect(store.flushCount == 1)
        #expect(host.run([0x35]).status == .good)
        #expect(host.run(.lba16(0x91, 1, 5)).status == .good)
        #expect(store.flushCount == 3)
        #expect(host.run(.lba10(0x35, 2_049, 0)).triple == [5, 0x21, 0])
        #expect(host.run(.lba10(0x35, 2_047, 2)).triple == [5, 0x21, 0])
    }

    @Test("a store that shrank below the unit is a medium error")
    func shrunk() throws {
        store.badReads = 0..<(1 << 20)
        store.badWrites = 0..<(1 << 20)
        store.namesOffsets = false
        #expect(host.read10(3, 1).sense == Sense(.mediumError, .unrecoveredReadError, information: 3))
        #expect(host.write10(3, noise(512)).sense == Sense(.mediumError, .writeError, information: 3))
    }
}
