import DirectHost
import SCSITarget
import Testing
import USBCore
import USBDeviceKit

@testable import USBMassStorage

@Suite("Command wrappers, and recovery from wrong ones (Bulk-Only Transport 1.0 §6.2, §6.6.1, §5.3.4)")
struct CommandWrapperTests {
    private let drive: Drive
    private var host: DirectHost { drive.host }

    init() throws { drive = try Drive() }

    /// What makes a wrapper invalid.
    enum Defect: CaseIterable {
        case empty, short, long, aStatus, signature, noCommand, longCommand, hugeCommand

        func apply(to wrapper: [UInt8]) -> [UInt8] {
            var bytes = wrapper
            switch self {
            case .empty: return []
            case .short: return Array(wrapper.prefix(30))
            case .long: return wrapper + [0]
            case .aStatus: return Array(wrapper.prefix(13))
            case .signature: bytes[3] = 0x53
            case .noCommand: bytes[14] = 0
            case .longCommand: bytes[14] = 17
            case .hugeCommand: bytes[14] = 255
            }
            return bytes
        }
    }

    private func wedge(_ defect: Defect = .signature) {
        let outcome = host.write(Drive.output, defect.apply(to: drive.wrap(.testUnitReady, length: 0)))
        #expect(outcome?.status == .stalled && outcome?.actualLength == 0)
        #expect(isWedged)
    }

    /// Whether both endpoints are halted and nothing gets through.
    private var isWedged: Bool {
        drive.isHalted(Drive.input) && drive.isHalted(Drive.output) && stallsEverything
    }

    private var stallsEverything: Bool {
        host.read(Drive.input, 13)?.status == .stalled
            && host.write(Drive.output, drive.wrap(.testUnitReady, length: 0))?.status == .stalled
    }

    @Test("an invalid wrapper halts both endpoints until reset recovery", arguments: Defect.allCases)
    func invalid(defect: Defect) {
        let parked = host.submitIn(Drive.input, 13)
        wedge(defect)
        #expect(host.outcome(parked)?.status == .stalled, "a status that was asked for in advance")
        drive.recover()
        #expect(drive.works)
    }

    @Test("clearing the halts alone does not revive the drive")
    func clearHaltAlone() {
        wedge()
        drive.clearHalt(Drive.input)
        drive.clearHalt(Drive.output)
        #expect(isWedged)
    }

    @Test("the class reset alone keeps the halts")
    func resetAlone() {
        wedge()
        drive.classReset()
        #expect(isWedged)
        drive.clearHalt(Drive.input)
        #expect(!drive.isHalted(Drive.input) && drive.isHalted(Drive.output))
        drive.clearHalt(Drive.output)
        #expect(drive.works)
    }

    @Test("halts that were cleared before the class reset count for nothing")
    func wrongOrder() {
        wedge()
        drive.clearHalt(Drive.input)
        drive.clearHalt(Drive.output)
        drive.classReset()
        #expect(isWedged)
    }

    @Test("SET_CONFIGURATION and SET_INTERFACE revive the drive without a unit attention")
    func settings() {
        for setup in [SetupPacket(requestType: 0x00, request: 9, value: 1), .init(requestType: 0x01, request: 11)] {
            wedge()
            #expect(host.control(setup)?.status == .success)
            #expect(drive.works)
        }
    }

    @Test("a bus reset revives it, and the unit says that it was reset", arguments: [ResetCause.port, .inferred])
    func busReset(cause: ResetCause) {
        wedge()
        drive.device.reset(cause)
        #expect(host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
        #expect(drive.command(.testUnitReady).status == 1 && drive.sense() == [6, 0x29, 0])
        #expect(drive.works)
    }

    @Test("reserved bits are let pass")
    func reservedBits() {
        for (offset, bits) in [(12, 0x7f), (13, 0xf0)] as [(Int, UInt8)] {
            var wrapper = drive.wrap(.testUnitReady, length: 0)
            wrapper[offset] |= bits
            #expect(host.write(Drive.output, wrapper)?.status == .success)
            var outcome = Drive.Outcome()
            drive.finish(&outcome)
            #expect(outcome.status == 0)
        }
    }

    @Test("without data the direction means nothing")
    func directionWithoutData() {
        #expect(host.write(Drive.output, drive.wrap(.testUnitReady, length: 0, isIn: true))?.status == .success)
        var outcome = Drive.Outcome()
        drive.finish(&outcome)
        #expect(outcome.status == 0)
    }

    @Test("a command is no longer than the wrapper says; the rest is not looked at")
    func commandLength() {
        // A control byte of 4 asks for a contingent allegiance that no unit has.
        let cdb: [UInt8] = [0, 0, 0, 0, 0, 4]
        #expect(drive.command(cdb).status == 1)
        #expect(host.write(Drive.output, drive.wrap(cdb, length: 0, blockLength: 5))?.status == .success)
        var outcome = Drive.Outcome()
        drive.finish(&outcome)
        #expect(outcome.status == 0)
    }

    @Test("tags come back as they went, whatever they are", arguments: [0, 1, 0x8000_0000, .max] as [UInt32])
    func tags(tag: UInt32) {
        var wrapper = drive.wrap(.testUnitReady, length: 0)
        wrapper.replaceSubrange(4..<8, with: littleEndian(tag))
        #expect(host.write(Drive.output, wrapper)?.status == .success)
        #expect(host.read(Drive.input, 512)?.data == [0x55, 0x53, 0x42, 0x53] + littleEndian(tag) + [0, 0, 0, 0, 0])
    }

    @Test("a status read into fewer than 13 bytes is babble, and the drive goes on")
    func statusTooSmall() {
        #expect(host.write(Drive.output, drive.wrap(.testUnitReady, length: 0))?.status == .success)
        #expect(host.read(Drive.input, 12)?.status == .overflow)
        #expect(drive.works)
    }

    @Test("reset recovery ends a command in any phase, and no trace of it is left")
    func recoveryInMidCommand() throws {
        let before = try #require(drive.store).fill(4)
        for (cdb, length, isIn) in [
            ([UInt8].read10(0, 2), 1_024, true), (.read10(0, 2), 512, true), (.write10(0, 2), 1_024, false),
            (.write10(0, 2), 512, false), (.read10(0, 2), 512, false), (.testUnitReady, 0, false),
        ] {
            #expect(host.write(Drive.output, drive.wrap(cdb, length: length, isIn: isIn))?.status == .success)
            drive.recover()
            // Data that the command does not have: the one case in which the data rule nothing anew.
            let outcome = drive.command(.testUnitReady, .fromDevice(512))
            #expect(outcome.status == 0 && outcome.residue == 512, "\(cdb)")
        }
        #expect(try drive.store?.blocks(0, 4) == before)
    }
}
