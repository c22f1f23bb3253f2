import CaptureTraces
import DirectHost
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBReplay

@Suite("Recordings and hosts that make no sense")
struct HostileReplayTests {
    @Test("neither traps nor breaks a law of transfers", arguments: UInt64(0)..<40)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let maker = Self.recording(&generator)
        var settings = ReplaySettings()
        settings.match = [.keyed, .strict, .fuzzy(percent: 30)].randomElement(using: &generator) ?? .keyed
        settings.timing = [.usual, .recorded, .fast, .scaled(.nan)].randomElement(using: &generator) ?? .usual
        settings.missing = Bool.random(using: &generator) ? .stall : .zero
        settings.loops = Bool.random(using: &generator)
        let device = try ReplayDevice(maker.trace, settings)
        let host = DirectHost(device)
        device.configure(1)
        for _ in 0..<400 { Self.act(host, &generator) }
        for id in host.waiting { host.cancel(id) }
        device.disconnect()
        #expect(host.waiting.isEmpty)
        #expect(host.violations.isEmpty)
        let report = device.report
        #expect(report.divergences.count <= ReplayReport.divergenceLimit)
        #expect(report.endpoints.allSatisfy { $0.notReached >= 0 })
        _ = report.junit(name: "hostile")
    }

    private static let endpoints: [UInt8] = [1, 2, 3]

    private static func recording(_ generator: inout SeededGenerator) -> TraceMaker {
        let maker = TraceMaker {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .bulk)
                Endpoint(.out(1), .bulk)
            }
            Interface(1, class: .massStorage, subclass: 6, protocol: 0x50) {
                Endpoint(.in(2), .bulk)
                Endpoint(.out(2), .bulk)
            }
            Interface(2, class: .hid) { Endpoint(.in(3), .interrupt, maxPacketSize: 8, every: .milliseconds(8)) }
        }
        for _ in 0..<Int.random(in: 0...120, using: &generator) {
            maker.time =
                [maker.time, 0, .max, .min, Int64(bitPattern: generator.next())].randomElement(
                    using: &generator) ?? 0
            maker.latency = [0, 1000, .max, .min].randomElement(using: &generator) ?? 0
            let status =
                [TransferStatus.success, .success, .success, .stalled, .cancelled, .overflow, .protocolError]
                .randomElement(using: &generator) ?? .success
            let marks = TracedTransfer.Marks(rawValue: UInt8.random(in: 0...47, using: &generator) & 0x2f)
            let bytes = generator.bytes(Int.random(in: 0...40, using: &generator))
            let moved = Bool.random(using: &generator) ? nil : Int.random(in: 0...100_000, using: &generator)
            switch Int.random(in: 0...5, using: &generator) {
            case 0: maker.control(.vendorIn(generator.bytes(1)[0] & 3, 16), answer: bytes, status: status)
            case 1: maker.control(.vendorOut(generator.bytes(1)[0] & 3, UInt16(bytes.count)), bytes, status: status)
            case 2: maker.send(1, bytes, status: status, marks: marks)
            case 3: maker.send(2, command(&generator), status: status)
            case 4: maker.answer(3, bytes, .interrupt, asked: 8, status: status, moved: moved, marks: marks)
            default:
                let status = TraceMaker.status(UInt32(generator.bytes(1)[0] & 3), residue: 9, generator.bytes(1)[0] & 3)
                maker.answer(
                    [1, 2].randomElement(using: &generator) ?? 1, Bool.random(using: &generator) ? bytes : status,
                    asked: Int.random(in: 0...600, using: &generator), moved: nil, marks: marks)
            }
        }
        return maker
    }

    private static func command(_ generator: inout SeededGenerator) -> [UInt8] {
        let opcode = [0x00, 0x03, 0x12, 0x1a, 0x25, 0x28, 0x2a, 0x35, 0x41, 0x88, 0x9e, 0xd0].randomElement(
            using: &generator)
        let cdb = [UInt8(opcode ?? 0)] + generator.bytes(Int.random(in: 0...15, using: &generator)).map { $0 & 3 }
        let lengths: [UInt32] = [0, 8, 36, 512, .max]
        let expected = lengths.randomElement(using: &generator) ?? 0
        let tag = UInt32(generator.bytes(1)[0] & 3)
        return TraceMaker.wrapper(tag, cdb, expected, isIn: Bool.random(using: &generator))
    }

    private static func act(_ host: DirectHost, _ generator: inout SeededGenerator) {
        let bytes = generator.bytes(Int.random(in: 0...40, using: &generator))
        let endpoint = endpoints.randomElement(using: &generator) ?? 1
        switch Int.random(in: 0...9, using: &generator) {
        case 0: host.submitControl(.vendorIn((bytes.first ?? 0) & 3, UInt16.random(in: 0...99, using: &generator)))
        case 1: host.submitControl(.vendorOut(generator.bytes(1)[0] & 3, UInt16(bytes.count)), bytes)
        case 2: host.submitOut(.out(min(endpoint, 2)), bytes)
        case 3: host.submitOut(.out(2), command(&generator))
        case 4, 5, 6: host.submitIn(.in(endpoint), Int.random(in: 0...600, using: &generator))
        case 7:
            let halt = UInt16(endpoint) | (Bool.random(using: &generator) ? 0x80 : 0)
            host.submitControl(SetupPacket(requestType: 0x02, request: 1, value: 0, index: halt))
            host.submitControl(SetupPacket(requestType: 0x21, request: 0xff, index: 1))
        case 8: host.clock.advance(by: UInt64.random(in: 0...5_000_000_000, using: &generator))
        default: if let id = host.waiting.randomElement(using: &generator) { host.cancel(id) }
        }
    }
}
