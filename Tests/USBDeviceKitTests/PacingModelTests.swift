import DirectHost
import Testing
import USBCore
import USBDeviceKit

/// One interrupt and one isochronous endpoint each way, at high speed.
private final class Mixed: Gadget {
    let description = DeviceDescription(speed: .high, vendorID: 0x1209, productID: 0x0001) {
        Configuration {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .interrupt, maxPacketSize: 8, interval: 4)
                Endpoint(.out(2), .interrupt, maxPacketSize: 8, interval: 5)
                Endpoint(.in(3), .isochronous, maxPacketSize: 8, interval: 1)
                Endpoint(.out(4), .isochronous, maxPacketSize: 8, interval: 4)
            }
        }
    }
    let reports = InPipe(1)
    let handlers: [any EndpointHandler] = [OutPipe(2), InPipe(3), OutPipe(4)]
    var endpoints: [any EndpointHandler] { [reports] + handlers }
}

/// Random conversations with a paced device, against what a bus promises.
@Suite("A paced device, whatever happens")
struct PacingModelTests {
    private struct Ended {
        var completion: DirectHost.Completion
        var time: UInt64
    }

    private final class Log {
        var ended: [Ended] = []
    }

    /// Microframes between services.
    private static let periods: [EndpointAddress: UInt64] = [.in(1): 8, .out(2): 16, .in(3): 1, .out(4): 8]

    @Test(
        "each transfer ends once, in order, not before its turn; turns are an interval apart and are not missed",
        arguments: 1...30 as ClosedRange<UInt64>)
    func conversation(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let gadget = Mixed()
        let device = PacedDevice(try GadgetDevice(gadget))
        let host = DirectHost(device)
        #expect(host.control(.setConfiguration(1))?.status == .success)
        host.forget()
        let log = Log()
        let clock = host.clock
        host.onCompletion = { log.ended.append(Ended(completion: $0, time: clock.now)) }
        var submitted: [URB.ID: (endpoint: EndpointAddress, time: UInt64, packets: Int)] = [:]
        var pending: [URB.ID] = []

        for _ in 0..<400 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<2: pending.append(host.submitIn(.in(1), [1, 8, 20].randomElement(using: &random) ?? 8))
            case 2: pending.append(host.submitOut(.out(2), random.bytes(Int.random(in: 0...20, using: &random))))
            case 3..<6:
                let endpoint: EndpointAddress = Bool.random(using: &random) ? .in(3) : .out(4)
                let count = Int.random(in: 1...8, using: &random)
                pending.append(host.submitIsochronous(endpoint, packets: count, of: 8))
                submitted[pending[pending.count - 1]] = (endpoint, clock.now, count)
            case 6: gadget.reports.send(random.bytes(Int.random(in: 0...8, using: &random)))
            case 7: if let id = pending.randomElement(using: &random) { host.cancel(id) }
            case 8 where Int.random(in: 0..<10, using: &random) == 0: device.reset(.inferred)
            default: clock.advance(by: UInt64.random(in: 0...1_500_000, using: &random))
            }
            for id in pending where submitted[id] == nil { submitted[id] = (.in(0), clock.now, 0) }
        }
        let reached = clock.now
        clock.advance(by: 1_000_000_000)
        device.disconnect()

        #expect(host.violations == [], "seed \(seed)")
        #expect(log.ended.map(\.completion.id).sorted() == pending.sorted(), "seed \(seed): each ends exactly once")
        #expect(host.waiting == [] && clock.nextAlarm == nil, "seed \(seed): nothing is left, at \(reached)")
        for (endpoint, period) in Self.periods {
            let served = log.ended.filter { $0.completion.endpoint == endpoint && $0.completion.status == .success }
            let ids = served.map(\.completion.id)
            #expect(ids == ids.sorted(), "seed \(seed): \(endpoint) answers in order")
            // Taking back a report that the device has already given ends it between two turns.
            for ended in served where endpoint != .in(1) {
                #expect(ended.time % 125_000 == 0, "seed \(seed): \(endpoint) ends with a microframe")
            }
            guard endpoint.number > 2 else { continue }
            var free: UInt64 = 0
            for ended in served {
                let start = UInt64(ended.completion.startFrame)
                let end = start + UInt64(submitted[ended.completion.id]?.packets ?? 0) * period
                let arrival = (submitted[ended.completion.id]?.time ?? 0) / 125_000
                #expect(start >= free && start > arrival - 1, "seed \(seed): \(endpoint) begins when it may")
                #expect(ended.time == end * 125_000, "seed \(seed): \(endpoint) ends with its last packet")
                free = end
            }
        }
        #expect(device.statistics.late == 0, "seed \(seed): the clock was never late")
    }
}
