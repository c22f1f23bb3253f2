import DirectHost
import SCSITarget
import Testing
import USBCore
import USBDeviceKit

@testable import USBMassStorage

@Suite("Any command, any data")
struct TransportFuzzTests {
    private static let opcodes: [UInt8] = [
        0x00, 0x03, 0x04, 0x08, 0x0a, 0x12, 0x15, 0x1a, 0x1b, 0x1d, 0x1e, 0x23, 0x25, 0x28, 0x2a, 0x2e, 0x2f, 0x34,
        0x35,
        0x41, 0x42, 0x55, 0x5a, 0x88, 0x89, 0x8a, 0x8e, 0x8f, 0x90, 0x91, 0x93, 0x9e, 0xa0, 0xa3, 0xa8, 0xaa, 0xae,
        0xaf,
    ]

    @Test(
        "each command ends with the status that carries its tag, and each wrong wrapper with recovery",
        arguments: 0..<10 as Range<UInt64>)
    func commands(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let stores: [any BlockStore] = [
            try MemoryStore(byteCount: 128 * 512), try FailingStore(byteCount: 128 * 512),
        ]
        let speed: Speed = [.full, .high, .super].randomElement(using: &generator) ?? .high
        let drive = try Drive(stores, speed: speed, stallsShortData: Bool.random(using: &generator))
        drive.host.usesLanding = Bool.random(using: &generator)
        var statuses: [UInt8: Int] = [:]
        for round in 0..<1_000 {
            drive.host.forget()
            if Int.random(in: 0..<50, using: &generator) == 0 {
                wrong(drive, &generator)
                continue
            }
            let expectation = expectation(&generator)
            var cuts: [Int?] = [nil, 1_024, 2_048, 65_536]
            // A short packet would end the host's data.
            if case .fromDevice = expectation { cuts += [7, 64, 512, 1_025] }
            let outcome = drive.command(
                cdb(&generator), lun: [0, 0, 0, 1, 1, 1, 2].randomElement(using: &generator) ?? 0, expectation,
                cut: cuts.randomElement(using: &generator) ?? nil)
            #expect((outcome.status ?? 3) <= 2, "seed \(seed), command \(round)")
            statuses[outcome.status ?? 3, default: 0] += 1
            if outcome.status == 2, Bool.random(using: &generator) { drive.recover() }
            if round % 10 == 0 { restore(drive, stores) }
        }
        #expect((0...2).allSatisfy { statuses[$0, default: 0] > 20 }, "all outcomes were met: \(statuses)")
        restore(drive, stores)
        #expect(drive.works)
    }

    private func cdb(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = generator.bytes(Int.random(in: 1...16, using: &generator))
        if Int.random(in: 0..<10, using: &generator) > 0 {
            bytes[0] = Self.opcodes.randomElement(using: &generator) ?? 0
            bytes = Array((bytes + [UInt8](repeating: 0, count: 15)).prefix(16))
            // Small addresses and counts, so that some commands are carried out.
            for index in 1..<16 where Int.random(in: 0..<20, using: &generator) > 0 { bytes[index] = 0 }
            for index in [5, 8, 13] where Bool.random(using: &generator) {
                bytes[index] = UInt8.random(in: 0...8, using: &generator)
            }
        }
        return bytes
    }

    private func expectation(_ generator: inout SeededGenerator) -> Drive.Expectation {
        let length =
            Bool.random(using: &generator)
            ? 512 * Int.random(in: 0...16, using: &generator) : Int.random(in: 0...9_000, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: return .none
        case 1: return .fromDevice(length)
        default: return .toDevice([UInt8](repeating: UInt8(truncatingIfNeeded: length), count: length))
        }
    }

    /// A wrapper that is none; what follows is refused until recovery.
    private func wrong(_ drive: Drive, _ generator: inout SeededGenerator) {
        var count = Int.random(in: 0...600, using: &generator)
        if count == 31 { count = 32 }
        #expect(drive.host.write(Drive.output, generator.bytes(count))?.status == .stalled)
        #expect(drive.host.read(Drive.input, 13)?.status == .stalled)
        drive.recover()
    }

    /// Ejected media come back, and nothing stays locked or protected.
    private func restore(_ drive: Drive, _ stores: [any BlockStore]) {
        drive.target.busReset()
        for (unit, store) in zip(drive.target.units, stores) { unit.insert(store) }
        drive.greet()
    }

    @Test(
        "any transfers in any order: never a trap, each ends at most once, and a bus reset always helps",
        arguments: 0..<20 as Range<UInt64>)
    func disorder(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let drive = try Drive(blocks: 64, stallsShortData: Bool.random(using: &generator))
        for _ in 0..<500 {
            switch Int.random(in: 0..<12, using: &generator) {
            case 0...2: drive.host.submitIn(Drive.input, Int.random(in: 0...2_048, using: &generator))
            case 3...6:
                let isIn = Bool.random(using: &generator)
                let length = Int.random(in: 0...3_000, using: &generator)
                drive.host.submitOut(Drive.output, drive.wrap(cdb(&generator), length: length, isIn: isIn))
            case 7, 8: drive.host.submitOut(Drive.output, [UInt8](repeating: 5, count: 512))
            case 9: drive.host.waiting.randomElement(using: &generator).map { drive.host.cancel($0) }
            case 10: if Int.random(in: 0..<4, using: &generator) == 0 { drive.recover() }
            default: drive.clearHalt(Bool.random(using: &generator) ? Drive.input : Drive.output)
            }
        }
        drive.device.reset(.port)
        #expect(drive.host.waiting.isEmpty && drive.host.violations.isEmpty)
        #expect(Set(drive.host.completions.map(\.id)).count == drive.host.completions.count)
        #expect(drive.host.control(.init(requestType: 0x00, request: 9, value: 1))?.status == .success)
        if let store = drive.store { drive.target[0]?.insert(store) }
        drive.greet()
        #expect(drive.command(.inquiry, .fromDevice(36)).status == 0)
    }
}
