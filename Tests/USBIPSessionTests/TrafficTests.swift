import DirectHost
import Statistics
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPSession

@Suite("Traffic")
struct TrafficTests {
    private let clock = ManualClock()
    private let traffic: Traffic
    private let harness: SessionHarness
    private var device: ScriptedDevice { harness.device }

    init() {
        traffic = Traffic(clock: clock)
        harness = SessionHarness(traffic: traffic)
    }

    private func endpoint(_ address: EndpointAddress) throws -> Traffic.Endpoint {
        try #require(traffic.endpoints.first { $0.address == address }, "\(address) was used")
    }

    @Test("counts transfers, bytes and failures by endpoint")
    func counts() throws {
        device.react = { $0.endpoint == .in(1) ? .answer(.bytes([1, 2, 3])) : .answer(.accept()) }
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        try harness.arrive(harness.client.submit(2, .in(1), length: 8))
        try harness.arrive(harness.client.submit(3, .out(1), payload: [1, 2, 3, 4, 5]))
        device.react = { _ in .answer(.status(.stalled)) }
        try harness.arrive(harness.client.submit(4, .in(1), length: 8))
        let (input, output) = (try endpoint(.in(1)), try endpoint(.out(1)))
        #expect(input.transfers == 3 && input.bytes == 6 && input.failures == 1)
        #expect(output.transfers == 1 && output.bytes == 5 && output.failures == 0)
        #expect(traffic.endpoints.count == 2 && traffic.inFlight == 0)
    }

    @Test("measures a transfer that waits from its arrival to its answer")
    func waiting() throws {
        clock.advance(by: 1000)
        try harness.arrive(harness.client.submit(1, .in(2), length: 8))
        #expect(traffic.inFlight == 1)
        clock.advance(by: 5000)
        device.complete(1, .bytes([1]))
        let latency = try endpoint(.in(2)).latency
        #expect(traffic.inFlight == 0)
        #expect(latency.count == 1 && latency.greatest == 5000, "5 µs passed, \(latency.greatest) ns were counted")
    }

    @Test("measures what is answered at once until it has been sent")
    func atOnce() throws {
        device.react = { [clock] _ in
            clock.advance(by: 700)
            return .answer(.bytes([1]))
        }
        try harness.arrive(harness.client.submit(1, .in(1), length: 8) + harness.client.submit(2, .in(1), length: 8))
        let latency = try endpoint(.in(1)).latency
        #expect(latency.count == 2 && latency.least == 1400, "both answers were sent together, after 1.4 µs")
    }

    @Test("measures each transfer once where one that waited and one that did not are answered together")
    func mixed() throws {
        try harness.arrive(harness.client.submit(1, .in(1), length: 8))
        clock.advance(by: 5000)
        device.react = { [clock, unowned device] _ in
            clock.advance(by: 700)
            device.complete(1, .bytes([1]))
            return .answer(.bytes([2]))
        }
        try harness.arrive(harness.client.submit(2, .in(1), length: 8))
        let latency = try endpoint(.in(1)).latency
        #expect(latency.count == 2 && latency.least == 700 && latency.greatest == 5700)
    }

    @Test("a transfer that is taken back counts as that, and waits no longer")
    func cancelled() throws {
        try harness.arrive(harness.client.submit(1, .in(2), length: 8))
        try harness.arrive(harness.client.unlink(2, victim: 1))
        let endpoint = try endpoint(.in(2))
        #expect(endpoint.transfers == 0 && endpoint.cancelled == 1 && traffic.inFlight == 0)
    }

    @Test("what waits when the host goes waits no longer")
    func hostGone() throws {
        try harness.arrive(harness.client.submit(1, .in(2), length: 8))
        harness.session.close()
        device.completeAll(.shutdown)
        #expect(traffic.inFlight == 0)
    }
}

@Suite("What a session tells of its device")
struct SessionNewsTests {
    private let harness = SessionHarness()

    @Test("standard requests that change it, and every request that it refuses")
    func requests() throws {
        let configure = SetupPacket(requestType: 0x00, request: 9, value: 1, index: 0, length: 0)
        let report = SetupPacket(requestType: 0x21, request: 9, value: 0x0200, index: 0, length: 1)
        let status = SetupPacket(requestType: 0x80, request: 0, value: 0, index: 0, length: 2)
        harness.device.react = { $0.setup == report ? .answer(.status(.stalled)) : .answer(.bytes([])) }
        try harness.arrive(harness.client.control(1, configure))
        try harness.arrive(harness.client.control(2, status))
        try harness.arrive(harness.client.control(3, report, payload: [1]))
        #expect(harness.told == [.request(configure, .success), .request(report, .stalled)])
    }

    @Test("a reset that it infers, and a transfer for an endpoint that is not there")
    func resets() throws {
        let look = SetupPacket(requestType: 0x80, request: 6, value: 0x0100, index: 0, length: 64)
        harness.device.react = { _ in .answer(.bytes([])) }
        try harness.arrive(harness.client.control(1, look))
        try harness.arrive(harness.client.submit(2, .in(9), length: 8))
        #expect(harness.told == [.reset(.inferred), .unknownEndpoint(.in(9))])
    }
}
