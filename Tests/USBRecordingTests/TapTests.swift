import DirectHost
import TestSupport
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBRecording

/// What a tap records of transfers, and that it changes nothing about them.
@Suite("A device's tap") struct TapTests {
    private struct Bench: ~Copyable {
        let scratch = Scratch()
        let device: ScriptedDevice
        let writer: CaptureWriter
        let host: DirectHost

        init(_ device: ScriptedDevice = ScriptedDevice()) throws {
            self.device = device
            writer = try CaptureWriter(scratch["a.pcapng"])
            let channel = writer.register(RecordedDevice(name: "Scripted"))
            host = DirectHost(CaptureTap(device, channel))
        }

        func events() throws -> [Read] {
            #expect(host.violations.isEmpty)
            let totals = writer.close()
            let events = try readAll(scratch["a.pcapng"]).events
            #expect(totals.records == UInt64(events.count))
            #expect(totals.dropped == 0 && totals.failure == nil)
            return events
        }
    }

    @Test("A read is recorded without data when it is asked for, and with them when it is answered")
    func bulkIn() throws {
        let bench = try Bench()
        bench.device.react = { _ in .answer(.bytes([1, 2, 3])) }
        #expect(bench.host.read(.in(1), 64)?.data == [1, 2, 3])
        let events = try bench.events()
        #expect(events.count == 2)
        #expect(events[0].event.kind == .submission && events[0].event.length == 64 && events[0].data.isEmpty)
        #expect(events[1].event.kind == .completion && events[1].event.length == 3 && events[1].data == [1, 2, 3])
        #expect(events[0].event.urb == events[1].event.urb)
        #expect(events[0].event.flags == 0x200)
        for read in events {
            #expect(read.event.endpoint == .in(1) && read.event.type == .bulk)
            #expect(read.event.bus == 1 && read.event.device == 2 && read.event.channel == 0)
        }
        #expect(events[0].event.time <= events[1].event.time)
    }

    @Test("A write is recorded with its data when it is sent, wherever they landed", arguments: [false, true])
    func bulkOut(lands: Bool) throws {
        let bench = try Bench()
        bench.device.landsTransfers = lands
        bench.host.usesLanding = lands
        bench.device.react = { _ in .answer(.accept(2)) }
        #expect(bench.host.write(.out(1), [9, 8, 7])?.actualLength == 2)
        #expect(bench.host.landedCount == (lands ? 1 : 0))
        #expect(bench.device.submissions.map(\.payload) == [[9, 8, 7]])
        let events = try bench.events()
        #expect(events[0].event.length == 3 && events[0].data == [9, 8, 7])
        #expect(events[1].event.length == 2 && events[1].data.isEmpty)
    }

    @Test("A control request has its setup bytes, a stall its status")
    func control() throws {
        let bench = try Bench()
        let setup = SetupPacket(requestType: 0x21, request: 0x22, value: 3, index: 1, length: 2)
        bench.device.react = { _ in .answer(.status(.stalled)) }
        bench.host.control(setup, [5, 6])
        let events = try bench.events()
        #expect(events[0].event.setup == setup && events[0].data == [5, 6])
        #expect(events[0].event.type == .control && events[0].event.endpoint == .out(0))
        #expect(events[1].event.status == .stalled && events[1].event.setup == nil)
    }

    @Test("What a device keeps ends when it ends: answered late, taken back, or lost")
    func kept() throws {
        let bench = try Bench()
        let late = bench.host.submitIn(.in(2), 8)
        let cancelled = bench.host.submitIn(.in(2), 8)
        let lost = bench.host.submitIn(.in(1), 8)
        bench.device.complete(late, .bytes([1]))
        bench.host.cancel(cancelled)
        bench.device.dropAll()
        #expect(bench.host.outcome(lost)?.status == .abandoned)
        let events = try bench.events()
        let kinds = events.map(\.event.kind)
        #expect(kinds == [.submission, .submission, .submission, .completion, .completion, .completion])
        #expect(events.suffix(3).map(\.event.status) == [.success, .cancelled, .abandoned])
        #expect(events.suffix(3).map(\.event.urb) == events.prefix(3).map(\.event.urb))
    }

    @Test("Isochronous bytes are recorded where the host's buffer has them")
    func isochronousIn() throws {
        let bench = try Bench()
        bench.device.react = { _ in .answer(.packets([.init([1, 2]), .init([], .missed), .init([3])])) }
        bench.host.submitIsochronous(.in(3), packets: 3, of: 4)
        let events = try bench.events()
        #expect(events[0].event.packets.map(\.length) == [4, 4, 4])
        #expect(events[0].event.packets.map(\.status) == [.missed, .missed, .missed])
        #expect(events[0].event.length == 12 && events[0].data.isEmpty)
        #expect(
            events[1].event.packets == [
                CapturedPacket(status: .success, offset: 0, length: 2),
                CapturedPacket(status: .missed, offset: 4, length: 0),
                CapturedPacket(status: .success, offset: 8, length: 1),
            ])
        #expect(events[1].event.length == 3)
        #expect(events[1].data == [1, 2, 0, 0, 0, 0, 0, 0, 3])
    }

    @Test("Isochronous bytes to the device are recorded with the submission")
    func isochronousOut() throws {
        let bench = try Bench()
        bench.device.react = { _ in .answer(.acceptPackets) }
        bench.host.submitIsochronous(.out(3), packets: 2, of: 3, [1, 2, 3, 4, 5, 6])
        let events = try bench.events()
        #expect(events[0].data == [1, 2, 3, 4, 5, 6])
        #expect(events[1].event.packets.map(\.length) == [3, 3] && events[1].data.isEmpty)
        #expect(events[1].event.length == 6)
    }

    @Test("A tap in front of a paced device sees what the host sees, and the interval that it counts in")
    func paced() throws {
        let scratch = Scratch()
        let writer = try CaptureWriter(scratch["a.pcapng"])
        let device = PolledDevice()
        let host = DirectHost(CaptureTap(PacedDevice(device), writer.register(RecordedDevice(name: "Polled"))))
        host.submitIn(.in(1), 8)
        host.clock.advance(by: 100_000_000)
        #expect(host.completions.map(\.data) == [[7]])
        _ = writer.close()
        let events = try readAll(scratch["a.pcapng"]).events
        #expect(events.map(\.event.interval) == [8, 8])
        #expect(events.last?.data == [7])
    }

    @Test("What the exporting machine asks for itself reaches the device, and is no traffic of the host's")
    func exporter() throws {
        let bench = try Bench()
        bench.device.react = { _ in .answer(.accept()) }
        bench.host.device.configure(1)
        bench.host.control(SetupPacket(requestType: 0, request: 9, value: 1))
        #expect(bench.device.submissions.count == 2)
        #expect(try bench.events().count == 2)
    }

    @Test("Several devices have an interface and a bus each, and names of transfers that differ")
    func severalDevices() throws {
        let scratch = Scratch()
        let writer = try CaptureWriter(scratch["a.pcapng"])
        var first = RecordedDevice(name: "One")
        first.model = "drive:size=1M"
        first.busID = "1-4"
        first.speed = .super
        let hosts = [first, RecordedDevice(name: "Two")].map { description in
            let device = ScriptedDevice()
            device.react = { _ in .answer(.bytes([1])) }
            return DirectHost(CaptureTap(device, writer.register(description)))
        }
        for host in hosts { _ = host.read(.in(1), 1) }
        let totals = writer.close()
        #expect(totals.line == "captured 4 records of 2 devices in \(scratch["a.pcapng"]) (0 dropped)")
        let (events, reader) = try readAll(scratch["a.pcapng"])
        #expect(events.map(\.event.channel) == [0, 0, 1, 1])
        #expect(events.map(\.event.bus) == [1, 1, 2, 2])
        #expect(Set(events.map(\.event.urb)).count == 2)
        #expect(reader.announcements.map(\.model) == ["drive:size=1M", nil])
        #expect(reader.announcements.first?.busID == "1-4" && reader.announcements.first?.speed == .super)
    }
}

/// A device with one interrupt endpoint that is asked every 8 ms.
private final class PolledDevice: USBDevice {
    let identity = ScriptedDevice(speed: .full).identity
    func attach(to port: any DevicePort) {}
    func connect() {}
    func disconnect() {}
    func transferType(of endpoint: EndpointAddress) -> TransferType? { .interrupt }
    func schedule(of endpoint: EndpointAddress) -> PeriodicSchedule? {
        PeriodicSchedule(period: 8_000_000, capacity: 8)
    }
    func submit(_ urb: consuming URB) { urb.complete(copying: [7]) }
    func cancel(_ id: URB.ID) {}
    func reset(_ cause: ResetCause) {}
    func landing(for endpoint: EndpointAddress, count: Int) -> UnsafeMutableRawBufferPointer? { nil }
}
