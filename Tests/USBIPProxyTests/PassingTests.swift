import Glibc
import SocketIO
import Synchronization
import TestSupport
import Testing
import USBCapture
import USBIPProxy
import USBRecording

/// That bytes pass as they come, whatever becomes of the two ends.
@Suite("A proxy passes on", .timeLimit(.minutes(2))) struct PassingTests {
    @Test("Every byte in both directions, in pieces of any size")
    func bytes() throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        var random = SplitMix64(seed: 7)
        for _ in 0..<200 {
            let bytes = random.bytes(1 + random.below(random.oneIn(10) ? 60_000 : 50))
            let (from, to) = random.oneIn(2) ? (client, upstream) : (upstream, client)
            try from.sendAll(bytes)
            #expect(try to.receiveExactly(bytes.count) == bytes)
        }
    }

    @Test("One end that has said everything can still be answered")
    func halfClose() throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        try client.sendAll([1])
        #expect(shutdown(client.descriptor, Int32(SHUT_WR)) == 0)
        #expect(try upstream.receiveExactly(1) == [1])
        #expect(throws: SocketError.self) { try upstream.receiveExactly(1) }
        try upstream.sendAll([2, 3])
        #expect(try client.receiveExactly(2) == [2, 3])
        upstream.shutdown()
        #expect(settles { between.proxy.connectionCount == 0 })
    }

    @Test("One end that has said everything is not answered for ever", arguments: [true, false])
    func silence(isClient: Bool) throws {
        let server = try PlainServer()
        let between = try Between(server.address, silence: 20)
        let client = try between.connect()
        let upstream = try server.accept()
        let (done, silent) = isClient ? (client, upstream) : (upstream, client)
        #expect(shutdown(done.descriptor, Int32(SHUT_WR)) == 0)
        #expect(throws: SocketError.self) { try silent.receiveExactly(1) }
        // Nothing ends on this side: neither socket is let go of.
        #expect(settles { between.proxy.connectionCount == 0 })
        _ = (done, silent)
    }

    @Test("A proxy that would be its own server does not start", arguments: ["127.0.0.1", "0.0.0.0"])
    func itself(address: String) throws {
        // A port that was free a moment ago.
        let port = try PlainServer().address.port
        let proxy = USBIPProxy(
            upstream: HostAndPort(host: "127.0.0.1", port: port), listen: [HostAndPort(host: address, port: port)],
            logger: silent)
        let error = #expect(throws: SocketError.self) { try proxy.start() }
        #expect(error?.description.contains("would be this proxy itself") == true, "\(error?.description ?? "")")
        // The port is free again.
        _ = try ListeningSocket(#require(SocketAddress.resolve(host: address, port: port).first))
    }

    @Test("A server that cannot be reached ends the client's connection")
    func noServer() throws {
        // A port that was free a moment ago.
        let port = try PlainServer().address
        let between = try Between(port)
        let client = try between.connect()
        #expect(throws: SocketError.self) { try client.receiveExactly(1) }
        #expect(settles { between.proxy.connectionCount == 0 })
    }

    @Test("When one end vanishes, so does the other", arguments: [true, false])
    func vanishing(isClient: Bool) throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        let (gone, left) = isClient ? (client, upstream) : (upstream, client)
        // As a process that is killed with unread bytes leaves it: with a reset.
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(
            gone.descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        let null = unsafe open("/dev/null", O_RDWR)
        dup2(null, gone.descriptor)
        close(null)
        #expect(throws: SocketError.self) { try left.receiveExactly(1) }
        #expect(settles { between.proxy.connectionCount == 0 })
    }

    @Test("A receiver that does not read holds its sender up, and gets everything later")
    func slowReader() throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        let total = 64 << 20
        let piece = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sent = Counter()
        let done = Semaphore()
        try startThread("sender") {
            for _ in 0..<(total / piece.count) where (try? upstream.sendAll(piece)) != nil { sent.add(piece.count) }
            done.signal()
        }
        // The sockets' buffers fill up, and not the proxy's memory.
        var last = -1
        var same = 0
        #expect(
            settles {
                same = sent.value == last ? same + 1 : 0
                last = sent.value
                return last > 0 && same > 100
            })
        #expect(last < total)
        // The other direction goes on meanwhile.
        try client.sendAll([42])
        #expect(try upstream.receiveExactly(1) == [42])
        for _ in 0..<(total / piece.count) { #expect(try client.receiveExactly(piece.count) == piece) }
        done.wait()
        #expect(sent.value == total)
    }

    @Test("A proxy that is stopped ends its connections and frees its port")
    func stopping() throws {
        let server = try PlainServer()
        let between = try Between(server.address)
        let client = try between.connect()
        let upstream = try server.accept()
        #expect(between.proxy.stop())
        #expect(throws: SocketError.self) { try client.receiveExactly(1) }
        #expect(throws: SocketError.self) { try upstream.receiveExactly(1) }
        #expect(throws: SocketError.self) { try between.connect() }
    }
}

/// A number that threads count up.
final class Counter: Sendable {
    private let number = Atomic(0)

    func add(_ count: Int) { number.add(count, ordering: .sequentiallyConsistent) }
    var value: Int { number.load(ordering: .sequentiallyConsistent) }
}
