import SocketIO
import TestSupport
import Testing
import USBCapture
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPProxy
import USBIPServer
import USBIPWire
import USBRecording

/// What a proxy makes of the traffic between our own two ends.
@Suite("A proxy records", .timeLimit(.minutes(2))) struct RecordingTests {
    private static func makeServer() throws -> (server: USBIPServer, address: HostAndPort) {
        var configuration = ServerConfiguration()
        configuration.listen = [HostAndPort(host: "127.0.0.1", port: 0)]
        let server = USBIPServer(configuration, logger: silent)
        return (server, HostAndPort(host: "127.0.0.1", port: try #require(server.start().first?.port)))
    }

    private static func answers(_ submission: ScriptedDevice.Submission) -> ScriptedDevice.Reaction {
        switch (submission.type, submission.endpoint.direction) {
        case (.isochronous, .in): .answer(.packets([.init([1, 2]), .init([], .missed), .init([3])]))
        case (.isochronous, .out): .answer(.acceptPackets)
        case (.control, .in) where submission.setup.request == 99: .answer(.status(.stalled))
        case (_, .in):
            submission.endpoint == .in(2)
                ? .keep : .answer(.bytes([UInt8](repeating: 0x5a, count: max(0, submission.requestedLength - 3))))
        case (_, .out): .answer(.accept())
        }
    }

    @Test("A proxy's capture says what a tap at the device says, but for the times")
    func sameAsTap() throws {
        let (server, address) = try Self.makeServer()
        defer { server.stop() }
        // Both record the same transfers: one at the device, one on the way.
        let tapped = try Between(address)
        let passed = try Between(address)
        let device = ScriptedDevice()
        device.react = Self.answers
        let confined = Confined(device)
        var options = ExportOptions()
        let writer = tapped.writer
        options.decorate = { CaptureTap($0, writer.register(RecordedDevice(name: "tapped"))) }
        let export = try server.export(busID: "1-1", device: confined.device, options: options)

        let remote = try RemoteDevice.attach(to: passed.address, busID: "1-1")
        for size in [0, 4, 512, 70_000, 1 << 20] {
            _ = try remote.read(1, room: size)
            #expect(try remote.write(1, [UInt8](repeating: 7, count: size)) == size)
        }
        _ = try remote.controlIn(SetupPacket(requestType: 0xc0, request: 5, length: 40))
        #expect(throws: HostError.self) { try remote.controlIn(SetupPacket(requestType: 0xc0, request: 99, length: 4)) }
        try remote.controlOut(SetupPacket(requestType: 0x40, request: 6, length: 2), [1, 2])
        _ = try remote.transfer(.isochronousIn(3, lengths: [4, 4, 4]))
        _ = try remote.transfer(.isochronousOut(3, packets: [[1, 2], [3]]))
        let waiting = try remote.submit(.in(2, room: 8)) { _ in }
        #expect(settles { export.executor.run { confined.device.waiting.count == 1 } })
        remote.cancel(waiting)
        #expect(settles { remote.transfersInFlight == 0 })
        remote.close()
        #expect(settles { passed.proxy.connectionCount == 0 })

        let (seen, seenData, reader) = try passed.recorded()
        let (real, realData, _) = try tapped.recorded()
        #expect(reader.announcements.map(\.busID) == ["1-1"])
        #expect(reader.announcements.first?.vendorID == 0x1209)
        #expect(reader.announcements.first?.speed == .high)
        #expect(seen.map(\.kind) == real.map(\.kind))
        #expect(seen.map(\.endpoint) == real.map(\.endpoint))
        #expect(seen.map(\.setup) == real.map(\.setup))
        #expect(seen.map(\.status) == real.map(\.status))
        #expect(seen.map(\.length) == real.map(\.length))
        #expect(seen.map(\.urb) == real.map(\.urb))
        // The wire has isochronous answers without the gaps that the host's buffer has.
        #expect(seen.map(\.packets) == real.map(\.packets))
        #expect(seenData == realData)
        #expect(seen.contains { $0.type == .isochronous && !$0.packets.isEmpty })
    }

    @Test("Several clients at once each have their own device, and one that comes again has the same interface")
    func severalClients() throws {
        let (server, address) = try Self.makeServer()
        defer { server.stop() }
        for number in 1...2 {
            let device = ScriptedDevice()
            device.react = { _ in .answer(.bytes([UInt8(number)])) }
            try server.export(busID: "1-\(number)", device: device)
        }
        let between = try Between(address)
        #expect(try DeviceList.fetch(from: between.address).map(\.device.busID) == ["1-1", "1-2"])
        for _ in 0..<2 {
            let remotes = try (1...2).map { try RemoteDevice.attach(to: between.address, busID: "1-\($0)") }
            for _ in 0..<20 {
                for (index, remote) in remotes.enumerated() {
                    #expect(try remote.read(1, room: 4) == [UInt8(index + 1)])
                }
            }
            for remote in remotes { remote.close() }
            #expect(settles { between.proxy.connectionCount == 0 })
        }
        let (events, data, reader) = try between.recorded()
        #expect(reader.announcements.count == 2)
        #expect(events.count == 2 * 2 * 20 * 2)
        for (event, bytes) in zip(events, data) where event.kind == .completion {
            #expect(bytes == [UInt8(event.channel + 1)])
        }
    }

    @Test("What a connection's end leaves unanswered ends as shut down, before the device's next connection begins")
    func unanswered() throws {
        let (server, address) = try Self.makeServer()
        defer { server.stop() }
        let device = ScriptedDevice()
        device.react = Self.answers
        let confined = Confined(device)
        let export = try server.export(busID: "1-1", device: confined.device)
        let between = try Between(address)
        for _ in 0..<2 {
            let remote = try RemoteDevice.attach(to: between.address, busID: "1-1")
            for _ in 0..<2 { _ = try remote.submit(.in(2, room: 8)) { _ in } }
            #expect(settles { export.executor.run { confined.device.waiting.count == 2 } })
            remote.close()
            #expect(settles { between.proxy.connectionCount == 0 })
        }
        let (events, _, reader) = try between.recorded()
        #expect(reader.announcements.count == 1)
        let kinds: [CapturedEvent.Kind] = [.submission, .submission, .completion, .completion]
        #expect(events.map(\.kind) == kinds + kinds)
        for half in [events.prefix(4), events.suffix(4)] {
            let half = Array(half)
            #expect(half.prefix(2).map(\.urb) == half.suffix(2).map(\.urb))
            #expect(half.suffix(2).allSatisfy { $0.status == .shutdown && $0.length == 0 && $0.endpoint == .in(2) })
        }
    }

    @Test("What breaks the protocol passes all the same, and its recording ends with a note")
    func violation() throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        try client.sendAll([0, 0, 0, 1] + [UInt8](repeating: 0xff, count: 100))
        #expect(try upstream.receiveExactly(104).suffix(2) == [0xff, 0xff])
        try upstream.sendAll(Array("hello".utf8))
        #expect(try client.receiveExactly(5) == Array("hello".utf8))
        client.shutdown()
        #expect(try between.recorded().events.isEmpty)
    }
}
