import SocketIO
import TestSupport
import Testing
import USBCore
import USBDeviceKit
import USBIPClient
import USBIPServer

@Suite("The end of a connection", .timeLimit(.minutes(10)))
struct EndTests {
    /// Has transfers wait on every kind of endpoint.
    private func fill(_ device: AttachedDevice, _ inbox: Inbox) throws {
        for request: TransferRequest in [
            .in(1, room: 64), .in(2, room: 8), .isochronousIn(3, lengths: [8, 8]), .out(1, [1]), .in(1, room: 64),
        ] {
            try device.remote.submit(request) { inbox.add($0) }
        }
        #expect(device.hasWaiting(5))
    }

    @Test("a device that is unplugged ends each transfer once, and refuses more")
    func unplug() throws {
        let device = try HostedServer().attachScripted()
        let inbox = Inbox()
        try fill(device, inbox)
        device.export.executor.unplug()
        let results = try inbox.first(5)
        // Each has its answer before the connection ends.
        #expect(results.allSatisfy { $0.connectionError == nil && $0.status == .shutdown })
        #expect(settles { device.remote.connectionError == .disconnected })
        #expect(throws: HostError.disconnected) { try device.remote.read(1, room: 1) }
        #expect(settles { device.remote.transfersInFlight == 0 })
        #expect(inbox.all.count == 5)
    }

    @Test("a server that stops ends each transfer once")
    func stop() throws {
        let device = try HostedServer().attachScripted()
        let inbox = Inbox()
        try fill(device, inbox)
        device.host.server.stop()
        let results = try inbox.first(5)
        // Answered by the draining server, or not at all: which of the two is a matter of time.
        #expect(results.allSatisfy { $0.status == .shutdown || $0.status == .cancelled })
        #expect(settles { device.remote.connectionError != nil })
        #expect(settles { device.remote.transfersInFlight == 0 })
        #expect(inbox.all.count == 5)
    }

    @Test("closing ends each transfer once, and may be done twice")
    func close() throws {
        let device = try HostedServer().attachScripted()
        let inbox = Inbox()
        try fill(device, inbox)
        device.remote.close()
        device.remote.close()
        #expect(try inbox.first(5).allSatisfy { $0.connectionError == .closed })
        #expect(settles { device.remote.transfersInFlight == 0 && device.on { $0.disconnections } == 1 })
        #expect(throws: HostError.closed) { try device.remote.submit(.in(1, room: 1)) { inbox.add($0) } }
        #expect(inbox.all.count == 5)
    }

    @Test("a device that is let go of is given back to the server")
    func letGo() throws {
        let server = try HostedServer()
        let inbox = Inbox()
        let exported = try {
            let device = try server.attachScripted()
            try device.remote.submit(.in(1, room: 64)) { inbox.add($0) }
            #expect(device.hasWaiting(1))
            return (device.export, device.scripted)
        }()
        #expect(try inbox.first(1).map(\.connectionError) == [.closed])
        #expect(settles { exported.0.executor.run { exported.1.device.disconnections } == 1 })
        // The export is freed a moment after the device is.
        var again: RemoteDevice?
        #expect(
            settles {
                again = try? RemoteDevice.attach(to: server.address, busID: "1-1")
                return again != nil
            })
    }

    @Test("whoever waits for a transfer is woken when the server goes")
    func wakesBlocked() throws {
        let device = try HostedServer().attachScripted()
        let remote = device.remote
        let woken = Tally()
        for endpoint: UInt8 in [1, 2] {
            try startThread("waiting") {
                do throws(HostError) {
                    _ = try remote.read(endpoint, room: 8, timeout: nil)
                } catch {
                    if error == .disconnected { woken.add() }
                }
            }
        }
        #expect(device.hasWaiting(2))
        try device.breakConnection()
        #expect(settles { woken.value == 2 })
    }

    @Test("a task that waits for a transfer is woken when the server goes")
    func wakesTask() async throws {
        let device = try HostedServer().attachScripted()
        let waiting = Task { try await device.remote.transfer(.in(2, room: 8)) }
        #expect(try await device.comesToWait(1))
        try device.breakConnection()
        await #expect(throws: HostError.disconnected) { try await waiting.value }
    }

    @Test("thousands of transfers in rounds leave nothing behind")
    func memory() throws {
        let device = try HostedServer().attachScripted()
        let bytes = counting(40_000)
        device.on { $0.react = { $0.id.isMultiple(of: 3) ? .keep : .answer(.bytes(bytes)) } }
        for round in 0..<20 {
            let inbox = Inbox()
            var ids: [TransferID] = []
            for _ in 0..<100 { ids.append(try device.remote.submit(.in(1, room: 40_000)) { inbox.add($0) }) }
            for id in ids { device.remote.cancel(id) }
            #expect(try inbox.first(100).count == 100, "round \(round)")
            #expect(settles { device.remote.transfersInFlight == 0 && device.remote.unansweredCommands == 0 })
        }
    }

    @Test("the number in flight is bounded")
    func bounded() throws {
        let device = try HostedServer().attachScripted(limits: HostLimits(transfers: 3))
        let inbox = Inbox()
        for _ in 0..<3 { try device.remote.submit(.in(1, room: 8)) { inbox.add($0) } }
        #expect(throws: HostError.invalidRequest("3 transfers are in flight, which is the limit")) {
            try device.remote.submit(.in(1, room: 8)) { inbox.add($0) }
        }
        #expect(device.hasWaiting(3))
        device.on { $0.completeAll(.success) }
        #expect(try inbox.first(3).count == 3)
    }
}

extension AttachedDevice {
    /// Ends the connection without an answer for what waits.
    fileprivate func breakConnection() throws {
        on { $0.cancelling = .later }
        export.executor.unplug()
        // Given back only once nobody is there to be answered.
        try startThread("late") { [self] in
            _ = settles { on { $0.disconnections } == 1 }
            on { $0.finishCancels() }
        }
    }
}
