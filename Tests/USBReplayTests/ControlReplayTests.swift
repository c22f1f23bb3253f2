import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("Control requests of a recording")
struct ControlReplayTests {
    private func recording() -> TraceMaker {
        TraceMaker(speed: .full) {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .bulk)
                Endpoint(.out(1), .bulk)
            }
        }
    }

    @Test("a standard request does not overtake one that waits for its recorded time")
    func order() throws {
        let maker = TraceMaker { Interface(0, class: .vendorSpecific) { Endpoint(.in(1), .bulk) } }
        maker.control(.vendorIn(1, 2), answer: [1, 2])
        let (host, device) = try maker.host { $0.timing = .recorded }
        let first = host.submitControl(.vendorIn(1, 2))
        let second = host.submitControl(.descriptor(1, 18))
        let third = host.submitControl(.descriptor(1, 8))
        #expect(host.outcome(first) == nil)
        #expect(host.outcome(second) == nil)
        host.cancel(third)
        #expect(host.outcome(third)?.status == .cancelled)
        host.clock.advance(by: 1_000_000)
        #expect(host.outcome(first)?.data == [1, 2])
        #expect(host.outcome(second)?.data.count == 18)
        let held = host.submitControl(.vendorIn(1, 2))
        let last = host.submitControl(.descriptor(1, 18))
        device.disconnect()
        #expect(host.outcome(held)?.status == .shutdown)
        #expect(host.outcome(last)?.status == .shutdown)
        #expect(host.violations.isEmpty)
    }

    @Test("descriptors are answered with any wLength, in any order, before anything else")
    func descriptors() throws {
        let maker = recording()
        let (host, device) = try maker.host()
        let whole = maker.device.descriptors.configurations[0] ?? []
        #expect(host.control(.descriptor(2, 0xff))?.data == whole)
        #expect(host.control(.descriptor(2, 9))?.data == Array(whole.prefix(9)))
        #expect(host.control(.descriptor(1, 8))?.data == Array(maker.device.descriptors.device.prefix(8)))
        let name = maker.device.descriptors.strings[.init(index: 2, language: 0x0409)]
        #expect(host.control(.descriptor(3, index: 2, language: 0x0409, 255))?.data == name)
        #expect(
            host.control(.descriptor(3, index: 2, language: 0x0407, 255))?.data == name, "in another language's place")
        #expect(host.control(.descriptor(3, index: 9, language: 0x0409, 255))?.status == .stalled)
        #expect(device.report.passed)
        #expect(host.violations.isEmpty)
    }

    @Test("a standard request that the recorded device refused is refused, and one that it took is taken")
    func recordedRefusals() throws {
        let maker = recording()
        maker.control(SetupPacket(requestType: 0x80, request: 6, value: 0x0600, length: 10), status: .stalled)
        maker.control(SetupPacket(requestType: 0x00, request: 3, value: 1), status: .stalled)
        // TEST_MODE, which the kit would refuse.
        maker.control(SetupPacket(requestType: 0x00, request: 3, value: 2, index: 0x0100))
        let (host, device) = try maker.host()
        #expect(host.control(.descriptor(6, 10))?.status == .stalled)
        #expect(host.control(SetupPacket(requestType: 0x00, request: 3, value: 1))?.status == .stalled)
        #expect(
            host.control(SetupPacket(requestType: 0x00, request: 3, value: 2, index: 0x0100))?.status == .success)
        #expect(host.control(SetupPacket(requestType: 0x80, request: 8, length: 1))?.data == [1])
        #expect(device.report.passed)
    }

    @Test("several answers to the same request play in order, and the last one repeats")
    func answersInOrder() throws {
        let maker = recording()
        for state: UInt8 in [0, 0, 1] { maker.control(.vendorIn(7, 4), answer: [state, 0xaa]) }
        let (host, device) = try maker.host()
        #expect((0..<5).map { _ in host.control(.vendorIn(7, 4))?.data.first } == [0, 0, 1, 1, 1])
        #expect(device.report.passed)
        #expect(device.report.endpoints.map(\.notReached) == [0])
    }

    @Test("a shorter wLength cuts the answer, a longer one leaves it short")
    func otherLengths() throws {
        let maker = recording().control(.vendorIn(1, 8), answer: [1, 2, 3, 4, 5, 6, 7, 8])
        let (host, _) = try maker.host()
        #expect(host.control(.vendorIn(1, 3))?.data == [1, 2, 3])
        #expect(host.control(.vendorIn(1, 64))?.data == [1, 2, 3, 4, 5, 6, 7, 8])
    }

    @Test("answers belong to the command that was made before them, in whatever order commands come")
    func protocolInControlTransfers() throws {
        let maker = recording()
        for command: UInt8 in [0x10, 0x20, 0x30] {
            maker.control(.vendorOut(1, 2), [command, 0])
            maker.control(.vendorIn(2, 4), answer: [command, 0x01])
            maker.control(.vendorIn(2, 4), answer: [command, 0x02])
        }
        let (host, device) = try maker.host()
        #expect(host.control(.vendorOut(1, 2), [0x30, 0])?.status == .success)
        #expect(host.control(.vendorIn(2, 4))?.data == [0x30, 0x01])
        #expect(host.control(.vendorOut(1, 2), [0x10, 0])?.status == .success)
        #expect(host.control(.vendorIn(2, 4))?.data.first == 0x30, "what had been answered last: nothing newer is")
        let (again, _) = try maker.host()
        #expect(again.control(.vendorOut(1, 2), [0x10, 0])?.status == .success)
        // Fewer polls than recorded: the next command's answers are the next command's all the same.
        #expect(again.control(.vendorIn(2, 4))?.data == [0x10, 0x01])
        #expect(again.control(.vendorOut(1, 2), [0x20, 0])?.status == .success)
        #expect((0..<3).map { _ in again.control(.vendorIn(2, 4))?.data } == [[0x20, 1], [0x20, 2], [0x20, 2]])
        #expect(device.report.passed)
    }

    @Test("data that differ are taken and reported with packet, bytes and words")
    func otherData() throws {
        let maker = recording().control(.vendorOut(9, 4), [1, 2, 0, 4])
        let (host, device) = try maker.host()
        var told: [Divergence] = []
        device.onDivergence = { told.append($0) }
        #expect(host.control(.vendorOut(9, 4), [1, 2, 1, 4])?.status == .success)
        let divergence = try #require(told.first)
        #expect(divergence.kind == .otherData)
        #expect(divergence.packet == 1)
        #expect(divergence.firstDifference == 2)
        #expect(divergence.expected == [1, 2, 0, 4])
        #expect(divergence.actual == [1, 2, 1, 4])
        #expect(divergence.words.contains("the host wrote 01 where the recording (packet 1) has 00, byte 2 of"))
        #expect(!device.report.passed)
        #expect(device.report.endpoints.first?.diverged == 1)
    }

    @Test("fuzzy lets so many percent of the bytes differ")
    func fuzzy() throws {
        let maker = recording().control(.vendorOut(9, 10), [UInt8](repeating: 0, count: 10))
        let (host, device) = try maker.host { $0.match = .fuzzy(percent: 20) }
        #expect(host.control(.vendorOut(9, 10), [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])?.status == .success)
        #expect(device.report.passed)
        host.control(.vendorOut(9, 10), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
        #expect(device.report.divergenceCount == 1)
    }

    @Test("a vendor request that was never made is refused and reported")
    func unknownRequest() throws {
        let (host, device) = try recording().control(.vendorIn(1, 1), answer: [1]).host()
        #expect(host.control(.vendorIn(2, 1))?.status == .stalled)
        #expect(device.report.divergences.map(\.kind) == [.unexpectedRequest])
        #expect(device.report.divergences.first?.packet == nil)
    }

    @Test("strict wants the recorded order, refuses anything else, and tells what was left out")
    func strict() throws {
        let maker = recording()
        for request: UInt8 in 1...3 { maker.control(.vendorIn(request, 1), answer: [request]) }
        let (host, device) = try maker.host { $0.match = .strict }
        #expect(host.control(.vendorIn(1, 1))?.data == [1])
        #expect(host.control(.descriptor(1, 18))?.status == .success, "standard requests come in any order")
        #expect(host.control(.vendorIn(3, 1))?.status == .stalled)
        #expect(host.control(.vendorIn(2, 1))?.data == [2])
        #expect(device.report.divergences.map(\.kind) == [.otherOrder, .missingRequest])
        #expect(host.control(.vendorIn(3, 1))?.data == [3])
        #expect(device.report.divergences.map(\.kind) == [.otherOrder])
    }

    @Test("what every driver of a class asks is answered by rule and is no divergence")
    func classDefaults() throws {
        let maker = TraceMaker(speed: .full) {
            Interface(0, class: .hid) { Endpoint(.in(1), .interrupt, maxPacketSize: 8, every: .milliseconds(10)) }
        }
        let (host, device) = try maker.host()
        let setIdle = SetupPacket(requestType: 0x21, request: 0x0a, value: 0x0400)
        #expect(host.control(setIdle)?.status == .success)
        #expect(host.control(SetupPacket(requestType: 0xa1, request: 2, length: 1))?.data == [4])
        #expect(device.report.passed)
        #expect(device.report.endpoints.first?.unrecorded ?? 0 >= 2)
    }

    @Test("a recorded stall is a stall, and timing=recorded keeps how long an answer took")
    func latency() throws {
        let maker = recording()
        maker.latency = 40_000_000
        maker.control(.vendorIn(1, 1), answer: [9]).control(.vendorIn(2, 1), status: .stalled)
        let (host, _) = try maker.host { $0.timing = .recorded }
        let id = host.submitControl(.vendorIn(1, 1))
        #expect(host.outcome(id) == nil)
        host.clock.advance(by: 39_999_999)
        #expect(host.outcome(id) == nil)
        host.clock.advance(by: 1)
        #expect(host.outcome(id)?.data == [9])
        let stalled = host.submitControl(.vendorIn(2, 1))
        host.clock.advance(by: 40_000_000)
        #expect(host.outcome(stalled)?.status == .stalled)
        let cancelled = host.submitControl(.vendorIn(1, 1))
        host.cancel(cancelled)
        #expect(host.outcome(cancelled)?.status == .cancelled)
        #expect(host.violations.isEmpty)
    }
}
