import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBGadgetZero

@Suite("Source and sink: bulk and interrupt")
struct SourceSinkTests {
    /// Around packets of 512 bytes, and around the sizes at which the source's memory grows and ends.
    static let lengths = [
        0, 1, 7, 8, 9, 62, 63, 64, 511, 512, 513, 1_023, 1_024, 1_025, 16_383, 16_384, 16_385, 65_536,
        (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 511,
    ]

    @Test("the source fills every transfer at once: zeros", arguments: [TestPattern.zeros, .none])
    func zeros(_ pattern: TestPattern) throws {
        let zero = try ZeroHost(pattern)
        for length in Self.lengths {
            let read = try #require(zero.host.read(.in(1), length))
            #expect(read.status == .success && read.data == [UInt8](repeating: 0, count: length), "\(length) bytes")
        }
        #expect(zero.host.violations.isEmpty)
    }

    @Test("the source fills every transfer at once: index within the packet modulo 63")
    func mod63Source() throws {
        let zero = try ZeroHost(.mod63)
        for length in Self.lengths + Self.lengths.reversed() {
            let read = try #require(zero.host.read(.in(1), length))
            #expect(read.status == .success && read.data == mod63(length, packet: 512), "\(length) bytes")
        }
    }

    @Test(
        "mod 63 begins anew with each packet of the endpoint's size", arguments: [8, 16, 32, 64] as [UInt16])
    func fullSpeedPackets(packet: UInt16) throws {
        var configuration = ZeroGadget.Configuration()
        configuration.speed = .full
        configuration.pattern = .mod63
        configuration.bulk.packetSize = packet
        let zero = try ZeroHost(ZeroGadget(configuration), configuration: 3)
        #expect(zero.host.read(.in(1), 40_000)?.data == mod63(40_000, packet: Int(packet)))
        #expect(zero.host.write(.out(1), mod63(40_000, packet: Int(packet)))?.actualLength == 40_000)
        #expect(!zero.isHalted(.out(1)))
    }

    @Test("the interrupt source goes by the interrupt endpoint's packets, however long the transfer")
    func interruptSource() throws {
        let zero = try ZeroHost(.mod63, alternate: 2)
        for length in [0, 1, 63, 64, 65, 1_024] {
            #expect(zero.host.read(.in(3), length)?.data == mod63(length, packet: 64), "\(length) bytes")
        }
    }

    @Test("the counter numbers each transfer from 0, little-endian, and goes on in mod 63")
    func counter() throws {
        let zero = try ZeroHost(.counter)
        for (number, length) in [64, 8, 9, 1 << 20, (2 << 20) + 5, 512].enumerated() {
            var expected = mod63(length, packet: 512)
            for index in 0..<8 { expected[index] = index == 0 ? UInt8(number) : 0 }
            #expect(zero.host.read(.in(1), length)?.data == expected, "transfer \(number)")
        }
        #expect(zero.host.read(.in(1), 3)?.data == [6, 0, 0], "as much of the number as there is room for")
        #expect(zero.host.read(.in(1), 0)?.data == [])
        #expect(zero.host.read(.in(1), 1)?.data == [8])
        for _ in 0..<300 { zero.host.submitIn(.in(1), 8) }
        #expect(zero.host.read(.in(1), 8)?.data == [0x35, 1, 0, 0, 0, 0, 0, 0], "309")
        try zero.select(0)
        #expect(zero.host.read(.in(1), 1)?.data == [0], "selecting a setting begins anew")
    }

    @Test("the sink takes what the pattern says", arguments: [TestPattern.zeros, .mod63])
    func goodData(_ pattern: TestPattern) throws {
        let zero = try ZeroHost(pattern)
        for length in Self.lengths {
            let bytes = pattern == .mod63 ? mod63(length, packet: 512) : [UInt8](repeating: 0, count: length)
            let write = try #require(zero.host.write(.out(1), bytes))
            #expect(write.status == .success && write.actualLength == length, "\(length) bytes")
        }
        let counts = try zero.counts(.out(1))
        #expect(counts.transfers == UInt64(Self.lengths.count) && counts.mismatches == 0)
        #expect(counts.bytes == UInt64(Self.lengths.reduce(0, +)))
    }

    @Test(
        "one wrong byte anywhere halts the sink: that transfer ends well and the next is stalled",
        arguments: [TestPattern.zeros, .mod63], [0, 511, 512, 16_383, 16_384, 99_999])
    func badData(_ pattern: TestPattern, place: Int) throws {
        let zero = try ZeroHost(pattern)
        let good = pattern == .mod63 ? mod63(100_000, packet: 512) : [UInt8](repeating: 0, count: 100_000)
        var bad = good
        bad[place] ^= 0x40
        #expect(zero.host.write(.out(1), bad)?.status == .success)
        #expect(zero.host.write(.out(1), good)?.status == .stalled)
        #expect(zero.isHalted(.out(1)) && !zero.isHalted(.in(1)))
        #expect(try zero.counts(.out(1)).mismatches == 1)
        #expect(zero.host.control(.clearHalt(.out(1)))?.status == .success)
        #expect(zero.host.write(.out(1), good)?.status == .success, "the halt can be cleared")
    }

    @Test("the interrupt sink checks and halts as the bulk one does")
    func interruptSink() throws {
        let zero = try ZeroHost(.mod63, alternate: 2)
        #expect(zero.host.write(.out(3), mod63(200, packet: 64))?.actualLength == 200)
        #expect(zero.host.write(.out(3), mod63(200, packet: 512))?.status == .success)
        #expect(zero.isHalted(.out(3)) && !zero.isHalted(.out(1)))
    }

    @Test("without a checked pattern the sink takes anything", arguments: [TestPattern.none, .counter])
    func anything(_ pattern: TestPattern) throws {
        let zero = try ZeroHost(pattern, alternate: 2)
        for endpoint in [EndpointAddress.out(1), .out(3)] {
            #expect(zero.host.write(endpoint, numbered(70_000))?.actualLength == 70_000)
            #expect(try zero.counts(endpoint).mismatches == 0)
            #expect(!zero.isHalted(endpoint))
        }
    }

    @Test("every data endpoint can be halted and cleared by the host", arguments: [1, 3] as [UInt8])
    func halts(number: UInt8) throws {
        let zero = try ZeroHost(alternate: 2)
        for endpoint in [EndpointAddress.in(number), .out(number)] {
            func move() -> TransferStatus? {
                endpoint.direction == .in
                    ? zero.host.read(endpoint, 512)?.status
                    : zero.host.write(endpoint, [UInt8](repeating: 0, count: 512))?.status
            }
            #expect(move() == .success && !zero.isHalted(endpoint))
            #expect(zero.host.control(.halt(endpoint))?.status == .success)
            #expect(zero.isHalted(endpoint) && move() == .stalled && move() == .stalled)
            #expect(zero.host.control(.clearHalt(endpoint))?.status == .success)
            #expect(move() == .success && !zero.isHalted(endpoint))
        }
    }

    @Test("endpoints exist in the alternate setting that has them and nowhere else")
    func settings() throws {
        let zero = try ZeroHost()
        func exist(_ alternate: UInt16) throws -> [Bool] {
            try zero.select(alternate)
            return [EndpointAddress.in(1), .in(2), .in(3), .out(1), .out(2), .out(3)].map {
                zero.device.transferType(of: $0) != nil
            }
        }
        #expect(try exist(0) == [true, false, false, true, false, false])
        #expect(try exist(1) == [true, true, false, true, true, false])
        #expect(try exist(2) == [true, false, true, true, false, true])
        #expect(zero.host.control(.setInterface(3))?.status == .stalled)
    }

    @Test("a host that submits the next transfer from each completion gets every one, in order")
    func nested() throws {
        let zero = try ZeroHost(.counter)
        var left = 200
        zero.host.onCompletion = { completion in
            guard completion.endpoint == .in(1), left > 0 else { return }
            left -= 1
            zero.host.submitIn(.in(1), left % 2 == 0 ? 64 : 20_000)
        }
        zero.host.submitIn(.in(1), 8)
        zero.host.onCompletion = nil
        let numbers = zero.host.completions.filter { $0.endpoint == .in(1) }.map { Int($0.data[0]) }
        #expect(numbers == (0...200).map { $0 })
    }

    @Test("cancelling what has been answered means nothing, and nothing ever waits")
    func cancel() throws {
        let zero = try ZeroHost(alternate: 2)
        let ids = [zero.host.submitIn(.in(1), 10), zero.host.submitOut(.out(3), [0]), zero.host.submitIn(.in(3), 10)]
        for id in ids { zero.host.cancel(id) }
        #expect(zero.host.waiting.isEmpty && zero.host.violations.isEmpty)
        #expect(ids.allSatisfy { zero.host.outcome($0)?.status == .success })
    }
}
