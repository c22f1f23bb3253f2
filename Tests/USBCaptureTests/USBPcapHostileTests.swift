import Testing
import USBCore

@testable import USBCapture

@Suite("USBPcap: hostile bytes")
struct USBPcapHostileTests {
    private let capture: [USBPcapPacket] = [
        .control(0, [0x80, 6, 0, 1, 0, 0, 18, 0]), .control(1, [18, 1, 0], isCompletion: true),
        .control(2, isCompletion: true), .control(0, [0x21, 0x20, 0, 0, 2, 0, 7, 0], irp: 9),
        .control(3, [1, 2], isCompletion: true, irp: 9), USBPcapPacket(endpoint: 0x01, data: [1, 2, 3]),
        USBPcapPacket(isCompletion: true, endpoint: 0x81, transfer: 1, data: [4, 5]),
        USBPcapPacket(function: 10, endpoint: 0x03, transfer: 0, packets: [(0, 0, 0), (2, 0, 0)], data: [1, 2, 3]),
        USBPcapPacket(
            function: 10, isCompletion: true, endpoint: 0x83, transfer: 0, packets: [(0, 2, 0), (2, 1, 0)],
            data: [1, 2, 3]),
    ]

    @Test("Each packet cut at every byte is counted or gives sound events, and others are read")
    func cuts() {
        for (index, packet) in capture.enumerated() {
            let whole = packet.packet
            for count in 0..<whole.bytes.count {
                var packets = capture.map(\.packet)
                packets[index].bytes = Array(whole.bytes.prefix(count))
                packets[index].originalLength = whole.bytes.count
                let decoding = Decoding(USBPcapDecoder(), packets)
                expectSound(decoding, "packet \(index) cut to \(count) bytes")
                if count < 27 { #expect(decoding.malformed == [index + 1]) }
            }
        }
    }

    @Test("Changed bytes give sound events, or none")
    func mutations() {
        for seed in 1...3000 {
            var dice = Dice(UInt64(seed))
            var packets = capture.map(\.packet)
            for _ in 0...Int.random(in: 0...6, using: &dice) {
                let packet = Int.random(in: 0..<packets.count, using: &dice)
                let place = Int.random(in: 0..<packets[packet].bytes.count, using: &dice)
                packets[packet].bytes[place] =
                    [0, 1, 0x7f, 0x80, 0xff, .random(in: 0...255, using: &dice)]
                    .randomElement(using: &dice) ?? 0
            }
            packets.shuffle(using: &dice)
            expectSound(Decoding(USBPcapDecoder(), packets), "seed \(seed)")
        }
    }

    @Test("Transfers that never end do not need more and more memory, and those that wait are given in order")
    func unending() {
        let setup: [UInt8] = [0x21, 0x20, 0, 0, 2, 0, 7, 0]
        let packets = (0..<70_000).map { USBPcapPacket.control(0, setup, irp: UInt64($0 + 1)).packet }
        let decoding = Decoding(USBPcapDecoder(), packets)
        #expect(decoding.events.count == 70_000)
        #expect(decoding.events.map(\.event.number) == Array(1...70_000))
    }
}

@Suite("USBPcap: captures from Windows", .enabled(if: RealCaptures.folder != nil, "there are no real captures here"))
struct USBPcapRealCaptureTests {
    @Test("The Blue Pill on Windows 10: version before 1.5, with one packet for each bulk transfer")
    func bluePill() throws {
        let decoding = Decoding(USBPcapDecoder(), RealCaptures.packets("bluepill-msc-windows.pcapng"))
        #expect(decoding.malformed == [])
        let events = decoding.events.map(\.event)
        // 226 OUT and 258 IN packets, each of which is a whole transfer.
        #expect(events.count { $0.type == .bulk } == 2 * (226 + 258))
        #expect(events.count { $0.type == .control && $0.kind == .submission } == 42)
        #expect(events.count { $0.type == .control && $0.kind == .completion } == 43)
        // Descriptors out of the hub driver's memory.
        let descriptors = decoding.events.filter { $0.event.origin == .injected && $0.event.dataCount > 0 }
        #expect(descriptors.map(\.event.number) == [2, 5, 8])
        #expect(descriptors.map(\.data.count) == [18, 9, 116])
        #expect(descriptors.first?.data.prefix(12) == [18, 1, 0x10, 2, 0xef, 2, 1, 0x40, 9, 0x12, 0x42, 0xdb])
        #expect(events.filter { $0.setup?.request == 0x0b }.map(\.setup?.requestType) == [1, 1])
        // SET_LINE_CODING, whose data USBPcap has on the way back.
        let coding = try #require(decoding.events.first { $0.event.setup?.request == 0x20 })
        #expect(coding.event.number == 234)
        #expect(coding.data.count == 7)
        #expect(!events.contains { $0.isCut })
        // 13 of the OUTs are data, the others commands; each has its status.
        #expect(decoding.events.count { $0.data.starts(with: [0x55, 0x53, 0x42, 0x43]) } == 226 - 13)
        #expect(decoding.events.count { $0.data.starts(with: [0x55, 0x53, 0x42, 0x53]) } == 226 - 13)
    }

    @Test("QEMU's tablet: since 1.5, with descriptors listed as the capture began")
    func tablet() throws {
        let decoding = Decoding(USBPcapDecoder(), RealCaptures.packets("qemu-tablet-windows.pcap"))
        #expect(decoding.malformed == [])
        let events = decoding.events.map(\.event)
        #expect(events.count == 498)
        #expect(events.prefix(6).allSatisfy { $0.origin == .injected })
        #expect(events.dropFirst(6).allSatisfy { $0.origin == .observed && $0.type == .interrupt })
        #expect(decoding.events[3].data.count == 34)
        #expect(events.count { $0.type == .interrupt && $0.kind == .completion && $0.length == 6 } == 246)
        #expect(events[6].kind == .completion, "what it answers came before the capture")
    }
}
