import Glibc
import SocketIO
import Synchronization
import TestSupport
import Testing

@Suite("Sockets", .timeLimit(.minutes(10)))
struct SocketTests {
    private func listener() throws -> ListeningSocket {
        try ListeningSocket(try #require(SocketAddress.resolve(host: "127.0.0.1", port: 0).first))
    }

    private func pair() throws -> (client: StreamSocket, server: StreamSocket) {
        let listener = try listener()
        let client = try StreamSocket.connect(to: HostAndPort(host: "127.0.0.1", port: listener.address.port))
        return (client, try #require(try listener.accept()))
    }

    @Test("port 0 takes a free port, and the address tells which")
    func freePort() throws {
        let listener = try listener()
        #expect(listener.address.port != 0 && listener.address.host == "127.0.0.1")
    }

    @Test("a port that is taken is an error that says what to do")
    func takenPort() throws {
        let first = try listener()
        let error = #expect(throws: SocketError.self) { try ListeningSocket(first.address) }
        #expect(error?.code == 0 || error?.code == EADDRINUSE)
        #expect(error?.description.contains("port") == true)
    }

    @Test("nobody listening is an error, at once")
    func refused() throws {
        let port = try listener().address.port
        let error = #expect(throws: SocketError.self) {
            try StreamSocket.connect(to: HostAndPort(host: "127.0.0.1", port: port))
        }
        #expect(error?.code == ECONNREFUSED)
    }

    @Test("bytes arrive in order, whatever the size of the pieces", arguments: [1, 100, 1 << 20])
    func bytes(size: Int) throws {
        let (client, server) = try pair()
        var random = SplitMix64(seed: UInt64(size))
        let sent = random.bytes(size)
        try startThread("sender") { try? client.sendAll(sent) }
        #expect(try server.receiveExactly(size) == sent)
    }

    @Test("two pieces go out in one call, and the first comes first")
    func gather() throws {
        let (client, server) = try pair()
        let head: [UInt8] = [1, 2, 3]
        let tail: [UInt8] = [4, 5]
        let count = unsafe head.withUnsafeBytes { head in
            unsafe tail.withUnsafeBytes { tail in unsafe client.send(head, tail, mayBlock: true) }
        }
        #expect(count == 5)
        #expect(try server.receiveExactly(5) == [1, 2, 3, 4, 5])
    }

    @Test("a write that may not block says EAGAIN when the peer does not read")
    func full() throws {
        let (client, server) = try pair()
        let block = [UInt8](repeating: 7, count: 1 << 20)
        var total = 0
        var last = 0
        while last >= 0 {
            last = unsafe block.withUnsafeBytes { bytes in
                unsafe client.send(bytes, UnsafeRawBufferPointer(start: nil, count: 0), mayBlock: false)
            }
            total += max(0, last)
        }
        #expect(last == -Int(EAGAIN) && total > 0)
        #expect(try server.receiveExactly(total).count == total)
        client.waitUntilWritable()
    }

    @Test("a read that takes too long fails with EAGAIN")
    func readTimeout() throws {
        let (client, server) = try pair()
        server.setReadTimeout(milliseconds: 5)
        let error = #expect(throws: SocketError.self) { try server.receiveExactly(1) }
        #expect(error?.code == EAGAIN)
        withExtendedLifetime(client) {}
    }

    @Test("the end of the stream is an error for who wanted more")
    func endOfStream() throws {
        let (client, server) = try pair()
        try client.sendAll([1, 2])
        client.shutdown()
        #expect(throws: SocketError.self) { try server.receiveExactly(3) }
    }

    @Test("shutting down wakes a thread that reads, and one that waits to write")
    func shutdownWakes() throws {
        let (client, server) = try pair()
        let woken = Woken()
        try startThread("reader") {
            _ = try? server.receiveExactly(1)
            woken.count.add(1, ordering: .relaxed)
        }
        server.shutdown()
        #expect(settles { woken.count.load(ordering: .relaxed) == 1 })
        server.waitUntilWritable()
        withExtendedLifetime(client) {}
    }

    @Test("stopping a listener wakes who waits in accept")
    func stopListening() throws {
        let listener = try listener()
        let woken = Woken()
        try startThread("accept") {
            if let socket = try? listener.accept() { socket.shutdown() } else { woken.count.add(1, ordering: .relaxed) }
        }
        listener.stop()
        #expect(settles { woken.count.load(ordering: .relaxed) == 1 })
    }

    @Test("a peer that is gone is an error and no signal")
    func brokenPipe() throws {
        let (client, server) = try pair()
        server.shutdown()
        let block = [UInt8](repeating: 1, count: 1 << 16)
        let error = #expect(throws: SocketError.self) { while true { try client.sendAll(block) } }
        #expect(error?.code == EPIPE || error?.code == ECONNRESET)
    }

    @Test("a thread has its name, cut to what Linux keeps")
    func threadName() throws {
        let box = NameBox()
        try startThread("a name that is far too long") {
            var text = [UInt8](repeating: 0, count: 32)
            let file = unsafe open("/proc/thread-self/comm", O_RDONLY)
            let count = unsafe read(file, &text, text.count)
            close(file)
            box.name.withLock { $0 = String(decoding: text.prefix(max(0, count)), as: UTF8.self) }
        }
        #expect(settles { box.name.withLock { $0 } == "a name that is \n" })
    }
}

private final class Woken: Sendable {
    let count = Atomic(0)
}

private final class NameBox: Sendable {
    let name = Mutex("")
}
