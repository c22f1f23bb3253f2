import Glibc
import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPServer
import USBIPWire

@Suite("Stopping, and leaving nothing behind", .timeLimit(.minutes(10)))
struct StopTests {
    @Test("every transfer that waits ends with ESHUTDOWN, then the connection ends, and all of it soon")
    func stop() throws {
        let server = try TestServer()
        let devices = [try server.add(), try server.add(), try server.add()]
        let clients = try devices.map { try server.attach($0.busID) }
        for (client, device) in zip(clients, devices) {
            try client.socket.sendAll(
                client.model.submit(1, .in(1), length: 8) + client.model.submit(2, .out(1), payload: [1, 2, 3]))
            #expect(settles { device.on { $0.waiting.count } == 2 })
        }
        let idle = try server.connect()
        let start = ContinuousClock.now
        server.server.stop()
        #expect(ContinuousClock.now - start < .seconds(3))
        for client in clients {
            #expect(
                Set(try client.replies(2)) == [
                    .submit(SubmitReply(1, status: -108)), .submit(SubmitReply(2, status: -108)),
                ])
            #expect(client.socket.isAtEnd)
        }
        #expect(idle.isAtEnd)
        for device in devices { #expect(device.on { [$0.connections, $0.disconnections] } == [1, 1]) }
        #expect(throws: SocketError.self) { try server.connect() }
    }

    @Test("a client that keeps submitting while the server stops is answered until the end")
    func stopWhileBusy() throws {
        let server = try TestServer { $0.drainTime = 10_000 }
        let device = try server.add()
        let client = try server.attach(device.busID)
        try client.socket.sendAll(client.model.submit(1, .in(1), length: 8))
        #expect(settles { device.on { $0.waiting.count } == 1 })
        let stopped = Counter()
        try startThread("stop") {
            server.server.stop()
            stopped.add()
        }
        #expect(try client.replies(1) == [.submit(SubmitReply(1, status: -108))])
        #expect(
            try client.exchange(client.model.submit(2, .in(1), length: 8)) == .submit(SubmitReply(2, status: -108)))
        #expect(try client.exchange(client.model.unlink(3, victim: 2)) == .unlink(sequence: 3, status: 0))
        // The client has had its answers and goes; nobody waits out the rest of the time.
        client.socket.shutdown()
        #expect(settles(bound: 5_000) { stopped.value == 1 })
    }

    @Test("a client that does not read cannot keep the server from stopping")
    func stopSlowReader() throws {
        let server = try TestServer { $0.drainTime = 20 }
        let device = try server.add()
        let started = Counter()
        device.on {
            $0.react = { _ in
                started.add()
                return .answer(.bytes([UInt8](repeating: 7, count: 64 << 10)))
            }
        }
        let client = try server.attach(device.busID)
        for sequence in 1...200 as ClosedRange<UInt32> {
            try client.socket.sendAll(client.model.submit(sequence, .in(1), length: 64 << 10))
        }
        #expect(settles { started.value > 20 })
        let start = ContinuousClock.now
        server.server.stop()
        #expect(ContinuousClock.now - start < .seconds(3))
        #expect(device.on { $0.disconnections } == 1)
    }

    @Test("a server that never had a client, or is stopped twice, stops")
    func stopTwice() throws {
        let server = try TestServer()
        server.server.stop()
        server.server.stop()
        #expect(throws: SocketError.self) { try server.connect() }
    }

    @Test("two hundred clients come and go, and no descriptor or thread stays")
    func leaks() async {
        // In a process of its own, where nothing else opens files or starts threads.
        await #expect(processExitsWith: .success) {
            let server = try TestServer()
            let device = try server.add("1-1")
            device.on { $0.react = { $0.endpoint == .in(2) ? .keep : .answer(.accept()) } }
            func round(_ number: Int) throws {
                let client = try server.attach("1-1")
                try client.socket.sendAll(client.model.submit(1, .in(2), length: 8))
                if number % 2 == 0 { _ = try client.exchange(client.model.submit(2, .out(1), payload: [1])) }
                if number % 5 == 0 { _ = try server.importStatus("no") }
                if number % 3 == 0 { client.socket.shutdown() }
            }
            for number in 0..<10 { try round(number) }
            try #require(settles { device.on { $0.disconnections } == 10 })
            let before = (count("/proc/self/fd"), count("/proc/self/task"))
            for number in 0..<200 { try round(number) }
            try #require(settles { device.on { $0.disconnections } == 210 })
            // The runtime may have added a thread or two of its own; a leak would be two hundred.
            #expect(settles { count("/proc/self/fd") <= before.0 + 2 && count("/proc/self/task") <= before.1 + 4 })
        }
    }
}

/// The entries of a folder.
private func count(_ path: String) -> Int {
    guard let folder = unsafe opendir(path) else { return 0 }
    defer { unsafe closedir(folder) }
    var number = 0
    while unsafe readdir(folder) != nil { number += 1 }
    return number
}
