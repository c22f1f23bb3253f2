import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCore
import USBIPClient
import USBIPWire

@Suite("A server that does not read", .timeLimit(.minutes(10)))
struct UnreadServerTests {
    /// More than any socket has room for.
    private let large = counting(2 << 20)

    @Test("gets all that was submitted once it reads, though the thread that was sending has given up")
    func handOver() throws {
        let peer = try HostilePeer()
        let device = peer.device
        let results = Inbox()
        let bytes = large
        try startThread("large") {
            if let result = try? device.transfer(.out(1, bytes, timeout: .milliseconds(200))) { results.add(result) }
        }
        let first = try peer.submit()
        // The other thread is sending: this one leaves its bytes to it.
        let small = Inbox()
        try device.submit(.out(2, counting(1000))) { small.add($0) }
        try peer.send(answer(SubmitReturn(sequence: first.sequence, actualLength: Int32(bytes.count))))
        #expect(try results.first(1).map(\.status) == [.success])
        #expect(try peer.receive(bytes.count) == bytes)
        let second = try peer.submit()
        #expect(try second.endpoint == 2 && peer.receive(1000) == counting(1000))
        try peer.send(answer(SubmitReturn(sequence: second.sequence, actualLength: 1000)))
        #expect(try small.first(1).map(\.status) == [.success])
    }

    @Test("is given up after the stall, though the thread that was sending gave up before")
    func stall() throws {
        let peer = try HostilePeer(limits: HostLimits(sendStall: .milliseconds(300)))
        let device = peer.device
        let results = Inbox()
        let bytes = large
        try startThread("large") {
            if let result = try? device.transfer(.out(1, bytes, timeout: .milliseconds(100))) { results.add(result) }
        }
        let first = try peer.submit()
        // While the other thread sends, so that this one does not.
        let inbox = Inbox()
        try device.submit(.in(1, room: 8)) { inbox.add($0) }
        try peer.send(answer(SubmitReturn(sequence: first.sequence, actualLength: Int32(bytes.count))))
        #expect(try results.first(1).map(\.status) == [.success])
        let error = HostError.unresponsive("it has read nothing for \(Duration.milliseconds(300))")
        #expect(try inbox.first(1).map(\.connectionError) == [error])
    }

    @Test("is waited for by no task's thread")
    func tasks() async throws {
        let bytes = large
        let peers = try (0..<16).map { _ in try HostilePeer() }
        let waiting = peers.map { peer in
            Task { try await peer.device.transfer(.out(1, bytes)) }
        }
        // Behind more waiting tasks than there are threads for tasks.
        #expect(await Task.detached { 7 }.value == 7)
        for task in waiting { task.cancel() }
        #expect(await Task.detached { 8 }.value == 8)
        for peer in peers { peer.device.close() }
        for task in waiting { await #expect(throws: HostError.closed) { try await task.value } }
    }

    @Test("has no transfer in flight once the connection is closed, whatever it has not read")
    func closed() throws {
        let peer = try HostilePeer()
        let inbox = Inbox()
        let device = peer.device
        let bytes = large
        try startThread("large") { _ = try? device.submit(.out(1, bytes)) { inbox.add($0) } }
        _ = try peer.submit()
        device.close()
        #expect(try inbox.first(1).map(\.connectionError) == [.closed])
        #expect(settles { device.transfersInFlight == 0 })
    }

    @Test("and goes with that is gone, whether that is found in reading or in sending")
    func reset() throws {
        for isSending in [false, true] {
            let inbox = Inbox()
            // The peer closes at the end of this, with bytes it has not read: that resets the connection.
            let device = try {
                let peer = try HostilePeer()
                try peer.device.submit(.in(1, room: 8)) { inbox.add($0) }
                return peer.device
            }()
            if isSending { _ = try? device.submit(.out(1, large)) { _ in } }
            #expect(try inbox.first(1).map(\.connectionError) == [.disconnected])
            #expect(device.connectionError == .disconnected)
        }
    }
}
