import Testing

@testable import SCSITarget

@Suite("REPORT SUPPORTED OPERATION CODES and the command table")
struct SupportedOpcodesTests {
    private func report(_ option: UInt8, _ opcode: UInt8 = 0, _ action: UInt16 = 0, allocation: UInt32 = 0xFFFF) -> CDB
    {
        CDB([0xA3, 0x0C, option, opcode] + bigEndian(action) + bigEndian(allocation) + [0, 0])
    }

    @Test("each command is declared once, and its usage data fit")
    func table() {
        let keys = CommandDescription.all.map { UInt16($0.opcode) << 8 | UInt16($0.serviceAction ?? 0) }
        #expect(keys == keys.sorted() && Set(keys).count == keys.count)
        #expect(Set(CommandDescription.all.map(\.name)).count == keys.count)
        for command in CommandDescription.all {
            #expect(command.usage[0] == command.opcode, "\(command.name)")
            #expect(command.length == CDB([command.opcode]).commandLength, "\(command.name)")
            if let action = command.serviceAction {
                #expect(command.usage[1] == action)
            }
        }
    }

    @Test("a command is carried out if, and only if, it is declared", arguments: UInt8.min...UInt8.max)
    func dispatch(opcode: UInt8) throws {
        let host = try Host.withDisk()
        let isDeclared = CommandDescription.all.contains { $0.opcode == opcode }
        #expect((host.run(CDB([opcode])).triple != [5, 0x20, 0]) == isDeclared)
        for action: UInt8 in 0..<32 where [0x9E, 0xA3].contains(opcode) {
            let isDeclared = CommandDescription.of([opcode, action]) != nil
            #expect((host.run([opcode, action]).sense != .invalidField(inCDB: 1, bit: 4)) == isDeclared)
        }
    }

    @Test("the list has them all, with timeouts when asked")
    func list() throws {
        let host = try Host.withDisk()
        let plain = host.good(report(0))
        #expect(plain.count == 4 + 8 * CommandDescription.all.count)
        #expect(integer(plain[..<4]) == UInt64(plain.count - 4))
        let timed = host.good(report(0x80))
        #expect(timed.count == 4 + 20 * CommandDescription.all.count)
        for (index, command) in CommandDescription.all.enumerated() {
            let start = 4 + 20 * index
            #expect(timed[start] == command.opcode && timed[start + 7] == UInt8(command.length))
            #expect(timed[start + 5] == (command.serviceAction == nil ? 2 : 3))
            #expect(timed[(start + 8)..<(start + 10)] == [0, 10])
            #expect(integer(timed[(start + 12)..<(start + 16)]) == UInt64(command.nominalTimeout))
            #expect(integer(timed[(start + 16)..<(start + 20)]) == UInt64(command.recommendedTimeout))
        }
        #expect(host.good(report(0, allocation: 7)) == Array(plain[..<7]))
    }

    @Test("one command: options 1, 2 and 3")
    func one() throws {
        let host = try Host.withDisk()
        let read10: [UInt8] = [0x28, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0xFF, 0xFF, 0x04]
        #expect(host.good(report(1, 0x28)) == [0, 3, 0, 10] + read10)
        #expect(host.good(report(0x81, 0x28)) == [0, 0x83, 0, 10] + read10 + [0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 30])
        #expect(host.good(report(3, 0x28)) == [0, 3, 0, 10] + read10)
        #expect(host.good(report(1, 0x99)) == [0, 1, 0, 0])
        #expect(host.run(report(1, 0x9E)).sense == .invalidField(inCDB: 2, bit: 2))
        #expect(host.good(report(2, 0x9E, 0x10))[..<6] == [0, 3, 0, 16, 0x9E, 0x10])
        #expect(host.good(report(3, 0x9E, 0x12))[..<6] == [0, 3, 0, 16, 0x9E, 0x12])
        #expect(host.good(report(2, 0x9E, 0x13)) == [0, 1, 0, 0])
        #expect(host.good(report(2, 0x9E, 0x110)) == [0, 1, 0, 0])
        #expect(host.good(report(3, 0x28, 1)) == [0, 1, 0, 0])
        #expect(host.run(report(2, 0x28)).sense == .invalidField(inCDB: 2, bit: 2))
        for option: UInt8 in 4...7 {
            #expect(host.run(report(option)).sense == .invalidField(inCDB: 2, bit: 2))
        }
    }
}
