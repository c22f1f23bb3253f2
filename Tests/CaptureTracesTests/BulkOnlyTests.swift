import CaptureTraces
import Testing
import USBCapture
import USBCore

@Suite("Mass-storage commands")
struct BulkOnlyTests {
    private let inquiry: [UInt8] = [0x12, 0, 0, 0, 36, 0]
    private let sense: [UInt8] = [0x03, 0, 0, 0, 18, 0]

    private func commands(_ script: Script) throws -> [MassStorageCommand] {
        try BulkOnlyReader.commands(of: script.trace())
    }

    @Test("have a wrapper, data and a status", arguments: [false, true])
    func whole(isDescribed: Bool) throws {
        var script = Script()
        if isDescribed { script.descriptor(2, Samples.storage) }
        script.storage(inquiry, tag: 7, in: [[UInt8](repeating: 1, count: 36)], lun: 2)
        script.storage(Samples.blocks(0x2a, 5, 2), tag: 8, out: [[1, 2], [3]], residue: 1)

        let trace = try script.trace()
        let commands = try BulkOnlyReader.commands(of: trace)
        let first = isDescribed ? 3 : 1
        #expect(commands.map(\.packet) == [first, first + 6])
        #expect(commands.map(\.tag) == [7, 8])
        #expect(commands.map(\.lun) == [2, 0])
        #expect(commands.map(\.cdb) == [inquiry, Samples.blocks(0x2a, 5, 2)])
        #expect(commands.map(\.direction) == [.in, .out])
        #expect(commands.map(\.outcome) == [.passed, .passed])
        #expect(commands.map(\.residue) == [0, 1])
        #expect(commands.map(\.moved) == [36, 3])
        #expect(try commands[1].data.map { try trace.bytes($0) } == [[1, 2], [3]])
        #expect(try BulkOnlyReader.pipes(of: trace).map(\.interface) == [isDescribed ? 0 : nil])
    }

    @Test("that fail have the sense data which the host asks for next")
    func failure() throws {
        var script = Script()
        script.storage(inquiry, tag: 1, status: 1)
        script.storage(sense, tag: 2, in: [[0x70, 0, 5]])
        script.storage(sense, tag: 3, in: [[0x70, 0, 6]])
        let commands = try commands(script)
        #expect(commands.map(\.outcome) == [.failed, .passed, .passed])
        #expect(commands.map(\.sense) == [[0x70, 0, 5], [], []])
    }

    @Test("that fail have no more sense data than a device can have")
    func longSense() throws {
        var script = Script()
        script.storage(inquiry, tag: 1, status: 1)
        script.storage(sense, tag: 2, in: [[0x70, 0, 5] + [UInt8](repeating: 1, count: 1000)])
        #expect(try commands(script).first?.sense == [0x70, 0, 5] + [UInt8](repeating: 1, count: 249))
    }

    @Test("can end with a phase error, a strange status, another's tag, or not at all")
    func outcomes() throws {
        var script = Script()
        script.storage(inquiry, tag: 1, status: 2)
        script.storage(inquiry, tag: 2, status: 9)
        script.output(1, Samples.command(inquiry, tag: 3, expected: 0, isIn: true))
        script.input(2, Samples.status(77))
        script.storage(inquiry, tag: 4, status: nil)
        script.storage(inquiry, tag: 5, status: nil)
        #expect(
            try commands(script).map(\.outcome) == [.phaseError, .invalidStatus, .invalidStatus, .missing, .missing])
    }

    @Test("may be answered with STALL before their status")
    func stall() throws {
        var script = Script()
        script.output(1, Samples.command(inquiry, tag: 1, expected: 36, isIn: true))
        script.input(2, [], requested: 36, status: .stalled)
        script.control(SetupPacket(requestType: 2, request: 1, value: 0, index: 0x82))
        script.input(2, Samples.status(1, 1, residue: 36))
        let command = try #require(try commands(script).first)
        #expect(command.isStalled)
        #expect(command.outcome == .failed)
        #expect(command.moved == 0)
    }

    @Test("take data that look like a status, or like a wrapper, for data")
    func impostors() throws {
        var script = Script()
        script.storage(inquiry, tag: 1, in: [Samples.status(99), [UInt8](repeating: 0, count: 20)])
        script.storage(
            Samples.blocks(0x2a, 0, 1), tag: 2, out: [Samples.command(inquiry, tag: 9, expected: 0, isIn: true)])
        let commands = try commands(script)
        #expect(commands.map(\.tag) == [1, 2])
        #expect(commands.map(\.moved) == [33, 31])
        #expect(commands.map(\.outcome) == [.passed, .passed])
    }

    @Test("whose beginning the capture does not have are left out")
    func middle() throws {
        var script = Script()
        script.descriptor(2, Samples.storage)
        script.input(2, [1, 2, 3])
        script.input(2, Samples.status(5))
        script.storage(inquiry, tag: 6, in: [[1]])
        #expect(try commands(script).map(\.tag) == [6])
    }

    @Test("survive a capture that is cut anywhere")
    func cut() throws {
        var script = Script()
        script.descriptor(2, Samples.storage)
        script.storage(inquiry, tag: 1, in: [[1, 2, 3]])
        script.storage(Samples.blocks(0x2a, 0, 1), tag: 2, out: [[UInt8](repeating: 5, count: 512)], status: 1)
        script.storage(sense, tag: 3, in: [[0x70]])
        for count in 2...script.events.count {
            for first in 0..<count {
                var part = script
                part.events = [CapturedEventWithData](script.events[first..<count])
                for trace in try part.traces() {
                    let commands = try BulkOnlyReader.commands(of: trace)
                    #expect(commands.count <= 3)
                    #expect(commands.allSatisfy { $0.data.count == $0.moves.count })
                    if !commands.isEmpty { _ = try DiskImage(trace).known(.final) }
                }
            }
        }
    }

    private typealias CapturedEventWithData = (event: CapturedEvent, data: [UInt8])

    @Test(
        "are in the real captures as often as they were counted there", .enabled(if: Captures.isThere, Captures.reason))
    func real() throws {
        for (name, ids, reads, writes) in [
            ("bluepill-msc-linux.pcapng", "1209:db42", 43, 2), ("bluepill-msc-windows.pcapng", "1209:db42", 17, 13),
            ("usbip-kernel-stub.pcapng", "1", 9, 1),
        ] {
            let trace = try TraceLoader.loadOne(
                path: Captures.path(name), choice: .parse(ids), descriptors: nil
            ).trace
            let commands = try BulkOnlyReader.commands(of: trace)
            #expect(commands.filter { $0.opcode == 0x28 }.count == reads, "\(name)")
            #expect(commands.filter { $0.opcode == 0x2a }.count == writes, "\(name)")
            #expect(commands.filter { $0.opcode == 0x28 }.allSatisfy { $0.outcome == .passed }, "\(name)")
            #expect(commands.allSatisfy { $0.outcome == .passed || $0.opcode == 0x1e }, "\(name)")
        }
    }
}
