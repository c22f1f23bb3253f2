import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("Bulk and interrupt endpoints of a recording")
struct PipeReplayTests {
    private let input = EndpointAddress.in(1)
    private let output = EndpointAddress.out(1)

    private func recording() -> TraceMaker {
        TraceMaker {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .bulk)
                Endpoint(.out(1), .bulk)
            }
        }
    }

    private func questions() -> TraceMaker {
        recording().answer(1, [0xff]).send(1, [1]).answer(1, [0x11]).answer(1, [0x12]).send(1, [2]).answer(1, [0x21])
    }

    @Test("what came before the first question is there at once, then each question makes its answers available")
    func released() throws {
        let (host, device) = try questions().host()
        #expect(host.read(input, 512)?.data == [0xff])
        let early = host.submitIn(input, 512)
        #expect(host.outcome(early) == nil, "NAK: nobody has asked yet")
        #expect(host.write(output, [1])?.status == .success)
        #expect(host.outcome(early)?.data == [0x11])
        #expect(host.write(output, [2])?.status == .success)
        #expect(host.read(input, 512)?.data == [0x12], "not lost, though the next question came before it was fetched")
        #expect(host.read(input, 512)?.data == [0x21])
        #expect(host.read(input, 512) == nil)
        #expect(device.report.passed)
        #expect(device.report.endpoints.allSatisfy { $0.notReached == 0 && $0.diverged == 0 })
        #expect(host.violations.isEmpty)
    }

    @Test("empty answers that were asked for with no room end a transfer each, in a loop as well")
    func emptyAnswers() throws {
        let maker = TraceMaker { Interface(0, class: .vendorSpecific) { Endpoint(.in(1), .bulk) } }
        for _ in 0..<5 { maker.answer(1, [], asked: 0) }
        let (host, device) = try maker.host { $0.loops = true }
        for _ in 0..<12 {
            let completion = try #require(host.read(input, 512))
            #expect(completion.status == .success)
            #expect(completion.data.isEmpty)
        }
        #expect(device.report.endpoints.first { $0.endpoint == input }?.matched == 12)
    }

    @Test("what is taken back before its recorded time has come has not reached the device")
    func takenBackInTime() throws {
        let (host, device) = try questions().host { $0.timing = .recorded }
        let id = host.submitOut(output, [1])
        #expect(host.outcome(id) == nil)
        host.cancel(id)
        #expect(host.outcome(id)?.status == .cancelled)
        let again = host.submitOut(output, [1])
        let after = host.submitOut(output, [2])
        host.clock.advance(by: 1_000_000)
        #expect(host.outcome(again)?.status == .success)
        #expect(host.outcome(after)?.status == .success)
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }

    @Test("a bus reset forgets what had gone of an answer, and keeps the place in the recording")
    func busReset() throws {
        let (host, device) = try recording().answer(1, [1]).answer(1, [2, 3, 4]).host()
        #expect(host.read(input, 512)?.data == [1])
        #expect(host.read(input, 2)?.data == [2, 3])
        device.reset(.inferred)
        device.configure(1)
        #expect(host.read(input, 512)?.data == [2, 3, 4])
    }

    @Test("a waiting transfer can be taken back, and the answer goes to the next")
    func cancelled() throws {
        let (host, _) = try questions().host()
        _ = host.read(input, 512)
        let id = host.submitIn(input, 512)
        host.cancel(id)
        #expect(host.outcome(id)?.status == .cancelled)
        host.write(output, [1])
        #expect(host.read(input, 512)?.data == [0x11])
    }

    @Test("keyed: a question from further on is found, its answers follow, and what was left out is told")
    func skippedAhead() throws {
        let (host, device) = try questions().host()
        _ = host.read(input, 512)
        #expect(host.write(output, [2])?.status == .success)
        #expect(host.read(input, 512)?.data == [0x21])
        #expect(device.report.divergences.map(\.kind) == [.otherOrder])
        #expect(device.report.divergences.first?.detail == "1 recorded transfer was left out")
    }

    @Test("keyed: a question that differs is taken, reported, and answered as the one in its place")
    func differingQuestion() throws {
        let (host, device) = try questions().host()
        _ = host.read(input, 512)
        #expect(host.write(output, [0x77])?.status == .success)
        #expect(host.read(input, 512)?.data == [0x11])
        let divergence = try #require(device.report.divergences.first)
        #expect(divergence.kind == .otherData)
        #expect(divergence.packet == 3)
        #expect((divergence.expected, divergence.actual) == ([1], [0x77]))
        #expect(host.write(output, [2, 2])?.status == .success)
        #expect(device.report.divergences.last?.kind == .otherLength)
        host.write(output, [3])
        #expect(device.report.divergences.last?.kind == .unexpectedRequest)
    }

    @Test("strict: a question that differs is refused with a halt, and the right one is still expected")
    func strict() throws {
        let (host, device) = try questions().host { $0.match = .strict }
        _ = host.read(input, 512)
        #expect(host.write(output, [2])?.status == .stalled)
        #expect(host.write(output, [1])?.status == .stalled, "halted")
        host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: 1))
        #expect(host.write(output, [1])?.status == .success)
        #expect(host.read(input, 512)?.data == [0x11])
        #expect(device.report.divergences.first?.kind == .otherData)
    }

    @Test("an answer is cut into transfers of any size, and joined where the recorded host's were full")
    func otherSizes() throws {
        let long = (0..<1300).map { UInt8(truncatingIfNeeded: $0) }
        let cut = recording().answer(1, long, asked: 4096)
        let (small, _) = try cut.host()
        #expect(small.read(input, 512)?.data == Array(long[..<512]))
        #expect(small.read(input, 512)?.data == Array(long[512..<1024]))
        #expect(small.read(input, 512)?.data == Array(long[1024...]))
        #expect(small.read(input, 512) == nil)
        let joined = recording()
        for part in [long[..<512], long[512..<1024], long[1024...]] { joined.answer(1, Array(part)) }
        let (large, device) = try joined.answer(1, [7]).host()
        #expect(large.read(input, 4096)?.data == long, "a short packet ends the transfer")
        #expect(large.read(input, 4096)?.data == [7])
        #expect(device.report.endpoints.first { $0.endpoint == input }?.matched == 4)
    }

    @Test("an answer that ended with an empty packet ends so for a host whose room it fills")
    func emptyPacket() throws {
        let block = [UInt8](repeating: 5, count: 512)
        let (host, _) = try recording().answer(1, block, asked: 4096).answer(1, [1], asked: 4096).host()
        #expect(host.read(input, 512)?.data == block)
        #expect(host.read(input, 512)?.actualLength == 0)
        #expect(host.read(input, 512)?.data == [1])
    }

    @Test("a recorded stall halts the endpoint until the host clears it")
    func stalls() throws {
        let maker = recording().send(1, [1]).answer(1, [], status: .stalled).answer(1, [8]).send(
            1, [2], status: .stalled)
        let (host, device) = try maker.host()
        host.write(output, [1])
        let (first, second) = (host.submitIn(input, 512), host.submitIn(input, 512))
        #expect([first, second].map { host.outcome($0)?.status } == [.stalled, .stalled])
        let status = SetupPacket(requestType: 0x82, request: 0, index: 0x81, length: 2)
        #expect(host.control(status)?.data == [1, 0])
        host.control(SetupPacket(requestType: 0x02, request: 1, value: 0, index: 0x81))
        #expect(host.control(status)?.data == [0, 0])
        #expect(host.read(input, 512)?.data == [8])
        #expect(host.write(output, [2])?.status == .stalled)
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }

    @Test("what the recorded host took back is never an answer")
    func takenBack() throws {
        let maker = recording().answer(1, [], status: .cancelled, marks: .isCancelled)
            .answer(1, [], status: TransferStatus(rawValue: -2)).answer(1, [3])
        let (host, _) = try maker.host()
        #expect(host.read(input, 512)?.data == [3])
        #expect(host.read(input, 512) == nil)
    }

    @Test("data that the capture cut are padded with zeros, and the report says so")
    func cutData() throws {
        let (host, device) = try recording().answer(1, [1, 2], moved: 6, marks: .isCut).host()
        #expect(host.read(input, 512)?.data == [1, 2, 0, 0, 0, 0])
        #expect(device.report.notes.contains { $0.contains("only a part") })
        #expect(device.report.passed)
    }

    @Test("a new host finds the recording at its beginning; loop begins again for the same one")
    func beginsAgain() throws {
        let maker = recording().send(1, [1]).answer(1, [0x11])
        let (host, device) = try maker.host()
        for _ in 0..<2 {
            host.write(output, [1])
            #expect(host.read(input, 512)?.data == [0x11])
            device.disconnect()
            device.connect()
            device.configure(1)
        }
        #expect(device.report.passed)
        let (looping, loop) = try maker.host { $0.loops = true }
        for _ in 0..<3 {
            looping.write(output, [1])
            #expect(looping.read(input, 512)?.data == [0x11])
        }
        #expect(loop.report.passed)
    }

    @Test("endpoints of other numbers in one interface belong together; those of another interface do not")
    func groups() throws {
        let maker = TraceMaker {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.out(1), .bulk)
                Endpoint(.in(2), .bulk)
            }
            Interface(1, class: .vendorSpecific) {
                Endpoint(.out(3), .bulk)
                Endpoint(.in(3), .bulk)
            }
        }
        maker.send(1, [1]).send(3, [9]).answer(2, [0x12]).answer(3, [0x93])
        let (host, device) = try maker.host()
        #expect(host.read(.in(2), 512) == nil)
        host.write(.out(3), [9])
        #expect(host.read(.in(3), 512)?.data == [0x93])
        #expect(host.waiting.count == 1)
        host.write(.out(1), [1])
        #expect(host.completions.last?.data == [0x12])
        #expect(device.report.passed)
    }

    @Test("timing=recorded keeps an answer back as long as the question was away from it")
    func recordedTiming() throws {
        let maker = recording().send(1, [1])
        maker.time += 30_000_000
        maker.answer(1, [5])
        let (host, _) = try maker.host { $0.timing = .recorded }
        let sent = host.submitOut(output, [1])
        host.clock.advance(by: 250_000)
        #expect(host.outcome(sent)?.status == .success)
        let id = host.submitIn(input, 512)
        host.clock.advance(by: 30_000_000)
        #expect(host.outcome(id) == nil)
        host.clock.advance(by: 2_000_000)
        #expect(host.outcome(id)?.data == [5])
    }
}
