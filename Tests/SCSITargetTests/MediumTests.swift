import Testing

@testable import SCSITarget

@Suite("Unit attention, medium, eject")
struct MediumTests {
    private static let eject: CDB = [0x1B, 0, 0, 0, 0x02]
    private static let load: CDB = [0x1B, 0, 0, 0, 0x03]
    private static let prevent: CDB = [0x1E, 0, 0, 0, 1]
    private static let allow: CDB = [0x1E, 0, 0, 0, 0]

    @Test("after power on and reset one command fails with 6/29/00; INQUIRY and REPORT LUNS do not, and keep it")
    func reset() throws {
        let host = Host(store: try MemoryStore(byteCount: 1 << 20), greet: false)
        for _ in 0..<2 {
            #expect(host.run([0x12, 0, 0, 0, 36]).status == .good)
            #expect(host.run([0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 16]).status == .good)
            #expect(host.run([0x00]).triple == [6, 0x29, 0])
            #expect(host.run([0x00]).status == .good)
            host.unit.busReset()
        }
        #expect(host.good([0x03, 0, 0, 0, 18])[12] == 0x29)
        #expect(host.run([0x00]).status == .good)
    }

    @Test("sense data are there until they are asked for, or the next command")
    func senseLife() throws {
        let host = try Host.withDisk()
        #expect(host.run([0xFF]).triple == [5, 0x20, 0])
        #expect(host.run([0x12, 0, 0, 0, 36]).status == .good)
        #expect(host.good([0x03, 0, 0, 0, 18])[12] == 0x20)
        #expect(host.good([0x03, 0, 0, 0, 18])[2] == 0)
        #expect(host.run([0xFF]).triple == [5, 0x20, 0])
        #expect(host.run([0x00]).status == .good)
        #expect(host.good([0x03, 0, 0, 0, 18])[2] == 0)
        #expect(host.run([0xFF]).triple == [5, 0x20, 0])
        #expect(host.target.takeSense(lun: 0)[12] == 0x20)
        #expect(host.good([0x03, 0, 0, 0, 18])[2] == 0)
    }

    @Test("without a medium, commands that need one fail with 2/3A/00, the others work")
    func noMedium() {
        let host = Host()
        let opcodes: [UInt8] = [
            0x00, 0x08, 0x0A, 0x25, 0x28, 0x2A, 0x2E, 0x2F, 0x34, 0x35, 0x41, 0x42, 0x88, 0x89, 0x8A, 0x8E, 0x8F, 0x90,
            0x91, 0x93, 0xA8, 0xAA, 0xAE, 0xAF,
        ]
        for opcode in opcodes {
            #expect(host.run(CDB([opcode])).triple == [2, 0x3A, 0])
        }
        #expect(host.run([0x9E, 0x10]).triple == [2, 0x3A, 0])
        #expect(host.run([0x9E, 0x12]).triple == [2, 0x3A, 0])
        #expect(host.run([0x1A, 0, 0x3F, 0, 192]).status == .good)
        #expect(host.run(Self.prevent).status == .good)
        #expect(host.run(Self.allow).status == .good)
        #expect(host.run(Self.eject).status == .good)
        #expect(host.run(Self.load).triple == [2, 0x3A, 0])
        #expect(host.run([0x1B]).status == .good)
        #expect(host.run([0x1D, 0x04]).status == .good)
        #expect(host.run([0xC0]).triple == [5, 0x20, 0])
        #expect(host.good([0x23, 0, 0, 0, 0, 0, 0, 0, 0xFC])[8] == 3)
    }

    @Test("a medium too small for a block is there, but of no use")
    func tinyMedium() throws {
        let host = Host(.init(blockSize: .bytes4096), store: try MemoryStore(byteCount: 4_095))
        #expect(host.run([0x00]).triple == [2, 0x30, 0])
        #expect(host.run(.lba10(0x28, 0, 0)).triple == [2, 0x30, 0])
        #expect(host.run([0x25]).triple == [2, 0x30, 0])
    }

    @Test("a swap of media: not present, then once 6/28/00, then ready with the new capacity")
    func swap() throws {
        let host = try Host.withDisk(blocks: 100)
        #expect(host.unit.eject())
        #expect(host.run([0x00]).triple == [2, 0x3A, 0])
        #expect(host.run([0x00]).triple == [2, 0x3A, 0])
        host.unit.insert(try MemoryStore(byteCount: 200 * 512))
        #expect(host.run([0x00]).triple == [6, 0x28, 0])
        #expect(host.run([0x00]).status == .good)
        #expect(host.good([0x25])[3] == 199)
        host.unit.insert(try MemoryStore(byteCount: 50 * 512))
        #expect(host.run(.lba10(0x2A, 0, 1)).triple == [6, 0x28, 0])
        #expect(host.good([0x25])[3] == 49)
    }

    @Test("a fixed disk whose store grows reports 6/2A/09; it cannot be ejected")
    func fixedDisk() throws {
        let host = try Host.withDisk(blocks: 100, .init(isRemovable: false))
        host.unit.insert(try MemoryStore(byteCount: 200 * 512))
        #expect(host.run([0x00]).triple == [6, 0x2A, 9])
        #expect(host.good([0x25])[3] == 199)
        #expect(host.run(Self.eject).sense == .invalidField(inCDB: 4, bit: 1))
        #expect(host.run([0x1B, 0, 0, 0, 0]).status == .good)
        #expect(host.run([0x00]).status == .good)
    }

    @Test("the write-protect switch reports 6/2A/01, and protects")
    func writeProtectSwitch() throws {
        let host = try Host.withDisk()
        host.unit.isWriteProtectSwitchOn = true
        #expect(host.run([0x00]).triple == [6, 0x2A, 1])
        #expect(host.write10(0, noise(512)).triple == [7, 0x27, 0])
        #expect(host.good([0x1A, 0, 0x3F, 0, 4])[2] & 0x80 != 0)
    }

    @Test("protected media refuse every command that writes", arguments: [true, false])
    func writeProtected(byStore: Bool) throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        store.isReadOnly = byStore
        let host = Host(.init(isReadOnly: !byStore), store: store)
        for opcode: UInt8 in [0x0A, 0x2A, 0x2E, 0x41, 0x42, 0x89, 0x8A, 0x8E, 0x93, 0xAA, 0xAE] {
            let cdb = opcode == 0x41 ? CDB.lba10(0x41, 0, 1) : opcode == 0x93 ? .lba16(0x93, 0, 1) : CDB([opcode])
            #expect(host.run(cdb).triple == [7, 0x27, 0])
        }
        #expect(host.run([0x35]).status == .good)
        #expect(host.run(.lba10(0x28, 0, 1, flags: 8)).status == .good)
        #expect(host.good([0x5A, 0, 0x08, 0, 0, 0, 0, 0, 8])[3] == 0x90)
    }

    @Test("eject and load by the host; what was written is flushed, and there again")
    func ejectAndLoad() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        var events: [String] = []
        host.unit.onEvent = { events.append("\($0)") }
        let data = noise(512)
        #expect(host.write10(7, data).status == .good)
        #expect(host.run(Self.eject).status == .good)
        #expect(store.flushCount == 1 && !host.unit.isMediumPresent)
        #expect(host.run([0x00]).triple == [2, 0x3A, 0])
        #expect(host.run(Self.load).status == .good)
        #expect(host.run([0x00]).status == .good)
        #expect(host.read10(7, 1).data == data)
        #expect(events == ["ejectedByHost", "loadedByHost"])
        #expect(host.run(Self.eject).status == .good)
        host.unit.busReset()
        #expect(!host.unit.isMediumPresent)
        host.unit.powerCycle()
        #expect(host.unit.isMediumPresent)
        #expect(host.run([0x00]).triple == [6, 0x29, 0])
    }

    @Test("a medium that cannot be flushed is not ejected")
    func ejectFailure() throws {
        let store = try FaultyStore(byteCount: 1 << 20)
        let host = Host(store: store)
        store.flushFailure = .unwritable
        #expect(host.run(Self.eject).triple == [3, 0x0C, 0])
        #expect(host.unit.isMediumPresent)
        #expect(host.run([0x1B, 0, 0, 0, 0]).triple == [3, 0x0C, 0])
    }

    @Test("PREVENT locks the medium in, against the host and the button, until ALLOW or a reset")
    func prevent() throws {
        let host = try Host.withDisk()
        #expect(host.run(Self.prevent).status == .good)
        #expect(host.unit.isRemovalPrevented)
        #expect(host.run(Self.eject).triple == [5, 0x53, 2])
        #expect(!host.unit.eject())
        #expect(host.run(Self.allow).status == .good)
        #expect(host.run(Self.eject).status == .good)
        #expect(host.run(Self.prevent).status == .good)
        #expect(host.run(Self.load).triple == [5, 0x53, 2])
        host.unit.busReset()
        _ = host.run([0])
        #expect(host.run(Self.load).status == .good)
        #expect(host.run(Self.prevent).status == .good)
        #expect(host.unit.eject(force: true) && !host.unit.isMediumPresent)
        #expect(host.run([0x1E, 0, 0, 0, 2]).sense == .invalidField(inCDB: 4, bit: 1))
    }

    @Test("a unit that refuses PREVENT accepts ALLOW")
    func preventRefused() throws {
        let host = try Host.withDisk(.init(isRemovalPreventable: false))
        #expect(host.run(Self.prevent).sense == .invalidField(inCDB: 4, bit: 1))
        #expect(host.run(Self.allow).status == .good)
    }

    @Test("power conditions do not eject", arguments: 1...15)
    func powerConditions(condition: Int) throws {
        let host = try Host.withDisk()
        #expect(host.run([0x1B, 0, 0, 0, UInt8(condition << 4 | 2)]).status == .good)
        #expect(host.unit.isMediumPresent)
    }

    @Test("a medium that is swapped in the middle of a command fails it, and is not touched by it")
    func swapDuringCommand() throws {
        let host = try Host.withDisk()
        let other = try MemoryStore(byteCount: 1 << 20)
        let data = noise(1_024)
        var write = host.target.begin(.lba10(0x2A, 0, 2), lun: 0)
        var read = host.target.begin(.lba10(0x28, 0, 2), lun: 0)
        let half = unsafe data.withUnsafeBytes { bytes in
            unsafe host.target.consume(&write, UnsafeRawBufferPointer(rebasing: bytes[..<512]))
        }
        host.unit.insert(other)
        let rest = unsafe data.withUnsafeBytes { bytes in
            unsafe host.target.consume(&write, UnsafeRawBufferPointer(rebasing: bytes[512...]))
        }
        #expect(half == 512 && rest == 0)
        #expect(host.target.finish(&write) == .checkCondition)
        #expect(unsafe host.target.borrow(&read, upTo: 512) == nil)
        var buffer = [UInt8](repeating: 0, count: 512)
        #expect(unsafe buffer.withUnsafeMutableBytes { unsafe host.target.produce(&read, into: $0) } == 0)
        #expect(host.target.finish(&read) == .checkCondition)
        #expect(other.allocation(at: 0) == (false, 1 << 20))
    }

    @Test("SEND DIAGNOSTIC passes the self test, and has no pages")
    func sendDiagnostic() throws {
        let host = try Host.withDisk()
        #expect(host.run([0x1D, 0x04]).status == .good)
        #expect(host.run([0x1D, 0x24]).sense == .invalidField(inCDB: 1, bit: 7))
        #expect(host.run([0x1D, 0x10, 0, 0, 8]).sense == .invalidField(inCDB: 3))
    }
}
