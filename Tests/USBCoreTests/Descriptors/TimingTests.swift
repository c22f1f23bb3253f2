import Testing
import USBCore

@Suite struct TimingTests {
    /// One line of the table of periods.
    struct Period: Sendable, CustomTestStringConvertible {
        var type: TransferType
        var speed: Speed
        var interval: UInt8
        var nanoseconds: UInt64?
        var testDescription: String { "\(type) at \(speed), bInterval \(interval)" }
    }

    @Test(arguments: [
        Period(type: .interrupt, speed: .low, interval: 10, nanoseconds: 10_000_000),
        Period(type: .interrupt, speed: .full, interval: 1, nanoseconds: 1_000_000),
        Period(type: .interrupt, speed: .full, interval: 255, nanoseconds: 255_000_000),
        Period(type: .interrupt, speed: .full, interval: 0, nanoseconds: 1_000_000),
        Period(type: .interrupt, speed: .high, interval: 1, nanoseconds: 125_000),
        Period(type: .interrupt, speed: .high, interval: 4, nanoseconds: 1_000_000),
        Period(type: .interrupt, speed: .high, interval: 7, nanoseconds: 8_000_000),
        Period(type: .interrupt, speed: .super, interval: 16, nanoseconds: 4_096_000_000),
        Period(type: .interrupt, speed: .super, interval: 255, nanoseconds: 4_096_000_000),
        Period(type: .isochronous, speed: .full, interval: 1, nanoseconds: 1_000_000),
        Period(type: .isochronous, speed: .full, interval: 4, nanoseconds: 8_000_000),
        Period(type: .isochronous, speed: .full, interval: 16, nanoseconds: 32_768_000_000),
        Period(type: .isochronous, speed: .high, interval: 0, nanoseconds: 125_000),
        Period(type: .isochronous, speed: .high, interval: 4, nanoseconds: 1_000_000),
        Period(type: .isochronous, speed: .superPlus, interval: 2, nanoseconds: 250_000),
        Period(type: .bulk, speed: .high, interval: 1, nanoseconds: nil),
        Period(type: .control, speed: .full, interval: 1, nanoseconds: nil),
    ])
    func intervalIsAPeriodByTypeAndSpeed(_ line: Period) {
        let endpoint = EndpointDescriptor(
            address: .in(1), attributes: line.type.rawValue, maxPacketSize: 8, interval: line.interval)
        #expect(endpoint.period(at: line.speed) == line.nanoseconds)
        #expect(endpoint.periodInMicroframes(at: line.speed) == line.nanoseconds.map { Int($0 / 125_000) })
    }

    @Test(
        arguments: [
            (.milliseconds(10), TransferType.interrupt, Speed.low, 10),
            (.milliseconds(1), .interrupt, .low, 10),
            (.milliseconds(10), .interrupt, .full, 10),
            (.seconds(1), .interrupt, .full, 255),
            (.milliseconds(10), .interrupt, .high, 7),
            (.microseconds(1), .interrupt, .high, 1),
            (.milliseconds(1), .isochronous, .full, 1),
            (.milliseconds(1), .isochronous, .high, 4),
            (.microseconds(125), .isochronous, .super, 1),
            (.seconds(100), .isochronous, .super, 16),
            (.milliseconds(1), .bulk, .high, 0),
            (.milliseconds(1), .control, .full, 0),
        ] as [(Duration, TransferType, Speed, UInt8)])
    func theIntervalForAPeriodIsTheLongestWithinIt(
        _ period: Duration, _ type: TransferType, _ speed: Speed, _ interval: UInt8
    ) {
        #expect(EndpointDescriptor.interval(for: period, type, at: speed) == interval)
    }

    @Test func packetSizeAndTransactionsShareAField() {
        var endpoint = EndpointDescriptor(address: .in(1), attributes: 1, maxPacketSize: 0x1400, interval: 1)
        #expect(endpoint.packetSize == 1024)
        #expect(endpoint.additionalTransactions == 2)
        #expect(endpoint.transactionsPerMicroframe == 3)
        #expect(endpoint.bytesPerServiceInterval(at: .high) == 3072)
        #expect(endpoint.bytesPerServiceInterval(at: .full) == 1024)
        endpoint.additionalTransactions = 1
        #expect(endpoint.maxPacketSize == 0x0c00)
        endpoint.additionalTransactions = 0
        #expect(endpoint.maxPacketSize == 0x0400)
    }

    @Test func burstAndMultCountAtSuperSpeed() {
        let companion = CompanionDescriptor(maxBurst: 15, attributes: 2, bytesPerInterval: 49152)
        let endpoint = EndpointDescriptor(
            address: .in(1), attributes: 1, maxPacketSize: 1024, interval: 1, companion: companion)
        #expect(endpoint.bytesPerServiceInterval(at: .super) == 49152)
        var bulk = endpoint
        bulk.attributes = 2
        #expect(bulk.bytesPerServiceInterval(at: .super) == 16384)
    }

    @Test func streamsAreAPowerOfTwo() {
        #expect(
            [0, 1, 5, 16, 17, 31].map { CompanionDescriptor(attributes: $0).maxStreams } == [0, 2, 32, 65536, 0, 0])
    }
}
