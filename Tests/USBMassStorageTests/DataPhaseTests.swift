import DirectHost
import SCSITarget
import Testing
import USBCore

@testable import USBMassStorage

@Suite("Data in transfers of any size")
struct DataPhaseTests {
    @Test(
        "a read comes whole however the host cuts it", arguments: [1, 13, 511, 512, 513, 1_024, 122_880, 1 << 20],
        [true, false])
    func read(cut: Int, stallsShortData: Bool) throws {
        let blocks = cut < 100 ? 4 : 520
        let drive = try Drive(blocks: 1_024, stallsShortData: stallsShortData)
        let bytes = try #require(drive.store).fill(blocks)
        let outcome = drive.command(.read10(0, UInt16(blocks)), .fromDevice(bytes.count), cut: cut)
        #expect(outcome.status == 0 && outcome.residue == 0 && outcome.stalls == 0 && outcome.data == bytes)
        #expect(outcome.transfers.allSatisfy { $0.status == .success })
    }

    @Test("a store that lends no memory reads the same", arguments: [13, 511, 512, 122_880])
    func readWithoutMemory(cut: Int) throws {
        let store = try FailingStore(byteCount: 1_024 * 512)
        let bytes = try store.fill(cut < 100 ? 4 : 520)
        let outcome = try Drive([store]).command(
            .read10(0, UInt16(bytes.count / 512)), .fromDevice(bytes.count), cut: cut)
        #expect(outcome.status == 0 && outcome.residue == 0 && outcome.data == bytes)
    }

    @Test("a host that asks past what it announced gets what it announced", arguments: [4_097, 8_192, 1 << 20])
    func greedy(cut: Int) throws {
        let drive = try Drive()
        let bytes = try #require(drive.store).fill(16)
        for (blocks, status) in [(8, 0), (16, 2)] as [(UInt16, UInt8)] {
            let outcome = drive.command(.read10(0, blocks), .fromDevice(4_096), cut: cut, isGreedy: true)
            #expect(outcome.data == Array(bytes[..<4_096]) && outcome.status == status)
        }
    }

    @Test(
        "a write arrives whole however the host cuts it, in the store's memory or beside it",
        arguments: [512, 1_024, 4_096, 122_880, 1 << 20], [true, false])
    func write(cut: Int, usesLanding: Bool) throws {
        let bytes = numbered(520, from: 3)
        let drive = try Drive(blocks: 1_024)
        drive.host.usesLanding = usesLanding
        let outcome = drive.command(.write10(7, 520), .toDevice(bytes), cut: cut)
        #expect(outcome.status == 0 && outcome.residue == 0)
        #expect(outcome.transfers.allSatisfy { $0.status == .success })
        #expect(try drive.store?.blocks(7, 520) == bytes)
        #expect(
            try drive.store?.blocks(6, 1) == numbered(1, from: 0) && drive.store?.blocks(527, 1) == numbered(1, from: 0)
        )
        #expect(drive.host.landedCount == (usesLanding ? outcome.transfers.count : 0))
    }

    @Test("the store's memory is offered for a write's data and for nothing else")
    func landing() throws {
        let drive = try Drive()
        let host = drive.host
        #expect(!drive.offersLanding(512), "a command is due")
        for (cdb, announced, count, isOffered) in [
            ([UInt8].write10(0, 2), 1_024, 1_024, true), (.write10(0, 2), 1_024, 512, true),
            (.write10(0, 2), 1_024, 1_025, false), (.write10(0, 2), 512, 512, false),
            (.write10(0, 1), 1_024, 1_024, false), (.write10(1_000, 2), 1_024, 1_024, false),
            (.read10(0, 2), 1_024, 1_024, false), (.testUnitReady, 512, 512, false),
        ] {
            host.write(Drive.output, drive.wrap(cdb, length: announced))
            #expect(drive.offersLanding(count) == isOffered, "\(cdb) \(announced) \(count)")
            #expect(!drive.offersLanding(count, at: Drive.input))
            drive.recover()
        }
        let failing = try Drive([try FailingStore(byteCount: 64 * 512)])
        failing.host.usesLanding = true
        #expect(failing.command(.write10(0, 2), .toDevice(numbered(2))).status == 0)
        #expect(failing.host.landedCount == 0)
    }

    @Test("an offer that was not taken up does no harm to the next write")
    func abandonedLanding() throws {
        let drive = try Drive()
        drive.host.write(Drive.output, drive.wrap(.write10(0, 1), length: 512))
        #expect(drive.offersLanding(512))
        drive.recover()
        #expect(drive.command(.write10(5, 1), .toDevice(numbered(1, from: 9))).residue == 0)
        #expect(try drive.store?.blocks(5, 1) == numbered(1, from: 9))
        #expect(try drive.store?.blocks(0, 1) == numbered(1, from: 0))
    }

    @Test("a short packet from the host ends its data, and the residue tells", arguments: [1, 511, 513, 1_000])
    func shortOut(length: Int) throws {
        let drive = try Drive()
        let before = try #require(drive.store).fill(4)
        drive.host.write(Drive.output, drive.wrap(.write10(0, 4), length: 2_048))
        let bytes = [UInt8](repeating: 7, count: length)
        #expect(drive.host.write(Drive.output, bytes)?.actualLength == length)
        var outcome = Drive.Outcome()
        drive.finish(&outcome)
        #expect(outcome.status == 0 && outcome.residue == UInt32(2_048 - length))
        #expect(try drive.store?.blocks(0, 4) == bytes + before[length...])
        #expect(drive.works)
    }

    @Test("an empty transfer ends the host's data too")
    func emptyOut() throws {
        let drive = try Drive()
        drive.host.write(Drive.output, drive.wrap(.write10(0, 2), length: 1_024))
        #expect(drive.host.write(Drive.output, numbered(1))?.status == .success)
        #expect(drive.host.write(Drive.output, [])?.status == .success)
        var outcome = Drive.Outcome()
        drive.finish(&outcome)
        #expect(outcome.status == 0 && outcome.residue == 512)
    }
}

@Suite("Failures in the data phase")
struct FailureTests {
    private let store: FailingStore

    init() throws { store = try FailingStore(byteCount: 64 * 512) }

    @Test(
        "a read stops before the bad block: what is good, STALL, a failed status, and sense once",
        arguments: [nil, 512, 1_024] as [Int?], [true, false])
    func mediumError(cut: Int?, stallsShortData: Bool) throws {
        let bytes = try store.fill(8)
        store.badReads = (3 * 512)..<(4 * 512)
        let drive = try Drive([store], stallsShortData: stallsShortData)
        let outcome = drive.command(.read10(0, 8), .fromDevice(4_096), cut: cut)
        #expect(outcome.data == Array(bytes[..<1_536]))
        #expect(outcome.status == 1 && outcome.residue == 2_560 && outcome.stalls == (stallsShortData ? 1 : 0))
        #expect(drive.sense() == [3, 0x11, 0])
        #expect(drive.sense() == [0, 0, 0], "sense is told once")
        #expect(drive.works)
    }

    @Test("a write that fails midway swallows the rest and fails", arguments: [nil, 512, 1_024] as [Int?])
    func writeError(cut: Int?) throws {
        store.badWrites = (3 * 512)..<(4 * 512)
        let drive = try Drive([store])
        let outcome = drive.command(.write10(0, 8), .toDevice(numbered(8)), cut: cut)
        #expect(outcome.transfers.reduce(0) { $0 + $1.actualLength } == 4_096)
        #expect(outcome.status == 1 && outcome.stalls == 0)
        #expect(outcome.residue >= 2_560, "no more counts as processed than lies before the bad block")
        #expect(drive.sense() == [3, 0x0c, 0] && drive.sense() == [0, 0, 0])
    }

    @Test("a write through the cache that cannot be made durable fails, though every byte was taken")
    func flushError() throws {
        let drive = try Drive([store])
        store.failsToFlush = true
        #expect(drive.command(.write10(0, 1, forcesUnitAccess: true), .toDevice(numbered(1))).status == 1)
        #expect(drive.sense().first == 3)
        #expect(drive.command([0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]).status == 1, "SYNCHRONIZE CACHE")
    }

    @Test("a command that fails at the start moves nothing: STALL for IN, swallowed for OUT")
    func earlyFailure() throws {
        let drive = try Drive([store])
        let read = drive.command(.read10(1_000, 1), .fromDevice(512))
        #expect(read.status == 1 && read.residue == 512 && read.stalls == 1 && read.data.isEmpty)
        #expect(drive.sense() == [5, 0x21, 0])
        let write = drive.command(.write10(1_000, 2), .toDevice(numbered(2)), cut: 512)
        #expect(write.status == 1 && write.residue == 1_024 && write.transfers.count == 2)
        #expect(drive.sense() == [5, 0x21, 0])
        #expect(drive.command([0xff]).status == 1 && drive.sense() == [5, 0x20, 0])
    }

    @Test("the medium goes between a command and its data: no bytes from nowhere, and no success")
    func mediumGoes() throws {
        let drive = try Drive([store])
        for (cdb, length, isIn) in [([UInt8].read10(0, 2), 1_024, true), (.write10(0, 2), 1_024, false)] {
            drive.target[0]?.insert(store)
            drive.greet()
            drive.host.write(Drive.output, drive.wrap(cdb, length: length, isIn: isIn))
            drive.target[0]?.eject()
            if isIn {
                #expect(drive.host.read(Drive.input, length)?.actualLength == 0)
            } else {
                #expect(drive.host.write(Drive.output, numbered(2))?.actualLength == length)
            }
            var outcome = Drive.Outcome()
            if isIn { drive.clearHalt(Drive.input) }
            drive.finish(&outcome)
            #expect(outcome.status == 1 && outcome.residue == 1_024)
            #expect(drive.sense().prefix(2) == [2, 0x3a])
        }
    }
}
