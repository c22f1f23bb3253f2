import SocketIO
import TestSupport
import Testing
import USBCore
import USBIPServer
import USBIPWire

@Suite("Connections that move nothing but reports", .timeLimit(.minutes(10)))
struct CalmConnectionTests {
    /// Polls the device until its connection has been handed to the thread that serves all calm ones.
    private func calm(_ client: AttachedClient, _ device: ExportedDevice) throws -> UInt32 {
        device.on { $0.react = { $0.endpoint == .in(2) ? .keep : .answer(.accept()) } }
        try client.socket.sendAll(client.model.submit(1, .in(2), length: 8))
        #expect(settles { device.on { $0.waiting.count } == 1 })
        var sequence: UInt32 = 1
        for _ in 0..<200 {
            sequence += 1
            #expect(try client.exchange(client.model.submit(sequence, .out(2), payload: [1]))?.sequence == sequence)
        }
        return sequence
    }

    @Test(
        "a connection that was calm moves bulk data when it wants to, large ones included",
        arguments: [[10, 1_000_000], [1_000_000, 10, 40_000]])
    func calmThenBusy(sizes: [Int]) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let client = try server.attach("1-1")
        var sequence = try calm(client, device)
        for size in sizes {
            sequence += 1
            let payload = [UInt8](repeating: UInt8(size % 251), count: size)
            #expect(try client.exchange(client.model.submit(sequence, .out(1), payload: payload))?.sequence == sequence)
            let received = device.on { $0.submissions.last?.payload }
            #expect(received == payload)
        }
        client.socket.shutdown()
        #expect(settles { device.on { $0.disconnections == 1 && $0.waiting.isEmpty } })
    }

    @Test("a calm connection ends like any other: by its client, by a violation, by the server", arguments: 0..<3)
    func calmThenEnd(way: Int) throws {
        let server = try TestServer()
        let device = try server.add("1-1")
        let client = try server.attach("1-1")
        _ = try calm(client, device)
        switch way {
        case 0: client.socket.shutdown()
        case 1: try client.socket.sendAll([UInt8](repeating: 0xff, count: 48))
        default: #expect(server.server.stop())
        }
        #expect(settles { device.on { $0.disconnections == 1 && $0.waiting.isEmpty } })
        if way != 2 { #expect(try server.importStatus("1-1") == .ok) }
    }
}
