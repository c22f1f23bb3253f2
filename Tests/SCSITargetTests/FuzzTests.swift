import Testing

@testable import SCSITarget

@Suite("Random commands")
struct FuzzTests {
    @Test(
        "never trap, always end, and say why when they fail (checked in the host)",
        arguments: 1...12 as ClosedRange<UInt64>, [BlockSize.bytes512, .bytes4096])
    func commands(seed: UInt64, blockSize: BlockSize) throws {
        var generator = Xorshift(seed: seed)
        let store = try FaultyStore(byteCount: 256 << 10)
        let host = Host(
            .init(blockSize: blockSize, isRemovable: seed % 2 == 0, isThinProvisioned: seed % 3 != 0), store: store)
        for _ in 0..<600 {
            disturb(host, store, &generator)
            host.piece = Int.random(in: 1...5_000, using: &generator)
            var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if Int.random(in: 0..<8, using: &generator) > 0 {
                tame(&bytes, &generator)
            }
            let out = noise(Int.random(in: 0...9_000, using: &generator), seed: generator.next())
            let lun: UInt8 = Int.random(in: 0..<50, using: &generator) == 0 ? 1 : 0
            let outcome = host.run(CDB(bytes), lun: lun, out: out)
            #expect(UInt64(outcome.data.count) <= outcome.wanted && UInt64(outcome.taken) <= outcome.wanted)
            if outcome.status == .checkCondition && lun == 0 {
                let sense = host.good([0x03, 0, 0, 0, 96])
                #expect(sense[2] & 0x0F == outcome.sense?.key.rawValue && sense[2] != 0, "seed \(seed), \(CDB(bytes))")
            }
        }
    }

    /// Makes a command that is likely to get far: one that exists, with a small address and count.
    private func tame(_ bytes: inout [UInt8], _ generator: inout Xorshift) {
        guard let command = CommandDescription.all.randomElement(using: &generator) else { return }
        for index in bytes.indices {
            bytes[index] &= index < command.length ? command.usage[index] : 0
        }
        bytes[0] = command.opcode
        bytes[1] &= 0x1F
        bytes[command.length - 1] = 0
        if let action = command.serviceAction {
            bytes[1] = action
        }
        let high = [0x08, 0x0A].contains(command.opcode) ? 1..<2 : command.length == 16 ? 2..<8 : 2..<4
        if command.usage[high.lowerBound] != 0 && Int.random(in: 0..<16, using: &generator) > 0 {
            bytes.replaceSubrange(high, with: [UInt8](repeating: 0, count: high.count))
        }
    }

    private func disturb(_ host: Host, _ store: FaultyStore, _ generator: inout Xorshift) {
        switch Int.random(in: 0..<60, using: &generator) {
        case 0: store.badReads = 5_000..<UInt64.random(in: 5_000...9_000, using: &generator)
        case 1: store.badWrites = 7_000..<UInt64.random(in: 7_000...9_000, using: &generator)
        case 2:
            store.writeFailure = [.full, .unwritable, .readOnly, .outOfRange].randomElement(using: &generator) ?? .full
        case 3: store.flushFailure = [nil, nil, .full, .unwritable].randomElement(using: &generator) ?? nil
        case 4: store.isReadOnly.toggle()
        case 5: host.unit.busReset()
        case 6: host.unit.eject(force: true)
        case 7, 8, 9: host.unit.insert(store)
        case 10:
            store.badReads = 0..<0
            store.badWrites = 0..<0
        case 11: host.unit.powerCycle()
        default: break
        }
    }
}
