import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("A recorded disk")
struct DiskReplayTests {
    private let input = EndpointAddress.in(1)
    private let output = EndpointAddress.out(2)

    private func recording() -> TraceMaker {
        TraceMaker {
            Interface(0, class: .massStorage, subclass: 6, protocol: 0x50) {
                Endpoint(.in(1), .bulk)
                Endpoint(.out(2), .bulk)
            }
        }
    }

    /// A disk of 100 blocks, of which 4 to 7 were read, and 20 was written.
    private func disk() -> TraceMaker {
        let maker = recording()
        maker.command(1, [0x25], answer: [0, 0, 0, 99, 0, 0, 2, 0])
        maker.command(2, read(4, 4), answer: blocks(4, 4))
        maker.command(3, write(20, 1), sent: block(0xaa))
        maker.command(4, read(20, 1), answer: block(0xaa))
        return maker
    }

    private func read(_ first: UInt8, _ count: UInt8) -> [UInt8] { [0x28, 0, 0, 0, 0, first, 0, 0, count, 0] }
    private func write(_ first: UInt8, _ count: UInt8) -> [UInt8] { [0x2a, 0, 0, 0, 0, first, 0, 0, count, 0] }
    private func block(_ value: UInt8) -> [UInt8] { [UInt8](repeating: value, count: 512) }
    private func blocks(_ first: UInt8, _ count: UInt8) -> [UInt8] { (first..<first + count).flatMap { block($0) } }

    @Test("blocks are served at any time, in any order and in other pieces, under the host's own tags")
    func anyOrder() throws {
        let (host, device) = try disk().host()
        #expect(device.knownRanges == [0: 2])
        #expect(host.read(read(6, 1), 512) == .init(block(6), 0))
        #expect(host.read(read(4, 4), 2048) == .init(blocks(4, 4), 0))
        #expect(host.read(read(5, 3), 1536) == .init(blocks(5, 3), 0))
        #expect(host.read([0x25], 8) == .init([0, 0, 0, 99, 0, 0, 2, 0], 0))
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }

    @Test("what the host writes is kept over the recording until the next host")
    func writes() throws {
        let (host, device) = try disk().host()
        #expect(host.write(write(5, 2), block(1) + block(2)) == 0)
        #expect(host.read(read(4, 4), 2048) == .init(block(4) + block(1) + block(2) + block(7), 0))
        #expect(device.report.passed, "other writes are no divergence")
        device.disconnect()
        device.connect()
        device.configure(1)
        #expect(host.read(read(4, 4), 2048) == .init(blocks(4, 4), 0))
    }

    @Test("a READ of which the capture has only a part fails, or is filled with zeros, and is remarked on")
    func cutData() throws {
        let maker = recording()
        maker.command(1, [0x25], answer: [0, 0, 0, 99, 0, 0, 2, 0])
        maker.command(2, read(4, 4), expected: 2048, answer: blocks(4, 2), moved: 2048)
        let (host, device) = try maker.host()
        let failed = host.read(read(4, 4), 2048)
        #expect(failed == .init(blocks(4, 2), 1))
        #expect(device.report.notes.contains { $0.contains("only a part") && $0.contains("(packet ") })
        #expect(host.read(read(4, 2), 1024) == .init(blocks(4, 2), 0))
        let (zeros, _) = try maker.host { $0.missing = .zero }
        #expect(zeros.read(read(4, 4), 2048) == .init(blocks(4, 2) + block(0) + block(0), 0))
    }

    @Test(
        "a capture that cannot be read any more is a medium error, told once, and not the host's",
        arguments: [(UInt8(4), UInt8(4)), (5, 1)])
    func unreadable(first: UInt8, count: UInt8) throws {
        let maker = disk()
        let (host, device) = try maker.host()
        maker.isReadable = false
        #expect(host.write(write(20, 1), block(0xaa)) == 0)
        host.submitOut(output, TraceMaker.wrapper(9, read(first, count), UInt32(count) * 512, isIn: true))
        #expect(host.read(input, Int(count) * 512)?.data.isEmpty == true)
        host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: 0x81))
        let status = host.read(input, 13)?.data ?? []
        #expect(status.last == 1)
        let sense = host.read([3, 0, 0, 0, 18], 18).data
        #expect((sense[2] & 0x0f, sense[12], sense[13]) == (0x03, 0x11, 0x00))
        #expect(device.report.divergences.map(\.kind) == [.unreadable])
        #expect(device.report.divergences.first?.actor == .device)
        #expect(host.violations.isEmpty)
    }

    @Test("what was moved says what a write changed, not how many blocks it named")
    func namedBlocks() throws {
        let maker = recording()
        maker.command(1, [0x28, 0, 0, 0, 1, 44, 0, 0, 1, 0], answer: block(1))
        maker.command(2, [0x2a, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0], expected: 512, sent: block(7))
        maker.command(3, [0x28, 0, 0, 0, 1, 44, 0, 0, 1, 0], answer: block(2))
        let (host, _) = try maker.host()
        let values = (0..<2).map { _ in host.read([0x28, 0, 0, 0, 1, 44, 0, 0, 1, 0], 512).data.first }
        #expect(values == [1, 2], "block 300 was not written, and changed by itself")
    }

    @Test("keyed notes a write with other data, with block and packet, and does not fail")
    func keyedWrites() throws {
        let (host, device) = try disk().host()
        #expect(host.write(write(20, 1), block(0xab)) == 0)
        #expect(device.report.passed)
        #expect(device.report.notes.contains("the host wrote other data than the recorded host at LBA 20 (packet 15)"))
        #expect(device.report.endpoints.first { $0.endpoint == output }?.unrecorded == 1)
    }

    @Test("strict names the packet and byte of a write's data, however the host cuts them")
    func strictBytes() throws {
        let maker = recording()
        maker.command(1, [0x25], answer: [0, 0, 0, 99, 0, 0, 2, 0])
        maker.command(2, write(20, 2), sent: block(1), block(2))
        let second = maker.lastPacket - 3
        var data = block(1) + block(2)
        data[515] = 9
        for cuts in [[1024], [512, 512]] {
            let (host, device) = try maker.host { $0.match = .strict }
            host.submitOut(output, TraceMaker.wrapper(7, write(20, 2), 1024, isIn: false))
            var rest = data[...]
            for count in cuts {
                host.submitOut(output, Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(host.read(input, 13)?.data.last == 0)
            let divergence = try #require(device.report.divergences.first { $0.kind == .otherData })
            #expect(divergence.packet == second)
            #expect(divergence.firstDifference == 3)
            #expect(
                divergence.words.hasPrefix("the host wrote 09 where the recording (packet \(second)) has 02, byte 3"))
        }
    }

    @Test("strict: a command that is not in the recording is a divergence, but for asking whether the disk is ready")
    func strictCommands() throws {
        let (host, device) = try disk().host { $0.match = .strict }
        #expect(host.read([0, 0, 0, 0, 0, 0], 0).status == 0)
        #expect(device.report.divergences.allSatisfy { $0.kind == .missingRequest })
        #expect(host.read(read(6, 1), 512) == .init(block(6), 0))
        let kinds = device.report.divergences.map(\.kind)
        #expect(kinds.filter { $0 == .unexpectedRequest }.count == 1)
    }

    @Test("strict reports a write with other data, with the bytes")
    func strictWrites() throws {
        let (host, device) = try disk().host { $0.match = .strict }
        #expect(host.write(write(20, 1), block(0xaa)) == 0)
        #expect(device.report.divergences.filter { $0.kind == .otherData }.isEmpty)
        let (other, second) = try disk().host { $0.match = .strict }
        #expect(other.write(write(20, 1), block(0xab)) == 0)
        let divergence = try #require(second.report.divergences.first { $0.kind == .otherData })
        #expect(divergence.subject.contains("WRITE"))
        #expect(other.read(read(20, 1), 512) == .init(block(0xab), 0))
    }

    @Test("a block that is not in the recording is a medium error, with sense data that name it, or zeros")
    func missing() throws {
        let (host, device) = try disk().host()
        let failed = host.read(read(6, 4), 2048)
        #expect(failed.data == blocks(6, 2))
        #expect(failed.status == 1)
        let sense = host.read([3, 0, 0, 0, 18], 18).data
        #expect((sense[2], sense[12], sense[13]) == (0x03, 0x11, 0x00))
        #expect(Array(sense[3..<7]) == [0, 0, 0, 8])
        #expect(device.report.notes.contains { $0.contains("block 8") })
        let (zeros, _) = try disk().host { $0.missing = .zero }
        #expect(zeros.read(read(6, 4), 2048) == .init(blocks(6, 2) + block(0) + block(0), 0))
        #expect(zeros.read(read(99, 1), 512) == .init(block(0), 0))
        #expect(zeros.read(read(99, 2), 1024).status == 1, "beyond the disk's end")
    }

    @Test("other commands get their recorded answers in order, the last again, and their sense data")
    func answersByCommand() throws {
        let maker = recording()
        maker.command(1, [0, 0, 0, 0, 0, 0], status: 1)
        maker.command(2, [3, 0, 0, 0, 18], answer: [0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x28, 0, 0, 0, 0, 0])
        maker.command(3, [0, 0, 0, 0, 0, 0])
        maker.command(4, [0x12, 0, 0, 0, 36], answer: [0, 0x80] + [UInt8](repeating: 0x41, count: 34))
        let (host, device) = try maker.host()
        #expect(host.read([0x12, 0, 0, 0, 36], 36).data.count == 36)
        #expect(host.read([0, 0, 0, 0, 0, 0], 0).status == 1)
        #expect(host.read([3, 0, 0, 0, 18], 18).data[12] == 0x28)
        #expect([host.read([0, 0, 0, 0, 0, 0], 0).status, host.read([0, 0, 0, 0, 0, 0], 0).status] == [0, 0])
        #expect(device.report.passed)
    }

    @Test("a command that the recorded disk never got is answered as a disk answers, which is no divergence")
    func unknownCommands() throws {
        let (host, device) = try disk().host()
        #expect(host.read([0xd8, 1], 64).status == 1)
        let sense = host.read([3, 0, 0, 0, 18], 18).data
        #expect((sense[2], sense[12], sense[13]) == (0x05, 0x20, 0x00))
        #expect(host.read([0x1a, 0, 0x3f, 0, 192], 192).status == 0, "MODE SENSE")
        #expect(host.read([0x12, 0, 0, 0, 36], 36).data.count == 36)
        #expect(host.read([0, 0, 0, 0, 0, 0], 0).status == 0)
        #expect(device.report.passed)
        #expect(device.report.notes.contains { $0.contains("answered by rule") })
        #expect(host.control(SetupPacket(requestType: 0xa1, request: 0xfe, length: 1))?.data == [0])
    }

    @Test("short data end as they did: residue, and the recorded stall with its halt")
    func shortData() throws {
        let maker = recording()
        maker.command(1, [0x1a, 0, 0x3f, 0, 192], expected: 192, answer: [3, 0, 0, 0], stalls: true)
        let (host, device) = try maker.host()
        host.submitOut(output, TraceMaker.wrapper(77, [0x1a, 0, 0x3f, 0, 192], 192, isIn: true))
        #expect(host.read(input, 192)?.data == [3, 0, 0, 0])
        #expect(host.read(input, 13)?.status == .stalled)
        host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: 0x81))
        let status = host.read(input, 13)?.data ?? []
        #expect(status == TraceMaker.status(77, residue: 188, 0))
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }

    @Test("a wrapper that makes no sense stalls both ways until the host resets the disk")
    func invalidWrapper() throws {
        let (host, device) = try disk().host()
        #expect(host.write(output, [1, 2, 3])?.status == .stalled)
        #expect(host.read(input, 13)?.status == .stalled)
        host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: 0x81))
        #expect(host.read(input, 13)?.status == .stalled)
        #expect(host.control(SetupPacket(requestType: 0x21, request: 0xff))?.status == .success)
        for endpoint: UInt16 in [0x81, 0x02] {
            host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: endpoint))
        }
        #expect(host.read(read(4, 1), 512) == .init(block(4), 0))
        #expect(!device.report.passed)
    }

    @Test("a disk that changes by itself answers as it did, as long as the host writes what was written")
    func changingBlocks() throws {
        let maker = recording()
        maker.command(1, [0x25], answer: [0, 0, 0, 99, 0, 0, 2, 0])
        for value: UInt8 in [1, 2] { maker.command(2, read(9, 1), answer: block(value)) }
        maker.command(3, write(9, 1), sent: block(7))
        maker.command(4, read(9, 1), answer: block(3))
        let (host, _) = try maker.host()
        #expect((0..<3).map { _ in host.read(read(9, 1), 512).data.first } == [1, 2, 2])
        #expect(host.write(write(9, 1), block(7)) == 0)
        #expect(host.read(read(9, 1), 512).data.first == 3)
        let (other, _) = try maker.host()
        #expect(other.write(write(9, 1), block(8)) == 0)
        #expect(other.read(read(9, 1), 512).data.first == 8)
    }

    @Test("commands and capacities from a hostile capture do no harm")
    func hostile() throws {
        let maker = recording()
        maker.command(1, [0x25], answer: [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3])
        maker.command(
            2, [0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0],
            answer: [UInt8](repeating: 0xff, count: 32))
        let far: [UInt8] = [0x88, 0] + [UInt8](repeating: 0xff, count: 8) + [0xff, 0xff, 0xff, 0xff, 0, 0]
        maker.command(3, far, answer: block(1))
        maker.command(4, [0x8a, 0] + [UInt8](repeating: 0xff, count: 7) + [0, 0, 0, 0, 1, 0, 0], sent: block(1))
        maker.command(5, [0x28], expected: .max, answer: block(1))
        let (host, _) = try maker.host()
        _ = host.read(far, 512)
        _ = host.read([0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff, 0], 512)
        _ = host.write([0x8a, 0] + [UInt8](repeating: 0xff, count: 7) + [0, 0, 0, 0, 1, 0, 0], block(1))
        #expect(host.violations.isEmpty)
    }
}

/// What a command came to.
private struct CommandResult: Equatable {
    var data: [UInt8]
    /// Of the status wrapper; 255 when there was none.
    var status: UInt8

    init(_ data: [UInt8], _ status: UInt8) {
        self.data = data
        self.status = status
    }
}

extension DirectHost {
    /// Carries out a command with data for the host.
    fileprivate func read(_ cdb: [UInt8], _ expected: Int) -> CommandResult {
        submitOut(.out(2), TraceMaker.wrapper(0x1234, cdb, UInt32(expected), isIn: true))
        var data: [UInt8] = []
        if expected > 0 {
            let first = read(.in(1), expected)
            data = first?.data ?? []
            if data.count == 13, data.starts(with: [0x55, 0x53, 0x42, 0x53]) { return CommandResult([], data[12]) }
        }
        let status = read(.in(1), 13)?.data ?? []
        return CommandResult(data, status.count == 13 ? status[12] : 255)
    }

    /// Carries out a command with data from the host.
    fileprivate func write(_ cdb: [UInt8], _ data: [UInt8]) -> UInt8 {
        submitOut(.out(2), TraceMaker.wrapper(0x1234, cdb, UInt32(data.count), isIn: false))
        submitOut(.out(2), data)
        let status = read(.in(1), 13)?.data ?? []
        return status.count == 13 ? status[12] : 255
    }
}

extension TraceMaker {
    static func wrapper(_ tag: UInt32, _ cdb: [UInt8], _ expected: UInt32, isIn: Bool) -> [UInt8] {
        [0x55, 0x53, 0x42, 0x43] + little(tag) + little(expected) + [isIn ? 0x80 : 0, 0, UInt8(cdb.count)] + cdb
            + [UInt8](repeating: 0, count: 16 - cdb.count)
    }

    static func status(_ tag: UInt32, residue: UInt32, _ status: UInt8) -> [UInt8] {
        [0x55, 0x53, 0x42, 0x53] + little(tag) + little(residue) + [status]
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    /// Records a command with its data and status.
    fileprivate func command(
        _ tag: UInt32, _ cdb: [UInt8], expected: UInt32? = nil, sent parts: [UInt8]..., answer: [UInt8] = [],
        moved: Int? = nil, status: UInt8 = 0, stalls: Bool = false
    ) {
        let sent = parts.flatMap { $0 }
        let count = expected ?? UInt32(max(sent.count, answer.count))
        send(2, Self.wrapper(tag, cdb, count, isIn: sent.isEmpty))
        for part in parts { send(2, part) }
        if !answer.isEmpty {
            self.answer(1, answer, asked: Int(count), moved: moved, marks: moved == nil ? [] : .isCut)
        }
        if stalls { self.answer(1, [], asked: 13, status: .stalled) }
        let residue = count - min(count, UInt32(max(sent.count, moved ?? answer.count)))
        self.answer(1, Self.status(tag, residue: residue, status), asked: 13)
    }
}
