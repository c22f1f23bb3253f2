import DirectHost
import Testing
import USBCore
import USBDeviceKit

private let millisecond: UInt64 = 1_000_000

/// Interrupt endpoints of 8 bytes every 4 ms and isochronous ones every millisecond, at full speed.
private final class PeriodicGadget: Gadget {
    let description = DeviceDescription(speed: .full, vendorID: 0x1209, productID: 0x0001, product: "Periodic") {
        Configuration {
            Interface(0, class: .vendorSpecific) {
                Endpoint(.in(1), .interrupt, maxPacketSize: 8, interval: 4)
                Endpoint(.out(1), .interrupt, maxPacketSize: 8, interval: 4)
                Endpoint(.in(2), .isochronous, maxPacketSize: 16, interval: 1)
                Endpoint(.out(2), .isochronous, maxPacketSize: 16, interval: 1)
                Endpoint(.in(3), .bulk)
            }
        }
    }
    let reports = InPipe(1)
    let sink = OutPipe(1)
    let stream = StreamPipe(.in(2))
    let speaker = StreamPipe(.out(2))
    let bulk = InPipe(3)
    var endpoints: [any EndpointHandler] { [reports, sink, stream, speaker, bulk] }
}

/// Fills every packet of an isochronous transfer with the number of the transfer, or takes them all.
private final class StreamPipe: EndpointHandler {
    let address: EndpointAddress
    private var count: UInt8 = 0

    init(_ address: EndpointAddress) { self.address = address }

    func submit(_ urb: consuming URB) {
        count &+= 1
        guard address.direction == .in else { return urb.acceptPackets() }
        let count = count
        urb.completePackets { _, output in
            output.append(count)
            return .success
        }
    }

    func cancel(_ id: URB.ID) -> Bool { false }
    func completeAll(_ status: TransferStatus) {}
}

@Suite("A bus with a clock")
struct PacingTests {
    private let gadget = PeriodicGadget()
    private let paced: PacedDevice
    private let host: DirectHost
    private let start: UInt64

    init() throws {
        paced = PacedDevice(try GadgetDevice(gadget))
        host = DirectHost(paced)
        _ = host.control(.setConfiguration(1))
        host.forget()
        // Within a frame, as a host's call is.
        host.clock.advance(by: 300_000)
        start = host.clock.now / millisecond * millisecond
    }

    /// The times, in milliseconds after the frame in which the test began, at which transfers ended by `end`.
    private func times(until end: UInt64) -> [(id: URB.ID, time: Double)] {
        let log = Log()
        let (clock, start) = (host.clock, start)
        host.onCompletion = { log.entries.append(($0.id, Double(clock.now - start) / 1_000_000)) }
        host.clock.advance(to: start + end * millisecond)
        host.onCompletion = nil
        return log.entries
    }

    private final class Log {
        var entries: [(id: URB.ID, time: Double)] = []
    }

    private func expectClean() { #expect(host.violations == []) }

    // MARK: Interrupt

    @Test("a device that always has something to say is asked once in an interval")
    func pollingIsPaced() {
        for number in 1...4 { gadget.reports.send([UInt8(number)]) }
        let ids = (1...4).map { _ in host.submitIn(.in(1), 8) }
        #expect(host.completions.isEmpty, "nothing may end before the bus has asked")
        let ends = times(until: 100)
        #expect(ends.map(\.id) == ids)
        #expect(ends.map(\.time) == [1, 5, 9, 13])
        #expect(host.completions.map(\.data) == [[1], [2], [3], [4]])
        expectClean()
    }

    @Test("what is said between two turns is heard at the next, and the bytes are those that were said")
    func silenceThenReport() {
        let id = host.submitIn(.in(1), 8)
        host.clock.advance(to: start + 6 * millisecond)
        #expect(host.outcome(id) == nil, "a device with nothing to say does not answer")
        gadget.reports.send([7, 8])
        #expect(host.outcome(id) == nil, "the turns are at 1, 5 and 9 ms")
        let ends = times(until: 100)
        #expect(ends.map(\.time) == [9])
        #expect(host.outcome(id)?.data == [7, 8])
        expectClean()
    }

    @Test("a host that submits too late misses a turn, and the turns stay where they are")
    func lateHost() {
        gadget.reports.send([1])
        gadget.reports.send([2])
        host.submitIn(.in(1), 8)
        host.clock.advance(to: start + 6 * millisecond)
        host.submitIn(.in(1), 8)
        #expect(times(until: 100).map(\.time) == [9])
        expectClean()
    }

    @Test("a transfer of several packets takes as many turns", arguments: [(8, 1.0), (9, 5.0), (32, 13.0)])
    func severalPackets(size: Int, end: Double) {
        gadget.reports.send([UInt8](repeating: 5, count: size))
        let incoming = host.submitIn(.in(1), size)
        let outgoing = host.submitOut(.out(1), [UInt8](repeating: 6, count: size))
        let ends = times(until: 100)
        #expect(Set(ends.map(\.id)) == [incoming, outgoing])
        #expect(ends.map(\.time) == [end, end])
        #expect(host.outcome(incoming)?.data == [UInt8](repeating: 5, count: size))
        expectClean()
    }

    @Test(
        "a transfer can be taken back before its turn, while the device has it, and not after the device has answered")
    func cancelling() {
        let waiting = host.submitIn(.in(1), 8)
        host.cancel(waiting)
        #expect(host.outcome(waiting)?.status == .cancelled)
        let asked = host.submitIn(.in(1), 8)
        host.clock.advance(by: 20 * millisecond)
        host.cancel(asked)
        #expect(host.outcome(asked)?.status == .cancelled)
        let answered = host.submitIn(.in(1), 8)
        host.clock.advance(by: 6 * millisecond)
        gadget.reports.send([3])
        host.cancel(answered)
        #expect(host.outcome(answered)?.status == .success, "the device's report would be lost")
        #expect(host.outcome(answered)?.data == [3])
        expectClean()
    }

    @Test("a halted endpoint stalls at the next turn")
    func halt() {
        let id = host.submitIn(.in(1), 8)
        _ = host.control(SetupPacket(requestType: 0x02, request: 3, value: 0, index: 0x81, length: 0))
        #expect(host.outcome(id) == nil)
        host.clock.advance(by: 5 * millisecond)
        #expect(host.outcome(id)?.status == .stalled)
        expectClean()
    }

    // MARK: Isochronous

    @Test("a transfer ends with the last of its frames, the next follows without a gap, and start frames say so")
    func stream() {
        let ids = (0..<3).map { _ in host.submitIsochronous(.in(2), packets: 8, of: 16) }
        let ends = times(until: 100)
        #expect(ends.map(\.id) == ids)
        #expect(ends.map(\.time) == [9, 17, 25])
        let frame = UInt32(truncatingIfNeeded: start / millisecond)
        #expect(host.completions.map(\.startFrame) == [frame + 1, frame + 9, frame + 17])
        #expect(
            host.completions.map { $0.packets.map(\.actualLength) }
                == Array(repeating: Array(repeating: 1, count: 8), count: 3))
        expectClean()
    }

    @Test("one transfer at a time leaves gaps: the interval is the frames plus what the host needs")
    func oneInFlight() {
        host.submitIsochronous(.out(2), packets: 1, of: 16)
        host.clock.advance(to: start + 2 * millisecond + 100)
        host.submitIsochronous(.out(2), packets: 1, of: 16)
        #expect(times(until: 100).map(\.time) == [4], "the frame that began 100 ns before is gone")
        expectClean()
    }

    @Test("taking one transfer out of a stream moves no other; taking the last lets a new stream begin at once")
    func cancellingInAStream() {
        let ids = (0..<3).map { _ in host.submitIsochronous(.in(2), packets: 4, of: 16) }
        host.cancel(ids[1])
        #expect(host.outcome(ids[1])?.status == .cancelled)
        let ends = times(until: 20)
        #expect(ends.map(\.id) == [ids[0], ids[2]])
        #expect(ends.map(\.time) == [5, 13])
        let far = host.submitIsochronous(.in(2), packets: 1000, of: 16)
        host.cancel(far)
        let next = host.submitIsochronous(.in(2), packets: 1, of: 16)
        host.clock.advance(by: 2 * millisecond)
        #expect(host.outcome(next)?.status == .success)
        expectClean()
    }

    @Test("a long answer that is taken back does not keep the endpoint from the next")
    func cancellingALongAnswer() {
        gadget.reports.send([UInt8](repeating: 1, count: 8000))
        let long = host.submitIn(.in(1), 8000)
        host.clock.advance(by: 2 * millisecond)
        host.cancel(long)
        #expect(host.outcome(long)?.actualLength == 8000)
        gadget.reports.send([2])
        let next = host.submitIn(.in(1), 8)
        host.clock.advance(by: 5 * millisecond)
        #expect(host.outcome(next)?.data == [2])
        expectClean()
    }

    @Test("taking back what waits behind a long answer does not give the next transfer a turn before that is over")
    func cancellingBehindALongAnswer() {
        gadget.reports.send([UInt8](repeating: 1, count: 32))
        gadget.reports.send([2])
        let long = host.submitIn(.in(1), 32)
        host.clock.advance(by: 2 * millisecond)
        host.cancel(host.submitIn(.in(1), 8))
        let next = host.submitIn(.in(1), 8)
        let ends = times(until: 100)
        #expect(ends.map(\.id) == [long, next])
        #expect(ends.map(\.time) == [13, 17])
        expectClean()
    }

    @Test("what is put at a stream's end and taken back again leaves no gap, however often")
    func takingBackTheEnd() {
        let first = host.submitIsochronous(.in(2), packets: 4, of: 16)
        for _ in 0..<1000 { host.cancel(host.submitIsochronous(.in(2), packets: 1000, of: 16)) }
        let second = host.submitIsochronous(.in(2), packets: 4, of: 16)
        let ends = times(until: 20)
        #expect(ends.map(\.id) == [first, second])
        #expect(ends.map(\.time) == [5, 9])
        expectClean()
    }

    @Test("a setting that goes takes what waits for its endpoints along")
    func settingGoes() {
        gadget.reports.send([1])
        let ids = (0..<3).map { _ in host.submitIn(.in(1), 8) }
        let stream = host.submitIsochronous(.in(2), packets: 100, of: 16)
        #expect(host.control(.setConfiguration(0))?.status == .success)
        #expect((ids + [stream]).map { host.outcome($0)?.status } == Array(repeating: .shutdown, count: 4))
        expectClean()
    }

    // MARK: Ends

    @Test("a reset, and the host's going, return everything that waits", arguments: [true, false])
    func returning(isReset: Bool) {
        gadget.reports.send([UInt8](repeating: 1, count: 32))
        let ids = [
            host.submitIn(.in(1), 32), host.submitIn(.in(1), 8), host.submitIsochronous(.in(2), packets: 100, of: 16),
        ]
        host.clock.advance(by: 2 * millisecond)
        if isReset { paced.reset(.port) } else { paced.disconnect() }
        #expect(host.waiting == [])
        #expect(ids.map { host.outcome($0)?.status } == [.success, .shutdown, .shutdown])
        #expect(host.clock.nextAlarm == nil)
        expectClean()
    }

    // MARK: The rest

    @Test("bulk transfers and endpoints that do not exist do not wait")
    func passingThrough() {
        gadget.bulk.send([1, 2, 3])
        #expect(host.read(.in(3), 64)?.data == [1, 2, 3])
        #expect(host.read(.in(9), 64)?.status == .stalled)
        #expect(host.clock.nextAlarm == nil, "nothing of this needs a clock")
        expectClean()
    }

    @Test("a machine that was busy is late, says so, and catches up with what was due")
    func lateness() {
        for _ in 0..<3 { host.submitIsochronous(.out(2), packets: 4, of: 16) }
        host.clock.jump(to: start + 11 * millisecond)
        #expect(host.completions.count == 2)
        #expect(paced.statistics.completed == 2)
        #expect(paced.statistics.late == 2)
        #expect(paced.statistics.worst == 6 * millisecond)
        host.clock.advance(to: start + 13 * millisecond)
        #expect(host.completions.count == 3)
        #expect(paced.statistics.late == 2)
        expectClean()
    }

    @Test("many transfers on many endpoints set one alarm")
    func oneAlarm() {
        for _ in 0..<50 {
            host.submitIn(.in(1), 8)
            host.submitIsochronous(.in(2), packets: 1, of: 16)
        }
        #expect(host.clock.alarmCount == 1)
    }
}

@Suite("Alarms")
struct AlarmTests {
    private final class Port: DevicePort {
        let clock: any BusClock
        init(_ clock: any BusClock) { self.clock = clock }
        func post(_ work: @escaping @Sendable () -> Void) { work() }
        func unplug() {}
        func present(_ identity: DeviceIdentity?) {}
    }

    private final class Order: @unchecked Sendable {
        var rung: [Int] = []
    }

    @Test("ring in the order of their times, however they were set, moved and cancelled", arguments: 0..<20)
    func order(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let clock = ManualClock(at: 0)
        let port = Port(clock)
        let order = Order()
        let alarms = (0..<40).map { number in Alarm(port) { order.rung.append(number) } }
        var expected: [Int: UInt64] = [:]
        for _ in 0..<300 {
            let number = Int.random(in: 0..<40, using: &random)
            if Int.random(in: 0..<4, using: &random) == 0 {
                alarms[number].cancel()
                expected[number] = nil
            } else {
                // Distinct times, so that one order is right.
                let time = UInt64.random(in: 1...1000, using: &random) * 40 + UInt64(number)
                alarms[number].set(at: time)
                expected[number] = time
            }
        }
        clock.advance(to: 100_000)
        #expect(order.rung == expected.sorted { $0.value < $1.value }.map(\.key), "seed \(seed)")
        #expect(clock.nextAlarm == nil)
    }
}
