import DirectHost
import SCSITarget
import Testing
import USBCore

@testable import USBMassStorage

/// One of the ways in which what a host expects (H) relates to what a device is told to do (D): none (n), data to the
/// host (i), data to the device (o).
struct ThirteenCase: CustomTestStringConvertible, Sendable {
    var name: String
    var cdb: [UInt8]
    var host: Drive.Expectation
    var status: UInt8
    /// Nil where the specification leaves it open: a phase error.
    var residue: UInt32?
    /// The bytes that the host gets.
    var received = 0
    /// Whether a device that stalls short data halts the IN endpoint.
    var halts = false

    var testDescription: String { name }

    static let all: [Self] = [
        .init(name: "1: Hn = Dn", cdb: .testUnitReady, host: .none, status: 0, residue: 0),
        .init(name: "2: Hn < Di", cdb: .read10(0, 1), host: .none, status: 2),
        .init(name: "3: Hn < Do", cdb: .write10(0, 1), host: .none, status: 2),
        .init(
            name: "4: Hi > Dn", cdb: .testUnitReady, host: .fromDevice(512), status: 0, residue: 512, halts: true),
        .init(
            name: "5: Hi > Di, whole packets", cdb: .read10(0, 2), host: .fromDevice(4_096), status: 0, residue: 3_072,
            received: 1_024, halts: true),
        .init(
            name: "5: Hi > Di, a short packet", cdb: .inquiry, host: .fromDevice(100), status: 0, residue: 64,
            received: 36, halts: true),
        .init(
            name: "6: Hi = Di", cdb: .read10(0, 2), host: .fromDevice(1_024), status: 0, residue: 0, received: 1_024),
        .init(name: "7: Hi < Di", cdb: .read10(0, 2), host: .fromDevice(512), status: 2, received: 512),
        .init(name: "8: Hi <> Do", cdb: .write10(0, 1), host: .fromDevice(512), status: 2, halts: true),
        .init(name: "9: Ho > Dn", cdb: .testUnitReady, host: .toDevice(numbered(1)), status: 0, residue: 512),
        .init(name: "10: Ho <> Di", cdb: .read10(0, 1), host: .toDevice(numbered(1)), status: 2),
        .init(name: "11: Ho > Do", cdb: .write10(0, 1), host: .toDevice(numbered(3)), status: 0, residue: 1_024),
        .init(name: "12: Ho = Do", cdb: .write10(0, 2), host: .toDevice(numbered(2)), status: 0, residue: 0),
        .init(name: "13: Ho < Do", cdb: .write10(0, 3), host: .toDevice(numbered(1)), status: 2),
    ]

    /// What the first four blocks are afterwards.
    func expectedBlocks(before: [UInt8]) -> [UInt8] {
        let written = status == 0 && cdb[0] == 0x2a ? Int(cdb[8]) : 0
        return numbered(written) + before[(written * 512)..<(4 * 512)]
    }
}

@Suite("The thirteen cases (Bulk-Only Transport 1.0 §6.7)")
struct ThirteenCasesTests {
    @Test("one transfer for the data", arguments: ThirteenCase.all, [true, false])
    func whole(each: ThirteenCase, stallsShortData: Bool) throws {
        for speed in [Speed.full, .high, .super] {
            try check(each, try Drive(speed: speed, stallsShortData: stallsShortData), stallsShortData, cut: nil)
        }
    }

    @Test("a transfer for each 512 or 1024 bytes of data", arguments: ThirteenCase.all, [true, false])
    func cut(each: ThirteenCase, stallsShortData: Bool) throws {
        try check(each, try Drive(speed: .high, stallsShortData: stallsShortData), stallsShortData, cut: 512)
        try check(each, try Drive(speed: .super, stallsShortData: stallsShortData), stallsShortData, cut: 1_024)
    }

    @Test("a store that lends no memory", arguments: ThirteenCase.all, [true, false])
    func withoutMemory(each: ThirteenCase, stallsShortData: Bool) throws {
        let store = try FailingStore(byteCount: 64 * 512)
        try check(each, try Drive([store], stallsShortData: stallsShortData), stallsShortData, cut: nil)
    }

    private func check(_ each: ThirteenCase, _ drive: Drive, _ stallsShortData: Bool, cut: Int?) throws {
        let store = try #require(drive.store)
        let before = try store.fill(4)
        let outcome = drive.command(each.cdb, each.host, cut: cut)
        #expect(outcome.status == each.status)
        if let residue = each.residue { #expect(outcome.residue == residue) }
        #expect(outcome.data.count == each.received)
        if each.cdb[0] == 0x28 { #expect(outcome.data == Array(before[..<each.received])) }
        #expect(outcome.stalls == (each.halts && stallsShortData ? 1 : 0))
        if case .toDevice(let bytes) = each.host {
            #expect(outcome.transfers.reduce(0) { $0 + $1.actualLength } == bytes.count, "OUT data are all taken")
        }
        #expect(try store.blocks(0, 4) == each.expectedBlocks(before: before))
        #expect(!drive.isHalted(Drive.input) && !drive.isHalted(Drive.output))
        #expect(drive.works, "the next command")
    }
}
