import DirectHost
import Testing
import USBCore
import USBDeviceKit
import USBHID

@Suite("Input reports")
struct InputReportTests {
    private func device(_ boot: HIDInterface.Boot = .none) throws -> (HIDTestHost, ProbeFunction, HIDLink) {
        let probe = ProbeFunction.withoutIDs(boot: boot)
        let hid = try HIDTestHost([probe])
        return (hid, probe, try #require(probe.link))
    }

    @Test("a transfer waits for a report, and a report for a transfer, in order")
    func order() throws {
        let (hid, _, link) = try device()
        let id = hid.host.submitIn(.in(1), 8)
        #expect(hid.host.outcome(id) == nil)
        link.send([1])
        #expect(hid.host.outcome(id)?.data == [1] && link.unfetchedCount == 0)
        link.send([2])
        link.send([3])
        #expect(link.unfetchedCount == 2 && hid.read() == [2] && hid.read() == [3] && hid.read() == nil)
        #expect(hid.host.violations.isEmpty)
    }

    @Test("a transfer that is taken back gets no report")
    func cancel() throws {
        let (hid, _, link) = try device()
        let ids = (0..<3).map { _ in hid.host.submitIn(.in(1), 8) }
        hid.host.cancel(ids[1])
        hid.host.cancel(99)
        link.send([1])
        link.send([2])
        #expect(ids.map { hid.host.outcome($0)?.status } == [.success, .cancelled, .success])
        #expect(hid.host.outcome(ids[2])?.data == [2])
    }

    @Test("without a configured device a report goes nowhere")
    func unconfigured() throws {
        let probe = ProbeFunction.withoutIDs()
        let hid = try HIDTestHost([probe], isConfigured: false)
        #expect(probe.link?.send([1]) == false && probe.link?.unfetchedCount == 0)
        try hid.configure()
        #expect(probe.link?.send([2]) == true && hid.read() == [2])
        probe.link?.send([3])
        try hid.configure(0)
        try hid.configure(1)
        #expect(hid.read() == nil, "what a host left behind is not for the next configuration")
    }

    @Test("of more than 1024 reports the oldest are lost and counted")
    func bound() throws {
        let (hid, _, link) = try device()
        for number in 0..<1030 { link.send([UInt8(number & 0xff), UInt8(number >> 8)]) }
        #expect(link.unfetchedCount == 1024 && link.lostCount == 6)
        hid.poll()
        #expect(hid.take().map { Int($0[0]) | Int($0[1]) << 8 } == Array(6..<1030))
    }

    @Test("a report that is longer than the host has room for is babble")
    func babble() throws {
        let (hid, _, link) = try device()
        link.send([1, 2, 3, 4])
        let outcome = hid.host.read(.in(1), 2)
        #expect(outcome?.status == .overflow && outcome?.data == [1, 2])
    }

    @Test("a halt stalls what waits, and reports go on after it")
    func halt() throws {
        let (hid, _, link) = try device()
        let id = hid.host.submitIn(.in(1), 8)
        #expect(hid.isAccepted(.init(requestType: 0x02, request: 3, index: 0x81)))
        #expect(hid.host.outcome(id)?.status == .stalled && hid.host.read(.in(1), 8)?.status == .stalled)
        link.send([1])
        #expect(hid.isAccepted(.init(requestType: 0x02, request: 1, index: 0x81)))
        #expect(hid.read() == [1])
    }

    @Test("a host that asks again at once whenever a transfer comes back, with a halt as well")
    func resubmitting() throws {
        let (hid, _, link) = try device()
        var (left, statuses) = (4, [TransferStatus]())
        hid.host.onCompletion = { completion in
            guard completion.endpoint == .in(1) else { return }
            statuses.append(completion.status)
            left -= 1
            if left > 0 { hid.host.submitIn(.in(1), 8) }
        }
        hid.host.submitIn(.in(1), 8)
        link.send([1])
        #expect(hid.isAccepted(.init(requestType: 0x02, request: 3, index: 0x81)))
        #expect(statuses == [.success, .stalled, .stalled, .stalled] && hid.host.violations.isEmpty)
    }

    @Test("a change of the protocol replaces what waits by the state in the new form")
    func protocolChange() throws {
        let (hid, _, link) = try device(.keyboard)
        #expect(hid.setIdle(0))
        for number in 1...5 as ClosedRange<UInt8> { link.send([number, 0, 0, 0]) }
        #expect(hid.setProtocol(0) && hid.read() == [0xb0] && hid.read() == nil)
        link.send([1])
        #expect(hid.setProtocol(1) && hid.read() == [10, 11, 12, 13] && hid.read() == nil)
        #expect(hid.setProtocol(0) && hid.read() == nil, "where nothing waited, nothing is to be replaced")
    }

    @Test("an unplugged device gives its transfers back, and begins anew")
    func unplug() throws {
        let (hid, _, link) = try device()
        let id = hid.host.submitIn(.in(1), 8)
        hid.device.disconnect()
        #expect(hid.host.outcome(id)?.status == .shutdown && !link.isConfigured)
        hid.device.connect()
        try hid.configure()
        #expect(hid.read() == nil && link.isConfigured)
        #expect(hid.host.violations.isEmpty)
    }
}
