import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Source and sink: isochronous")
struct IsochronousTests {
    private func host(
        _ pattern: TestPattern, _ change: (inout ZeroGadget.Configuration) -> Void = { _ in }
    ) throws -> (ZeroHost, IsochronousHost) {
        var configuration = ZeroGadget.Configuration()
        configuration.pattern = pattern
        change(&configuration)
        let zero = try ZeroHost(ZeroGadget(configuration), configuration: 3)
        try zero.select(1)
        return (zero, IsochronousHost(zero))
    }

    @Test("the source fills each packet from its first byte")
    func source() throws {
        let (zero, host) = try host(.mod63)
        let lengths = [1_024, 1, 0, 512, 1_023]
        let read = try #require(host.read(.in(2), lengths))
        #expect(read.status == .success && read.data == lengths.flatMap { mod63($0, packet: 1_024) })
        #expect(read.packets.map { Int($0.actualLength) } == lengths)
        #expect(read.packets.allSatisfy { $0.status == .success })
        let counts = try zero.counts(.in(2))
        #expect(counts.transfers == 1 && counts.packets == 5 && counts.bytes == UInt64(lengths.reduce(0, +)))
    }

    @Test("the counter numbers each packet, across transfers, until a setting is selected")
    func counter() throws {
        let (zero, host) = try host(.counter)
        func numbers() throws -> [UInt8] {
            let read = try #require(host.read(.in(2), [16, 16, 16]))
            return stride(from: 0, to: 48, by: 16).map { read.data[$0] }
        }
        #expect(try numbers() == [0, 1, 2])
        #expect(try numbers() == [3, 4, 5])
        let read = try #require(host.read(.in(2), [12]))
        #expect(read.data == [6, 0, 0, 0, 0, 0, 0, 0, 8, 9, 10, 11])
        try zero.select(1)
        #expect(try numbers() == [0, 1, 2])
    }

    @Test("a packet holds no more than what an interval carries")
    func capacity() throws {
        let (_, plain) = try host(.zeros)
        #expect(plain.read(.in(2), [5_000, 5_000])?.packets.map(\.actualLength) == [1_024, 1_024])
        let (_, triple) = try host(.mod63) { $0.isochronous.transactions = 3 }
        let read = try #require(triple.read(.in(2), [3_072, 5_000]))
        #expect(read.packets.map(\.actualLength) == [3_072, 3_072])
        // wMaxPacketSize is 0x1400 with its bits for three transactions, so the pattern runs through, as in Linux.
        #expect(read.data == mod63(3_072, packet: 0x1400) + mod63(3_072, packet: 0x1400))
        let (_, burst) = try host(.mod63) {
            $0.speed = .super
            $0.isochronous.burst = 15
            $0.isochronous.mult = 2
        }
        #expect(burst.read(.in(2), [49_152])?.data == mod63(49_152, packet: 1_024))
        let (_, full) = try host(.mod63) { $0.speed = .full }
        #expect(full.read(.in(2), [1_023, 2_000])?.packets.map(\.actualLength) == [1_023, 1_023])
    }

    @Test("the sink takes every packet whatever is in it, and counts those that are wrong")
    func sink() throws {
        let (zero, host) = try host(.mod63)
        let good = mod63(1_024, packet: 1_024)
        let write = try #require(host.write(.out(2), [good, numbered(100, from: 9), [], good]))
        #expect(write.status == .success && write.actualLength == 2_148)
        #expect(write.packets.map(\.actualLength) == [1_024, 100, 0, 1_024])
        #expect(write.packets.allSatisfy { $0.status == .success })
        #expect(try zero.counts(.out(2)) == counts(transfers: 1, packets: 4, bytes: 2_148, mismatches: 1))
        #expect(!zero.isHalted(.out(2)))
        #expect(host.write(.out(2), [good])?.status == .success)
    }

    @Test("thousands of packets that share one long run of bytes are not looked at beyond their capacity")
    func overlapping() throws {
        let (zero, host) = try host(.mod63)
        let bytes = mod63(1_024, packet: 1_024) + numbered(1 << 19)
        #expect(host.writeOverlapping(.out(2), bytes, packets: 1_000)?.status == .success)
        #expect(try zero.counts(.out(2)).mismatches == 0, "the wrong bytes are beyond what a packet can carry")
    }

    private func counts(transfers: UInt64, packets: UInt64, bytes: UInt64, mismatches: UInt64) -> EndpointCounts {
        var counts = EndpointCounts()
        (counts.transfers, counts.packets, counts.bytes, counts.mismatches) = (transfers, packets, bytes, mismatches)
        return counts
    }
}
