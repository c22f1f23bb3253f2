import Testing
import USBCore

@testable import VHCI

@Suite("The status files")
struct StatusFileTests {
    @Test("every port of every controller is read, whatever their number", arguments: [(1, 8), (8, 15), (3, 1)])
    func counts(controllers: Int, portsPerHalf: Int) throws {
        let system = FakeSystem()
        system.load(controllers: controllers, portsPerHalf: portsPerHalf)
        let ports = try system.vhci.ports()
        #expect(ports.map(\.number.rawValue) == Array(0..<UInt32(controllers * portsPerHalf * 2)))
        #expect(ports.count { $0.half == .super } == controllers * portsPerHalf)
        #expect(ports.last?.controller == controllers - 1)
        #expect(ports.allSatisfy { $0.state == .free && $0.busID == nil })
    }

    @Test("a line says what its port does, and for whom")
    func line() throws {
        let text = FakeSystem.title + "\nss  0023 006 005 00010002 000004 4-9\n"
        let port = try #require(StatusFile.parse(text, name: "status", controller: 1).first)
        #expect(
            port
                == VHCI.Port(
                    number: PortNumber(rawValue: 23), controller: 1, half: .super, state: .used, speed: .super,
                    deviceID: 0x10002, descriptor: 4, busID: "4-9"))
    }

    @Test(
        "each state has its number",
        arguments: [(4, VHCI.PortState.free), (5, .enumerating), (6, .used), (7, .failed)])
    func states(number: Int, state: VHCI.PortState) throws {
        let text = FakeSystem.title + "\n" + FakeSystem.line("hs", 0, state: number)
        #expect(try StatusFile.parse(text, name: "status", controller: 0).map(\.state) == [state])
    }

    @Test("a speed that is none, or that USB/IP does not have, is no speed", arguments: [0, 4, 9])
    func speeds(number: Int) throws {
        let text = FakeSystem.title + "\n" + FakeSystem.line("hs", 0, state: 6, speed: number, busID: "1-1")
        #expect(try StatusFile.parse(text, name: "status", controller: 0).map(\.speed) == [nil])
    }

    @Test(
        "a line that Linux does not write is an error with its number and the reason",
        arguments: [
            ("hs  0001 004 000 00000000 000000", "6 columns"),
            ("hs  0001 004 000 00000000 000000 0-0 0-0", "8 columns"),
            ("us  0001 004 000 00000000 000000 0-0", "half 'us'"),
            ("hs  -001 004 000 00000000 000000 0-0", "port number '-001'"),
            ("hs  +001 004 000 00000000 000000 0-0", "port number '+001'"),
            ("hs  4294967296 004 000 00000000 000000 0-0", "port number"),
            ("hs  0001 003 000 00000000 000000 0-0", "state 3"),
            ("hs  0001 abc 000 00000000 000000 0-0", "state 'abc'"),
            ("hs  0001 006 003 0001000g 000000 1-1", "device '0001000g'"),
            ("hs  0001 006 003 00010002 0x0004 1-1", "descriptor '0x0004'"),
            ("hs  0001 006 003 00010002 000004 ../../../etc", "bus id"),
            ("hs  0001 006 003 00010002 000004 1-1/..", "bus id"),
            ("hs  0001 006 003 00010002 000004 1-", "bus id"),
            ("hs  0000 004 000 00000000 000000 0-0", "port 0 comes twice"),
        ])
    func malformed(line: String, reason: String) throws {
        let text = FakeSystem.title + "\n" + FakeSystem.line("hs", 0, state: 4) + "\n" + line + "\n"
        let error = #expect(throws: VHCIError.self) {
            try StatusFile.parse(text, name: "status.2", controller: 2)
        }
        let words = error?.description ?? ""
        #expect(words.contains("status.2, line 3: ") && words.contains(reason), "\(words)")
    }

    @Test("the columns of kernels before 4.13 are told from today's")
    func oldColumns() {
        let text = "port sta spd dev      socket           local_busid\n0000 004 000 00000000 0000000000000000 0-0\n"
        let error = #expect(throws: VHCIError.self) { try StatusFile.parse(text, name: "status", controller: 0) }
        #expect(error?.description.contains("4.13") == true)
    }

    @Test("one port in two files is an error")
    func twice() {
        let system = FakeSystem()
        system.load(controllers: 2)
        system.write(FakeSystem.title + "\n" + FakeSystem.line("hs", 3, state: 4) + "\n", to: system.statusFile(1))
        let error = #expect(throws: VHCIError.self) { try system.vhci.ports() }
        #expect(error?.description.contains("status.1") == true)
    }

    @Test("random bytes are ports or an error, never a trap")
    func garbage() {
        var random = Sequence(state: 7)
        let alphabet = Array("hs 0123456789-.abcx\n")
        for _ in 0..<2000 {
            let text = String((0..<80).compactMap { _ in alphabet.randomElement(using: &random) })
            _ = try? StatusFile.parse(FakeSystem.title + "\n" + text, name: "status", controller: 0)
            _ = try? StatusFile.parse(text, name: "status", controller: 0)
        }
    }

    /// Numbers that follow from a seed (Knuth's MMIX generator).
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 32
        }
    }

    @Test("without the module there are no ports, and the error says how to load it")
    func absent() {
        let system = FakeSystem()
        #expect(!system.vhci.isLoaded)
        let error = #expect(throws: VHCIError.self) { try system.vhci.ports() }
        #expect(error?.description.contains("sudo modprobe vhci-hcd") == true)
    }
}
