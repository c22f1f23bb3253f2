import SocketIO
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPServer
import USBIPWire

@Suite("Attached clients", .timeLimit(.minutes(10)))
struct AttachedTests {
    @Test("a device can be imported again the moment its client has gone")
    func reimport() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on { $0.react = { $0.endpoint == .in(2) ? .keep : .answer(.accept()) } }
        for round in 1...20 {
            let client = try server.attach("1-1")
            try client.socket.sendAll(client.model.submit(1, .in(2), length: 8))
            #expect(try client.exchange(client.model.submit(2, .out(1), payload: [1]))?.sequence == 2)
            #expect(device.on { [$0.connections, $0.disconnections] } == [round, round - 1])
            client.socket.shutdown()
        }
        #expect(settles { device.on { $0.disconnections == 20 && $0.waiting.isEmpty } })
    }

    @Test(
        "a device is configured when a client gets it, for those that do not enumerate", arguments: [0, 3] as [UInt8])
    func configured(value: UInt8) throws {
        let server = try TestServer()
        let device = ScriptedDevice()
        device.identity.configurationValue = value
        device.react = { $0.type == .control ? .answer(.accept()) : .keep }
        let exported = ExportedDevice(export: try server.server.export(device: device), device: device)
        let client = try server.attach(exported.busID)
        try client.socket.sendAll(client.model.submit(1, .in(2), length: 8))
        #expect(settles { exported.on { $0.waiting.count == 1 } })
        let selections = exported.on { $0.submissions.filter { $0.type == .control }.map(\.setup) }
        #expect(selections == (value == 0 ? [] : [SetupPacket(requestType: 0, request: 9, value: UInt16(value))]))
        client.socket.shutdown()
    }

    @Test("whoever cleans up after a client is done before the next one comes")
    func onRelease() throws {
        let server = try TestServer()
        let released = Counter()
        _ = try server.add("1-1") { released.add() }
        for round in 0..<5 {
            let client = try server.attach("1-1")
            #expect(released.value == round)
            client.socket.shutdown()
        }
        #expect(settles { released.value == 5 })
    }

    @Test("many clients at once, each with its own device")
    func parallel() throws {
        let server = try TestServer()
        let devices = try (0..<24).map { _ in try server.add() }
        let good = Counter()
        let finished = Counter()
        for (index, device) in devices.enumerated() {
            device.on { $0.react = { .answer(.bytes([UInt8](repeating: UInt8(index), count: $0.requestedLength))) } }
            try startThread("client") {
                defer { finished.add() }
                guard let client = try? server.attach(device.busID) else { return }
                for sequence in 1...50 as ClosedRange<UInt32> {
                    let reply = try? client.exchange(client.model.submit(sequence, .in(1), length: 600))
                    if reply?.submit?.data == [UInt8](repeating: UInt8(index), count: 600) { good.add() }
                }
                client.socket.shutdown()
            }
        }
        #expect(settles(bound: 30_000) { finished.value == devices.count })
        #expect(good.value == devices.count * 50)
    }

    @Test("a violation ends its own connection, after the answers that came before it, and no other")
    func violation() throws {
        let server = try TestServer()
        let devices = [try server.add("1-1"), try server.add("1-2")]
        for device in devices { device.on { $0.react = { _ in .answer(.bytes([1])) } } }
        let bad = try server.attach("1-1")
        let good = try server.attach("1-2")
        try bad.socket.sendAll(bad.model.submit(1, .in(1), length: 8) + [UInt8](repeating: 0xff, count: 48))
        #expect(try bad.replies(1).first?.sequence == 1)
        #expect(bad.socket.isAtEnd)
        #expect(try good.exchange(good.model.submit(1, .in(1), length: 8))?.sequence == 1)
        #expect(settles { devices[0].on { $0.disconnections } == 1 })
        #expect(devices[1].on { $0.disconnections } == 0)
        #expect(try server.attach("1-1").record.busID == "1-1")
    }

    @Test("a connection that breaks within a transfer takes what waited with it", arguments: [10, 48, 60, 30_000])
    func breaks(count: Int) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on { $0.landsTransfers = true }
        let client = try server.attach("1-1")
        try client.socket.sendAll(client.model.submit(1, .in(1), length: 8))
        let large = client.model.submit(2, .out(1), payload: [UInt8](repeating: 1, count: 100_000))
        try client.socket.sendAll(Array(large.prefix(count)))
        #expect(settles { device.on { $0.waiting.count } == 1 })
        client.socket.shutdown()
        #expect(settles { device.on { $0.disconnections == 1 && $0.waiting.isEmpty } })
        #expect(device.on { $0.submissions.map(\.id) } == [1])
    }

    @Test("an IN transfer that waits is answered from another thread, while nothing comes from the client")
    func posted() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let client = try server.attach("1-1")
        for sequence in 1...100 as ClosedRange<UInt32> {
            try client.socket.sendAll(client.model.submit(sequence, .in(2), length: 8))
            #expect(settles { device.on { $0.waiting.count } == 1 })
            try startThread("source") {
                device.post { $0.complete(sequence, .bytes([UInt8(sequence)])) }
            }
            #expect(try client.replies(1).first?.submit?.data == [UInt8(sequence)])
        }
    }

    @Test("large transfers survive both ways, landing or not", arguments: [true, false])
    func large(lands: Bool) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on {
            $0.landsTransfers = lands
            $0.react = { $0.endpoint.direction == .out ? .answer(.accept()) : .answer(.lent($0.setupBytes())) }
        }
        let client = try server.attach("1-1")
        var random = SplitMix64(seed: 5)
        for sequence in 1...20 as ClosedRange<UInt32> {
            let payload = random.bytes(random.below(200_000))
            let reply = try client.exchange(client.model.submit(sequence, .out(1), payload: payload))
            #expect(reply == .submit(SubmitReply(sequence, actualLength: Int32(payload.count))))
            let received = device.on { $0.submissions.last?.payload }
            #expect(received == payload)
        }
        let reply = try client.exchange(client.model.submit(21, .in(1), length: 1 << 20))
        #expect(reply?.submit?.data.count == 1 << 20)
    }

    @Test("a command that is cut between two reads is understood when its rest comes", arguments: [1, 24, 47, 50, 90])
    func cutCommand(count: Int) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        device.on { $0.react = { _ in .answer(.accept()) } }
        let client = try server.attach("1-1")
        var random = SplitMix64(seed: UInt64(count))
        let payloads = (0..<4).map { _ in random.bytes(60) }
        let commands = payloads.enumerated().map { index, payload in
            client.model.submit(UInt32(1 + index), .out(1), payload: payload)
        }
        // The answer to the first shows that the beginning of the next has been read with it.
        try client.socket.sendAll(commands[0] + commands[1].prefix(count))
        #expect(try client.replies(1).first?.sequence == 1)
        try client.socket.sendAll(commands[1].dropFirst(count) + commands[2] + commands[3].prefix(count))
        #expect(try client.replies(2).map(\.sequence) == [2, 3])
        try client.socket.sendAll(Array(commands[3].dropFirst(count)))
        #expect(try client.replies(1).first?.sequence == 4)
        #expect(device.on { $0.submissions.map(\.payload) } == payloads)
    }

    // MARK: Slow readers

    /// More than the sockets' buffers take, in answers of 64 KiB.
    private static let flood = 200

    @Test("a device's own work never waits for a client that does not read")
    func slowReaderPosted() throws {
        let server = try TestServer()
        let slow = try server.add("1-1")
        let other = try server.add("1-2")
        other.on { $0.react = { _ in .answer(.bytes([1])) } }
        let client = try server.attach("1-1")
        for sequence in 1...UInt32(Self.flood) {
            try client.socket.sendAll(client.model.submit(sequence, .in(1), length: 64 << 10))
        }
        #expect(settles { slow.on { $0.waiting.count } == Self.flood })
        let done = Counter()
        for sequence in 1...UInt32(Self.flood) {
            slow.post { device in
                device.complete(
                    sequence, .bytes([UInt8](repeating: UInt8(truncatingIfNeeded: sequence), count: 64 << 10)))
                done.add()
            }
        }
        #expect(settles { done.value == Self.flood })
        let quick = try server.attach("1-2")
        #expect(try quick.exchange(quick.model.submit(1, .in(1), length: 8))?.sequence == 1)
        // Nothing was lost and nothing overtaken.
        let replies = try client.replies(Self.flood).compactMap(\.submit)
        #expect(replies.map(\.sequence) == Array(1...UInt32(Self.flood)))
        #expect(
            replies.allSatisfy { $0.data.first == UInt8(truncatingIfNeeded: $0.sequence) && $0.data.count == 64 << 10 })
    }

    @Test("a client that does not read its answers holds up nobody but itself")
    func slowReaderBlocked() throws {
        let server = try TestServer()
        let slow = try server.add("1-1")
        let other = try server.add("1-2")
        slow.on { $0.react = { _ in .answer(.bytes([UInt8](repeating: 7, count: 64 << 10))) } }
        other.on { $0.react = { _ in .answer(.bytes([1])) } }
        let client = try server.attach("1-1")
        let started = Counter()
        slow.on { device in
            let react = device.react
            device.react = { transfer in
                started.add()
                return react(transfer)
            }
        }
        for sequence in 1...UInt32(Self.flood) {
            try client.socket.sendAll(client.model.submit(sequence, .in(1), length: 64 << 10))
        }
        #expect(settles { started.value > 20 })
        let posted = Counter()
        for _ in 0..<100 { slow.post { _ in posted.add() } }  // would hang here if it waited for the client
        let quick = try server.attach("1-2")
        #expect(try quick.exchange(quick.model.submit(1, .in(1), length: 8))?.sequence == 1)
        #expect(try client.replies(Self.flood).count == Self.flood)
        #expect(settles { posted.value == 100 })
    }

    @Test("a slow reader that goes away frees its device")
    func slowReaderGone() throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let started = Counter()
        device.on {
            $0.react = { _ in
                started.add()
                return .answer(.bytes([UInt8](repeating: 7, count: 64 << 10)))
            }
        }
        try {
            // Closed at the end of this scope, with answers unread.
            let client = try server.attach("1-1")
            for sequence in 1...UInt32(Self.flood) {
                try client.socket.sendAll(client.model.submit(sequence, .in(1), length: 64 << 10))
            }
            #expect(settles { started.value > 20 })
        }()
        #expect(try settles { try server.importStatus("1-1") == .ok })
        #expect(device.on { $0.disconnections } > 0)
    }
}

extension ScriptedDevice.Submission {
    /// As many bytes as were asked for.
    fileprivate func setupBytes() -> [UInt8] { [UInt8](repeating: 0x42, count: requestedLength) }
}
